"""The check of a result against exact arithmetic. What fails is an error, never an answer.

A derivative is judged by the coefficient of t in f(x + t*v), enclosed in balls at random points x along
random directions v; no rule of ours takes part in that.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import islice
from typing import TypeAlias

from derivata.errors import VerificationError
from derivata.expr.node import Expr, shape_text
from derivata.expr.symbol import Symbol
from derivata.run.agree import Check, Comparison, all_finite, decide, disagreement
from derivata.run.balls import Array, Entry, ball, coefficient, constant, inner, moving, precision
from derivata.run.local import verify_rules
from derivata.run.precise import Program
from derivata.run.sample import Point, Sample, direction, points, sizes_for

_TRIES = 40  # points tried for each one that is wanted
_BUDGET = 1_500_000  # operations on entries that a check may take; large graphs get fewer points
_SMOOTH_BUDGET, _SMOOTH_POINTS = 4_000, 4  # where nothing has a kink a few points of many entries say as much
_FEWEST = 3
Where: TypeAlias = "Callable[[], str]"  # says at which point, if asked


def verify_derivative(
    f: Expr, wrt: Expr, result: Expr, *, points: int = 24, digits: int = 50, smooth: bool = False
) -> Check:
    """Check that `result`, of shape f.shape + wrt.shape, is the derivative of f by the symbol wrt.

    Of a `smooth` f, one without kinks, fewer points are tried when each compares many entries.
    """
    if result.shape != (*f.shape, *wrt.shape):
        raise VerificationError(
            f"a derivative of shape {shape_text(result.shape)} was found where "
            f"{shape_text((*f.shape, *wrt.shape))} was expected; please report this as a bug"
        )
    sizes = sizes_for((f, wrt, result))
    value, slopes = Program([f], sizes), Program([result], sizes)
    chance = random.Random(1)
    name = wrt.data.name

    def prepare(point: Point) -> tuple[Comparison, Where]:
        at = point.values[name]
        along = Sample(at.shape, direction(wrt.data, at.shape, chance))

        def compare(bits: int) -> tuple[list[Entry], list[Entry]] | None:
            with precision(bits):
                values = {n: v.enclosed() for n, v in point.values.items()}
                (true,) = value.run({**values, name: _moved(values[name], along)}, bits=bits)
                if not all_finite(true.entries):
                    return None
                (found,) = slopes.run(values, bits=bits)
                return [coefficient(e) for e in true.entries], _along(found, along, wrt.data)

        return compare, lambda: f"{point}, direction {along}"

    work = 2 * value.work + slopes.work
    if smooth:
        points = min(points, max(_SMOOTH_POINTS, _SMOOTH_BUDGET // max(work, 1)))
    roots = (f, wrt, result)
    return _check("the derivative", f, roots, prepare, points, digits, work, ("the slope is", "the result gives"))


def verify_gradients(
    f: Expr, wrt: Sequence[Expr], results: Sequence[Expr], *, points: int = 8, digits: int = 50
) -> Check:
    """Check that the results are the gradients of a scalar f by the symbols wrt, all moving at once.

    Directions are random, so a wrong part of any result shows in the sum of all.
    """
    sizes = sizes_for((f, *wrt, *results))
    value, slopes = Program([f], sizes), Program(results, sizes)
    chance = random.Random(1)

    def prepare(point: Point) -> tuple[Comparison, Where]:
        along = {}
        for variable in wrt:
            shape = point.values[variable.data.name].shape
            along[variable.data.name] = Sample(shape, direction(variable.data, shape, chance))

        def compare(bits: int) -> tuple[list[Entry], list[Entry]] | None:
            with precision(bits):
                values = {n: v.enclosed() for n, v in point.values.items()}
                moved = {n: _moved(values[n], v) for n, v in along.items()}
                (true,) = value.run({**values, **moved}, bits=bits)
                if not all_finite(true.entries):
                    return None
                found = slopes.run(values, bits=bits)
                parts = [_along(f, along[v.data.name], v.data)[0] for f, v in zip(found, wrt, strict=True)]
                return [coefficient(e) for e in true.entries], [sum(parts[1:], parts[0])]

        return compare, point.__str__

    work = 2 * value.work + slopes.work
    roots = (f, *wrt, *results)
    return _check("the gradients", f, roots, prepare, points, digits, work, ("the slope is", "the results give"))


def _moved(value: Array, along: Sample) -> Array:
    """The value moving along a direction."""
    pairs = zip(value.entries, along.entries, strict=True)
    return Array(value.shape, [moving(x, ball(v)) for x, v in pairs])


def verify_equal(a: Expr, b: Expr, *, of: Expr | None = None, points: int = 24, digits: int = 50) -> Check:
    """Check that b has a's value wherever a has one and, where both are about the expression `of`, that has one."""
    if a.shape != b.shape:
        raise VerificationError(
            f"shape {shape_text(a.shape)} became {shape_text(b.shape)}; please report this as a bug"
        )
    roots = (a, b) if of is None else (a, b, of)
    sizes = sizes_for(roots)
    left, right = Program([a, *roots[2:]], sizes), Program([b], sizes)

    def prepare(point: Point) -> tuple[Comparison, Where]:
        def compare(bits: int) -> tuple[list[Entry], list[Entry]] | None:
            with precision(bits):
                values = {n: v.enclosed() for n, v in point.values.items()}
                expected, *others = left.run(values, bits=bits)
                if not all(all_finite(known.entries) for known in (expected, *others)):
                    return None
                return expected.entries, right.run(values, bits=bits)[0].entries

        return compare, point.__str__

    work = left.work + right.work
    return _check("a form", a, roots, prepare, points, digits, work, ("the value is", "the form gives"))


def _along(found: Array, along: Sample, symbol: Symbol) -> list[Entry]:
    """The derivative applied to the direction; of a symmetric variable only the entries that are free count."""
    twice = "symmetric" in symbol.traits and "diagonal" not in symbol.traits
    width = along.shape[-1] if twice else 0
    direction = [ball(v * (not twice or i // width <= i % width)) for i, v in enumerate(along.entries)]
    step = len(direction)
    if step == 0:
        return [ball(Fraction(0))] * len(found.entries)
    return [
        inner([constant(e) for e in found.entries[i : i + step]], direction) for i in range(0, len(found.entries), step)
    ]


def _check(
    what: str,
    of: Expr,
    roots: Sequence[Expr],
    prepare: Callable[[Point], tuple[Comparison, Where]],
    wanted: int,
    digits: int,
    work: int,
    sides: tuple[str, str],
) -> Check:
    """Judge at points of the domain until enough have agreed."""
    wanted = min(wanted, max(2, _BUDGET // max(work, 1)))
    agreed = 0
    for point in islice(points(*roots, count=_TRIES * wanted), _TRIES * wanted):
        compare, where = prepare(point)
        verdict, expected, found = decide(compare, digits)
        if verdict in ("different", "undefined"):
            disagreement(what, of, where(), expected, found, sides)
        agreed += verdict == "equal"
        if agreed == wanted:
            break
    if agreed < min(_FEWEST, wanted):
        raise VerificationError(
            f"{what} could not be checked: among {_TRIES * wanted} random points "
            + (f"only {agreed} lay" if agreed else "none lay")
            + ' in the domain of the expression; declare the domain, as in where="x > 0"'
        )
    return Check(agreed, digits)


__all__ = ["Check", "verify_derivative", "verify_equal", "verify_rules"]

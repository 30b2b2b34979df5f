"""Sums of the input as generators: (x - mu)**2 - s**2 rather than its terms multiplied out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product as choices

from flint import Ordering, fmpq_mpoly_ctx

from derivata.expr.node import Expr, Labels
from derivata.simplify.normal import Normaliser
from derivata.simplify.radicals import Polynomial
from derivata.simplify.rational import Family, Rational, rational, reduced

MOST_SUMS = 6
MOST_TERMS = 60


def in_sums(value: Rational, sums: Sequence[Expr], normaliser: Normaliser) -> Iterator[Rational]:
    """The function with one of the (normal) sums, wherever it stands, as a generator; only where that is shorter."""
    if len(value.families) < 2 or not 2 < _terms(value) <= MOST_TERMS:
        return
    for total in sums[:MOST_SUMS]:
        found = value
        for labels in _placements(total, value):
            found = _with_sum(found, total, labels, normaliser) or found
        if _terms(found) < _terms(value):
            yield found


def _terms(value: Rational) -> int:
    return len(value.numerator) + len(value.denominator)


def _placements(total: Expr, value: Rational) -> list[Labels]:
    """The axes that the sum may lie on."""
    fitting = [[i for i, size in enumerate(value.shape) if size == own] for own in total.shape]
    return [labels for labels in choices(*fitting) if len(set(labels)) == len(labels)]


def _with_sum(value: Rational, total: Expr, labels: Labels, normaliser: Normaliser) -> Rational | None:
    """One generator of the sum written by the sum u: from u = (c*g + rest)/below follows g."""
    own = rational(total, normaliser.leaf, normaliser.opened)
    places = {
        (f.node, f.labels, f.kind, unit): i for i, (f, unit) in enumerate(zip(value.families, value.units, strict=True))
    }
    lifted: list[int] = []
    for family, unit in zip(own.families, own.units, strict=True):
        place = places.get((family.node, tuple(labels[i] for i in family.labels), family.kind, unit))
        if place is None:
            return None
        lifted.append(place)
    names = tuple(f"g{i}" for i in range(len(value.families) + 1))
    context = fmpq_mpoly_ctx.get(names, Ordering.lex)
    old = [context.gen(i) for i in range(len(value.families))]
    new = context.gen(len(value.families))
    top, below = (p.compose(*(old[i] for i in lifted), ctx=context) for p in (own.numerator, own.denominator))
    for place in lifted:
        image = _solved(top, below, place, new, old[place])
        if image is None:
            continue
        images = [image if i == place else generator for i, generator in enumerate(old)]
        numerator, denominator = (p.compose(*images, ctx=context) for p in (value.numerator, value.denominator))
        family = Family(total, labels, "plain")
        found = Rational(
            (*value.families, family),
            (*value.units, type(value.units[0])(1)),
            context,
            numerator,
            denominator,
            value.shape,
        )
        if not denominator.is_zero() and _terms(shorter := reduced(found)) < _terms(value):
            return shorter
    return None


def _solved(
    top: Polynomial, below: Polynomial, place: int, new: Polynomial, generator: Polynomial
) -> Polynomial | None:
    """The generator from new*below = c*generator + rest, if c is a number."""
    if top.degrees()[place] != 1 or below.degrees()[place]:
        return None
    coefficient = top.derivative(place)
    if not coefficient.is_constant():
        return None
    rest = top - coefficient * generator
    return (new * below - rest) / coefficient.coeffs()[0]

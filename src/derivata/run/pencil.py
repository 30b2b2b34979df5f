"""Numbers that a person can follow with a pencil: small, short as decimals, the same ones every time."""

from __future__ import annotations

import difflib
import numbers
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import floor, isfinite, prod
from typing import TypeAlias

from flint import fmpq

from derivata.errors import EvaluationError, LimitError, VariableError
from derivata.expr.node import NUMBER, Expr
from derivata.expr.selectors import is_onehot
from derivata.expr.sizes import fitting_sizes
from derivata.expr.symbol import Symbol
from derivata.expr.walk import topological
from derivata.run.sample import (
    Point,
    Sample,
    concrete,
    needed_sizes,
    sizes_for,
    subscript_limits,
    symbols_in,
)

Given: TypeAlias = "Mapping[str, Fraction]"
Stream: TypeAlias = "Sequence[Fraction]"

MOST_ENTRIES = 64  # of an array that somebody is to read
_HALF, _QUARTER = Fraction(1, 2), Fraction(1, 4)
_ANY = (Fraction(2), Fraction(1), Fraction(-1), Fraction(3), Fraction(-2))
_POSITIVE = (Fraction(2), Fraction(1), Fraction(3), _HALF)
_HALVES = (Fraction(1), -_HALF, _HALF, 3 * _HALF, Fraction(-1))
_ABOVE_ONE = (Fraction(2), Fraction(3), 3 * _HALF, Fraction(4))
_WITHIN_ONE = (_HALF, -_HALF, _QUARTER, 3 * _QUARTER, -_QUARTER)
_UNIT = (_HALF, _QUARTER, 3 * _QUARTER)
# What is tried in turn until the expression has a value: each list starts at its first number, then at its second.
_LISTS = tuple(plain for plain in (_ANY, _POSITIVE, _HALVES, _WITHIN_ONE, _UNIT, _ABOVE_ONE) for _ in range(2))
# Then each symbol takes a list of its own, for domains that mix these, and at last quarters drawn at random.
_MIXED_TRIES, _RANDOM_TRIES = 40, 80
_PLACES = (1, 0, 2)  # subscripts; not the first entry, which is too easily right


def checked(roots: Sequence[Expr], given: Mapping[str, object]) -> dict[str, Fraction]:
    """The sizes and scalars that were set, each a number that the name may have."""
    sizes, symbols = sizes_for(roots), symbols_in(roots)
    found = {}
    for name, value in given.items():
        if name not in sizes and name not in symbols:
            raise VariableError(_unknown(name, [*sizes, *symbols]))
        number = _number(name, value)
        symbol = symbols.get(name)
        if name in sizes:
            if number.denominator != 1 or number < 1:
                raise EvaluationError(
                    f"{name} is a size: a positive whole number was expected, {_shown(number)} was given"
                )
        elif symbol is not None:
            _check_scalar(symbol, number)
        found[name] = number
    return found


def _unknown(name: str, known: Sequence[str]) -> str:
    same = [other for other in known if other.lower() == name.lower()]
    close = same or difflib.get_close_matches(name[:40], known, n=1, cutoff=0.6)
    listed = ", ".join(dict.fromkeys(known)) or "none"
    hint = f"; did you mean {close[0]}?" if close else f"; it has: {listed}"
    return f"{name[:40]!r} is neither a size nor a variable of the expression{hint}"


def _number(name: str, value: object) -> Fraction:
    if isinstance(value, numbers.Rational) and not isinstance(value, bool):
        return Fraction(int(value.numerator), int(value.denominator))
    if isinstance(value, numbers.Real) and not isinstance(value, bool) and isfinite(value):
        return Fraction(repr(float(value)))
    raise EvaluationError(f"{name} must be a number, {str(value)[:40]!r} was given; only sizes and scalars can be set")


def _shown(number: Fraction) -> str:
    return str(number) if number.denominator == 1 else f"{float(number):.6g}"


def _check_scalar(symbol: Symbol, number: Fraction) -> None:
    if symbol.shape:
        raise EvaluationError(f"{symbol.name} is an array; only sizes and scalars can be set")
    if symbol.integer and number.denominator != 1:
        raise EvaluationError(f"{symbol.name} was declared a whole number, {_shown(number)} was given")
    if not _inside(symbol, number):
        raise EvaluationError(f"{symbol.name} was declared {_interval(symbol)}, {_shown(number)} was given")


def _interval(symbol: Symbol) -> str:
    low = f"{'>' if symbol.low_open else '>='} {symbol.low}" if symbol.low is not None else ""
    high = f"{'<' if symbol.high_open else '<='} {symbol.high}" if symbol.high is not None else ""
    return " and ".join(filter(None, (low, high)))


def _least_sizes(roots: Sequence[Expr]) -> dict[str, int]:
    """How large an axis must be at least: the subscripts that are numbers lie on it."""
    found: dict[str, int] = {}
    for node in topological(*roots):
        if is_onehot(node) and node.args[0][0].head == NUMBER and isinstance(node.shape[0], str):
            place = int(node.args[0][0].data) + 1
            found[node.shape[0]] = max(place, found.get(node.shape[0], 1))
    return found


def small_sizes(roots: Sequence[Expr], shown: Sequence[Expr], given: Given) -> dict[str, int]:
    """A number for every size name, 2 or 3 where none was given, such that every array shown can be read."""
    names = list(sizes_for(roots))
    least = _least_sizes(roots)
    fixed = {name: int(given[name]) for name in names if name in given}
    for name, size in fixed.items():
        if size < least.get(name, 1):
            raise EvaluationError(f"{name} = {size} is too small: the expression picks entry {least[name] - 1}")
    first = _preferred(roots, names, fixed, least)
    smaller = {name: max(2, least.get(name, 1)) for name in names} | fixed
    sizes = first if _largest(shown, first)[0] <= MOST_ENTRIES else smaller
    sizes = fitting_sizes(needed_sizes(roots), sizes, fixed)
    entries, node = _largest(shown, sizes)
    if entries > MOST_ENTRIES:
        listed = ", ".join(f"{name} = {size}" for name, size in sizes.items())
        what = str(node) if node.cost < 30 else "a part of the result"
        raise LimitError(
            f"{what} would have {entries} entries{' with ' + listed if listed else ''}; a worked instance is there to "
            f"be read, so no array in it has more than {MOST_ENTRIES}: give smaller sizes"
        )
    return sizes


def _preferred(
    roots: Sequence[Expr], names: Sequence[str], fixed: Mapping[str, int], least: Mapping[str, int]
) -> dict[str, int]:
    """3 and 2 in turn, other than those given where possible; 2 for the size of a square matrix."""
    square = {s.shape[0] for s in symbols_in(roots).values() if len(s.shape) == 2 and s.shape[0] == s.shape[1]}
    sizes = dict(fixed)
    for name in names:
        choices = (2, 3) if name in square else (3, 2)
        taken = list(sizes.values())
        fewest = min(choices, key=taken.count)
        sizes.setdefault(name, max(fewest, least.get(name, 1)))
    return {name: sizes[name] for name in names}


def _largest(shown: Sequence[Expr], sizes: Mapping[str, int]) -> tuple[int, Expr]:
    counts = [prod(concrete(node.shape, sizes)) for node in shown]
    return max(zip(counts, shown, strict=True), key=lambda pair: pair[0])


def pencil_points(roots: Sequence[Expr], sizes: Mapping[str, int], given: Given) -> Iterator[Point]:
    """Points for all symbols of the graphs, the plainest first."""
    symbols = symbols_in(roots)
    limits = subscript_limits(roots, sizes)
    fixed = {name: Fraction(size) for name, size in sizes.items()} | dict(given)
    free = [name for name in symbols if name not in fixed]
    for attempt in range(len(_LISTS) + _MIXED_TRIES + _RANDOM_TRIES if free else 1):
        values = {name: _sample((), [value]) for name, value in fixed.items() if name in symbols}
        for place, name in enumerate(free):
            shape = concrete(symbols[name].shape, sizes)
            entries = _entries(symbols[name], shape, _stream(attempt, place), attempt + place, limits.get(name))
            values[name] = _sample(shape, entries)
        yield Point(values, sizes)


def _sample(shape: tuple[int, ...], entries: Stream) -> Sample:
    return Sample(shape, tuple(fmpq(entry.numerator, entry.denominator) for entry in entries))


def _stream(attempt: int, place: int) -> Stream:
    """The numbers to take from: each symbol starts at another one, so that no two arrays are alike."""
    chance = random.Random(1000 * attempt + place)
    if attempt >= len(_LISTS) + _MIXED_TRIES:
        return tuple(Fraction(chance.randint(-16, 16), 4) for _ in range(MOST_ENTRIES))
    plain = _LISTS[attempt] if attempt < len(_LISTS) else chance.choice(_LISTS)
    start = (place + attempt % 2) % len(plain)
    return (*plain[start:], *plain[:start])


def _entries(symbol: Symbol, shape: tuple[int, ...], stream: Stream, turn: int, limit: int | None) -> list[Fraction]:
    count = prod(shape)
    if symbol.integer:
        return _dealt(_wholes(symbol, stream, turn, limit), count)
    if "sums to 1" in symbol.traits:
        rows = prod(shape[:-1])
        return [w for row in range(rows) for w in _weights(shape[-1], turn + row)]
    if "orthogonal" in symbol.traits:
        return _square(shape[0], _rotation(shape[0]))
    if "positive definite" in symbol.traits:
        return _square(shape[0], _positive_definite(turn, diagonal="diagonal" in symbol.traits))
    plain = _dealt(_allowed(symbol, stream), count)
    if "diagonal" in symbol.traits:
        return _square(shape[0], lambda i, j: plain[i] if i == j else Fraction(0))
    if "symmetric" in symbol.traits:
        return _square(shape[0], lambda i, j: plain[min(i, j) * shape[1] + max(i, j)])
    return plain


def _dealt(values: Stream, count: int) -> list[Fraction]:
    """Round after round, each beginning one later: rows of a matrix that repeat would make it singular."""
    size = len(values)
    return [values[(i + i // size) % size] for i in range(count)]


def _inside(symbol: Symbol, value: Fraction) -> bool:
    above = symbol.low is None or value > symbol.low or (value == symbol.low and not symbol.low_open)
    below = symbol.high is None or value < symbol.high or (value == symbol.high and not symbol.high_open)
    return above and below


def _allowed(symbol: Symbol, stream: Stream) -> Stream:
    """Those of the numbers that lie in the symbol's interval, or ones made for it."""
    inside = [value for value in stream if _inside(symbol, value)]
    if len(inside) > 1 or (symbol.low is None and symbol.high is None):
        return inside
    low, high = symbol.low, symbol.high
    if low is not None and high is not None:
        return [low + (high - low) * part for part in _UNIT]
    step = _POSITIVE if low is not None else tuple(-value for value in _POSITIVE)
    start = low if low is not None else high
    return [(start or Fraction(0)) + value for value in step]


def _wholes(symbol: Symbol, stream: Stream, turn: int, limit: int | None) -> Stream:
    if limit is not None:
        return [Fraction(_PLACES[(turn + i) % len(_PLACES)] % max(limit, 1)) for i in range(len(_PLACES))]
    inside = [value for value in (*stream, *_ANY, Fraction(0)) if value.denominator == 1 and _inside(symbol, value)]
    if inside:
        return inside
    start = symbol.low if symbol.low is not None else symbol.high
    near = floor(start if start is not None else 0)
    around = (Fraction(near + i) for i in (1, 0, -1, 2))
    return [value for value in around if _inside(symbol, value)] or [Fraction(near)]


def _weights(count: int, turn: int) -> list[Fraction]:
    """Positive decimals that sum to 1, in another order each turn."""
    few = {1: (4,), 2: (1, 3), 3: (5, 3, 2), 4: (1, 2, 3, 4)}
    parts = few.get(count)
    if parts is None:
        whole = next(w for w in (10, 20, 50, 100) if w > count)
        parts = (*((1,) * (count - 1)), whole - count + 1)
    turned = [parts[(i + turn) % count] for i in range(count)]
    return [Fraction(part, sum(parts)) for part in turned]


def _square(size: int, entry: Callable[[int, int], Fraction]) -> list[Fraction]:
    return [entry(i, j) for i in range(size) for j in range(size)]


def _positive_definite(turn: int, *, diagonal: bool) -> Callable[[int, int], Fraction]:
    """2 and 3 on the diagonal, 1 beside it: what stands beside it in a row never outweighs it."""

    def entry(i: int, j: int) -> Fraction:
        if i == j:
            return Fraction(2 + (i + turn) % 2)
        return Fraction(int(abs(i - j) == 1 and not diagonal))

    return entry


def _rotation(size: int) -> Callable[[int, int], Fraction]:
    """The plane turned by the angle of the triangle with sides 3, 4, 5, for each pair of coordinates."""

    def entry(i: int, j: int) -> Fraction:
        if max(i, j) == size - 1 and size % 2:
            return Fraction(int(i == j))
        if i // 2 != j // 2:
            return Fraction(0)
        return Fraction(3, 5) if i == j else Fraction(4 if i > j else -4, 5)

    return entry

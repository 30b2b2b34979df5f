"""Random points of a domain, exact: both signs, near zero and far from it, obeying what was declared."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor, prod
from typing import Any, TypeAlias

from flint import fmpq

from derivata.errors import EvaluationError
from derivata.expr.node import SYMBOL, Expr, Shape, Size
from derivata.expr.selectors import is_onehot, node_size
from derivata.expr.sizes import fitting_sizes, size_difference, size_in_numbers, size_names
from derivata.expr.symbol import Symbol
from derivata.expr.walk import topological
from derivata.run.balls import Array, ball

Exact: TypeAlias = Any  # flint.fmpq, a fast rational without type hints
_GRID = 2**12  # coordinates are multiples of 1/_GRID, so that balls hold them exactly
_SIXTEENTH, _QUARTER = fmpq(1, 16), fmpq(1, 4)
_SMALL_SIZES = (3, 2, 4, 5)  # distinct, so that a confused axis is noticed
# How the reals of a point are drawn, in turn. Most points mix signs; the others find narrow domains.
MOODS = ("any", "any", "positive", "any", "unit", "any", "above one", "within one")


@dataclass(frozen=True)
class Sample:
    """The exact entries of one symbol, row by row."""

    shape: tuple[int, ...]
    entries: tuple[Exact, ...]

    def __str__(self) -> str:
        if not self.shape:
            return str(self.entries[0])
        shown = ", ".join(map(str, self.entries[:12])) + (", ..." if len(self.entries) > 12 else "")
        return f"[{shown}]" if len(self.shape) == 1 else f"[{shown}] of shape {self.shape}"

    def enclosed(self) -> Array:
        """As balls of the working precision."""
        return Array(self.shape, [ball(entry) for entry in self.entries])


@dataclass(frozen=True)
class Point:
    """A value for every symbol and a number for every size."""

    values: Mapping[str, Sample]
    sizes: Mapping[str, int]

    def __str__(self) -> str:
        sizes = [f"{name} = {size}" for name, size in self.sizes.items() if name not in self.values]
        return ", ".join([*(f"{name} = {value}" for name, value in self.values.items()), *sizes])


def sizes_for(
    roots: Sequence[Expr], given: Mapping[str, int] | None = None, is_end: Callable[[Expr], bool] | None = None
) -> dict[str, int]:
    """A small number for every size name of the graphs, large enough for the entries that are picked by number."""
    order = topological(*roots, is_end=is_end)
    needed = _needed(order)
    names = dict.fromkeys(size_names(*needed))
    names |= dict.fromkeys(n.data.name for n in order if n.head == SYMBOL and "size" in n.data.traits)
    found = {name: _SMALL_SIZES[i % len(_SMALL_SIZES)] for i, name in enumerate(names)}
    return fitting_sizes(needed, found | dict(given or {}), given or ())


def needed_sizes(roots: Sequence[Expr]) -> list[Size]:
    """What has to be 1 at least: the sizes of the graphs, and what lies from a picked position to the end."""
    return _needed(topological(*roots))


def _needed(nodes: Sequence[Expr]) -> list[Size]:
    found: dict[Size, None] = {}
    for node in nodes:
        found.update(dict.fromkeys(node.shape))
        if is_onehot(node) and (place := _size_picked(node.args[0][0])) is not None:
            found[size_difference(node.shape[0], place)] = None
    return list(found)


def _size_picked(place: Expr) -> Size | None:
    """A position that is a number or made of sizes."""
    inner = [node for node in topological(place) if node.head == SYMBOL]
    return None if any("size" not in node.data.traits for node in inner) else node_size(place)


def points(*roots: Expr, count: int, seed: int = 0, sizes: Mapping[str, int] | None = None) -> Iterator[Point]:
    """`count` points for all symbols of the graphs; the same ones every time."""
    numbers = sizes_for(roots, sizes)
    symbols = symbols_in(roots)
    limits = subscript_limits(roots, numbers)
    chance = random.Random(seed)
    for index in range(count):
        mood = MOODS[index % len(MOODS)]
        values = {name: sample(symbol, numbers, chance, mood, limits.get(name)) for name, symbol in symbols.items()}
        yield Point(values, numbers)


def symbols_in(roots: Sequence[Expr]) -> dict[str, Symbol]:
    """By name; where a name stands for a number and for a subscript, it is a whole number."""
    found: dict[str, Symbol] = {}
    for node in topological(*roots):
        if node.head == SYMBOL and not (node.data.name in found and found[node.data.name].integer):
            found[node.data.name] = node.data
    return found


def subscript_limits(roots: Sequence[Expr], sizes: Mapping[str, int]) -> dict[str, int]:
    """Symbols inside of a subscript, with the size of the axis they pick from."""
    limits: dict[str, int] = {}
    for node in topological(*roots):
        if is_onehot(node):
            size = _number(node.shape[0], sizes)
            for inner in topological(node.args[0][0]):
                if inner.head == SYMBOL:
                    limits[inner.data.name] = min(size, limits.get(inner.data.name, size))
    return limits


def _number(size: int | str, sizes: Mapping[str, int]) -> int:
    try:
        return size_in_numbers(size, sizes)
    except KeyError:
        raise EvaluationError(f"no value was given for the size {size}") from None


def concrete(shape: Shape, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """A shape in numbers."""
    return tuple(_number(size, sizes) for size in shape)


def sample(
    symbol: Symbol, sizes: Mapping[str, int], chance: random.Random, mood: str, limit: int | None = None
) -> Sample:
    """A value of one symbol."""
    shape = concrete(symbol.shape, sizes)
    if not shape and symbol.integer and (symbol.name in sizes or "size" in symbol.traits):
        return Sample((), (fmpq(sizes[symbol.name]),))
    if symbol.integer:
        return Sample(shape, tuple(_whole(symbol, chance, limit) for _ in range(prod(shape))))
    if shape and symbol.traits:
        special = _structured(symbol, shape, chance, mood)
        if special is not None:
            return Sample(shape, special)
    return Sample(shape, tuple(_real(symbol, chance, mood) for _ in range(prod(shape))))


def _whole(symbol: Symbol, chance: random.Random, limit: int | None) -> Exact:
    if limit is not None:
        return fmpq(chance.randrange(max(limit, 1)))
    low, high = symbol.low, symbol.high
    first = None if low is None else (floor(low) + 1 if symbol.low_open else ceil(low))
    last = None if high is None else (ceil(high) - 1 if symbol.high_open else floor(high))
    if first is None:
        first = -2 if last is None or last > 2 else last - 5
    return fmpq(chance.randint(first, first + 5 if last is None else max(first, min(last, first + 9))))


def _exact(value: Fraction | None) -> Exact | None:
    return None if value is None else fmpq(value.numerator, value.denominator)


def _real(symbol: Symbol, chance: random.Random, mood: str) -> Exact:
    low, high = _exact(symbol.low), _exact(symbol.high)
    if low is not None and high is not None:
        return low + (high - low) * _unit(chance)
    if low is not None:
        return low + magnitude(chance, mood)
    if high is not None:
        return high - magnitude(chance, mood)
    value = magnitude(chance, mood)
    return -value if mood in ("any", "within one") and chance.random() < 0.5 else value


def _unit(chance: random.Random) -> Exact:
    """Strictly between 0 and 1."""
    return fmpq(2 * int(chance.random() * (_GRID // 2)) + 1, _GRID)


def magnitude(chance: random.Random, mood: str = "any") -> Exact:
    """A positive number: about 1/10 to 3, at times near 0 or larger."""
    if mood in ("unit", "within one"):
        return _unit(chance)
    if mood == "above one":
        return 1 + 2 * _unit(chance)
    kind = chance.random()
    if kind < 0.12:
        return _unit(chance) / 16
    if kind < 0.24:
        return 3 + 5 * _unit(chance)
    return _SIXTEENTH + 3 * _unit(chance)


def direction(symbol: Symbol, shape: tuple[int, ...], chance: random.Random) -> tuple[Exact, ...]:
    """A random direction for a variable: its entries are free unless it is symmetric or diagonal."""
    entries = [(magnitude(chance, "unit") + _QUARTER) * chance.choice((1, -1)) for _ in range(prod(shape))]
    return _with_structure(entries, shape, symbol.traits)


def _with_structure(entries: list[Exact], shape: tuple[int, ...], traits: frozenset[str]) -> tuple[Exact, ...]:
    if "diagonal" in traits:
        return tuple(e if i // shape[1] == i % shape[1] else fmpq(0) for i, e in enumerate(entries))
    if "symmetric" in traits:
        n = shape[1]
        return tuple(entries[min(i // n, i % n) * n + max(i // n, i % n)] for i in range(len(entries)))
    return tuple(entries)


def _structured(symbol: Symbol, shape: tuple[int, ...], chance: random.Random, mood: str) -> tuple[Exact, ...] | None:
    """Arrays that were declared to be of a special kind."""
    traits = symbol.traits
    if "sums to 1" in traits:
        return tuple(e for _ in range(prod(shape[:-1])) for e in _weights(shape[-1], chance))
    if "orthogonal" in traits:
        return _orthogonal(shape[0], chance)
    if "diagonal" in traits or "positive definite" not in traits:
        if "positive definite" in traits:
            mood, symbol = "positive", Symbol(symbol.name, symbol.shape, traits, Fraction(0), None, True)
        return _with_structure([_real(symbol, chance, mood) for _ in range(prod(shape))], shape, traits)
    return _positive_definite(shape[0], chance)


def _weights(count: int, chance: random.Random) -> list[Exact]:
    """Positive numbers that sum to 1, cut at random places of a grid."""
    cuts = sorted(chance.sample(range(1, _GRID), count - 1)) if count else []
    ends = [0, *cuts, _GRID]
    return [fmpq(b - a, _GRID) for a, b in pairwise(ends)][:count]


def _positive_definite(size: int, chance: random.Random) -> tuple[Exact, ...]:
    rows = [[_real(Symbol(""), chance, "within one") for _ in range(size)] for _ in range(size)]
    return tuple(
        sum((a * b for a, b in zip(rows[i], rows[j], strict=True)), fmpq(int(i == j), 2))
        for i in range(size)
        for j in range(size)
    )


def _orthogonal(size: int, chance: random.Random) -> tuple[Exact, ...]:
    """A reflection I - 2*v*v.T/(v@v) after another; rational entries, exactly orthogonal."""
    found = [[fmpq(int(i == j)) for j in range(size)] for i in range(size)]
    for _ in range(2):
        v = [fmpq(chance.randint(1, 4) * chance.choice((1, -1))) for _ in range(size)]
        square = sum((x * x for x in v), fmpq(0))
        for row in found:
            share = 2 * sum((a * b for a, b in zip(row, v, strict=True)), fmpq(0)) / square
            row[:] = [a - share * b for a, b in zip(row, v, strict=True)]
    return tuple(entry for row in found for entry in row)


def is_fixed(node: Expr) -> bool:
    """A number, pi, an identity matrix, or a whole number such as a size: it cannot change along a direction."""
    return bool(node.data.integer) if node.head == SYMBOL else not node.args

"""Central differences in ball arithmetic: no digit is lost to cancellation, however often one differentiates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from flint import fmpq

from derivata.expr.node import Expr
from derivata.expr.symbol import Symbol
from derivata.run.balls import Array, Entry, ball, constant, precision
from derivata.run.precise import Program
from derivata.run.sample import Point, Sample

Place: TypeAlias = "tuple[int, ...]"

STEP = Fraction(1, 10_000)
BITS = 500  # enough for the tenth derivative, whose differences are as small as STEP**10


class Differences:
    """Difference quotients of one expression around one point."""

    def __init__(self, of: Expr, by: Symbol, point: Point) -> None:
        self._program = Program([of], point.sizes)
        self._by, self._point = by, point
        self._known: dict[frozenset[tuple[int, int]], list[Entry]] = {}

    def central(self, places: Sequence[Place]) -> list[Entry]:
        """For every entry of the expression its slope along the given entries of the variable, one after another."""
        moves = [self._moved(place) for place in places]
        total: list[Entry] | None = None
        for signs in product((1, -1), repeat=len(moves)):
            steps = Counter[int]()
            sign = 1
            for turn, move in zip(signs, moves, strict=True):
                sign *= turn
                for position in move:
                    steps[position] += turn
            values = self._values(steps)
            with precision(BITS):
                signed = values if sign > 0 else [-v for v in values]
                total = signed if total is None else [a + b for a, b in zip(total, signed, strict=True)]
        with precision(BITS):
            scale = ball((2 * STEP) ** len(moves))
            return [entry / scale for entry in total or []]

    def one_sided(self, place: Place) -> tuple[list[Entry], list[Entry]]:
        """The quotients to the left and to the right."""
        move = self._moved(place)
        before, here, after = (self._values(Counter(dict.fromkeys(move, turn))) for turn in (-1, 0, 1))
        with precision(BITS):
            step = ball(STEP)
            left = [(a - b) / step for a, b in zip(here, before, strict=True)]
            return left, [(a - b) / step for a, b in zip(after, here, strict=True)]

    def _moved(self, place: Place) -> tuple[int, ...]:
        """The flat positions that move with an entry: what a symmetric or diagonal variable leaves free."""
        shape = self._point.values[self._by.name].shape
        traits = self._by.traits
        if "diagonal" in traits and place[0] != place[1]:
            return ()
        mirrored = {place, place[::-1]} if "symmetric" in traits else {place}
        return tuple(_flat(p, shape) for p in sorted(mirrored))

    def _values(self, steps: Mapping[int, int]) -> list[Entry]:
        key = frozenset((position, count) for position, count in steps.items() if count)
        if key not in self._known:
            here = self._point.values[self._by.name]
            entries = list(here.entries)
            for position, count in key:
                entries[position] += count * fmpq(STEP.numerator, STEP.denominator)
            with precision(BITS):
                values = {name: value.enclosed() for name, value in self._point.values.items()}
                values[self._by.name] = Sample(here.shape, tuple(entries)).enclosed()
                self._known[key] = self._program.run(values, bits=BITS)[0].entries
        return self._known[key]


def _flat(place: Place, shape: tuple[int, ...]) -> int:
    position = 0
    for index, size in zip(place, shape, strict=True):
        position = position * size + index
    return position


def places(shape: Sequence[int]) -> Iterator[Place]:
    """The positions of an array, row by row."""
    return product(*map(range, shape))


def as_float(entry: Entry) -> float | None:
    """A ball as a float; None where it encloses no single number of that size."""
    value = constant(entry)
    if not value.is_finite():
        return None
    if value.contains(0):
        return 0.0 if value.rad() < ball(Fraction(1, 2**100)) else None
    if value.rel_accuracy_bits() < 50:
        return None
    found = float(value)
    return found if abs(found) != float("inf") else None


def as_floats(array: Array) -> list[float | None]:
    """Every entry."""
    return [as_float(entry) for entry in array.entries]

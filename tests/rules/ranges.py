"""The range of a record: contains every value, reaches its ends, and says rightly whether they are taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rules import samples
from rules.oracle import Point, Undefined, Values, declared, run, still, truth, value_at

from derivata.rules.book import Book
from derivata.rules.record import Function
from derivata.run.balls import Array

MODERATE = 10  # farther out a value that only comes near its limit cannot be told from it in 200 bits
_INTERVAL = re.compile(r"([\[(])(.+),(.+)([\])])")


@dataclass(frozen=True)
class End:
    """One end of an interval: `side` is -1 for the lower one. `inf` and `-inf` mean none."""

    text: str
    closed: bool
    side: int

    @property
    def open_ended(self) -> bool:
        return self.text == ("-inf" if self.side < 0 else "inf")


def ends(record: Function) -> tuple[End, End]:
    match = _INTERVAL.fullmatch(record.range.replace(" ", ""))
    if match is None:
        raise ValueError(f"{record.range!r} is no interval")
    low, high = match.group(2), match.group(3)
    return End(low, match.group(1) == "[", -1), End(high, match.group(4) == "]", 1)


def _place(record: Function, end: End, values: Values) -> Any:
    if "inf" in end.text:
        raise ValueError(f"{end.text} stands at the wrong end")
    arguments = {name: value for name, value in values.items() if name != "out"}
    return run(end.text, declared(record), arguments)[0]


def in_range(record: Function, values: Values, out: Array) -> bool:
    """Whether no entry is certainly outside."""
    for end in ends(record):
        if end.open_ended:
            continue
        place = _place(record, end, values)
        for entry in out.entries:
            over = (entry - place) * end.side
            if over > 0 or (over == 0 and not end.closed):
                return False
    return True


def check_range(book: Book, record: Function) -> Iterator[str]:
    """No value lies outside, and the ends are where the values go."""
    for point in samples.points(record):
        if not in_range(record, still(point), value_at(record, point)):
            yield f"{record.range} does not hold at {point}"
            return
    for end in ends(record):
        if not record.arguments:
            yield from _constant(record, end)
        elif end.open_ended:
            if end.closed:
                yield "infinity is not a value"
            if not any(e * end.side > 5 for out in _far(record) for _, _, e in out):
                yield f"nothing goes to {end.text}"
        else:
            yield from _reached(record, end)


def _constant(record: Function, end: End) -> Iterator[str]:
    gap = abs(truth(record, {}).entries[0] - _place(record, end, {}))
    if not gap < Fraction(1, 10**15).__float__():
        yield f"{end.text} is far from the constant"


def _far(record: Function) -> Iterator[list[tuple[Fraction, Any, Any]]]:
    """Along lines in the first argument, far out too: (place, what is left to the end's text, value)."""
    name = record.arguments[0][0]
    for line in filter(None, samples.lines(record)):
        _, some = line[0]
        places = [point for _, point in line]
        if not record.signature:
            places += [p for x in samples.EXTREMES if samples.inside(record, p := {**some, name: x})]
        yield [(_first(p, name), p, e) for p in places for e in _entries(record, p)]
    extra = (
        samples.points(record) if record.signature else [{n: x for n, _ in record.arguments} for x in samples.EXTREMES]
    )
    yield [(Fraction(0), p, e) for p in extra if samples.inside(record, p) for e in _entries(record, p)]


def _first(point: Point, name: str) -> Fraction:
    value = point[name]
    return value[0] if isinstance(value, tuple) else value


def _entries(record: Function, point: Point) -> list[Any]:
    try:
        return value_at(record, point).entries
    except Undefined:
        return []


def _reached(record: Function, end: End) -> Iterator[str]:
    """A closed end is taken somewhere, an open one only come near to."""
    near, taken = False, False
    for line in _far(record):
        ordered = sorted(line, key=lambda item: item[0])
        gaps = []
        for _, point, entry in ordered:
            gap = (_place(record, end, still(point)) - entry) * end.side
            gaps.append(gap)
            near = near or bool(abs(gap) < 1e-2)
            moderate = all(abs(_first(point, n)) <= MODERATE for n in point)
            taken = taken or bool(gap.contains(0) and moderate)
        if len(gaps) > 2 and not record.signature and len(record.arguments) == 1:
            best = min(range(len(gaps)), key=lambda i: float(gaps[i].mid()))
            if 0 < best < len(gaps) - 1 and gaps[best] < gaps[best - 1] and gaps[best] < gaps[best + 1]:
                gap = _bottom(record, end, ordered[best - 1][0], ordered[best + 1][0])
                near, taken = near or gap < 1e-9, taken or gap < 1e-9
    if not near:
        yield f"nothing comes near {end.text}"
    elif taken != end.closed:
        yield f"{end.text} is {'taken' if taken else 'not taken'}"


def _bottom(record: Function, end: End, low: Fraction, high: Fraction) -> float:
    """The smallest gap between two places, by thirds."""
    name = record.arguments[0][0]

    def gap(x: Fraction) -> Any:
        values = still({name: x})
        return (_place(record, end, values) - truth(record, values).entries[0]) * end.side

    for _ in range(70):
        third = (high - low) / 3
        left, right = low + third, high - third
        left, right = (Fraction(round(p * 2**64), 2**64) for p in (left, right))
        low, high = (low, right) if gap(left) < gap(right) else (left, high)
    return abs(float(gap((low + high) / 2).mid()))

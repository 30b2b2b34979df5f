"""Where records are tried: dyadic points (floats hold them exactly), crowded beside what is special."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

from rules.oracle import Point, Square, Undefined, declared, holds, run, still

from derivata.rules.record import Function

EPSILON = Fraction(1, 2**40)
NEAR = Fraction(1, 2**70)  # where one-sided slopes are read off
_WHOLE = [Fraction(n) for n in (0, 1, -1, 2, -2, 3, -3, 6, -6)]
GRID = sorted(
    {p + s * EPSILON for p in _WHOLE for s in (-1, 0, 1)}
    | {Fraction(n, 16) for n in (1, -1, 4, -4, 7, -7, 8, -8, 9, 12, -12, 15, -15, 21, -21, 25, 37, -37, 77, -77)}
    | {Fraction(n) for n in (10, -10, 20, -20, 30, -30)}
)
EXTREMES = [Fraction(s * n) for n in (10**3, 10**6) for s in (-1, 1)]
_SMALL = [Fraction(n, 4) for n in (0, 4, -4, 2, -2, 8, -8, 1, -3, 5, 12, 7)]
_VECTORS = [
    (0, 0, 0), (1, 1, 0), (0, 0, 1), (1, -1, 2), (3, 3, 3), (-2, 5, 1), (0, 4, -7), (20, -20, 1),
    (-1, -2, -3), (1,), (-3,), (0,), (2, -1), (1, 2, 3, 4), (-5, 7, 0, 7),
]  # fmt: skip


_MATRICES = [
    (3,), (-2,), (0,), (2, 1, 0, 4), (1, 2, 2, 4), (0, 1, -1, 0), (3, -1, 2, 5), (-4, 1, 1, 2), (20, 0, 0, 24),
    (4, 1, 0, 1, 3, 1, 0, 1, 2), (1, 2, 3, 4, 5, 6, 7, 8, 9), (0, 2, 1, 1, 0, 3, 2, 1, 0), (2, 0, 0, 0, 2, 0, 0, 0, 2),
    (1, 0, 0, 8), (80, 8, 0, 160), (1, 0, 0, 0, 1, 0, 0, 0, 1), (-9, 3, 1, 0, 7, 2, 1, 1, -12),
    (2, 0, 0, 0, 2, 0, 0, 0, 5), (5, 0, 0, 0, 5, 0, 0, 0, 2), (-80, 8, 0, -160), (2, 0.5, 0, 2),
    (2, 1, 1, 2), (2, -1, -1, 2), (0.125, 5.25, 5.25, 224), (0.125, -5.25, -5.25, 224),
]  # fmt: skip


@cache
def raw(arguments: tuple[tuple[str, Fraction | None], ...], signature: str) -> tuple[Point, ...]:
    """Points before the domain is asked for."""
    names = [name for name, _ in arguments]
    if not names:
        return ({},)
    if "(n,n)" in signature:
        squares = [Square(Fraction(n) / 8 for n in entries) for entries in _MATRICES]
        shuffled = [Square(e + Fraction(i % 3, 4) for i, e in enumerate(s)) for s in squares]
        return tuple(dict(zip(names, pair, strict=False)) for pair in zip(squares, shuffled, strict=True))
    if signature:
        return tuple({names[0]: tuple(Fraction(n, 2) for n in v)} for v in _VECTORS)
    if len(names) == 1:
        return tuple({names[0]: x} for x in GRID)
    return tuple(_several(names, arguments))


def _several(names: list[str], arguments: tuple[tuple[str, Fraction | None], ...]) -> Iterator[Point]:
    chance = random.Random(len(names))
    defaults = [default for _, default in arguments[1:]]
    if None not in defaults:
        for x in (0, EPSILON, -EPSILON, 1, -1, Fraction(5, 4), -3, 10, -10):
            yield dict(zip(names, [Fraction(x), *defaults], strict=True))  # type: ignore[list-item]
    if len(names) == 2:
        for x, y in itertools.product(_SMALL[:7], repeat=2):
            yield {names[0]: x, names[1]: y}
    if len(names) == 3:
        for triple in ((30, -1, 1), (-30, -1, 1), (20, 0, 3)):
            yield dict(zip(names, map(Fraction, triple), strict=True))
    for round_ in range(40):
        values = [chance.choice(_SMALL) * (16 if round_ % 4 == 0 else 1) for _ in names]
        yield dict(zip(names, values, strict=True))
        tied = chance.choice(values[1:])
        for x in (tied, tied + EPSILON, tied - EPSILON):
            yield dict(zip(names, [x, *values[1:]], strict=True))


def candidates(record: Function) -> tuple[Point, ...]:
    """All points of a record, inside its domain or not."""
    return raw(record.arguments, record.signature)


def conditions(record: Function) -> list[str]:
    return [c.strip() for c in record.domain.split(",") if c.strip()]


def inside(record: Function, point: Point) -> bool:
    """Whether every condition of the domain holds."""
    try:
        return all(holds(c, declared(record), still(point)) for c in conditions(record))
    except Undefined:
        return False


def outside(record: Function, point: Point) -> bool:
    """Whether some condition of the domain is told not to hold."""
    try:
        told = [entry for c in conditions(record) for entry in run(c, declared(record), still(point))]
    except Undefined:
        return False
    return any(bool(entry < 1) for entry in told)


def points(record: Function) -> tuple[Point, ...]:
    """The points of the domain."""
    return _points(record.args, record.signature, record.domain)


@cache
def _points(args: str, signature: str, domain: str) -> tuple[Point, ...]:
    record = Function("", args, "", "", "", "", "", signature=signature, domain=domain)
    return tuple(p for p in candidates(record) if inside(record, p))


def lines(record: Function) -> tuple[tuple[tuple[Fraction, Point], ...], ...]:
    """Points on lines along the first argument (a vector moves along a direction that is not negative)."""
    return _lines(record.args, record.signature, record.domain)


@cache
def _lines(args: str, signature: str, domain: str) -> tuple[tuple[tuple[Fraction, Point], ...], ...]:
    record = Function("", args, "", "", "", "", "", signature=signature, domain=domain)
    name = record.arguments[0][0]
    if "(n,n)" in signature:
        rest = {n: Square(map(Fraction, (1, 2, 0, -1))) for n, _ in record.arguments}
        steps = [Fraction(n, 4) for n in range(-9, 10)]
        moves = [(1, 0, 0, 2), (1, 1, 0, 1), (0, 3, 1, 0)]
        lines = [
            [(t, {**rest, name: Square(b + t * m for b, m in zip(base, move, strict=True))}) for t in steps]
            for base in ((2, 1, 0, 3), (1, -2, 1, 0))
            for move in moves
        ]
        return tuple(tuple((t, p) for t, p in line if inside(record, p)) for line in lines)
    if signature:
        steps = [Fraction(n, 2) for n in range(-9, 10)]
        return tuple(
            tuple((t, {name: tuple(b + t * m for b, m in zip(base, move, strict=True))}) for t in steps)
            for base in ((0, 0, 0), (1, -2, 1), (-3, 0, 2))
            for move in ((1, 2, 3), (1, 0, 0), (0, 2, 1))
        )
    rests = list({tuple((n, v) for n, v in p.items() if n != name): None for p in points(record)})
    found = []
    for rest in rests[:9]:
        line = [(x, p) for x in GRID if inside(record, p := {name: x, **dict(rest)})]
        if len(line) > 2:
            found.append(tuple(line))
    return tuple(found)


def directions(point: Point) -> list[Point]:
    """Two directions without special relations, and one in which the first argument rests."""
    chance = random.Random(str(sorted(point)))
    found = [_direction(point, chance) for _ in range(2)]
    if len(point) > 1:
        found.append({**_direction(point, chance), next(iter(point)): Fraction(0)})
    return found


def along_kinks(point: Point) -> list[Point]:
    """Directions in which even a kink may have a slope: the first argument rests, or all go together."""
    if len(point) < 2:
        return []
    return [directions(point)[-1], dict.fromkeys(point, Fraction(1))]


def _direction(point: Point, chance: random.Random) -> dict[str, Fraction | tuple[Fraction, ...]]:
    def slope() -> Fraction:
        return Fraction(chance.randint(-40, 40) * 2 + 1, 16)

    return {n: type(v)(slope() for _ in v) if isinstance(v, tuple) else slope() for n, v in point.items()}

"""The kinks of a record: they are kinks, the slopes beside them are those, and no other is left out."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from rules import samples
from rules.oracle import (
    Point,
    Undefined,
    agree,
    declared,
    holds,
    moving,
    run,
    slopes,
    still,
    truth,
    value_at,
)

from derivata.rules.book import Book
from derivata.rules.record import Function, Kink

CLOSE = 1e-17

# Derivatives at kinks measured with JAX 0.10.2 and PyTorch 2.13.0 on a CPU in float32.
MEASURED = {
    ("abs", "x == 0"): {"jax": "1", "torch": "0"},
    ("relu", "x == 0"): {"jax": "0", "torch": "0"},
    ("max", "x == y"): {"jax": "1/2", "torch": "1/2"},
    ("clip", "x == high"): {"jax": "1/2", "torch": "1"},
    ("hardtanh", "x == 1"): {"jax": "1", "torch": "0"},
    ("relu6", "x == 6"): {"jax": "0", "torch": "0"},
    ("relu6", "x == 0"): {"jax": "0", "torch": "0"},
    ("hardswish", "x == 3"): {"jax": "1", "torch": "1"},
    ("hardswish", "x == -3"): {"jax": "0", "torch": "0"},
    ("leaky_relu", "x == 0"): {"jax": "1", "torch": "slope"},
    ("norm", "x == 0"): {"jax": "nan", "torch": "0"},
    ("sign", "x == 0"): {"jax": "0", "torch": "0"},
}


def kink_at(record: Function, kink: Kink, point: Point) -> bool:
    """Whether this is one of the kink's points."""
    values = still(point)
    try:
        return holds(kink.at, declared(record), values | {"out": value_at(record, point)})
    except Undefined:
        return False


def check_kinks(book: Book, record: Function) -> Iterator[str]:
    """Slopes on both sides, our choice between them, what was measured, and no kink left out."""
    if not record.arguments:
        return
    everywhere = samples.points(record)
    for kink in record.kinks:
        yield from _one(record, kink, [p for p in everywhere if kink_at(record, kink, p)])
    if record.arguments[0][0] != "condition":
        for point in everywhere:
            if not any(kink_at(record, kink, point) for kink in record.kinks) and breaks(record, point):
                yield f"a kink at {point} is not declared"
                return


def _one(record: Function, kink: Kink, here: list[Point]) -> Iterator[str]:
    measured = MEASURED.get((record.name, kink.at), {})
    if any(kink.frameworks.get(name) != value for name, value in measured.items()):
        yield f"{kink.at}: {measured} was measured"
    kept = [p for p in here if (breaks(record, p) if record.signature else _is_plain(record, p))]
    if not kept:
        yield f"{kink.at} was not met"
        return
    broken = 0
    for point in kept:
        values = still(point)
        values["out"] = value_at(record, point)
        left, right, ours = (run(t, declared(record), values)[0] for t in (kink.left, kink.right, kink.ours))
        try:
            before, after = (slope_beside(record, point, side) for side in (-1, 1))
        except Undefined:
            yield f"{kink.at}: no slope beside {point}"
            return
        if not abs(before - left) < CLOSE or not abs(after - right) < CLOSE:
            yield f"{kink.at}: the slopes at {point} are {before} and {after}"
            return
        broken += breaks(record, point)
        if ours > left.max(right) or ours < left.min(right):
            yield f"{kink.at}: ours does not lie between"
            return
        if _is_default(record, point) and not agree([ours], [_convention(record, kink, values, left, right)]):
            yield f"{kink.at}: ours is not what the convention gives at {point}"
            return
        if (given := _given(record, point)) is not None and not agree([given], [ours]):
            yield f"{kink.at}: d gives {given} at {point}"
            return
    if 2 * broken < len(kept):  # a parameter may happen to smooth it out
        yield f"{kink.at} is no kink"


def _is_plain(record: Function, point: Point) -> bool:
    """Points where two kinks coincide say nothing about either; an interval must not be a point."""
    found = [kink for kink in record.kinks if kink_at(record, kink, point)]
    return len(found) == 1


def _is_default(record: Function, point: Point) -> bool:
    """Our choice is made for the parameters' defaults; a learned slope may turn the order round."""
    return all(default is None or point[name] == default for name, default in record.arguments)


def _convention(record: Function, kink: Kink, values: Any, left: Any, right: Any) -> Any:
    """What PyTorch and JAX agree on, else the slope of smallest norm between left and right."""
    torch, jax = kink.frameworks.get("torch"), kink.frameworks.get("jax")
    if torch is not None and torch == jax:
        return run(torch, declared(record), values)[0]
    low, high = left.min(right), left.max(right)
    return low if low > 0 else high if high < 0 else low * 0


def _first_unit(record: Function, point: Point) -> Point:
    """Only the first argument moves: by 1, or by the first unit vector."""
    name = record.arguments[0][0]
    return {
        n: (
            type(v)(Fraction(int(i == 0 and n == name)) for i in range(len(v)))
            if isinstance(v, tuple)
            else Fraction(n == name)
        )
        for n, v in point.items()
    }


def _shifted(record: Function, point: Point, by: Fraction) -> Point:
    name = record.arguments[0][0]
    value = point[name]
    moved = type(value)((value[0] + by, *value[1:])) if isinstance(value, tuple) else value + by
    return {**point, name: moved}


def slope_beside(record: Function, point: Point, side: int) -> Any:
    """The slope by the first argument just left (-1) or right (1) of a point."""
    beside = _shifted(record, point, side * samples.NEAR)
    return slopes(truth(record, moving(beside, _first_unit(record, point))))[0]


def _given(record: Function, point: Point) -> Any:
    """What `d` gives by the first argument; None where it is not defined."""
    values = still(point)
    values["out"] = value_at(record, point)
    changes = {f"d{n}": v for n, v in _first_unit(record, point).items()}
    try:
        return run(record.d, declared(record), values | still(changes))[0]
    except Undefined:
        return None


def breaks(record: Function, point: Point) -> bool:
    """Whether the value or the slope jumps here."""
    try:
        before, after = (value_at(record, _shifted(record, point, side * samples.NEAR)).entries[0] for side in (-1, 1))
        here = value_at(record, point).entries[0]
        left, right = (slope_beside(record, point, side) for side in (-1, 1))
    except Undefined:
        return False
    gap = abs(after - before).max(abs(here - before))
    return bool(gap > 1e-7 * (1 + abs(left))) or bool(abs(left - right) > 1e-7 * (1 + abs(left)))

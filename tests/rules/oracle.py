"""The fields of records in ball arithmetic: what they say at a point, and what is so."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

from derivata.expr.lower import read
from derivata.expr.node import Expr
from derivata.rules.book import book
from derivata.rules.record import Function
from derivata.run import balls
from derivata.run.balls import Array, coefficient, constant, is_finite
from derivata.run.matrices import array_function
from derivata.run.precise import Program

BITS = 200
Point: TypeAlias = "Mapping[str, Fraction | tuple[Fraction, ...]]"  # a number, a vector or a square matrix per argument
Values: TypeAlias = "dict[str, Array]"


class Square(tuple[Fraction, ...]):
    """The entries of a square matrix, row after row."""

    __slots__ = ()


def shape_of(value: Fraction | tuple[Fraction, ...]) -> tuple[int, ...]:
    """() for a number, (n,) for a vector, (n, n) for a square matrix."""
    if isinstance(value, Square):
        return (math.isqrt(len(value)),) * 2
    return (len(value),) if isinstance(value, tuple) else ()


class Undefined(Exception):  # noqa: N818 - a state of the world, not a mistake
    """No number encloses the value here."""


def declared(record: Function) -> str:
    """The arguments, their differentials and `out`, with their axes."""
    signature = record.as_signature()
    names = []
    for argument, core in zip(signature.arguments, signature.core, strict=True):
        names += [f"{prefix}{argument}{_axes(core)}" for prefix in ("", "d")]
    return ", ".join([*names, f"out{_axes(signature.out)}", f"g{_axes(signature.out)}"])


def _axes(core: tuple[str, ...]) -> str:
    return f"[{','.join(core)}]" if core else ""


@cache
def parsed(text: str, where: str) -> Expr:
    """An expression over our book's names. Mutants share what they do not change."""
    return read(text, where, book().vocabulary)


@cache
def program(text: str, where: str, length: int) -> Program:
    """An expression made ready for vectors of this length."""
    return Program([parsed(text, where)], {"i": length, "n": length})


def run(text: str, where: str, values: Values) -> list[Any]:
    """The entries of an expression, all of them finite."""
    length = max((a.shape[0] for a in values.values() if a.shape), default=0)
    (result,) = program(text, where, length).run(values, bits=BITS)
    if not all(map(is_finite, result.entries)):
        raise Undefined
    return result.entries


def still(point: Point) -> Values:
    """The point, not moving."""
    return {name: _array(value, balls.ball) for name, value in point.items()}


def moving(point: Point, direction: Point) -> Values:
    """The point, moving along a direction; an argument whose direction is 0 stays a constant."""
    values: Values = {}
    for name, value in point.items():
        slope = direction[name]
        if isinstance(value, tuple) and not isinstance(slope, tuple):
            values[name] = _array(value, balls.ball)
        elif isinstance(value, tuple):
            pairs = zip(value, slope, strict=True)  # type: ignore[arg-type]
            entries = [balls.moving(balls.ball(v), balls.ball(s)) for v, s in pairs]
            values[name] = Array(shape_of(value), entries)
        elif slope:
            values[name] = Array((), [balls.moving(balls.ball(value), balls.ball(slope))])  # type: ignore[arg-type]
        else:
            values[name] = Array((), [balls.ball(value)])
    return values


def _array(value: Fraction | tuple[Fraction, ...], make: Any) -> Array:
    if isinstance(value, tuple):
        return Array(shape_of(value), [make(v) for v in value])
    return Array((), [make(value)])


def truth(record: Function, values: Values) -> Array:
    """The function itself: by its definition, else by FLINT."""
    if record.value:
        entries = run(record.value, declared(record), values)
    elif "flint" in record.code:
        entries = native(record, values)
    else:
        arguments = ", ".join(name for name, _ in record.arguments)
        entries = run(f"{record.name}({arguments})", declared(record), values)
    if len(entries) == 1 and not record.as_signature().out:
        return Array((), entries)
    rank = len(record.as_signature().out)
    return Array((len(entries),) if rank < 2 else (math.isqrt(len(entries)),) * 2, entries)


def value_at(record: Function, point: Point) -> Array:
    """The function at a point that does not move; remembered, for mutants share definitions."""
    found = _value_at(
        record.name,
        record.args,
        record.signature,
        record.value,
        record.code.get("flint"),
        tuple(point.items()),
    )
    if found is None:
        raise Undefined
    return found


@cache
def _value_at(
    name: str, args: str, signature: str, value: str, flint: str | None, point: tuple[tuple[str, Any], ...]
) -> Array | None:
    code = {} if flint is None else {"flint": flint}
    record = Function(name, args, "", value, "", "", "", signature=signature, code=code)
    try:
        return truth(record, still(dict(point)))
    except Undefined:
        return None


def native(record: Function, values: Values) -> list[Any]:
    """The function its `flint` code names, applied to the arguments."""
    code = record.code["flint"]
    args = [values[name] for name, _ in record.arguments]
    try:
        if record.signature:
            entries = array_function(code, record.name)([a.entries for a in args], [a.shape for a in args])
        elif not args:
            entries = [balls.named_constant(code)]
        else:
            special = {"where": balls.choose, "floor": balls.round_down}
            function = special.get(code) or balls.method(code)
            if function is None:
                raise Undefined
            entries = [function(*(a.entries[0] for a in args))]
    except (AttributeError, TypeError, ValueError):
        raise Undefined from None
    if not all(map(is_finite, entries)):
        raise Undefined
    return entries


def slopes(array: Array) -> list[Any]:
    """How fast the entries move."""
    return [coefficient(e) for e in array.entries]


def frozen(array: Array) -> Array:
    """The values without the direction."""
    return Array(array.shape, [constant(e) for e in array.entries])


def holds(text: str, where: str, values: Values) -> bool:
    """Whether a condition holds, in every entry."""
    return all(bool(entry > 0) for entry in run(text, where, values))


def agree(left: list[Any], right: list[Any]) -> bool:
    """Whether two lists of balls can be the same numbers, and are narrow enough to tell."""
    if len(left) != len(right):
        return False
    return all(
        a.overlaps(b) and (a - b).rad() <= (abs(a) + 1).mid() * 2.0**-60 for a, b in zip(left, right, strict=True)
    )

"""Generators of which a power is a polynomial: roots, r**order == base, and sizes, r**2 == x**2."""

from __future__ import annotations

from typing import Any, TypeAlias

Polynomial: TypeAlias = Any  # flint.fmpq_mpoly, which has no type hints
Parts: TypeAlias = "tuple[Polynomial, Polynomial]"  # numerator and denominator


def powers_replaced(polynomial: Polynomial, index: int, order: int, base: Polynomial) -> Polynomial:
    """Powers of a generator r from its order on written by r**order == base."""
    context = polynomial.context()
    found = context.constant(0)
    for exponents, coefficient in polynomial.terms():
        whole, rest = divmod(int(exponents[index]), order)
        plain = tuple(rest if i == index else int(e) for i, e in enumerate(exponents))
        found += context.from_dict({plain: coefficient}) * base**whole
    return found


def without_powers(top: Polynomial, bottom: Polynomial, index: int, order: int, base: Polynomial) -> Parts:
    """Powers of a root above its order written by the base; common factors of base and root cancelled."""
    root = top.context().gen(index)
    top = powers_replaced(top, index, order, base)
    while not top.is_zero():
        lowest = min(int(e[index]) for e in bottom.monoms())
        quotient, remainder = divmod(top, base)
        if not lowest or not remainder.is_zero():
            break
        gone = min(lowest, order)
        top, bottom = quotient * root ** (order - gone), bottom / root**gone
    return top, bottom


def without_squares(top: Polynomial, bottom: Polynomial, index: int, order: int, square: Polynomial) -> Parts:
    """Squares of a size written by the number it is of, if that leaves no size; else in a way that factors.

    (1 + size)**2 is seen only in squares of the size, so squares of the number become such where it is a generator.
    """
    parts = top, bottom
    if not any(int(e[index]) % order for part in parts for e in part.monoms()):
        return tuple(powers_replaced(part, index, order, square) for part in parts)
    if (number_of := squared_generator(square)) is not None:
        size = top.context().gen(index) ** order / square.leading_coefficient()
        return tuple(powers_replaced(part, number_of, 2, size) for part in parts)
    return tuple(_common_squares(part, index, order, square) for part in parts)


def squared_generator(square: Polynomial) -> int | None:
    """i where a polynomial is a multiple of generator i squared."""
    if len(square) != 1:
        return None
    degrees = [int(degree) for degree in square.degrees()]
    return degrees.index(2) if sorted(degrees)[-2:] in ([0, 2], [2]) else None


def _common_squares(polynomial: Polynomial, index: int, order: int, square: Polynomial) -> Polynomial:
    common = min((int(e[index]) for e in polynomial.monoms()), default=0) // order
    return polynomial / polynomial.context().gen(index) ** (order * common) * square**common if common else polynomial

"""Ball arithmetic on single entries: a number with an error bound, at times with a slope."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import Any, TypeAlias

import flint
from flint import arb, arb_series, fmpq

# An `arb` does not depend on the direction; an `arb_series` is value + slope*t + O(t**2).
Entry: TypeAlias = "Any"
Ball: TypeAlias = "Any"

PAIR = 2  # coefficients kept of a series: the value and the slope
_FAILURES = (ZeroDivisionError, ValueError, OverflowError, ArithmeticError)


@dataclass(frozen=True)
class Array:
    """Entries in row-major order. Not NumPy: it takes a series for a sequence."""

    shape: tuple[int, ...]
    entries: list[Entry]


@contextmanager
def precision(bits: int, length: int = PAIR) -> Iterator[None]:
    """FLINT's working precision and series length, put back afterwards."""
    before, cap = flint.ctx.prec, flint.ctx.cap
    flint.ctx.prec, flint.ctx.cap = bits, length
    try:
        yield
    finally:
        flint.ctx.prec, flint.ctx.cap = before, cap


def ball(value: Any) -> Ball:
    """The enclosure of a rational (fmpq or Fraction); exact when its denominator is a power of 2."""
    return arb(value) if type(value) is fmpq else arb(fmpq(value.numerator, value.denominator))


def moving(value: Ball, slope: Ball) -> Entry:
    """value + slope*t."""
    return arb_series([value, slope], PAIR)


def constant(entry: Entry) -> Ball:
    """The value without the direction."""
    return entry if type(entry) is arb else entry[0]


def coefficient(entry: Entry) -> Ball:
    """The slope along the direction: the coefficient of t."""
    return arb(0) if type(entry) is arb else entry[1]


def is_finite(entry: Entry) -> bool:
    """Whether value and slope are enclosed by numbers. Outside a domain they are not."""
    if type(entry) is arb:
        return bool(entry.is_finite())
    return bool(entry[0].is_finite() and entry[1].is_finite())


def is_zero(entry: Entry) -> bool:
    """Whether the entry is exactly 0 and stays it along the direction."""
    return bool(entry.is_zero()) if type(entry) is arb else entry.length() == 0


def undefined() -> Ball:
    """What stands for a value outside of a domain; it spreads to what uses it."""
    return arb.nan()


def undecided() -> Ball:
    """What stands for a case that balls cannot tell: any number at all."""
    return arb(0, arb.pos_inf())


def times(left: Entry, right: Entry) -> Entry:
    """A product in which an exact 0 wins over an undefined factor, as in a case that is not taken."""
    return arb(0) if is_zero(left) or is_zero(right) else left * right


def power(base: Entry, exponent: Entry) -> Entry:
    """base**exponent: any base for a whole exponent, else a positive one."""
    if is_zero(base) and (exponent if type(exponent) is int else constant(exponent)) < 0:
        return undefined()  # of a series that is 0, FLINT says that its negative powers are 0
    try:
        return base**exponent
    except _FAILURES:
        return undefined()


def whole_power(base: Entry, exponent: int) -> Entry:
    """base**exponent by multiplication where the ball holds 0: FLINT would take a logarithm there."""
    if not constant(base).contains(0):
        return power(base, exponent)
    result: Entry = arb(1)
    for bit in bin(abs(exponent))[2:]:
        result = result * result * base if bit == "1" else result * result
    return result if exponent >= 0 else power(result, -1)


def sign_of(entry: Entry) -> int | None:
    """-1, 0 or 1, or None where the ball cannot tell or the sign changes along the direction."""
    value = constant(entry)
    if value > 0:
        return 1
    if value < 0:
        return -1
    return 0 if is_zero(entry) else None


_HOLDS: dict[str, tuple[int, ...]] = {
    "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1), "==": (0,), "!=": (-1, 1),
}  # fmt: skip


def comparison(symbol: str) -> Callable[[Entry, Entry], Entry]:
    """1 or 0 as the comparison holds or not."""
    wanted = _HOLDS[symbol]

    def compare(left: Entry, right: Entry) -> Entry:
        sign = 0 if left is right else sign_of(left - right)
        return undecided() if sign is None else arb(int(sign in wanted))

    return compare


def choose(condition: Entry, yes: Entry, no: Entry) -> Entry:
    """One of two cases; what the other one is, even undefined, does not matter."""
    sign = sign_of(condition)
    return undecided() if sign is None else yes if sign else no


def round_down(entry: Entry) -> Entry:
    """The whole number below; not decided at a jump."""
    value = constant(entry)
    below = value.floor()
    moves = type(entry) is not arb and not is_zero(entry - value)
    return undecided() if not below.is_exact() or (moves and (value - below).is_zero()) else below


def method(name: str) -> Callable[..., Entry] | None:
    """FLINT's function of this name; each prime after it takes one derivative. None where it has none."""
    base = name.rstrip("'")
    if not hasattr(arb_series, base):
        return None

    def apply(first: Entry, *others: Entry) -> Entry:
        try:
            return getattr(first, base)(*others)
        except _FAILURES:
            return undefined()

    order = len(name) - len(base)
    return apply if order == 0 else lambda entry: derived(apply, order, entry)


def named_constant(name: str) -> Ball:
    """One of FLINT's constants, at the working precision."""
    return getattr(arb, name)()


def derived(function: Callable[[Entry], Entry], order: int, entry: Entry) -> Entry:
    """The derivative of some order, read off the Taylor series at the entry's value."""
    length = order + PAIR
    value = constant(entry)
    with precision(flint.ctx.prec, length):
        taylor = function(arb_series([value, 1], length))
        if type(taylor) is arb:
            return undefined()
        at_value, slope = taylor[order] * factorial(order), taylor[order + 1] * factorial(order + 1)
    return at_value if type(entry) is arb else moving(at_value, slope * entry[1])


def stand_in(name: str) -> Callable[[Entry], Entry]:
    """A fixed smooth positive function for an unspecified `f`; `f'` is its derivative.

    exp(sin(a*x + b)) + c obeys no identity that an f might be wrongly given.
    """
    base = name.rstrip("'")
    seed = hashlib.blake2b(base.encode("utf-8", "surrogatepass"), digest_size=3).digest()
    a, b, c = (Fraction(2 * byte + 257, 512) for byte in seed)

    def value(entry: Entry) -> Entry:
        return (entry * ball(a) + ball(b)).sin().exp() + ball(c)

    order = len(name) - len(base)
    return value if order == 0 else lambda entry: derived(value, order, entry)


def inner(left: Sequence[Entry], right: Sequence[Entry]) -> Entry:
    """The sum of products; exact zeros win."""
    total: Entry = arb(0)
    for a, b in zip(left, right, strict=True):
        total = total + times(a, b)
    return total

"""The places of one variable where an expression is 0, if they are rational numbers and all can be found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import isqrt

from derivata.errors import DerivataError
from derivata.expr.node import NUMBER, Expr, number, variable
from derivata.expr.walk import replace, symbols, topological

MOST = 12  # numbers that are tried as they stand
FAR = (Fraction(-(10**4)), Fraction(10**4))
BETWEEN = tuple(Fraction(part, 97) for part in (1, 7, 24, 42, 48, 73, 90))  # of the way from one place to the next
NEAR = Fraction(1, 2**30)


class Places:
    """`of` in its only symbol `by` (none if there are more); `simplified` gives its value at a number as a number."""

    def __init__(self, simplified: Callable[[Expr], Expr], of: Expr) -> None:
        names = symbols(of)
        self.of, self.simplified = of, simplified
        self.by = variable(*names.values()) if len(names) == 1 else None
        self.value = cache(self._value)

    def found(self) -> list[Expr] | None:
        """All places, in order; nothing unless its sign is the same at points all over between two of them."""
        if self.by is None:
            return None
        try:
            places = sorted({place for place in self._candidates() if self.value(place) == 0})
            ends = [FAR[0], *places, FAR[1]]
            for low, high in pairwise(ends):
                signs = {self.value(low + (high - low) * part) > 0 for part in BETWEEN}
                signs |= {self.value(end + step) > 0 for end, step in ((low, NEAR), (high, -NEAR))}
                if len(signs) > 1:
                    return None
        except DerivataError:
            return None
        return [number(place) for place in places]

    def _value(self, place: Fraction) -> Fraction:
        value = self.of if self.by is None else self.simplified(replace(self.of, {self.by: number(place)}))
        if value.head != NUMBER:
            raise DerivataError("not a number")
        return Fraction(value.data)

    def _candidates(self) -> Iterator[Fraction]:
        """0, the numbers of the expression, their square roots and quotients, and where a straight line would be 0."""
        numbers = {abs(Fraction(n.data)) for n in topological(self.of) if n.head == NUMBER}
        found = {Fraction(0), Fraction(1), *list(numbers)[:MOST]}
        found |= {root for n in found if (root := _root(n)) is not None}
        found |= {a / b for a in found for b in found if b}
        yield from found
        yield from (-place for place in found)
        start, slope = self.value(Fraction(0)), self.value(Fraction(1)) - self.value(Fraction(0))
        if slope:
            yield -start / slope


def _root(value: Fraction) -> Fraction | None:
    root = Fraction(isqrt(value.numerator), isqrt(value.denominator))
    return root if root * root == value else None

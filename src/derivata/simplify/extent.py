"""How large a cluster would be multiplied out, found before a polynomial library is asked to do it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from derivata.expr.node import ADD, CALL, NUMBER, Expr
from derivata.simplify.rational import is_internal

MOST_TERMS = 400  # of the numerator or of the denominator
MOST_ATOMS = 60  # different ones in a cluster: each is a generator of the polynomials
MOST_FACTORS = 24  # different denominators
_ENDLESS = 10**9


@dataclass(frozen=True, slots=True)
class Extent:
    """Bounds for a rational function: terms above, factors below with their exponents and terms, and atoms."""

    terms: int
    below: Mapping[Expr, tuple[int, int]]
    atoms: frozenset[Expr]

    @property
    def is_large(self) -> bool:
        return max(self.terms, _multiplied_out(self.below)) > MOST_TERMS or len(self.atoms) > MOST_ATOMS


_NUMBER = Extent(1, {}, frozenset())
_ANYTHING = Extent(_ENDLESS, {}, frozenset())


def large_nodes(order: Sequence[Expr], cut: Collection[Expr], known: Collection[Expr] = ()) -> set[Expr]:
    """The internal nodes that are not to be multiplied out; a node of `cut` is one atom to its parents.

    Of nodes that are `known`, which are of `cut`, the order need not hold what is inside.
    """
    large: set[Expr] = set()
    seen: dict[Expr, Extent] = {}
    for node in order:
        inside = is_internal(node) and node not in known
        if inside:
            seen[node] = _extent(node, [seen[child] for child, _ in node.args])
            if seen[node].is_large:
                large.add(node)
                seen[node] = _ANYTHING
        if not inside or node in cut:
            seen[node] = Extent(1, {}, frozenset((node,)))
    return large


def _extent(node: Expr, parts: Sequence[Extent]) -> Extent:
    if node.head == NUMBER:
        return _NUMBER
    if any(part is _ANYTHING for part in parts):
        return _ANYTHING
    atoms = _union(parts)
    if node.head == CALL and node.data == ADD:
        return _sum(parts, atoms)
    if node.head == CALL:
        return _power(node, parts[0])
    below: dict[Expr, tuple[int, int]] = {}
    for part in parts:
        for factor, (exponent, terms) in part.below.items():
            below[factor] = exponent + below.get(factor, (0, 0))[0], terms
    return Extent(_product(part.terms for part in parts), below, atoms)


def _union(parts: Sequence[Extent]) -> frozenset[Expr]:
    """All atoms, or a few more than allowed."""
    found: set[Expr] = set()
    for part in parts:
        found |= part.atoms
        if len(found) > MOST_ATOMS:
            break
    return frozenset(found)


def _sum(parts: Sequence[Extent], atoms: frozenset[Expr]) -> Extent:
    below: dict[Expr, tuple[int, int]] = {}
    for part in parts:
        for factor, (exponent, terms) in part.below.items():
            below[factor] = max(exponent, below.get(factor, (0, 0))[0]), terms
        if len(below) > MOST_FACTORS:
            return _ANYTHING
    above = 0
    for part in parts:
        missing = {
            factor: (exponent - part.below.get(factor, (0, 0))[0], terms) for factor, (exponent, terms) in below.items()
        }
        above = min(above + _product((part.terms, _multiplied_out(missing))), _ENDLESS)
    return Extent(above, below, atoms)


def _power(node: Expr, base: Extent) -> Extent:
    exponent = int(node.args[1][0].data)
    if exponent >= 0:
        below = {factor: (e * exponent, terms) for factor, (e, terms) in base.below.items()}
        return Extent(_raised(base.terms, exponent), below, base.atoms)
    above = _product(_raised(terms, -e * exponent) for e, terms in base.below.values())
    if base.terms == 1:
        return Extent(above, {}, base.atoms)
    return Extent(above, {node.args[0][0]: (-exponent, base.terms)}, base.atoms)


def _multiplied_out(factors: Mapping[Expr, tuple[int, int]]) -> int:
    return _product(_raised(terms, exponent) for exponent, terms in factors.values())


def _raised(terms: int, exponent: int) -> int:
    """The number of terms of a power of a sum."""
    if terms <= 1 or exponent <= 1:
        return terms if exponent else 1
    if exponent > MOST_TERMS or terms > MOST_TERMS:
        return _ENDLESS
    return min(math.comb(terms + exponent - 1, exponent), _ENDLESS)


def _product(numbers: Iterable[int]) -> int:
    value = 1
    for factor in numbers:
        value = min(value * factor, _ENDLESS)
    return value

"""Elementwise clusters as rational functions: sums, products and whole powers over atoms, by python-flint.

An atom is a node with the labels of its axes in the cluster's axes. Atoms that are powers of one thing
(`x**n`, `x**(n-1)`; `exp(x)`, `exp(-2*x)`; `sqrt(u)`, `u`) share one generator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from derivata.errors import LimitError, UndefinedError
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    POWER,
    Edge,
    Expr,
    Labels,
    Shape,
    call,
    is_elementwise,
    is_multiple,
    number,
)
from derivata.expr.write import write
from derivata.rewrite.fold import power_of, product, total
from derivata.simplify.multiples import scaled
from derivata.simplify.radicals import Polynomial, without_powers, without_squares

LARGEST_EXPONENT = 10**18  # what polynomial libraries count to


@dataclass(frozen=True)
class Family:
    """Something that stands to several powers: `power(c)` is the node of its c-th power."""

    node: Expr
    labels: Labels
    kind: str  # "plain", "power" (base**exponent), "base" (base(u): powers are multiples of u), "size" (square is u**2)

    @property
    def key(self) -> tuple[bytes, Labels]:
        return self.node.digest, self.labels

    @property
    def under(self) -> Edge:
        """What a radicand, or the argument of a size, is a polynomial in."""
        if self.kind != "size":
            return self.node, self.labels
        inner, labels = self.node.args[0]
        return inner, tuple(self.labels[i] for i in labels)

    def power(self, exponent: Fraction) -> Expr:
        """The node of this family to a power, without folding further."""
        if exponent == 1:
            return self.node
        if self.kind == "base":
            return call(
                self.node.data,
                [(scaled(self.node.args[0][0], exponent), self.node.args[0][1])],
                self.node.shape,
            )
        shape = self.node.shape
        whole = tuple(range(len(shape)))
        if self.kind == "power":
            base, inner = self.node.args
            return power_of(base, (scaled(inner[0], exponent), inner[1]), shape)
        return power_of((self.node, whole), (number(exponent), ()), shape)


Leaf: TypeAlias = "tuple[Fraction, tuple[tuple[Family, Fraction], ...]]"  # coefficient, factors with exponents


@dataclass(frozen=True)
class Rational:
    """numerator/denominator in lowest terms; generator i is families[i] to the power units[i]."""

    families: tuple[Family, ...]
    units: tuple[Fraction, ...]
    context: Any
    numerator: Polynomial
    denominator: Polynomial
    shape: Shape

    def with_parts(self, numerator: Polynomial, denominator: Polynomial) -> Rational:
        return Rational(self.families, self.units, self.context, numerator, denominator, self.shape)

    def key(self) -> object:
        """Equal for equal functions of the same generators."""
        terms = (frozenset(p.to_dict().items()) for p in (self.numerator, self.denominator))
        return self.families, self.units, *terms


def is_internal(node: Expr) -> bool:
    """Numbers, sums, elementwise products and whole powers: what polynomials are made of."""
    if node.head == NUMBER:
        return True
    if node.head == CALL:
        if node.data == ADD:
            return True
        if node.data == POWER:
            exponent = node.args[1][0]
            return exponent.head == NUMBER and exponent.data.denominator == 1 and abs(exponent.data) < 10**6
        return False
    return node.head == CONTRACTION and is_elementwise(node)


def narrowed(node: Expr, labels: Labels) -> Edge:
    """A product without the axes that no factor has."""
    if node.head != CONTRACTION or not is_elementwise(node):
        return node, labels
    used = [i for i in node.data if any(i in where for _, where in node.args)]
    if len(used) == len(node.data):
        return node, labels
    sizes = dict(zip(node.data, node.shape, strict=True))
    place = dict(zip(node.data, labels, strict=True))
    return product(node.args, tuple(used), sizes), tuple(place[i] for i in used)


class _Cluster:
    """One cluster being turned into a rational function."""

    def __init__(self, leaf: Callable[[Expr, Labels], Leaf], opened: Callable[[Expr], tuple[Expr, bool]]) -> None:
        self.leaf, self.opened = leaf, opened
        self.order: list[tuple[Expr, Labels]] = []
        self.leaves: dict[tuple[Expr, Labels], Leaf] = {}
        self.children: dict[tuple[Expr, Labels], list[tuple[Expr, Labels]]] = {}
        self.renamed: set[tuple[Expr, Labels]] = set()  # pairs whose only child is their own normal form
        self.radicands: list[Family] = []

    def collect(self, root: Expr, labels: Labels | None = None) -> None:
        """Post-order over (node, labels) pairs, without recursion."""
        start = (root, tuple(range(len(root.shape))) if labels is None else labels)
        stack: list[tuple[tuple[Expr, Labels], bool]] = [(start, False)]
        seen: set[tuple[Expr, Labels]] = set(self.order)
        while stack:
            pair, ready = stack.pop()
            if ready:
                self.order.append(pair)
                continue
            if pair in seen:
                continue
            seen.add(pair)
            stack.append((pair, True))
            node, labels = pair
            inner, atom = (node, False) if pair == start else self.opened(node)
            if atom or not is_internal(inner):
                self.leaves[pair] = _multiple(inner, labels) if atom else self.leaf(inner, labels)
                continue
            self.children[pair] = [
                (child, tuple(labels[i] for i in _positions(inner, where))) for child, where in inner.args
            ]
            if inner is not node:
                self.children[pair] = [(inner, labels)]
                self.renamed.add(pair)
            stack.extend((child, False) for child in self.children[pair])

    def generators(self) -> tuple[tuple[Family, ...], tuple[Fraction, ...]]:
        multiples: dict[Family, set[int]] = {}
        for _, factors in self.leaves.values():
            for family, exponent in factors:
                multiples.setdefault(family, set()).add(exponent.denominator)
        families = tuple(sorted(multiples, key=lambda f: f.key))
        return families, tuple(Fraction(1, math.lcm(*multiples[f])) for f in families)

    def rational(self, root: Expr) -> Rational:
        self._collect_radicands()
        families, units = self.generators()
        context = fmpq_mpoly_ctx.get(tuple(f"g{i}" for i in range(len(families))), Ordering.lex)
        index = {family: i for i, family in enumerate(families)}
        values: dict[tuple[Expr, Labels], tuple[Polynomial, Polynomial]] = {}
        for pair in self.order:
            if pair in self.leaves:
                values[pair] = _leaf_value(self.leaves[pair], index, units, context)
            elif pair in self.renamed:
                values[pair] = values[self.children[pair][0]]
            else:
                values[pair] = _combine(pair[0], [values[c] for c in self.children[pair]], context)
        numerator, denominator = values[root, tuple(range(len(root.shape)))]
        if max((*numerator.degrees(), *denominator.degrees()), default=0) > LARGEST_EXPONENT:
            raise LimitError("a power above 10**18, or a root as high, is not worked out")
        found = Rational(families, units, context, numerator, denominator, root.shape)
        for family in self.radicands:
            base, below = values[family.under]
            order = units[index[family]].denominator
            if not below.is_constant():
                continue
            found = reduced(found)
            parts = found.numerator, found.denominator, index[family]
            if family.kind == "size":
                found = found.with_parts(*without_squares(*parts, 2 * order, (base / below) ** 2))
            elif order > 1:
                found = found.with_parts(*without_powers(*parts, order, base / below))
        return reduced(found)

    def _collect_radicands(self) -> None:
        """Sums that stand under roots are generators and polynomials at once, r**2 == u; so are sizes, r**2 == u**2."""
        leaves = [pair for _, factors in self.leaves.values() for pair in factors]
        powers = {f.node.args[0][0] for f, _ in leaves if f.kind == "power"}
        found = {f for f, e in leaves if e.denominator > 1 and f.kind == "plain" and is_sum(f.node)}
        found |= {f for f, _ in leaves if f.kind == "size" and f.node not in powers}
        self.radicands = sorted(found, key=lambda f: f.key)
        for family in self.radicands:
            self.collect(*family.under)


def _multiple(node: Expr, labels: Labels) -> Leaf:
    """A large part as one atom, whatever number stands in front of it."""
    amount, unit = (node.args[0][0].data, node.args[1][0]) if is_multiple(node) else (Fraction(1), node)
    return amount, ((Family(unit, labels, "plain"), Fraction(1)),)


def _positions(node: Expr, where: Labels) -> Iterable[int]:
    """Axes of the node that an operand's axes lie on."""
    if node.head == CONTRACTION:
        place = {label: i for i, label in enumerate(node.data)}
        return (place[label] for label in where)
    return where


def rational(root: Expr, leaf: Callable[[Expr, Labels], Leaf], opened: Callable[[Expr], tuple[Expr, bool]]) -> Rational:
    """The cluster at `root` as a rational function over its leaves."""
    cluster = _Cluster(leaf, opened)
    cluster.collect(root)
    return cluster.rational(root)


def _leaf_value(leaf: Leaf, index: dict[Family, int], units: tuple[Fraction, ...], context: Any) -> Any:
    coefficient, factors = leaf
    up, down = [0] * len(units), [0] * len(units)
    for family, exponent in factors:
        i = index[family]
        count = exponent.numerator * units[i].denominator // exponent.denominator  # a unit is one part of a whole
        if count >= 0:
            up[i] += count
        else:
            down[i] -= count
    top = context.from_dict({tuple(up): to_flint(coefficient)})
    return top, context.from_dict({tuple(down): 1})


def to_flint(value: Fraction) -> Any:
    return fmpq(value.numerator, value.denominator)


def from_flint(value: Any) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def _combine(node: Expr, parts: list[tuple[Polynomial, Polynomial]], context: Any) -> tuple[Polynomial, Polynomial]:
    if node.head == NUMBER:
        return context.constant(to_flint(node.data)), context.constant(1)
    if node.head == CALL and node.data == ADD:
        return _added(parts, context)
    if node.head == CALL and node.data == POWER and is_internal(node):
        (top, bottom), exponent = parts[0], int(node.args[1][0].data)
        if exponent < 0:
            if top.is_zero():
                raise UndefinedError(f"division by zero: {write(node.args[0][0])[:60]} is 0 everywhere")
            return bottom**-exponent, top**-exponent
        return top**exponent, bottom**exponent
    if len(parts) == 1 and node.head != CONTRACTION:
        return parts[0]
    top, bottom = context.constant(1), context.constant(1)
    for a, b in parts:
        top, bottom = top * a, bottom * b
    return top, bottom


def _added(parts: list[tuple[Polynomial, Polynomial]], context: Any) -> tuple[Polynomial, Polynomial]:
    """A sum over the least common denominator, terms with one denominator added first."""
    groups: list[tuple[Polynomial, Polynomial]] = []
    for top, bottom in parts:
        for i, (other, below) in enumerate(groups):
            if below == bottom:
                groups[i] = (other + top, below)
                break
        else:
            groups.append((top, bottom))
    top, bottom = groups[0]
    for a, b in groups[1:]:
        shared = bottom.gcd(b)
        left, right = bottom / shared, b / shared
        top, bottom = top * right + a * left, bottom * right
    return top, bottom


def is_sum(node: Expr) -> bool:
    return node.head == CALL and node.data == ADD


def reduced(value: Rational) -> Rational:
    """Lowest terms, relations of roots used, the denominator with whole coprime coefficients."""
    top, bottom = value.numerator, value.denominator
    if bottom.is_zero():
        raise UndefinedError("division by zero: what stands below the bar is 0 everywhere")
    shared = top.gcd(bottom)
    if not shared.is_constant():
        top, bottom = top / shared, bottom / shared
    if bottom.is_constant():
        return value.with_parts(top / bottom.coeffs()[0], value.context.constant(1))
    coefficients = [from_flint(c) for c in bottom.coeffs()]
    size = Fraction(
        math.gcd(*(abs(c.numerator) for c in coefficients)), math.lcm(*(c.denominator for c in coefficients))
    )
    size = -size if coefficients[0] < 0 else size
    return value.with_parts(top / to_flint(size), bottom / to_flint(size))


def term_edges(value: Rational, exponents: tuple[int, ...]) -> list[Edge]:
    """The factors of a monomial as edges; powers of one base are merged."""
    edges: list[Edge] = []
    merged: dict[tuple[Expr, Labels], list[tuple[Family, Fraction]]] = {}
    for family, unit, count in zip(value.families, value.units, exponents, strict=True):
        if count:
            exponent = Fraction(int(count), unit.denominator)
            base = family.node.args[0][0] if family.kind == "power" else family.node
            labels = (
                tuple(family.labels[i] for i in family.node.args[0][1]) if family.kind == "power" else family.labels
            )
            merged.setdefault((base, labels), []).append((family, exponent))
    for together in merged.values():
        for members in _on_the_same_axes(together):
            if len(members) == 1 or not any(f.kind == "power" for f, _ in members):
                edges.extend((f.power(e), f.labels) for f, e in members)
            else:
                edges.append(_merged_power(members))
    return edges


def _on_the_same_axes(members: list[tuple[Family, Fraction]]) -> list[list[tuple[Family, Fraction]]]:
    """Powers of one base, those together that lie on the same axes: 2**x[i] * 2**y[j] stays a product."""
    groups: dict[frozenset[int], list[tuple[Family, Fraction]]] = {}
    for family, exponent in members:
        if family.kind == "power":
            groups.setdefault(frozenset(family.labels), []).append((family, exponent))
    rest = [(f, e) for f, e in members if f.kind != "power"]
    found = list(groups.values())
    return [[*rest, *found[0]], *found[1:]] if found else [rest]


def _merged_power(members: list[tuple[Family, Fraction]]) -> Edge:
    """x**n * x**-1 as x**(n - 1)."""
    lead = next(f for f, _ in members if f.kind == "power")
    base, _ = lead.node.args
    shape = lead.node.shape
    axis = {label: i for i, label in enumerate(lead.labels)}
    exponents: list[Edge] = []
    for family, exponent in members:
        if family.kind == "power":
            node, own = family.node.args[1]
            exponents.append((scaled(node, exponent), tuple(axis[family.labels[i]] for i in own)))
        else:
            exponents.append((number(exponent), ()))
    whole = tuple(range(len(shape)))
    used = sorted({label for _, labels in exponents for label in labels})
    place = {label: i for i, label in enumerate(used)}
    summed = total([(e, tuple(place[i] for i in labels)) for e, labels in exponents], tuple(shape[i] for i in used))
    return power_of(base, (summed, tuple(used)), shape), tuple(lead.labels[i] for i in whole)

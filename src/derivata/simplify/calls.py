"""Calls in normal form: operands without what their labels say, exact values, signs and inverses."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from derivata.calculus.domain import REAL, bounds_of, is_outside
from derivata.errors import UndefinedError
from derivata.expr.arrays import is_zero, zeros
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    ONE,
    POWER,
    Edge,
    Expr,
    Labels,
    axes,
    call,
    contraction,
    is_elementwise,
    number,
)
from derivata.expr.notation import SIGNS
from derivata.expr.walk import rebuild
from derivata.expr.write import write
from derivata.rewrite.fold import fold, power_of, product
from derivata.rewrite.instantiate import defined, instantiate
from derivata.rules.book import Book
from derivata.simplify.conditions import chosen, compared
from derivata.simplify.facts import Facts
from derivata.simplify.multiples import content, scaled
from derivata.simplify.rational import is_internal, is_sum, narrowed


class Algebra(Protocol):
    """What calls need of the pass they are part of."""

    book: Book
    facts: Facts
    made: set[Expr]

    def cluster(self, node: Expr) -> Expr:
        """The normal form of an elementwise cluster."""

    def identities(self, node: Expr) -> Expr:
        """The node after the identities of the rulebook."""

    def squeezed(self, node: Expr, labels: Labels) -> Edge:
        """An operand without its axes of size 1."""

    def is_symmetric(self, node: Expr) -> bool:
        """Whether a normal node is surely its own transpose."""


class Calls:
    """Elementwise functions over normal operands."""

    def __init__(self, algebra: Algebra) -> None:
        self.algebra = algebra

    def atom(self, node: Expr) -> Expr:
        """A function over the axes of its operands, in their order; turned and spread from outside."""
        node = call(node.data, [self._bare(c, labels) for c, labels in node.args], node.shape)
        order = tuple(dict.fromkeys(label for _, labels in node.args for label in labels))
        place = {label: i for i, label in enumerate(order)}
        args = [self._straight(child, tuple(place[i] for i in labels)) for child, labels in node.args]
        if order == axes(node):
            return self.algebra.identities(self._call(call(node.data, args, node.shape)))
        inner = self.algebra.identities(self._call(call(node.data, args, tuple(node.shape[i] for i in order))))
        self.algebra.made.add(inner)
        return self.algebra.cluster(contraction([(inner, order)], axes(node), dict(enumerate(node.shape))))

    def _straight(self, child: Expr, labels: Labels) -> Edge:
        """A sum with its axes in order: there is one way to write it turned."""
        order = tuple(sorted(labels))
        if labels == order or not is_sum(child):
            return child, labels
        return self.algebra.cluster(contraction([(child, labels)], order)), order

    def _bare(self, node: Expr, labels: Labels) -> Edge:
        """An operand without axes it does not change along, and not transposed: its labels say both."""
        child, own = narrowed(node, labels)
        if len(own) == 2 and own[0] > own[1] and self.algebra.is_symmetric(child):
            return child, own[::-1]
        order = tuple(dict.fromkeys(label for _, where in child.args for label in where))
        turns = child.head == CONTRACTION and is_elementwise(child) and len(order) == len(child.data)
        if not turns or order == child.data:
            return child, own
        place = dict(zip(child.data, own, strict=True))
        turned = contraction(child.args, order)
        same = len(turned.args) == 1 and turned.args[0][1] == axes(turned)
        return turned.args[0][0] if same else turned, tuple(place[i] for i in order)

    def _call(self, node: Expr) -> Expr:
        """Exact values, signs taken out of arguments, a function of its inverse undone."""
        if 1 in node.shape:
            return self._without_size_one(node)
        if node.data == POWER:
            return self._power(node)
        if node in self.algebra.facts.constants:
            return self.algebra.facts.constants[node]
        if node.data in SIGNS:
            return compared(node, self.algebra.book)
        if node.data in self.algebra.facts.choices:
            return chosen(node)
        if node.data in self.algebra.facts.pieces and all(child.head == NUMBER for child, _ in node.args):
            return self._piece(node)
        if len(node.args) != 1:
            return node
        (inner, labels), name = node.args[0], node.data
        if inner.head == CALL and (name, inner.data) in self.algebra.facts.inverses and labels == axes(node):
            return inner.args[0][0] if inner.args[0][1] == axes(node) else node
        if is_zero(inner):
            return self._at_zero(node)
        if content(inner)[0] < 0:
            flipped = call(name, [(scaled(inner, Fraction(-1)), labels)], node.shape)
            if name in self.algebra.facts.even:
                return flipped
            if name in self.algebra.facts.odd:
                return scaled(flipped, Fraction(-1))
            if name in self.algebra.facts.reflections:
                bound: dict[str, Edge] = {"out": (flipped, axes(node))}
                self.algebra.made.add(flipped)
                return self.algebra.cluster(instantiate(self.algebra.facts.reflections[name], bound, node.shape, {}))
        return node

    def _piece(self, node: Expr) -> Expr:
        """A function made of pieces, of numbers: the piece they fall on."""
        record = self.algebra.book.by_name[node.data]

        def decided(part: Expr) -> Expr:
            return self._call(part) if part.head == CALL and part.data not in (ADD, POWER) else fold(part)

        value = rebuild(defined(node, record, record.value, self.algebra.book), decided)
        return value if content(value)[1] is ONE or is_zero(value) else node

    def _without_size_one(self, node: Expr) -> Expr:
        """A call without the axes of size 1, stretched over them."""
        kept = [i for i, size in enumerate(node.shape) if size != 1]
        place = {axis: i for i, axis in enumerate(kept)}
        args = []
        for child, labels in node.args:
            child, labels = self.algebra.squeezed(child, labels) if 1 in child.shape else (child, labels)
            args.append((child, tuple(place[i] for i in labels)))
        inner = self.algebra.identities(self._call(call(node.data, args, tuple(node.shape[i] for i in kept))))
        self.algebra.made.add(inner)
        return self.algebra.cluster(contraction([(inner, tuple(kept))], axes(node), dict(enumerate(node.shape))))

    def _at_zero(self, node: Expr) -> Expr:
        if node.data in self.algebra.facts.odd:
            return zeros(node.shape)
        if node.data in self.algebra.facts.bases:
            return product([(ONE, ())], axes(node), dict(enumerate(node.shape)))
        plain = call(node.data, [(number(0), ())], ())
        if is_outside(plain, self.algebra.book):
            raise UndefinedError(f"{write(plain)} has no value")
        known = self.algebra.facts.constants.get(plain)
        return node if known is None else product([(known, ())], axes(node), dict(enumerate(node.shape)))

    def _power(self, node: Expr) -> Expr:
        """Powers of base functions and of positive products; exponents merged."""
        (base, labels), (exponent, where) = node.args
        whole = axes(node)
        sizes = dict(enumerate(node.shape))
        if is_zero(base) and bounds_of(exponent, self.algebra.book).get(exponent, REAL).satisfies(">", 0):
            return zeros(node.shape)
        if base.head == CALL and base.data in self.algebra.facts.bases and labels == whole:
            (inner, inside) = base.args[0]
            argument = self.algebra.cluster(product([(inner, inside), (exponent, where)], whole, sizes))
            return self._call(call(base.data, [(argument, whole)], node.shape))
        if base.head == CALL and base.data == POWER and labels == whole and _is_positive(base.args[0][0]):
            merged = self.algebra.cluster(product([base.args[1], (exponent, where)], whole, sizes))
            self.algebra.made.add(merged)
            return self._repowered(power_of(base.args[0], (merged, whole), node.shape))
        if base.head == CONTRACTION and is_elementwise(base) and all(_is_positive(c) for c, _ in base.args):
            place = {label: labels[i] for i, label in enumerate(base.data)}
            factors = [
                (
                    self._repowered(power_of((c, tuple(place[i] for i in w)), (exponent, where), node.shape)),
                    whole,
                )
                for c, w in base.args
            ]
            self.algebra.made.update(f for f, _ in factors)
            return self.algebra.cluster(product(factors, whole, sizes))
        folded = fold(node)
        if folded is node and base.head == exponent.head == NUMBER and not 0 < exponent.data < 1:
            return self.algebra.cluster(contraction([(node, whole)], whole))  # 2**(-1/2) is sqrt(2)/2
        return folded

    def _repowered(self, node: Expr) -> Expr:
        if node.head == CALL and node.data == POWER and not is_internal(node):
            return self._power(node)
        return self.algebra.cluster(node) if is_internal(node) and node.head != NUMBER else node


def _is_positive(node: Expr) -> bool:
    if node.head == NUMBER:
        return bool(node.data > 0)
    return node.head == "symbol" and node.data.positive

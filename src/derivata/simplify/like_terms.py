"""Sums and products too large to multiply out: flattened, like terms and like factors merged, sorted."""

from __future__ import annotations

from fractions import Fraction

from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, POWER, Edge, Expr, axes, is_elementwise, number
from derivata.rewrite.fold import power_of, product, total
from derivata.simplify.multiples import scaled
from derivata.simplify.rational import is_internal


def _split(edge: Edge) -> tuple[Fraction, Edge]:
    """A term as its number and the rest."""
    node, labels = edge
    if node.head == CONTRACTION and is_elementwise(node) and node.args and node.args[0][0].head == NUMBER:
        value = Fraction(node.args[0][0].data)
        return value, (scaled(node, 1 / value), labels)
    return Fraction(1), edge


def merged_sum(parts: list[Edge], node: Expr) -> Expr:
    flat: list[Edge] = []
    for child, labels in parts:
        if child.head == CALL and child.data == ADD:
            flat.extend((c, tuple(labels[i] for i in w)) for c, w in child.args)
        else:
            flat.append((child, labels))
    counted: dict[Edge, Fraction] = {}
    constant = Fraction(0)
    for edge in flat:
        if edge[0].head == NUMBER:
            constant += edge[0].data
            continue
        value, rest = _split(edge)
        counted[rest] = counted.get(rest, Fraction(0)) + value
    terms = [(scaled(c, v), labels) for (c, labels), v in counted.items() if v]
    terms.sort(key=lambda e: (e[0].digest, e[1]))
    return total([*terms, (number(constant), ())], node.shape)


def merged_product(parts: list[Edge], node: Expr) -> Expr:
    place = {label: i for i, label in enumerate(node.data)}
    coefficient = Fraction(1)
    exponents: dict[Edge, Fraction] = {}
    stack = [(c, tuple(place[i] for i in w)) for c, w in reversed(parts)]
    while stack:
        child, labels = stack.pop()
        if child.head == NUMBER:
            coefficient *= child.data
        elif child.head == CONTRACTION and is_elementwise(child):
            inner = {label: labels[i] for i, label in enumerate(child.data)}
            stack.extend((c, tuple(inner[i] for i in w)) for c, w in reversed(child.args))
        elif child.head == CALL and child.data == POWER and is_internal(child):
            base, where = child.args[0]
            edge = (base, tuple(labels[i] for i in where))
            exponents[edge] = exponents.get(edge, Fraction(0)) + child.args[1][0].data
        else:
            exponents[child, labels] = exponents.get((child, labels), Fraction(0)) + 1
    factors = [(power_of((c, axes(c)), (number(e), ()), c.shape), labels) for (c, labels), e in exponents.items() if e]
    factors.sort(key=lambda e: (e[0].digest, e[1]))
    return product([(number(coefficient), ()), *factors], axes(node), dict(enumerate(node.shape)))

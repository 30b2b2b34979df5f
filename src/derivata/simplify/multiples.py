"""A number times a node: put in front, taken out, told apart."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, ONE, ZERO, Expr, is_elementwise, number
from derivata.rewrite.fold import product, total

Multiple: TypeAlias = tuple[Fraction, Expr]  # a number times a node


def scaled(node: Expr, factor: Fraction) -> Expr:
    """factor*node with the factor merged into the number in front, and into every term of a sum."""
    if factor == 1:
        return node
    if node.head == NUMBER:
        return number(node.data * factor)
    whole = tuple(range(len(node.shape)))
    if node.head == CALL and node.data == ADD:
        return total([(scaled(child, factor), labels) for child, labels in node.args], node.shape)
    if node.head == CONTRACTION and is_elementwise(node):
        return product([(number(factor), ()), *node.args], node.data, dict(zip(node.data, node.shape, strict=True)))
    return product([(number(factor), ()), (node, whole)], whole, dict(enumerate(node.shape)))


def content(node: Expr) -> tuple[Fraction, Expr]:
    """The number in front, with the sign of the first term, and the rest."""
    if node.head == NUMBER:
        return (node.data, ONE) if node is not ZERO else (node.data, node)
    if node.head == CALL and node.data == ADD:
        parts = [content(child)[0] for child, _ in node.args]
        size = Fraction(math.gcd(*(abs(p.numerator) for p in parts)), math.lcm(*(p.denominator for p in parts)))
        size = -size if parts[0] < 0 else size
        return size, scaled(node, 1 / size)
    if node.head == CONTRACTION and is_elementwise(node) and node.args and node.args[0][0].head == NUMBER:
        value = node.args[0][0].data
        return (value, scaled(node, 1 / value)) if value else (Fraction(0), node)
    return Fraction(1), node


def multiples(node: Expr) -> Iterator[Multiple]:
    """The node as a number times another one: itself, without its number, and the opposite of that."""
    amount, unit = content(node)
    yield Fraction(1), node
    if amount:
        yield amount, unit
        yield -amount, scaled(unit, Fraction(-1))

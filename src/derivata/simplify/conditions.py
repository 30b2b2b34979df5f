"""Conditions in normal form: those that are decided, and signs, numbers and factors of the others in one place."""

from __future__ import annotations

from fractions import Fraction

from derivata.calculus.domain import bounds_of
from derivata.expr.node import ADD, CALL, NUMBER, ONE, ZERO, Expr, Labels, call, number
from derivata.expr.notation import COMPARISONS, SIGNS
from derivata.rewrite.fold import spread, total
from derivata.rules.book import Book
from derivata.simplify.multiples import content, scaled

LARGEST = 30  # cost of an operand whose bounds are worked out
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


def compared(node: Expr, book: Book) -> Expr:
    """A comparison: 1 or 0 where that is sure, else with the number on the right and its left side positive."""
    (left, first), (right, second) = node.args
    sign = SIGNS[node.data]
    if left is right and first == second:
        return _truth("=" in sign and sign != "!=", node)
    if left.head == NUMBER and right.head != NUMBER:
        left, first, right, second, sign = right, second, left, first, _TURNED[sign]
    if right.head == NUMBER and left.head != NUMBER:
        left, first, right = _number_on_the_right(left, first, right)
    if right.head == NUMBER and left.cost <= LARGEST:
        known, value = bounds_of(left, book)[left], Fraction(right.data)
        if known.satisfies(sign, value) or known.satisfies(_OPPOSITE[sign], value):
            return _truth(known.satisfies(sign, value), node)
    factor = content(left)[0] if right.head == NUMBER else _common(content(left)[0], content(right)[0])
    if left.head != NUMBER and factor not in (0, 1):
        left, right = scaled(left, 1 / factor), scaled(right, 1 / factor)
        sign = _TURNED[sign] if factor < 0 else sign
    return call(COMPARISONS[sign], [(left, first), (right, second)], node.shape)


def _number_on_the_right(left: Expr, labels: Labels, right: Expr) -> tuple[Expr, Labels, Expr]:
    """The terms of a sum that are numbers brought to the other side."""
    if left.head != CALL or left.data != ADD:
        return left, labels, right
    rest = [edge for edge in left.args if edge[0].head != NUMBER]
    moved = sum((child.data for child, _ in left.args if child.head == NUMBER), Fraction(0))
    return total(rest, left.shape), labels, number(right.data - moved)


def _common(left: Fraction, right: Fraction) -> Fraction:
    """What both sides are divided by: a factor that they share, and the sign of the left one."""
    return left if abs(left) == abs(right) else Fraction(-1 if left < 0 else 1)


def chosen(node: Expr) -> Expr:
    """A choice whose condition is decided, or whose cases are the same."""
    (condition, _), first, second = node.args
    if condition.head == NUMBER:
        return spread(second if condition is ZERO else first, node.shape)
    return spread(first, node.shape) if first == second else node


def _truth(holds: bool, node: Expr) -> Expr:
    return spread((ONE if holds else ZERO, ()), node.shape)

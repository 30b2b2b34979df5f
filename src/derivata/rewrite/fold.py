"""Building nodes with numbers, zeros and ones folded: what every pass builds with."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from derivata.expr.arrays import is_zero, zeros
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    ONE,
    POWER,
    ZERO,
    Edge,
    Expr,
    Labels,
    Shape,
    Size,
    call,
    contraction,
    integer_power,
    label_sizes,
    number,
)
from derivata.expr.node import POWER_BITS as POWER_BITS


def product(args: Sequence[Edge], out: Labels, sizes: dict[int, Size]) -> Expr:
    """A contraction with its numbers multiplied and ones left out; zero when a factor is."""
    coefficient = ONE
    kept: list[Edge] = []
    for child, labels in args:
        if child.head == NUMBER:
            coefficient = child if coefficient is ONE else number(coefficient.data * child.data)
        elif is_zero(child):
            coefficient = ZERO
        else:
            kept.append((child, labels))
    if coefficient is ZERO:
        return zeros(tuple(sizes[label] for label in out))
    if coefficient is not ONE or (not kept and not out):
        kept.insert(0, (coefficient, ()))
    if len(kept) == 1 and kept[0][1] == out and len(set(out)) == len(out):
        return kept[0][0]
    return contraction(kept, out, {label: sizes[label] for label in out})


def total(args: Sequence[Edge], shape: Shape) -> Expr:
    """A sum without its zeros, numbers added, terms of full shape flattened one level."""
    constant = ZERO
    place = -1
    kept: list[Edge] = []
    for child, labels in args:
        if child.head == NUMBER:
            constant = child if constant is ZERO else number(constant.data + child.data)
            place = len(kept) if place < 0 else place
        elif not is_zero(child):
            kept.append((child, labels))
    if constant is not ZERO:
        kept.insert(place, (constant, ()))
    if not kept:
        return zeros(shape)
    if len(kept) == 1:
        return spread(kept[0], shape)
    return call(ADD, kept, shape)


def spread(edge: Edge, shape: Shape) -> Expr:
    """One operand as a whole array of this shape."""
    child, labels = edge
    rank = len(shape)
    if labels == tuple(range(rank)):
        return child
    return contraction([edge], tuple(range(rank)), dict(enumerate(shape)))


def power_of(base: Edge, exponent: Edge, shape: Shape) -> Expr:
    """base**exponent with exponents 0 and 1 and powers of numbers folded."""
    value = exponent[0]
    if value.head == NUMBER:
        if value.data == 1:
            return spread(base, shape)
        if value.data == 0:
            return spread((ONE, ()), shape)
        if base[0].head == NUMBER and value.data.denominator == 1 and _fits(base[0].data, value.data):
            return spread((number(integer_power(base[0].data, int(value.data))), ()), shape)
    return call(POWER, (base, exponent), shape)


def _fits(base: Fraction, exponent: Fraction) -> bool:
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    return (base != 0 or exponent > 0) and (bits <= 1 or abs(exponent) * bits <= POWER_BITS)


def fold(node: Expr) -> Expr:
    """One node over folded children."""
    if node.head == CALL and node.data == ADD:
        return total(node.args, node.shape)
    if node.head == CALL and node.data == POWER:
        return power_of(node.args[0], node.args[1], node.shape)
    if node.head == CONTRACTION and node.args:
        sizes = label_sizes(node)
        dropped = (
            set(sizes)
            - set(node.data)
            - {label for child, labels in node.args if child.head != NUMBER and not is_zero(child) for label in labels}
        )
        return node if dropped else product(node.args, node.data, sizes)
    return node

"""The last touches of print: products inside products opened, one bar over all divisors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from derivata.expr.means import mean_among
from derivata.expr.node import (
    CALL,
    CONTRACTION,
    NUMBER,
    POWER,
    Edge,
    Expr,
    Labels,
    axes,
    contraction,
    is_elementwise,
    number,
)
from derivata.rewrite.fold import power_of, product
from derivata.simplify.assemble import leading_number
from derivata.simplify.ordering import Ordering, kind_of


def merged_factors(
    node: Expr, child: Expr, labels: Labels, may_merge: bool, final: Mapping[Expr, Expr]
) -> Iterator[Edge]:
    """The operand; if it is a product inside a product, its factors."""
    inner = final[child]
    if (
        may_merge
        and all(n.head == CONTRACTION and is_elementwise(n) for n in (node, inner))
        and labels == node.data
        and inner.args
        and all(where in ((), inner.data) for _, where in inner.args)
        and NUMBER not in (inner.args[0][0].head, inner.args[-1][0].head)
    ):
        place = dict(zip(inner.data, labels, strict=True))
        yield from ((factor, tuple(place[i] for i in where)) for factor, where in inner.args)
    else:
        yield inner, labels


def divided(node: Expr, order: Ordering) -> Expr:
    """x**2/2 rather than 1/2*x**2, and one bar over all divisors: 1/(2*sqrt(x)) rather than 1/sqrt(x)/2."""
    if node.head != CONTRACTION or not is_elementwise(node) or len(node.args) < 2:
        return node
    scale = leading_number(node)[0]
    value, factors = _roots_below(scale, node.args if scale == 1 else node.args[1:])
    mean = mean_among(tuple(factors))
    kept = None if mean is None else factors[mean.divisor]
    below = [_positive_power(edge) for edge in factors if kind_of(edge[0], 0) == 3 and edge is not kept]
    above = [edge for edge in factors if kind_of(edge[0], 0) != 3 or edge is kept]
    whole = node.data
    if any(labels not in ((), whole) for _, labels in node.args):
        return node
    below.sort(key=order)
    if value.denominator > 1:
        below.insert(0, (number(value.denominator), ()))
    if not below or (len(below) == 1 and value.denominator == 1 and value == scale):
        return node
    if value.numerator != 1 or (not above and any(not labels for _, labels in below) and whole):
        above.insert(0, (number(value.numerator), ()))
    sizes = dict(zip(whole, node.shape, strict=True))
    used = whole if any(labels for _, labels in below) else ()
    divisor = product(below, used, sizes)
    above.append((power_of((divisor, axes(divisor)), (number(-1), ()), divisor.shape), used))
    return contraction(above, whole, sizes) if len(above) > 1 or used != whole else above[0][0]


def _roots_below(value: Fraction, factors: Sequence[Edge]) -> tuple[Fraction, list[Edge]]:
    """sqrt(2)/2 as 1/sqrt(2)."""
    found: list[Edge] = []
    for node, labels in factors:
        if node.head == CALL and node.data == POWER and all(c.head == NUMBER for c, _ in node.args):
            base, exponent = (c.data for c, _ in node.args)
            if (
                exponent == Fraction(1, 2)
                and base.denominator == 1
                and base > 0
                and value.denominator % base.numerator == 0
            ):
                value, node = value * base, power_of(node.args[0], (number(-exponent), ()), node.shape)
        found.append((node, labels))
    return value, found


def _positive_power(edge: Edge) -> Edge:
    node, labels = edge
    base, exponent = node.args
    return power_of(base, (number(-exponent[0].data), ()), node.shape), labels

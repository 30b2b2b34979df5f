"""Means are written as sums over a size; printing finds them again."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from derivata.expr.node import CALL, CONTRACTION, NUMBER, POWER, SYMBOL, Edge, Expr, Size
from derivata.expr.selectors import node_size
from derivata.expr.sizes import size_product
from derivata.expr.walk import topological


@dataclass(frozen=True)
class Mean:
    """Among the factors of a product: the sum, what divides it, and the number that is left of the divisor."""

    sum: int
    divisor: int
    number: Fraction = Fraction(1)


def summed_size(node: Expr) -> Size | None:
    """How many terms a sum over axes of one array has; None for anything else."""
    if node.head != CONTRACTION or len(node.args) != 1:
        return None
    ((child, labels),), out = node.args, node.data
    kept = tuple(label for label in labels if label in out)
    if len(set(labels)) < len(labels) or kept != out or len(kept) == len(labels):
        return None
    return size_product(*(size for label, size in zip(labels, child.shape, strict=True) if label not in out))


def mean_among(edges: tuple[Edge, ...]) -> Mean | None:
    """The sum over some axes and the factor that divides by their size, if a product has both."""
    if len(edges) < 2:
        return None
    for place, (node, _) in enumerate(edges):
        size = summed_size(node)
        if size is None:
            continue
        for other, (divisor, _) in enumerate(edges):
            if isinstance(size, int) and divisor.head == NUMBER and divisor.data.denominator == size > 1:
                return Mean(place, other, Fraction(divisor.data * size))
            if _divides_by(divisor) == size != 1:
                return Mean(place, other)
    return None


def _divides_by(node: Expr) -> Size | None:
    """The size of which a factor is the reciprocal."""
    if node.head != CALL or node.data != POWER or node.args[1][0].head != NUMBER or node.args[1][0].data != -1:
        return None
    base = node.args[0][0]
    if base.head == NUMBER or any(n.head == SYMBOL and "size" not in n.data.traits for n in topological(base)):
        return None
    return node_size(base)

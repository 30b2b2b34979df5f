"""Matrices as operands: products as lists of factors, transposes, axes of size 1."""

from __future__ import annotations

from collections.abc import Sequence

from derivata.expr.node import CONTRACTION, Edge, Expr, axes, contraction


def transposed(node: Expr) -> Expr:
    """The matrix on exchanged axes."""
    return contraction([(node, (1, 0))], (0, 1))


def chain(factors: Sequence[Expr]) -> Expr:
    """The product of matrices, one after the other."""
    if len(factors) == 1:
        return factors[0]
    return contraction([(factor, (i, i + 1)) for i, factor in enumerate(factors)], (0, len(factors)))


def square_factors(node: Expr) -> list[Expr]:
    """The factors of a product of square matrices in order; the matrix alone if it is no such product."""
    if node.head != CONTRACTION or len(set(node.data)) != 2 or any(c.shape != node.shape for c, _ in node.args):
        return [node]
    left: list[Edge] = list(node.args)
    place, last = node.data
    found: list[Expr] = []
    while left:
        edge = next((e for e in left if place in e[1] and len(set(e[1])) == 2), None)
        if edge is None:
            return [node]
        left.remove(edge)
        upright = edge[1][0] == place
        found.append(edge[0] if upright else transposed(edge[0]))
        place = edge[1][1] if upright else edge[1][0]
    return found if place == last and len(found) > 1 else [node]


def unsqueezed(node: Expr) -> Expr:
    """An array whose axes of size 1 were taken off and put back."""
    if node.head != CONTRACTION or len(node.args) != 1 or node.data != axes(node):
        return node
    inner, labels = node.args[0]
    if inner.head != CONTRACTION or len(inner.args) != 1 or inner.args[0][0].shape != node.shape:
        return node
    whole, own = inner.args[0]
    if len(set(own)) < len(own) or not set(inner.data) <= set(own):
        return node
    same = tuple(own.index(i) for i in inner.data) == labels
    gone = [size for label, size in zip(own, whole.shape, strict=True) if label not in inner.data]
    return whole if same and all(size == 1 for size in gone) else node


def is_on_operands(node: Expr) -> bool:
    """Whether both axes of a matrix are axes of operands, and different ones."""
    return len(set(node.data)) == 2 and set(node.data) <= {label for _, labels in node.args for label in labels}

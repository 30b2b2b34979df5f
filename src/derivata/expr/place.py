"""Where NumPy's broadcasting puts an operand, and what can be written to put it elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from derivata.expr.node import CONTRACTION, PRIMITIVE, Edge, Expr, Size, axes, contraction


def is_aligned(edge: Edge, rank: int) -> bool:
    labels = edge[1]
    return labels == tuple(range(rank - len(labels), rank))


def has_place(edge: Edge, rank: int) -> bool:
    """Whether NumPy's broadcasting puts an operand on its axes, keepdims and .T allowed."""
    return (
        is_aligned(edge, rank)
        or can_keep(edge, rank)
        or (rank == 2 and edge[1] == (1, 0))
        or is_stretchable(edge, rank)
    )


def is_stretchable(edge: Edge, rank: int) -> bool:
    """A product with fewer axes than where it stands, each factor of which has a place there."""
    child = edge[0]
    if child.head != CONTRACTION or len(child.args) < 2 or child.data != axes(child):
        return False
    if any(len(set(where)) < len(where) or not set(where) <= set(child.data) for _, where in child.args):
        return False
    return all(is_aligned(e, rank) or can_keep(e, rank) or is_stretchable(e, rank) for e in _moved(edge))


def _moved(edge: Edge) -> list[Edge]:
    """The factors of a product on the axes that it is put on."""
    child, labels = edge
    return [(factor, tuple(labels[i] for i in where)) for factor, where in child.args]


def stretched(edge: Edge, shape: Sequence[Size]) -> Expr:
    return contraction(_moved(edge), tuple(range(len(shape))), dict(enumerate(shape)))


def can_keep(edge: Edge, rank: int) -> bool:
    """Whether an operand can be written with keepdims."""
    return kept_axes(edge, rank) is not None


def kept_axes(edge: Edge, rank: int) -> tuple[Expr, list[int]] | None:
    """Of a sum (or another reduction) that is stretched back over its axes: what is reduced, and over which axes."""
    child, labels = edge
    if len(child.args) != 1 or not (child.head == CONTRACTION or _reduces(child)):
        return None
    (inner, own), out = child.args[0], child.data if child.head == CONTRACTION else axes(child)
    positions = tuple(own.index(label) for label in out) if set(out) <= set(own) else ()
    if len(inner.shape) != rank or len(set(own)) < rank or positions != labels:
        return None
    return inner, [i for i in range(rank) if i not in positions]


def _reduces(node: Expr) -> bool:
    """f(X, axis=1): a function of vectors that gives one number for each."""
    return node.head == PRIMITIVE and len(node.shape) == node.data[1] == len(node.args[0][0].shape) - 1

"""Contractions with the lower triangle of ones, found again: cumulative sums, tril and triu."""

from __future__ import annotations

from dataclasses import dataclass

from derivata.expr.node import CONTRACTION, Edge, Expr, contraction
from derivata.expr.selectors import is_lower


@dataclass(frozen=True)
class RunningSum:
    """Sums of the first entries along an axis, or of the last ones."""

    of: Expr
    axis: int
    from_the_end: bool


def running_sum(node: Expr) -> RunningSum | None:
    """cumsum(x, axis=a), or the same from the end, of an array whose other axes stay where they are."""
    if node.head != CONTRACTION or len(node.args) != 2 or len(set(node.data)) < len(node.data):
        return None
    for (mask, pair), (child, labels) in (node.args, node.args[::-1]):
        if not is_lower(mask) or is_lower(child) or len(set(labels)) < len(labels):
            continue
        for new, old in (pair, pair[::-1]):
            if old in labels and old not in node.data and node.data == tuple(new if i == old else i for i in labels):
                return RunningSum(child, labels.index(old), from_the_end=(new, old) != pair)
    return None


def triangle_of(node: Expr) -> tuple[str, Expr] | None:
    """`tril` or `triu`, and the matrix whose other triangle is set to 0."""
    if node.head != CONTRACTION or node.data != (0, 1) or len(node.args) < 2:
        return None
    if any(not labels for _, labels in node.args):
        return None
    masks = [edge for edge in node.args if is_lower(edge[0])]
    if len(masks) != 1 or any(not set(labels) <= {0, 1} or len(set(labels)) < len(labels) for _, labels in node.args):
        return None
    rest: list[Edge] = [edge for edge in node.args if edge is not masks[0]]
    if {label for _, labels in rest for label in labels} != {0, 1}:
        return None  # a triangle of ones times a row
    inner = contraction(rest, (0, 1), dict(enumerate(node.shape)))
    if len(rest) == 1 and rest[0][1] == (0, 1):
        inner = rest[0][0]
    return ("tril" if masks[0][1] == (0, 1) else "triu"), inner

"""Results over vec(X): Kronecker products, vecs and commutation matrices found in a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from derivata.expr.arrays import matmul
from derivata.expr.node import Edge, Expr, Labels, Size, contraction
from derivata.expr.notation import commutation, kron, vec
from derivata.expr.selectors import is_ravel
from derivata.simplify.canonical import is_identity_matrix

Arrange = Callable[[list[Edge], Labels, dict[int, Size]], Expr]


def over_vec(edges: list[Edge], out: Labels, sizes: dict[int, Size], arrange: Arrange) -> Expr | None:
    """The network of factors between flattened axes in Kronecker notation; None if it is no such network.

    An axis (p; i, j) of `ravel` is column-major: p = i*rows + j stands for the entry in row j, column i.
    """
    flat = [labels for node, labels in edges if is_ravel(node)]
    rest = [edge for edge in edges if not is_ravel(edge[0])]
    inner = {label for _, labels in rest for label in labels}
    if set(out) & inner or {labels[0] for labels in flat} != set(out) or len(flat) != len(out):
        return None
    places = [next(labels[1:] for labels in flat if labels[0] == label) for label in out]
    if len(out) == 1:
        ((column, row),) = places
        return vec(arrange(rest, (row, column), sizes))
    (a, b), (c, d) = places
    if (a, b) == (c, d) and a != b:
        return contraction([(vec(arrange(rest, (b, a), sizes)), (0,))], (0, 0))
    for first, second, kind in (((a, c), (b, d), "kron"), ((b, c), (a, d), "turned"), ((b, a), (d, c), "outer")):
        parts = _split(rest, first, second)
        if parts is None:
            continue
        left, right = (arrange(list(p), w, sizes) for p, w in zip(parts, (first, second), strict=True))
        if kind == "kron":
            return kron(left, right)
        if kind == "outer":
            return contraction([(vec(left), (0,)), (vec(right), (1,))], (0, 1))
        if is_identity_matrix(left) and is_identity_matrix(right):
            return commutation(sizes[a], sizes[b])
        return matmul(kron(right, left), commutation(sizes[d], sizes[c]))
    return None


def _split(factors: Sequence[Edge], first: Labels, second: Labels) -> tuple[list[Edge], list[Edge]] | None:
    """Factors connected to the first labels, and those connected to the second; None if some are to both."""
    reach: tuple[set[int], set[int]] = (set(first), set(second))
    sides: tuple[list[Edge], list[Edge]] = ([], [])
    left = list(factors)
    while left and not reach[0] & reach[1]:
        edge = next((e for e in left if set(e[1]) & (reach[0] | reach[1])), None)
        if edge is None:
            return None
        side = 0 if set(edge[1]) & reach[0] else 1
        reach[side].update(edge[1])
        sides[side].append(edge)
        left.remove(edge)
    return None if reach[0] & reach[1] else sides

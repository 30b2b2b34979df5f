"""Slices, paddings and sliding products in a plan, and how NumPy writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from derivata.expr.node import CONTRACTION, Expr, Size, contraction, label_sizes, with_args
from derivata.expr.selectors import is_onehot, is_slide
from derivata.expr.sizes import size_difference, size_sum
from derivata.expr.walk import topological
from derivata.expr.windows import Window, matrix_of, pad_of, slice_of, sliding_of
from derivata.simplify.windows import shown_windows

Sized = Callable[[Size], str]


def windowed(roots: Sequence[Expr]) -> tuple[Expr, ...]:
    """The graph with slices, paddings and sliding products of vectors as nodes of their own."""
    memo: dict[Expr, Expr] = {}
    for node in topological(*roots):
        changed = with_args(node, tuple((memo[child], labels) for child, labels in node.args))
        apart = changed.head == CONTRACTION and any(is_slide(c) or matrix_of(c) for c, _ in changed.args)
        memo[node] = _apart(changed) if apart and not is_window(changed) else changed
    return tuple(memo[root] for root in roots)


def _apart(node: Expr) -> Expr:
    edges = shown_windows(node.args, node.data, label_sizes(node), contraction)
    if len(edges) == 1 and edges[0][1] == node.data:
        return edges[0][0]
    return contraction(edges, node.data, label_sizes(node))


def is_window(node: Expr) -> bool:
    """A node that NumPy has a spelling for: a slice, a padding, a sliding product of vectors."""
    if node.head != CONTRACTION or not any(is_slide(child) for child, _ in node.args):
        return False
    return bool(slice_of(node) or pad_of(node) or matrix_of(node) or sliding_of(node) or windows_of(node))


def hidden_in(node: Expr) -> set[Expr]:
    """The operands of a slice, a padding or a sliding product that are not written."""
    if not is_window(node):
        return set()
    part = slice_of(node) or pad_of(node) or matrix_of(node)
    return {
        child for child, _ in node.args if is_slide(child) or (part and is_onehot(child) and child is not part.array)
    }


def windows_of(node: Expr) -> tuple[Expr, Size] | None:
    """The vector along which a window slides, and how long that is: the outcome has its places as rows."""
    if node.head != CONTRACTION or len(node.args) != 2 or len(node.data) != 2:
        return None
    moving = next(((child, labels) for child, labels in node.args if is_slide(child)), None)
    vector = next((child for child, labels in node.args if moving and labels == moving[1][2:]), None)
    if moving is None or vector is None or sorted(node.data) != sorted(moving[1][:2]):
        return None
    return vector, node.shape[1]


def slice_text(part: Window, size: Sized) -> str:
    """The subscripts of a slice: `:, 1:3`."""
    assert part.bounds is not None
    first, last = ("" if bound is None else size(bound) for bound in part.bounds)
    return ", ".join([*(":" for _ in range(part.axis)), f"{first}:{last}"])


def pad_text(part: Window, rank: int, size: Sized) -> str:
    """How many zeros stand before and behind."""
    begin = part.begin
    assert begin is not None
    behind = size_difference(part.total, size_sum(begin, part.length))
    pair = f"({size(begin)}, {size(behind)})"
    return pair if rank == 1 else "(" + ", ".join(pair if i == part.axis else "(0, 0)" for i in range(rank)) + ")"

"""Selections moved inward: a component or a diagonal of f(A) is f of that component or diagonal of A."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias

from derivata.expr.node import (
    CALL,
    CONTRACTION,
    Edge,
    Expr,
    Labels,
    Size,
    axes,
    call,
    contraction,
    is_elementwise,
    label_sizes,
    with_args,
)
from derivata.expr.selectors import is_onehot
from derivata.expr.walk import topological
from derivata.expr.windows import slice_of, sliced
from derivata.rewrite.fold import product

Selection: TypeAlias = "tuple[int | Expr | Part, ...]"  # for every axis its label, the selector that picks, or a slice


@dataclass(frozen=True)
class Part:
    """A slice of an axis, and the label it gets."""

    label: int
    start: Expr
    length: Size


def inward(root: Expr) -> dict[Expr, Expr]:
    """What every node becomes when selections stand at the operands of elementwise functions."""
    memo: dict[Expr, Expr] = {}
    for node in topological(root):
        inner = with_args(node, tuple((memo[c], labels) for c, labels in node.args))
        memo[node] = _moved(inner) if inner.head == CONTRACTION and inner.args else inner
    return memo


def _moved(node: Expr) -> Expr:
    """A contraction with its selections applied to those operands that they commute with."""
    picks = {labels[0]: child for child, labels in node.args if is_onehot(child)}
    if (part := slice_of(node)) is not None and part.array is not None and _commutes(part.array):
        whole: list[int | Expr | Part] = list(axes(node))
        whole[part.axis] = Part(part.axis, part.start, part.length)
        return _selected(part.array, tuple(whole))
    edges = [_selected_edge(child, labels, picks) for child, labels in node.args]
    if edges == list(node.args):
        return node
    held = {label for child, labels in edges if not is_onehot(child) for label in labels} | set(node.data)
    kept = [(c, w) for c, w in edges if not is_onehot(c) or w[0] in held]  # a selector alone sums to 1
    return product(kept, node.data, label_sizes(node))


def _selected_edge(child: Expr, labels: Labels, picks: dict[int, Expr]) -> Edge:
    selection = tuple(picks.get(label, label) for label in labels)
    if not _commutes(child) or not _selects(selection):
        return child, labels
    kept = tuple(dict.fromkeys(label for label in labels if label not in picks))
    place = {label: i for i, label in enumerate(kept)}
    return _selected(child, tuple(s if isinstance(s, Expr) else place[s] for s in selection)), kept


def _commutes(node: Expr) -> bool:
    return node.head == CALL or (node.head == CONTRACTION and len(node.args) > 1 and is_elementwise(node))


def _selects(selection: Selection) -> bool:
    """Whether an entry or a slice is picked or a label repeats."""
    return len({s for s in selection if isinstance(s, int)}) < len(selection)


def _label(selection: int | Part) -> int:
    return selection.label if isinstance(selection, Part) else selection


def _selected(root: Expr, selection: Selection) -> Expr:
    """The selection from an elementwise graph, made at what stands below it; no recursion."""
    made: dict[tuple[Expr, Selection], Expr] = {}
    stack = [(root, selection)]
    while stack:
        node, own = stack[-1]
        if (node, own) in made:
            stack.pop()
            continue
        if not _selects(own) or not _commutes(node):
            made[node, own] = _taken(node, own)
            continue
        below = [(child, *_of_operand(node, labels, own)) for child, labels in node.args]
        if missing := [(child, inner) for child, inner, _ in below if (child, inner) not in made]:
            stack.extend(missing)
            continue
        edges = [(made[child, inner], kept) for child, inner, kept in below]
        sizes = dict(_sizes(node, own))
        whole = tuple(sorted(sizes))
        shape = tuple(sizes[i] for i in whole)
        made[node, own] = call(node.data, edges, shape) if node.head == CALL else product(edges, whole, sizes)
    return made[root, selection]


def _of_operand(node: Expr, labels: Labels, selection: Selection) -> tuple[Selection, Labels]:
    """The selection from an operand, and the axes of the outcome that it has left."""
    place = {label: i for i, label in enumerate(node.data)} if node.head == CONTRACTION else None
    own = tuple(selection[label if place is None else place[label]] for label in labels)
    kept = tuple(dict.fromkeys(_label(s) for s in own if not isinstance(s, Expr)))
    rank = {label: i for i, label in enumerate(kept)}
    return tuple(_renamed(s, rank) for s in own), kept


def _renamed(selection: int | Expr | Part, rank: dict[int, int]) -> int | Expr | Part:
    if isinstance(selection, Part):
        return replace(selection, label=rank[selection.label])
    return selection if isinstance(selection, Expr) else rank[selection]


def _sizes(node: Expr, selection: Selection) -> list[tuple[int, int | str]]:
    return [
        (_label(s), s.length if isinstance(s, Part) else size)
        for s, size in zip(selection, node.shape, strict=True)
        if not isinstance(s, Expr)
    ]


def _taken(node: Expr, selection: Selection) -> Expr:
    """The selection as a contraction."""
    if not _selects(selection):
        return node
    for axis, part in enumerate(selection):
        if isinstance(part, Part):
            node = sliced(node, axis, part.start, part.length)
    first = len(selection)
    labels = tuple(first + i if isinstance(s, Expr) else _label(s) for i, s in enumerate(selection))
    picks: list[Edge] = [(s, (label,)) for s, label in zip(selection, labels, strict=True) if isinstance(s, Expr)]
    out = tuple(dict.fromkeys(label for label in labels if label < first))
    if not picks and labels == out == axes(node):
        return node
    return contraction([(node, labels), *picks], out)

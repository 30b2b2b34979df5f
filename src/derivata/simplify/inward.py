"""Selections moved inward: a component or a diagonal of f(A) is f of that component or diagonal of A."""

from __future__ import annotations

from typing import TypeAlias

from derivata.expr.node import (
    CALL,
    CONTRACTION,
    Edge,
    Expr,
    Labels,
    call,
    contraction,
    is_elementwise,
    label_sizes,
    with_args,
)
from derivata.expr.notation import is_onehot
from derivata.expr.walk import topological
from derivata.rewrite.fold import product

Selection: TypeAlias = "tuple[int | Expr, ...]"  # for every axis the label it gets, or the selector that picks from it


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
    """Whether an entry is picked or a label repeats."""
    return len({s for s in selection if not isinstance(s, Expr)}) < len(selection)


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
    kept = tuple(dict.fromkeys(s for s in own if not isinstance(s, Expr)))
    rank = {label: i for i, label in enumerate(kept)}
    return tuple(s if isinstance(s, Expr) else rank[s] for s in own), kept


def _sizes(node: Expr, selection: Selection) -> list[tuple[int, int | str]]:
    return [(s, size) for s, size in zip(selection, node.shape, strict=True) if not isinstance(s, Expr)]


def _taken(node: Expr, selection: Selection) -> Expr:
    """The selection as a contraction."""
    if not _selects(selection):
        return node
    first = len(selection)
    labels = tuple(first + i if isinstance(s, Expr) else s for i, s in enumerate(selection))
    picks: list[Edge] = [(s, (label,)) for s, label in zip(selection, labels, strict=True) if isinstance(s, Expr)]
    out = tuple(dict.fromkeys(s for s in selection if not isinstance(s, Expr)))
    return contraction([(node, labels), *picks], out)

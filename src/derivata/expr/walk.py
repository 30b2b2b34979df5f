"""The one way passes visit a graph: a topological list and a memo; nothing recurses over nodes."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from derivata.expr.node import SYMBOL, Edge, Expr, with_args
from derivata.expr.symbol import Symbol


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python's cycle collector out of passes that build many nodes: expressions have no cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def topological(*roots: Expr, is_end: Callable[[Expr], bool] | None = None) -> list[Expr]:
    """Every node reachable from the roots once, children before parents; ends are not looked into."""
    order: list[Expr] = []
    seen: set[Expr] = set()
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        if is_end is not None and is_end(root):
            order.append(root)
            continue
        stack: list[tuple[Expr, Iterator[Edge]]] = [(root, iter(root.args))]
        while stack:
            node, children = stack[-1]
            for child, _ in children:
                if child in seen:
                    continue
                seen.add(child)
                if is_end is None or not is_end(child):
                    stack.append((child, iter(child.args)))
                    break
                order.append(child)
            else:
                order.append(node)
                stack.pop()
    return order


def rebuild(root: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Apply `change` to every node, children first; `change` gets the node over its changed children."""
    memo: dict[Expr, Expr] = {}
    for node in topological(root):
        memo[node] = change(with_args(node, tuple((memo[c], labels) for c, labels in node.args)))
    return memo[root]


def replace(root: Expr, changes: dict[Expr, Expr]) -> Expr:
    """Put other nodes (of the same shapes) in the places of some."""
    if all(node is to for node, to in changes.items()):
        return root
    memo: dict[Expr, Expr] = {}
    for node in topological(root):
        if node in changes:
            memo[node] = changes[node]
        else:
            memo[node] = with_args(node, tuple((memo[c], labels) for c, labels in node.args))
    return memo[root]


def symbols(*roots: Expr) -> dict[str, Symbol]:
    """The symbols that occur, by name, in order of appearance."""
    return {n.data.name: n.data for n in topological(*roots) if n.head == SYMBOL}


def depends(root: Expr, *on: Expr) -> set[Expr]:
    """The nodes of the graph that contain one of `on`."""
    found: set[Expr] = set()
    wanted = set(on)
    for node in topological(root):
        if node in wanted or any(child in found for child, _ in node.args):
            found.add(node)
    return found


def parent_counts(root: Expr) -> dict[Expr, int]:
    """How many edges lead to each node."""
    counts: dict[Expr, int] = {root: 0}
    for node in topological(root):
        for child, _ in node.args:
            counts[child] = counts.get(child, 0) + 1
    return counts

"""One entry of a printed result: the subscript goes inwards, to the arrays it picks from."""

from __future__ import annotations

from collections.abc import Mapping

from derivata.expr.node import CALL, CONTRACTION, PRIMITIVE, Edge, Expr, axes, call, contraction, primitive
from derivata.expr.selectors import onehot
from derivata.rewrite.fold import product

Picks = tuple[tuple[int, Expr], ...]  # axis and position, in order of axes


def selected(root: Expr, picks: Mapping[int, Expr]) -> Expr:
    """The entry (or row, ...) of `root` at these positions of its axes."""
    start = (root, tuple(sorted(picks.items(), key=lambda item: item[0])))
    done: dict[tuple[Expr, Picks], Expr] = {}
    stack = [(start, False)]
    while stack:
        task, ready = stack.pop()
        if task in done:
            continue
        node, chosen = task
        inner = _inner(node, chosen)
        if ready:
            done[task] = _picked(node, chosen, [done[part] for part in inner])
        else:
            stack.append((task, True))
            stack.extend((part, False) for part in inner)
    return done[start]


def _inner(node: Expr, picks: Picks) -> list[tuple[Expr, Picks]]:
    """What has to be picked from the operands; nothing where the subscript stays outside."""
    if not picks or not _goes_inwards(node, picks):
        return []
    chosen = _labels(node, picks)
    return [
        (child, tuple((i, chosen[label]) for i, label in enumerate(labels) if label in chosen))
        for child, labels in node.args
    ]


def _goes_inwards(node: Expr, picks: Picks) -> bool:
    if node.head == PRIMITIVE:
        return bool(node.args) and all(axis < node.data[1] for axis, _ in picks)
    return node.head in (CALL, CONTRACTION)


def _labels(node: Expr, picks: Picks) -> dict[int, Expr]:
    """The positions by label of the node's edges."""
    return {node.data[axis] if node.head == CONTRACTION else axis: place for axis, place in picks}


def _picked(node: Expr, picks: Picks, parts: list[Expr]) -> Expr:
    if not picks:
        return node
    gone = {axis for axis, _ in picks}
    kept = [axis for axis in axes(node) if axis not in gone]
    if not _goes_inwards(node, picks):
        selectors = [(onehot(place, node.shape[axis]), (axis,)) for axis, place in picks]
        return contraction([(node, axes(node)), *selectors], tuple(kept))
    chosen = _labels(node, picks)
    edges: list[Edge] = [
        (part, tuple(label for label in labels if label not in chosen))
        for part, (_, labels) in zip(parts, node.args, strict=True)
    ]
    if node.head == CONTRACTION:
        return _contraction(node, picks, kept, edges)
    place = {axis: i for i, axis in enumerate(kept)}
    if node.head == CALL:
        moved = [(part, tuple(place[i] for i in labels)) for part, labels in edges]
        return call(node.data, moved, tuple(node.shape[i] for i in kept))
    name, mapped = node.data
    fewer = mapped - len(gone)
    moved = [(part, tuple(place[i] if i < mapped else i - len(gone) for i in labels)) for part, labels in edges]
    return primitive(name, fewer, moved, tuple(node.shape[i] for i in kept))


def _contraction(node: Expr, picks: Picks, kept: list[int], edges: list[Edge]) -> Expr:
    """A label that stands at another axis too, as in a diagonal, leaves a selector there."""
    out = tuple(node.data[axis] for axis in kept)
    sizes = {node.data[axis]: node.shape[axis] for axis in kept}
    found = list(edges)
    for axis, place in picks:
        if node.data[axis] in out:
            found.append((onehot(place, node.shape[axis]), (node.data[axis],)))
    for child, labels in edges:
        sizes.update(zip(labels, child.shape, strict=True))
    if len(set(out)) < len(out) or not found:
        return contraction(found, out, sizes)
    return product(found, out, sizes)

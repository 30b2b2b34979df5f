"""The order of a network's operands: the same for the same network, however it was written.

Labels are told apart by what they connect (colour refinement); where a symmetry is left, one of its labels is
singled out, each in turn, and the smallest outcome is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from derivata.expr.node import Edge, Expr, Labels
from derivata.expr.selectors import is_slide

Colours: TypeAlias = "dict[int, int]"
Symmetric: TypeAlias = "Callable[[Expr], bool]"

MOST_TRIES = 200


def in_order(factors: Sequence[Edge], out: Labels, is_symmetric: Symmetric) -> list[Edge]:
    """The operands sorted, symmetric matrices turned the same way round."""
    loose = [_turning(node, labels, is_symmetric) for node, labels in factors]
    first = {label: -1 for _, labels in factors for label in labels}
    first.update({label: place for place, label in reversed(list(enumerate(out)))})
    best: tuple[list[tuple[bytes, tuple[int, ...]]], list[Edge]] | None = None
    stack = [_refined(first, factors, loose)]
    tries = 0
    while stack and tries < MOST_TRIES:
        colours = stack.pop()
        tied = _first_tie(colours)
        if tied:
            stack.extend(_refined({**colours, label: -2}, factors, loose) for label in tied)
            continue
        tries += 1
        found = _sorted(colours, factors, loose)
        if best is None or found[0] < best[0]:
            best = found
    assert best is not None
    return best[1]


def _turning(node: Expr, labels: Labels, is_symmetric: Symmetric) -> int:
    """How many leading axes of an operand may change places."""
    if is_slide(node):
        return 2 if node.shape[0] == node.shape[1] else 0
    return 2 if len(labels) == 2 and is_symmetric(node) else 0


def _refined(colours: Colours, factors: Sequence[Edge], loose: Sequence[int]) -> Colours:
    """Colours by which labels that differ in what they connect differ, too."""
    count = len(set(colours.values()))
    while True:
        seen: dict[int, list[tuple[bytes, tuple[int, ...], int]]] = {label: [] for label in colours}
        for (node, labels), turns in zip(factors, loose, strict=True):
            own = tuple(colours[label] for label in labels)
            key = (*sorted(own[:turns]), *own[turns:])
            for place, label in enumerate(labels):
                seen[label].append((node.digest, key, 0 if place < turns else place))
        keys = {label: (colours[label], sorted(seen[label])) for label in colours}
        names = {key: i for i, key in enumerate(sorted({(c, tuple(s)) for c, s in keys.values()}))}
        colours = {label: names[c, tuple(s)] for label, (c, s) in keys.items()}
        if len(names) == count:
            return colours
        count = len(names)


def _first_tie(colours: Colours) -> list[int]:
    """Labels of the first colour that several have."""
    groups: dict[int, list[int]] = {}
    for label, colour in colours.items():
        groups.setdefault(colour, []).append(label)
    return next((labels for _, labels in sorted(groups.items()) if len(labels) > 1), [])


def _sorted(
    colours: Colours, factors: Sequence[Edge], loose: Sequence[int]
) -> tuple[list[tuple[bytes, tuple[int, ...]]], list[Edge]]:
    keyed = []
    for (node, labels), turns in zip(factors, loose, strict=True):
        order = (*sorted(labels[:turns], key=lambda label: colours[label]), *labels[turns:])
        keyed.append(((node.digest, tuple(colours[label] for label in order)), (node, order)))
    keyed.sort(key=lambda item: item[0])
    return [key for key, _ in keyed], [edge for _, edge in keyed]

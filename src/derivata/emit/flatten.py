"""Products within products as one product, so that the plan is free to choose the order of multiplication."""

from __future__ import annotations

from collections.abc import Sequence

from derivata.expr.node import CONTRACTION, Edge, Expr, Labels, Size, contraction, with_args
from derivata.expr.selectors import is_onehot
from derivata.expr.walk import topological

MOST_FACTORS = 24  # the search for a good order looks at pairs


def flattened(roots: Sequence[Expr]) -> tuple[Expr, ...]:
    """Contractions that are used once are merged into the contraction that uses them."""
    counts: dict[Expr, int] = dict.fromkeys(roots, 2)
    for node in topological(*roots):
        for child, _ in node.args:
            counts[child] = counts.get(child, 0) + 1
    memo: dict[Expr, Expr] = {}
    single: set[Expr] = set()
    for node in topological(*roots):
        changed = with_args(node, tuple((memo[child], labels) for child, labels in node.args))
        if node.head == CONTRACTION:
            changed = _merged(changed, single)
        memo[node] = changed
        if counts[node] == 1 and changed.head == CONTRACTION and not _selects(changed):
            single.add(changed)
    return tuple(memo[root] for root in roots)


def _selects(node: Expr) -> bool:
    return any(is_onehot(child) for child, _ in node.args)


def _merged(node: Expr, single: set[Expr]) -> Expr:
    inside = [child.head == CONTRACTION and child in single for child, _ in node.args]
    count = sum(len(child.args) if merge else 1 for (child, _), merge in zip(node.args, inside, strict=True))
    if not any(inside) or count > MOST_FACTORS:
        return node
    same = _Same()
    sizes: dict[int, Size] = dict(zip(node.data, node.shape, strict=True))
    fresh = 1 + max((*node.data, *(label for _, labels in node.args for label in labels)), default=0)
    edges: list[Edge] = []
    for (child, labels), merge in zip(node.args, inside, strict=True):
        sizes.update(zip(labels, child.shape, strict=True))
        if not merge:
            edges.append((child, labels))
            continue
        place: dict[int, int] = {}
        for own, label in zip(child.data, labels, strict=True):
            if own in place:
                same.join(place[own], label)
            place.setdefault(own, label)
        for inner, inner_labels in child.args:
            for own, size in zip(inner_labels, inner.shape, strict=True):
                if own not in place:
                    place[own], fresh = fresh, fresh + 1
                sizes[place[own]] = size
            edges.append((inner, tuple(place[own] for own in inner_labels)))
    edges = [(child, tuple(map(same.find, labels))) for child, labels in edges]
    out = tuple(map(same.find, node.data))
    return _checked(node, edges, out, {same.find(label): size for label, size in sizes.items()})


def _checked(node: Expr, edges: list[Edge], out: Labels, sizes: dict[int, Size]) -> Expr:
    """A label that would be summed without being on any operand stood for a factor: such a node is left."""
    held = {label for _, labels in edges for label in labels}
    used = {label for _, labels in node.args for label in labels} | set(node.data)
    lost = {label for label in sizes if label not in held and label not in out}
    return node if lost or not used else contraction(edges, out, sizes)


class _Same:
    """Labels that a diagonal makes one."""

    def __init__(self) -> None:
        self.parents: dict[int, int] = {}

    def find(self, label: int) -> int:
        while label in self.parents:
            label = self.parents[label]
        return label

    def join(self, one: int, other: int) -> None:
        a, b = self.find(one), self.find(other)
        if a != b:
            self.parents[max(a, b)] = min(a, b)

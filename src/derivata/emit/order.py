"""In which order the factors of a contraction are multiplied."""

from __future__ import annotations

from derivata.expr.node import CALL, CONTRACTION, Edge, Expr, Labels, Size, call, contraction

LARGE = 1000.0  # what a size that is only a name counts in comparisons of cost


def squeezed(node: Expr) -> Expr:
    """An axis of size 1 that is dropped again was never needed."""
    if node.head != CONTRACTION or len(node.args) != 1:
        return node
    child, labels = node.args[0]
    dropped = [i for i, label in enumerate(labels) if label not in node.data]
    kept = tuple(i for i in range(len(labels)) if i not in dropped)
    elementwise = child.head == CALL or (child.head == CONTRACTION and set(child.data) == set(range(len(labels))))
    in_order = tuple(label for label in labels if label in node.data) == node.data
    if not dropped or not elementwise or not in_order or len(set(labels)) < len(labels):
        return node
    if any(child.shape[i] != 1 for i in dropped) or any(i in ls for _, ls in child.args for i in dropped):
        return node
    shape = tuple(child.shape[i] for i in kept)
    if child.head == CONTRACTION:
        return contraction(child.args, kept, dict(zip(kept, shape, strict=True)))
    return call(child.data, [(c, tuple(kept.index(i) for i in ls)) for c, ls in child.args], shape)


def summed_alone(edges: list[Edge], out: Labels) -> list[Edge]:
    """Axes that only one operand has and the result has not are summed first."""
    if len(edges) < 2:
        return edges
    holders: dict[int, int] = {}
    for _, labels in edges:
        for label in set(labels):
            holders[label] = holders.get(label, 0) + 1
    found: list[Edge] = []
    for child, labels in edges:
        kept = tuple(label for label in labels if label in out or holders[label] > 1)
        found.append((child, labels) if kept == labels else (squeezed(contraction([(child, labels)], kept)), kept))
    return found


def pairwise(edges: list[Edge], out: Labels, sizes: dict[int, Size]) -> list[Edge]:
    """Contract pairs until nothing is left to sum. A product stands where its first factor stood."""
    while len(edges) > 1:
        summed = {label for _, labels in edges for label in labels} - set(out)
        if not summed:
            return edges
        chosen = _same_axes(edges, summed) or _cheapest(edges, summed, out, sizes)
        factors, rest = [edges[i] for i in chosen], [edge for i, edge in enumerate(edges) if i not in chosen]
        needed = set(out) | {label for _, labels in rest for label in labels}
        kept = _kept_axes(factors, needed, out)
        rest.insert(chosen[0], (contraction(factors, kept), kept))
        edges = summed_alone(rest, out)
    if edges and set(edges[0][1]) - set(out):
        child, labels = edges[0]
        kept = tuple(label for label in out if label in labels)
        edges = [(contraction([(child, labels)], kept), kept)]
    return edges


def _kept_axes(factors: list[Edge], needed: set[int], out: Labels) -> Labels:
    """The axes of a product, in the order that spares transpositions."""
    together = dict.fromkeys(label for _, labels in factors for label in labels)
    kept = tuple(label for label in together if label in needed)
    if set(kept) <= set(out):
        return tuple(label for label in out if label in kept)
    first, second = factors[0][1], factors[-1][1]
    shared = [label for label in first if label in second and label not in needed]
    if len(factors) == 2 and len(first) == len(second) == 2 and len(shared) == 1:
        ahead = (first[-1] != shared[0]) + (second[0] != shared[0])
        behind = (second[-1] != shared[0]) + (first[0] != shared[0])
        return kept if ahead <= behind else kept[::-1]
    return kept


def _same_axes(edges: list[Edge], summed: set[int]) -> tuple[int, ...]:
    """Operands with the same axes are multiplied elementwise first, unless they are all there is."""
    groups: dict[frozenset[int], list[int]] = {}
    for index, (_, labels) in enumerate(edges):
        groups.setdefault(frozenset(labels), []).append(index)
    for common, members in groups.items():
        if len(members) > 1 and common & summed and len(edges) > 2:
            return tuple(members) if len(members) < len(edges) else tuple(members[:-1])
    return ()


def _cheapest(edges: list[Edge], summed: set[int], out: Labels, sizes: dict[int, Size]) -> tuple[int, ...]:
    """The pair that takes the fewest multiplications: matrices meet vectors first."""
    best: tuple[float, float, int, int] | None = None
    for i in range(len(edges)):
        for j in range(i + 1, len(edges)):
            a, b = set(edges[i][1]), set(edges[j][1])
            if not a & b & summed:
                continue
            needed = set(out) | {k for m, (_, ls) in enumerate(edges) if m not in (i, j) for k in ls}
            found = (_volume(a | b, sizes), _volume((a | b) & needed, sizes), i, j)
            if best is None or found < best:
                best = found
    assert best is not None, "an axis that one operand holds is summed before"
    return best[2:]


def _volume(labels: set[int], sizes: dict[int, Size]) -> float:
    volume = 1.0
    for label in labels:
        size = sizes[label]
        volume *= float(size) if isinstance(size, int) else LARGE
    return volume

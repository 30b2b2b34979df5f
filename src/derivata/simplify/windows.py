"""Slices and sliding products in networks: the normal form of the constants they contract with, and what they print as.

In normal form a slice belongs to the array it is taken of, as a picked entry does: what is left of `slide` is
paddings, which are transposes of slices, and sliding products.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from derivata.expr.node import CONTRACTION, SYMBOL, Edge, Expr, Labels, Size, contraction, number
from derivata.expr.selectors import is_onehot, is_slide, node_size, onehot, size_node, slide
from derivata.expr.sizes import size_difference, size_sum, size_terms
from derivata.expr.walk import topological
from derivata.expr.windows import Window, matrix, matrix_of, padded, part_of, slice_of, sliced

Arrange = Callable[[list[Edge], Labels, dict[int, Size]], Expr]


def settled(factors: Sequence[Edge], out: Labels) -> list[Edge]:
    """`slide` in a settled form: at a picked place it is a matrix, else its first two axes have an order."""
    found = list(factors)
    for edge in factors:
        node, labels = edge
        if (part := part_of(edge)) is not None and part[0].axis:
            upright = matrix(part[0].start, part[0].length, part[0].total)
            found = [(upright, part[1]) if e is edge else e for e in found]
        if not is_slide(node):
            continue
        place = next((e for e in found if is_onehot(e[0]) and _only_theirs(e[1][0], edge, found, out)), None)
        if place is not None:
            found = [e for e in found if e is not place and e is not edge]
            first, second = labels[:2]
            length, label = (node.shape[0], first) if place[1][0] == second else (node.shape[1], second)
            found.append((matrix(place[0].args[0][0], length, node.shape[2]), (label, labels[2])))
        elif _precedes(node.shape[0], node.shape[1]):
            turned = slide(node.shape[1], node.shape[0]), (labels[1], labels[0], labels[2])
            found = [turned if e is edge else e for e in found]
    return _picked(found, out)


def _picked(factors: list[Edge], out: Labels) -> list[Edge]:
    """x[1:][0] as x[1]."""
    found = list(factors)
    for pick in [edge for edge in factors if is_onehot(edge[0])]:
        holders = [edge for edge in found if pick[1][0] in edge[1] and edge is not pick]
        if len(holders) == 1 and pick[1][0] not in out:
            ((node, labels),) = holders
            if (single := _single(holders[0], pick)) is not None:
                found = [e for e in found if e is not pick and e is not holders[0]]
                found.append(single)
                continue
            if (inner := picked_of_slice(node, labels.index(pick[1][0]), pick[0])) is not None:
                found = [e for e in found if e is not pick and e is not holders[0]]
                found += [(inner[0], labels), (inner[1], pick[1])]
    return found


def _only_theirs(label: int, moving: Edge, factors: list[Edge], out: Labels) -> bool:
    """Whether a label stands for the step of `slide` and nowhere else but at one selector."""
    labels = moving[1]
    if label in out or label not in labels[:2] or labels.count(label) > 1:
        return False
    return sum(label in w for _, w in factors) == 2


def _precedes(first: Size, second: Size) -> bool:
    """A settled order of sizes: short texts first."""
    return (len(str(first)), str(first)) < (len(str(second)), str(second))


def overlapped(factors: Sequence[Edge], out: Labels) -> list[Edge] | None:
    """The factors with what is put among zeros and sliced out again as what there is of it; None if there is none."""
    parts = [(i, *part) for i, edge in enumerate(factors) if (part := part_of(edge))]
    for i, first, a in parts:
        for k, second, b in parts:
            if i == k or a[1] != b[1] or a[1] in out or len({*a, *b}) < 3:
                continue
            others = [edge for m, edge in enumerate(factors) if m not in (i, k)]
            common = _common(first, second)
            if common is not None and not any(a[1] in w for _, w in others):
                return [*others, (common, (a[0], b[0]) if common.shape else ())]
    return None


def _common(inner: Window, outer: Window) -> Expr | None:
    """Which entries of one part are which of another one: none, or all of the inner one's."""
    begin, other = inner.begin, outer.begin
    if begin is None or other is None:
        return None
    end, last = size_sum(begin, inner.length), size_sum(other, outer.length)
    if _reaches(begin, last) or _reaches(other, end):
        return number(0)
    if not _reaches(begin, other) or not _reaches(last, end):
        return None
    if inner.length == outer.length:
        return contraction([], (0, 0), {0: inner.length})
    return matrix(size_node(size_difference(begin, other)), inner.length, outer.length)


def _reaches(size: Size, other: Size) -> bool:
    """Whether a size is surely at least as large as another one."""
    return all(factor >= 0 for _, factor in size_terms(size_difference(size, other)))


def sliced_factors(factors: Sequence[Edge], out: Labels) -> list[Edge] | None:
    """The factors with one slice taken of all that it is taken of; None where there is none."""
    for position, factor in enumerate(factors):
        found = part_of(factor)
        if found is None or found[1][1] in out or len(set(found[1])) < 2:
            continue
        part, labels = found
        rest = [edge for i, edge in enumerate(factors) if i != position]
        if not any(labels[1] in w for _, w in rest) or any(w.count(labels[1]) > 1 for _, w in rest):
            continue
        if any(labels[0] in w and labels[1] in w for _, w in rest):
            continue
        if any(other[1][1] == labels[1] for edge in rest if (other := part_of(edge))):
            continue  # two parts of one axis that overlap
        return [_sliced_edge(edge, part, labels) if labels[1] in edge[1] else edge for edge in rest]
    return None


def _sliced_edge(edge: Edge, part: Window, labels: Labels) -> Edge:
    node, where = edge
    axis = where.index(labels[1])
    return _slice(node, axis, part), tuple(labels[0] if label == labels[1] else label for label in where)


def _slice(node: Expr, axis: int, part: Window) -> Expr:
    """A slice of a slice is a slice; of a picked row it is the row of a slice."""
    inner = slice_of(node)
    if inner is not None and inner.array is not None and inner.axis > axis:
        return sliced(_slice(inner.array, axis, part), inner.axis, inner.start, inner.length)
    if inner is None or inner.axis != axis:
        inner = matrix_of(node)
        inner = inner if inner is not None and inner.axis == axis else None
    if inner is not None and (start := _sum(inner.start, part.start)) is not None:
        if inner.array is None:
            found = matrix(start, part.length, inner.total)
            return contraction([(found, (0, 1))], (1, 0)) if axis else found
        return sliced(inner.array, axis, start, part.length)
    arrays = [edge for edge in node.args if not is_onehot(edge[0])] if node.head == CONTRACTION else []
    if len(arrays) == 1 < len(node.args) and arrays[0][1].count(node.data[axis]) == 1:
        ((array, labels),) = arrays
        picks = [edge for edge in node.args if is_onehot(edge[0])]
        return contraction([(_slice(array, labels.index(node.data[axis]), part), labels), *picks], node.data)
    return sliced(node, axis, part.start, part.length)


def _sum(first: Expr, second: Expr) -> Expr | None:
    """One place counted from another."""
    sizes = node_size(first), node_size(second)
    symbols = [node.data for place in (first, second) for node in topological(place) if node.head == SYMBOL]
    if sizes[0] is None or sizes[1] is None or any("size" not in symbol.traits for symbol in symbols):
        return None
    return size_node(size_sum(sizes[0], sizes[1]))


def _single(edge: Edge, pick: Edge) -> Edge | None:
    """A row of the constant of a slice is a selector on the whole axis."""
    part = part_of(edge)
    if part is None or part[1][0] != pick[1][0] or part[1][1] == part[1][0]:
        return None
    place = _sum(part[0].start, pick[0].args[0][0])
    return None if place is None else (onehot(place, part[0].total), part[1][1:])


def picked_of_slice(node: Expr, axis: int, selector: Expr) -> tuple[Expr, Expr] | None:
    """The entry of a slice as that of the array: the array and the selector on its axis."""
    part = slice_of(node)
    if part is None or part.array is None or part.axis != axis:
        return None
    place = _sum(part.start, selector.args[0][0])
    return None if place is None else (part.array, onehot(place, part.total))


def shown_windows(edges: Sequence[Edge], out: Labels, sizes: dict[int, Size], arrange: Arrange) -> list[Edge]:
    """Paddings and sliding products as the arrays they make, where that has a spelling."""
    found = settled(edges, out)
    while True:
        following = sliced_factors(found, out) or _slid(found, out) or _put(found, out, sizes, arrange)
        if following is None:
            return found
        found = following


def _put(edges: list[Edge], out: Labels, sizes: dict[int, Size], arrange: Arrange) -> list[Edge] | None:
    """One padding done: what stands on the axis of the part is arranged first."""
    for position, edge in enumerate(edges):
        found = part_of(edge)
        if found is None or found[1][0] in out:
            continue
        part, labels = found
        others = [edge for i, edge in enumerate(edges) if i != position]
        members = [edge for edge in others if labels[0] in edge[1]]
        rest = [edge for edge in others if labels[0] not in edge[1]]
        if not members:
            ones = padded(contraction([], (0,), {0: part.length}), 0, part.start, part.total)
            return [*rest, (ones, labels[1:])]
        if any(is_slide(c) or matrix_of(c) or labels[1] in w for c, w in members):
            continue
        array, where = members[0]
        if len(members) > 1:
            needed = {*out, *(label for _, w in rest for label in w), labels[0]}
            where = tuple(dict.fromkeys(i for _, w in members for i in w if i in needed))
            array = arrange(members, where, sizes)
        if where.count(labels[0]) > 1:
            continue
        put = padded(array, where.index(labels[0]), part.start, part.total)
        return [*rest, (put, tuple(labels[1] if i == labels[0] else i for i in where))]
    return None


def _slid(edges: list[Edge], out: Labels) -> list[Edge] | None:
    """One sliding product of vectors done: those that sum over the longest axis first."""
    for last in (False, True):
        for position, (node, labels) in enumerate(edges):
            if is_slide(node) and len(set(labels)) == 3:
                others = [edge for i, edge in enumerate(edges) if i != position]
                choices = [(labels[0], labels[1])] if last else [(labels[2], labels[1]), (labels[2], labels[0])]
                for pair in choices:
                    if (done := _vectors_slid((node, labels), pair, others, out)) is not None:
                        return done
    return _rows_slid(edges, out)


def _rows_slid(edges: list[Edge], out: Labels) -> list[Edge] | None:
    """The places of a window along one vector as a matrix, where there is more than these two."""
    for moving in edges if len(edges) > 2 else ():
        if not is_slide(moving[0]) or len(set(moving[1])) < 3 or moving[1][2] in out:
            continue
        whole = moving[1][2:]
        holders = [edge for edge in edges if whole[0] in edge[1] and edge is not moving]
        if len(holders) == 1 and holders[0][1] == whole:
            rest = [edge for edge in edges if edge is not moving and edge is not holders[0]]
            return [*rest, (contraction([moving, *holders], moving[1][:2]), moving[1][:2])]
    return None


def _vectors_slid(moving: Edge, summed: Labels, others: list[Edge], out: Labels) -> list[Edge] | None:
    holders = [edge for edge in others if set(edge[1]) & set(summed)]
    if set(summed) & set(out) or not 0 < len(holders) <= 2 or any(len(w) > 1 for _, w in holders):
        return None
    if len({w for _, w in holders}) < len(holders) or not any(w == summed[:1] for _, w in holders):
        return None
    kept = tuple(label for label in moving[1] if label not in summed)
    rest = [edge for edge in others if edge not in holders]
    return [*rest, (contraction([moving, *holders], kept), kept)]

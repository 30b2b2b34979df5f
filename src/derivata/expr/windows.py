"""Slices, concatenations and sliding products: contractions with `slide`, made and found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from derivata.errors import ShapeError
from derivata.expr.arrays import is_zero, zeros
from derivata.expr.node import (
    ADD,
    CONTRACTION,
    Edge,
    Expr,
    Labels,
    Size,
    axes,
    call,
    contraction,
    shape_text,
)
from derivata.expr.selectors import is_onehot, is_slide, node_size, onehot, size_node, slide
from derivata.expr.sizes import size_difference, size_sum


def window(start: Expr, length: Size, total: Size) -> tuple[Expr, Expr]:
    """The constants that take `length` entries from `start` on out of `total`: what slides, and where it stands."""
    steps = size_sum(size_difference(total, length), 1)
    return slide(length, steps), onehot(start, steps)


def sliced(node: Expr, axis: int, start: Expr, length: Size) -> Expr:
    """x[start : start + length] along one axis."""
    out, inner, step = axes(node), len(node.shape), len(node.shape) + 1
    moving, place = window(start, length, node.shape[axis])
    labels = tuple(inner if i == axis else i for i in out)
    return contraction([(node, labels), (moving, (axis, step, inner)), (place, (step,))], out)


def padded(node: Expr, axis: int, start: Expr, total: Size) -> Expr:
    """Zeros before and behind an array along one axis: the transpose of a slice."""
    labels, outer, step = axes(node), len(node.shape), len(node.shape) + 1
    moving, place = window(start, node.shape[axis], total)
    out = tuple(outer if i == axis else i for i in labels)
    return contraction([(node, labels), (moving, (axis, step, outer)), (place, (step,))], out)


def correlate(signal: Expr, weights: Expr) -> Expr:
    """The sums of signal[i + k]*weights[k] wherever the weights fit."""
    places = size_sum(size_difference(signal.shape[0], weights.shape[0]), 1)
    if isinstance(places, int) and places < 1:
        raise ShapeError(
            f"correlate slides the second vector along the first: {weights.shape[0]} weights do not fit into "
            f"{signal.shape[0]} entries"
        )
    moving = slide(places, weights.shape[0])
    return contraction([(moving, (0, 1, 2)), (signal, (2,)), (weights, (1,))], (0,))


def convolve(left: Expr, right: Expr) -> Expr:
    """The full convolution: every product left[i]*right[k] counts at i + k."""
    moving = slide(left.shape[0], right.shape[0])
    return contraction([(moving, (0, 1, 2)), (left, (0,)), (right, (1,))], (2,))


def concatenate(parts: Sequence[Expr], axis: int) -> Expr:
    """Arrays one after another: the sum of each one among zeros."""
    first = parts[0].shape
    for part in parts:
        if part.shape[:axis] != first[:axis] or part.shape[axis + 1 :] != first[axis + 1 :]:
            shapes = " and ".join(shape_text(p.shape) for p in parts)
            raise ShapeError(
                f"concatenate along axis {axis} takes arrays that differ in that axis only, found {shapes}"
            )
    total = size_sum(*(part.shape[axis] for part in parts))
    shape = (*first[:axis], total, *first[axis + 1 :])
    terms: list[Expr] = []
    start: Size = 0
    for part in parts:
        if not is_zero(part):
            terms.append(part if part.shape[axis] == total else padded(part, axis, size_node(start), total))
        start = size_sum(start, part.shape[axis])
    if not terms:
        return zeros(shape)
    return terms[0] if len(terms) == 1 else call(ADD, [(term, axes(term)) for term in terms], shape)


@dataclass(frozen=True)
class Window:
    """Part of an axis of size `total`, from `start` on; `array` is what is taken or put there, if there is one."""

    start: Expr
    length: Size
    total: Size
    axis: int = 0
    array: Expr | None = None

    @property
    def begin(self) -> Size | None:
        """The start as a size."""
        return node_size(self.start)

    @property
    def bounds(self) -> tuple[Size | None, Size | None] | None:
        """The a and b of x[a:b], below 0 where they are shorter from the end; None at the ends of the axis."""
        if (begin := self.begin) is None:
            return None
        stop = size_sum(begin, self.length)
        first = None if begin == 0 else _from_end(begin, self.total)
        return first, None if stop == self.total else _from_end(stop, self.total)


def _from_end(place: Size, total: Size) -> Size:
    behind = size_difference(total, place)
    return -behind if not isinstance(place, int) and isinstance(behind, int) and behind > 0 else place


@dataclass(frozen=True)
class Sliding:
    """correlate(first, second), or convolve where `full`; a size stands for that many ones."""

    full: bool
    first: Expr | Size
    second: Expr | Size


def sliding_of(node: Expr) -> Sliding | None:
    """A sliding product of vectors."""
    if node.head != CONTRACTION or len(node.args) > 3 or len(node.data) != 1:
        return None
    moving = [edge for edge in node.args if is_slide(edge[0])]
    vectors = {labels[0]: child for child, labels in node.args if len(labels) == 1}
    if len(moving) != 1 or not vectors or len(vectors) + 1 != len(node.args):
        return None
    ((constant, labels),), (kept,) = moving, node.data
    if len(set(labels)) < 3 or kept not in labels or not set(vectors) <= set(labels) - {kept}:
        return None
    sizes = dict(zip(labels, constant.shape, strict=True))
    full = kept == labels[2]
    pair = labels[:2] if full else (labels[2], labels[1 - labels.index(kept)])
    first, second = (vectors.get(label, sizes[label]) for label in pair)
    return Sliding(full, first, second)


@dataclass(frozen=True)
class _Found:
    start: Expr
    moving: Expr
    labels: Labels  # of the part, the step, the whole
    places: Labels  # their axes of `moving`
    rest: tuple[Edge, ...]


def _found(node: Expr, count: int) -> _Found | None:
    """The sliding constant, where it stands, and the other operands."""
    if node.head != CONTRACTION or len(node.args) != count:
        return None
    moving = next((edge for edge in node.args if is_slide(edge[0])), None)
    if moving is None or len(set(moving[1])) < 3:
        return None
    labels = moving[1]
    place = next((e for e in node.args if is_onehot(e[0]) and e[1][0] in labels[:2] and e[1][0] not in node.data), None)
    if place is None:
        return None
    (step,) = place[1]
    places = (1, 0, 2) if step == labels[0] else (0, 1, 2)
    rest = tuple(edge for edge in node.args if edge is not moving and edge is not place)
    if any(step in w or len(set(w)) < len(w) for _, w in rest):
        return None
    return _Found(place[0].args[0][0], moving[0], tuple(labels[i] for i in places), places, rest)


def slice_of(node: Expr) -> Window | None:
    """What x[a:b] takes."""
    found = _found(node, 3)
    return None if found is None else _along(node, found, found.labels[2], found.labels[0])


def pad_of(node: Expr) -> Window | None:
    """What stands among zeros, and where."""
    found = _found(node, 3)
    return None if found is None else _along(node, found, found.labels[0], found.labels[2])


def _along(node: Expr, found: _Found, old: int, new: int) -> Window | None:
    """The array of which one axis changes its label, the others staying where they are."""
    ((array, labels),) = found.rest
    if old not in labels or new in labels or node.data != tuple(new if i == old else i for i in labels):
        return None
    axis = labels.index(old)
    length, _, total = (found.moving.shape[i] for i in found.places)
    return Window(found.start, length, total, axis, array)


def matrix_of(node: Expr) -> Window | None:
    """eye(n)[a:b] or its transpose, as slices and paddings contract with it: which axis is that of the part."""
    found = _found(node, 2)
    if found is None:
        return None
    part, _, whole = found.labels
    if sorted(node.data) != sorted((part, whole)):
        return None
    axis = node.data.index(part)
    return Window(found.start, node.shape[axis], node.shape[1 - axis], axis)


def part_of(edge: Edge) -> tuple[Window, Labels] | None:
    """What `matrix_of` finds, with the label of the part and that of the whole."""
    found = matrix_of(edge[0])
    if found is None:
        return None
    return found, (edge[1][found.axis], edge[1][1 - found.axis])


def matrix(start: Expr, length: Size, total: Size) -> Expr:
    """eye(total)[start : start + length] as one constant."""
    moving, place = window(start, length, total)
    return contraction([(moving, (0, 2, 1)), (place, (2,))], (0, 1))

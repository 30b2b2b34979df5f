"""Building as NumPy does: broadcasting, products of matrices, transposes."""

from __future__ import annotations

import operator
from collections.abc import Sequence

from derivata.errors import ShapeError
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    MINUS_ONE,
    NUMBER,
    POWER,
    ZERO,
    Edge,
    Expr,
    Labels,
    Shape,
    Size,
    axes,
    call,
    contraction,
    is_elementwise,
    number,
    shape_text,
)


def negative(node: Expr) -> Expr:
    """-u; a number is negated in place."""
    if node.head == NUMBER:
        return number(-node.data)
    return multiply(MINUS_ONE, node)


def reciprocal(node: Expr) -> Expr:
    """1/u as a power; the reciprocal of a number is a number."""
    if node.head == NUMBER and node.data != 0:
        return number(1 / node.data)
    return power(node, MINUS_ONE)


def power(base: Expr, exponent: Expr) -> Expr:
    """base**exponent, elementwise."""
    return elementwise(POWER, base, exponent)


def multiply(*factors: Expr) -> Expr:
    """The elementwise product with NumPy's broadcasting."""
    edges, shape = broadcast(factors)
    if len(edges) == 2 and edges[0][0].head == edges[1][0].head == NUMBER:
        return number(edges[0][0].data * edges[1][0].data)
    return contraction(edges, tuple(range(len(shape))), dict(enumerate(shape)))


def elementwise(name: str, *args: Expr) -> Expr:
    """An elementwise call with NumPy's broadcasting. Nested sums written one after another are one sum."""
    edges, shape = broadcast(args)
    if name == ADD and edges[0][0].head == CALL and edges[0][0].data == ADD and edges[0][0].shape == shape:
        edges = (*edges[0][0].args, *edges[1:])
    return call(name, edges, shape)


def broadcast(args: Sequence[Expr]) -> tuple[tuple[Edge, ...], Shape]:
    """Right-aligned axes, as in NumPy; an axis of size 1 stretches."""
    rank = max((len(arg.shape) for arg in args), default=0)
    shape: list[Size] = [1] * rank
    for arg in args:
        offset = rank - len(arg.shape)
        for axis, size in enumerate(arg.shape):
            if size != 1:
                if shape[offset + axis] not in (1, size):
                    raise ShapeError("shapes do not fit: " + " and ".join(shape_text(a.shape) for a in args if a.shape))
                shape[offset + axis] = size
    edges = []
    for arg in args:
        offset = rank - len(arg.shape)
        kept = tuple(axis for axis, size in enumerate(arg.shape) if size == shape[offset + axis])
        if len(kept) < len(arg.shape):
            arg = _squeezed(arg, kept)
        edges.append((arg, tuple(offset + axis for axis in kept)))
    return tuple(edges), tuple(shape)


def _squeezed(node: Expr, kept: Labels, depth: int = 2) -> Expr:
    """An array without axes of size 1; one that only stands for its size, as after keepdims, was never there."""
    if node.head == CONTRACTION and is_elementwise(node):
        out = tuple(node.data[axis] for axis in kept)
        gone = set(node.data) - set(out)
        held = [bool(gone & set(labels)) for _, labels in node.args]
        if not any(held) and len(node.args) == 1 and node.args[0][1] == out:
            return node.args[0][0]
        if depth and len(node.args) > 1:
            edges = [_without(e, gone, depth - 1) if h else e for h, e in zip(held, node.args, strict=True)]
            return contraction(edges, out, dict(zip(node.data, node.shape, strict=True)))
    return contraction([(node, axes(node))], kept)


def _without(edge: Edge, gone: set[int], depth: int) -> Edge:
    child, labels = edge
    kept = tuple(i for i, label in enumerate(labels) if label not in gone)
    return _squeezed(child, kept, depth), tuple(labels[i] for i in kept)


def transpose(node: Expr) -> Expr:
    """All axes reversed; scalars and vectors are their own transposes."""
    if len(node.shape) < 2:
        return node
    return contraction([(node, axes(node))], axes(node)[::-1])


def matmul(left: Expr, right: Expr) -> Expr:
    """NumPy's @: the last axis of the left with the last but one (or only) axis of the right."""
    if not left.shape or not right.shape:
        raise ShapeError("@ needs arrays, a scalar was given; use * to scale")
    inner_right = -2 if len(right.shape) > 1 else -1
    if left.shape[-1] != right.shape[inner_right]:
        raise ShapeError(
            f"shapes do not fit in @: {shape_text(left.shape)} and {shape_text(right.shape)}: "
            f"{left.shape[-1]} is not {right.shape[inner_right]}"
        )
    batch_left, batch_right = left.shape[:-2], right.shape[:-2]
    if batch_left and batch_right and batch_left != batch_right:
        raise ShapeError(f"leading axes do not fit in @: {shape_text(left.shape)} and {shape_text(right.shape)}")
    batch = tuple(range(10, 10 + max(len(batch_left), len(batch_right))))
    row: Labels = (0,) if len(left.shape) > 1 else ()
    inner: Labels = (1,)
    column: Labels = (2,) if len(right.shape) > 1 else ()
    left_labels = (batch if batch_left else ()) + row + inner
    right_labels = (batch if batch_right else ()) + inner + column
    return contraction([(left, left_labels), (right, right_labels)], batch + row + column)


def take_axis(node: Expr, axis: int) -> int:
    """A possibly negative axis as a position."""
    try:
        axis = operator.index(axis)
    except TypeError:
        raise ShapeError("an axis must be a whole number") from None
    if not -len(node.shape) <= axis < len(node.shape):
        raise ShapeError(f"there is no axis {axis} in shape {shape_text(node.shape)}")
    return axis % len(node.shape)


def zeros(shape: Shape) -> Expr:
    """0 in every entry."""
    return contraction([(number(0), ())], tuple(range(len(shape))), dict(enumerate(shape))) if shape else number(0)


def is_zero(node: Expr) -> bool:
    """Whether every entry is literally 0."""
    if node.head == NUMBER:
        return bool(node.data == 0)
    return node.head == CONTRACTION and len(node.args) == 1 and node.args[0][0] is ZERO

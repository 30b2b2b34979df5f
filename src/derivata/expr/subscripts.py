"""Subscripts: x[i] with a bound index, x[2], x[k], A[i, :]."""

from __future__ import annotations

from derivata.errors import ShapeError
from derivata.expr.node import NUMBER, SYMBOL, Edge, Expr, Size, axes, contraction, number, shape_text, variable
from derivata.expr.parse import Syntax
from derivata.expr.scope import Scope, Value
from derivata.expr.selectors import node_size, onehot, size_node
from derivata.expr.sizes import is_from_end, size_difference, size_sum
from derivata.expr.symbol import Symbol
from derivata.expr.walk import topological
from derivata.expr.windows import sliced


def subscripted(scope: Scope, piece: Syntax, done: dict[Syntax, Value]) -> Value:
    base, *places = piece.children
    value = done[base]
    shape = value.node.shape
    if value.subscripts:
        raise scope.fail("this value is subscripted already", piece)
    if len(places) > len(shape):
        raise scope.fail(f"{len(places)} subscripts for an array of shape {shape_text(shape)}", piece, ShapeError)
    for axis, part in enumerate(places):
        if part.kind == "slice" and part.children:
            value = Value(_slice(scope, part, done, value.node, axis))
    names: dict[str, int] = {}
    labels: list[int] = []
    picked: list[Edge] = []
    own: list[int] = []
    for axis in range(len(shape)):
        place = places[axis] if axis < len(places) else None
        if place is not None and place.kind == "name" and place.text in scope.bound:
            labels.append(names.setdefault(place.text, axis))
        else:
            labels.append(axis)
            if place is None or place.kind == "slice":
                own.append(axis)
            else:
                picked.append((_position(scope, place, done[place], shape[axis]), (axis,)))
    if not picked and tuple(labels) == axes(value.node):
        return Value(value.node, tuple(names))
    node = contraction([(value.node, tuple(labels)), *picked], (*names.values(), *own))
    return Value(node, tuple(names))


def _position(scope: Scope, place: Syntax, value: Value, size: int | str) -> Expr:
    node = value.node
    if node.shape or value.subscripts:
        raise scope.fail("a subscript must be a whole number or a symbol", place)
    if node.head == NUMBER:
        if node.data.denominator != 1:
            raise scope.fail("a subscript must be a whole number", place)
        position = int(node.data)
        if isinstance(size, int):
            if not -size <= position < size:
                raise scope.fail(f"subscript {position} is out of range for an axis of size {size}", place)
            node = number(position % size)
        elif position < 0:
            raise scope.fail("a subscript from the end needs a size that is a number", place)
    elif place.kind == "name" and not scope.declarations.lookup(place.text) and place.text in scope.scalars:
        node = variable(Symbol(place.text, (), frozenset({"int"})))
    return onehot(node, size)


def _slice(scope: Scope, place: Syntax, done: dict[Syntax, Value], node: Expr, axis: int) -> Expr:
    size = node.shape[axis]
    first, last = place.children
    start = 0 if first.kind == "nothing" else _bound(scope, first, done[first], size)
    stop = size if last.kind == "nothing" else _bound(scope, last, done[last], size)
    length, outside = size_difference(stop, start), size_difference(size, stop)
    if any(isinstance(part, int) and part < 0 for part in (start, outside)):
        raise scope.fail(f"the slice is out of range for an axis of size {size}", place)
    if isinstance(length, int) and length < 1:
        raise scope.fail("the slice is empty", place)
    return node if length == size else sliced(node, axis, size_node(start), length)


def _bound(scope: Scope, place: Syntax, value: Value, size: Size) -> Size:
    """Where a slice begins or ends, from the front."""
    if place.kind == "name" and place.text in scope.bound:
        raise scope.fail(f"the subscript {place.text} cannot be a bound of a slice", place)
    symbols = [node.data for node in topological(value.node) if node.head == SYMBOL]
    bound = node_size(value.node)
    if bound is None or value.subscripts or any("size" not in symbol.traits for symbol in symbols):
        raise scope.fail("a bound of a slice must be a whole number or made of sizes", place)
    return size_sum(size, bound) if is_from_end(bound) else bound

"""Operators on values: products as a person reads them, quotients, powers, comparisons, @ and .T."""

from __future__ import annotations

import math
from fractions import Fraction

from derivata.errors import LimitError, ShapeError, UnknownNameError
from derivata.expr import notation
from derivata.expr.arrays import matmul, power, reciprocal, transpose
from derivata.expr.node import CALL, NUMBER, POWER, Expr, axes, call, contraction, number
from derivata.expr.parse import Syntax
from derivata.expr.scope import Scope, Value, elementwise


def product(scope: Scope, piece: Syntax, values: list[Value]) -> Value:
    """A flat product; numbers written first are one number, a leading minus belongs to it."""
    values = list(values)
    first = piece.children[0]
    if first.kind == "unary" and first.text == "-" and not first.grouped and values[0].node.head != NUMBER:
        values[0:1] = (
            [Value(number(-1)), Value(values[0].node.args[1][0], values[0].subscripts)]
            if (len(values[0].node.args) == 2)
            else [Value(number(-1)), *_factors(values[0])]
        )
    leading = Fraction(1)
    count = 0
    while count < len(values) and values[count].node.head == NUMBER:
        leading *= values[count].node.data
        count += 1
    if count == len(values):
        return Value(number(leading))
    reciprocal_next = piece.children[min(count, len(piece.children) - 1)].kind == "reciprocal"
    keep = count > 0 and not (leading == 1 and count == 1 and reciprocal_next)
    values = ([Value(number(leading))] if keep else []) + values[count:]
    if len(values) == 1:
        return values[0]
    product = elementwise(
        values, lambda edges, shape: contraction(edges, tuple(range(len(shape))), dict(enumerate(shape)))
    )
    scalars = not any(v.node.shape for v in values[:-1]) and piece.children[-1].kind != "reciprocal"
    return Value(product.node, product.subscripts, values[-1].node if scalars else None)


def _factors(value: Value) -> list[Value]:
    """What a minus sign was put in front of: -(a*b)*c keeps a*b as one factor."""
    node = value.node
    rest = contraction(node.args[1:], tuple(range(len(node.shape))), dict(enumerate(node.shape)))
    return [Value(rest, value.subscripts)]


def quotient(scope: Scope, piece: Syntax, value: Value) -> Value:
    if value.node.head == NUMBER and value.node.data == 0:
        raise scope.fail("division by zero", piece)
    node, inner = value.node, piece.children[0]
    if node.head == CALL and node.data == POWER and node.args[1][0].head == NUMBER and not inner.grouped:
        exponent = number(-node.args[1][0].data)
        return Value(call(POWER, (node.args[0], (exponent, ())), node.shape), value.subscripts)
    return Value(reciprocal(node), value.subscripts)


def binary(scope: Scope, piece: Syntax, values: list[Value]) -> Value:
    left, right = values
    if piece.text == "@":
        loose = None if piece.children[0].grouped else left.scaled
        return _matmul(left, right, loose)
    if piece.text == "**":
        _check_power(scope, piece, left.node, right.node)
        return elementwise(values, lambda edges, shape: call(POWER, edges, shape))
    return elementwise(values, lambda edges, shape: call(notation.COMPARISONS[piece.text], edges, shape))


def _matmul(left: Value, right: Value, loose: Expr | None) -> Value:
    """`2*A@x` and `-A@x` scale the product A@x, as a person reads them."""
    if left.subscripts or right.subscripts:
        raise ShapeError("@ does not take subscripted values; write sum(a[i]*b[i], i)")
    if loose is None or not loose.shape or left.node.head == NUMBER:
        return Value(matmul(left.node, right.node))
    product = matmul(loose, right.node)
    edges = [*left.node.args[:-1], (product, axes(product))]
    return Value(contraction(edges, axes(product)), (), product)


def _check_power(scope: Scope, piece: Syntax, base: Expr, exponent: Expr) -> None:
    """Refuse towers of literal numbers that nobody could ever work out."""
    size, height = _log_magnitude(scope, base), _log_magnitude(scope, exponent)
    if size is None or height is None or size == 0:
        return
    if height > 60:
        raise LimitError("this power is too large to be worked out", text=scope.text, position=piece.position)
    scope.magnitudes[power(base, exponent)] = size * 2.0**height


def _log_magnitude(scope: Scope, node: Expr) -> float | None:
    """The binary logarithm of a literal number or of a power of literal numbers, roughly."""
    if node.head != NUMBER:
        return scope.magnitudes.get(node)
    whole = int(abs(node.data))
    return math.log2(whole) if whole > 1 else 0.0


def attribute(scope: Scope, piece: Syntax, value: Value) -> Value:
    if piece.text != "T":
        raise scope.fail(
            f"unknown attribute .{piece.text[:30]}; only .T (the transpose) is known",
            piece,
            UnknownNameError,
        )
    if value.subscripts:
        raise scope.fail("a subscripted value has no transpose", piece)
    return Value(transpose(value.node))

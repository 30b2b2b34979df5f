"""NumPy's names for contractions: what the reader builds from them. These are spellings, not functions."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from derivata.errors import ReadError, ShapeError
from derivata.expr.arrays import matmul, power, reciprocal, take_axis, transpose, zeros
from derivata.expr.node import (
    NUMBER,
    POWER,
    SYMBOL,
    Edge,
    Expr,
    Shape,
    Size,
    axes,
    call,
    contraction,
    number,
    shape_text,
)
from derivata.expr.selectors import lower, node_size, onehot, ravel, size_node, slide
from derivata.expr.sizes import is_from_end
from derivata.expr.windows import concatenate, convolve, correlate

COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}
SIGNS = {name: sign for sign, name in COMPARISONS.items()}
MOST_FACTORS = 100  # of a matrix power
HALF = number(Fraction(1, 2))


@dataclass(frozen=True)
class Request:
    """One written call: its values, the strings and bare names among them, and the keywords."""

    name: str
    values: list[Expr]
    strings: list[str | None]
    names: list[str | None]
    axis: tuple[int, ...] | None
    keepdims: bool
    keywords: frozenset[str]


def build(request: Request) -> Expr:
    """The node a call of one of NAMES writes."""
    maker, least, most = _MAKERS[request.name]
    count = len(request.values)
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise ReadError(f"{request.name} takes {wanted} arguments, {count} {'was' if count == 1 else 'were'} given")
    allowed = _KEYWORDS.get(request.name, frozenset())
    if unknown := request.keywords - allowed:
        raise ReadError(f"{request.name} has no argument {min(unknown)[:30]!r}")
    return maker(request)


def elementwise_edges(request: Request, edges: tuple[Edge, ...], shape: Shape) -> Expr:
    """The one elementwise spelling, over subscripted values."""
    return call(POWER, (*edges, (HALF, ())), shape)


def sum_over(node: Expr, summed: tuple[int, ...], *, keepdims: bool = False) -> Expr:
    """The sum over some axes; with `keepdims` they stay with size 1."""
    labels = axes(node)
    if keepdims:
        fresh = len(labels)
        out = tuple(fresh + i if i in summed else i for i in labels)
        return contraction([(node, labels)], out, {fresh + i: 1 for i in summed})
    return contraction([(node, labels)], tuple(i for i in labels if i not in summed))


def _summed_axes(request: Request) -> tuple[int, ...]:
    node = request.values[0]
    chosen = request.axis
    if len(request.values) == 2:
        value = request.values[1]
        if value.head == SYMBOL:
            raise ReadError(
                f"{request.names[1]} is not a subscript of the summed expression; expected an axis such as axis=0"
            )
        if value.head != NUMBER or value.data.denominator != 1:
            raise ReadError("an axis must be a whole number")
        chosen = (int(value.data),)
    if chosen is None:
        return axes(node)
    return tuple(take_axis(node, a) for a in chosen)


def _sum(request: Request) -> Expr:
    return sum_over(request.values[0], _summed_axes(request), keepdims=request.keepdims)


def _mean(request: Request) -> Expr:
    node, summed = request.values[0], _summed_axes(request)
    total = sum_over(node, summed, keepdims=request.keepdims)
    sizes = [(reciprocal(size_node(node.shape[i])), ()) for i in summed if node.shape[i] != 1]
    if not sizes:
        return total
    if any(node.shape[i] == 0 for i in summed):
        raise ShapeError("the mean over an axis of size 0 does not exist")
    return contraction([(total, axes(total)), *sizes], axes(total))


def _dot(request: Request) -> Expr:
    left, right = request.values
    if len(left.shape) != 1 or left.shape != right.shape:
        raise ShapeError(
            f"dot takes two vectors of one size, found {shape_text(left.shape)} and {shape_text(right.shape)}"
        )
    return contraction([(left, (0,)), (right, (0,))], ())


def _outer(request: Request) -> Expr:
    left, right = request.values
    if len(left.shape) != 1 or len(right.shape) != 1:
        raise ShapeError(f"outer takes two vectors, found {shape_text(left.shape)} and {shape_text(right.shape)}")
    return contraction([(left, (0,)), (right, (1,))], (0, 1))


def _diag(request: Request) -> Expr:
    node = request.values[0]
    if len(node.shape) == 1:
        return contraction([(node, (0,))], (0, 0))
    _need_square(node, "diag")
    return contraction([(node, (0, 0))], (0,))


def _trace(request: Request) -> Expr:
    _need_square(request.values[0], "tr")
    return contraction([(request.values[0], (0, 0))], ())


def _need_square(node: Expr, name: str) -> None:
    if len(node.shape) != 2 or node.shape[0] != node.shape[1]:
        raise ShapeError(f"{name} takes a square matrix, found shape {shape_text(node.shape)}")


def _sizes(request: Request) -> tuple[Size, ...]:
    found: list[Size] = []
    for value, name in zip(request.values, request.names, strict=True):
        if value.head == NUMBER and value.data.denominator == 1 and 0 <= value.data < 10**9:
            found.append(int(value.data))
        elif name is not None and not value.shape:
            found.append(name)
        elif (size := node_size(value)) is not None and not is_from_end(size):
            found.append(size)
        else:
            raise ReadError(f"{request.name} takes sizes: names or whole numbers")
    return tuple(found)


def _eye(request: Request) -> Expr:
    return contraction([], (0, 0), {0: _sizes(request)[0]})


def _ones(request: Request) -> Expr:
    sizes = _sizes(request)
    return contraction([], tuple(range(len(sizes))), dict(enumerate(sizes)))


def _zeros(request: Request) -> Expr:
    sizes = _sizes(request)
    return zeros(sizes)


def _onehot(request: Request) -> Expr:
    size_request = Request(request.name, request.values[1:], [], request.names[1:], None, False, frozenset())
    if request.values[0].shape:
        raise ShapeError("onehot takes a whole number or a symbol and a size")
    return onehot(request.values[0], _sizes(size_request)[0])


def _sqrt(request: Request) -> Expr:
    return power(request.values[0], HALF)


def _array(request: Request) -> Expr:
    raise ReadError("array(body, i, j) needs subscripts that occur in its body")


def _einsum(request: Request) -> Expr:
    spec = request.strings[0]
    match = None if spec is None else re.fullmatch(r"\s*([A-Za-z,\s]*?)\s*->\s*([A-Za-z]*)\s*", spec)
    if match is None:
        raise ReadError("einsum takes a string such as 'ij,j->i' first")
    groups = [g.strip() for g in match.group(1).split(",")]
    operands = request.values[1:]
    if len(groups) != len(operands):
        raise ReadError(f"einsum: {len(groups)} groups of letters for {len(operands)} operands")
    for group, operand in zip(groups, operands, strict=True):
        if len(group) != len(operand.shape):
            raise ShapeError(
                f"einsum: {group!r} has {len(group)} letters for an operand of shape {shape_text(operand.shape)}"
            )
    if free := set(match.group(2)) - set("".join(groups)):
        raise ReadError(f"einsum: the letter {min(free)} of the output is on no operand; multiply by ones")
    return contraction(
        [(operand, tuple(map(ord, group))) for group, operand in zip(groups, operands, strict=True)],
        tuple(map(ord, match.group(2))),
    )


def vec(node: Expr) -> Expr:
    """The columns of a matrix one below the other."""
    rows, columns = node.shape
    return contraction([(node, (0, 1)), (ravel(columns, rows), (2, 1, 0))], (2,))


def kron(left: Expr, right: Expr) -> Expr:
    """Every entry of the left matrix times the whole right one, in blocks."""
    (rows, columns), (down, across) = left.shape, right.shape
    places = [(ravel(rows, down), (4, 0, 2)), (ravel(columns, across), (5, 1, 3))]
    return contraction([(left, (0, 1)), (right, (2, 3)), *places], (4, 5))


def commutation(rows: Size, columns: Size) -> Expr:
    """The matrix K with vec(X.T) == K@vec(X) for X of these sizes."""
    return contraction([(ravel(rows, columns), (2, 0, 1)), (ravel(columns, rows), (3, 1, 0))], (2, 3))


def _ravel(request: Request) -> Expr:
    return ravel(*_sizes(request))


def _slide(request: Request) -> Expr:
    return slide(*_sizes(request))


def _concatenate(request: Request) -> Expr:
    ranks = {len(value.shape) for value in request.values}
    if len(ranks) > 1 or 0 in ranks:
        shapes = " and ".join(shape_text(value.shape) for value in request.values)
        raise ShapeError(f"concatenate takes arrays with equally many axes, found {shapes}")
    return concatenate(request.values, take_axis(request.values[0], request.axis[0]) if request.axis else 0)


def _correlate(request: Request) -> Expr:
    return correlate(*_two_vectors(request))


def _convolve(request: Request) -> Expr:
    return convolve(*_two_vectors(request))


def _two_vectors(request: Request) -> tuple[Expr, Expr]:
    left, right = request.values
    if len(left.shape) != 1 or len(right.shape) != 1:
        shapes = f"{shape_text(left.shape)} and {shape_text(right.shape)}"
        raise ShapeError(f"{request.name} takes two vectors, found {shapes}")
    return left, right


def _vec(request: Request) -> Expr:
    node = request.values[0]
    if len(node.shape) != 2:
        raise ShapeError(f"vec takes a matrix, found shape {shape_text(node.shape)}")
    return vec(node)


def _kron(request: Request) -> Expr:
    left, right = request.values
    if len(left.shape) != 2 or len(right.shape) != 2:
        raise ShapeError(f"kron takes two matrices, found {shape_text(left.shape)} and {shape_text(right.shape)}")
    return kron(left, right)


def _commutation(request: Request) -> Expr:
    return commutation(*_sizes(request))


def _tril(request: Request) -> Expr:
    rows, columns = _matrix_shape(request)
    return contraction([(request.values[0], (0, 1)), (lower(rows, columns), (0, 1))], (0, 1))


def _triu(request: Request) -> Expr:
    rows, columns = _matrix_shape(request)
    return contraction([(request.values[0], (0, 1)), (lower(columns, rows), (1, 0))], (0, 1))


def _matrix_shape(request: Request) -> Shape:
    shape = request.values[0].shape
    if len(shape) != 2:
        raise ShapeError(f"{request.name} takes a matrix, found shape {shape_text(shape)}")
    return shape


def _cumsum(request: Request) -> Expr:
    node = request.values[0]
    if len(node.shape) > 1 and request.axis is None:
        raise ReadError(f"cumsum of shape {shape_text(node.shape)} needs an axis, such as axis=0")
    axis = take_axis(node, request.axis[0] if request.axis else 0)
    size, fresh = node.shape[axis], len(node.shape)
    out = tuple(fresh if i == axis else i for i in axes(node))
    return contraction([(lower(size, size), (fresh, axis)), (node, axes(node))], out)


def _matrix_power(request: Request) -> Expr:
    base, exponent = request.values
    _need_square(base, "matrix_power")
    if exponent.head != NUMBER or exponent.data.denominator != 1 or not 0 <= exponent.data <= MOST_FACTORS:
        raise ReadError(f"matrix_power takes a matrix and a whole number from 0 to {MOST_FACTORS}")
    if exponent.data == 0:
        return contraction([], (0, 0), {0: base.shape[0]})
    found = base
    for _ in range(int(exponent.data) - 1):
        found = matmul(found, base)
    return found


def _transpose(request: Request) -> Expr:
    return transpose(request.values[0])


_MAKERS: dict[str, tuple[Callable[[Request], Expr], int, int]] = {
    "sum": (_sum, 1, 2),
    "mean": (_mean, 1, 2),
    "dot": (_dot, 2, 2),
    "outer": (_outer, 2, 2),
    "diag": (_diag, 1, 1),
    "tr": (_trace, 1, 1),
    "trace": (_trace, 1, 1),
    "eye": (_eye, 1, 1),
    "ones": (_ones, 1, 8),
    "zeros": (_zeros, 1, 8),
    "onehot": (_onehot, 2, 2),
    "sqrt": (_sqrt, 1, 1),
    "array": (_array, 1, 99),
    "einsum": (_einsum, 1, 999),
    "ravel": (_ravel, 2, 2),
    "vec": (_vec, 1, 1),
    "kron": (_kron, 2, 2),
    "commutation": (_commutation, 2, 2),
    "tril": (_tril, 1, 1),
    "triu": (_triu, 1, 1),
    "cumsum": (_cumsum, 1, 1),
    "matrix_power": (_matrix_power, 2, 2),
    "slide": (_slide, 2, 2),
    "concatenate": (_concatenate, 1, 99),
    "correlate": (_correlate, 2, 2),
    "convolve": (_convolve, 2, 2),
    "transpose": (_transpose, 1, 1),
}
_KEYWORDS = dict.fromkeys(("sum", "mean"), frozenset({"axis", "keepdims"})) | dict.fromkeys(
    ("cumsum", "concatenate"), frozenset({"axis"})
)
NAMES = frozenset(_MAKERS)
NAMES_TUPLE = tuple(_MAKERS)
TAKE_A_STRING = frozenset({"einsum"})
BINDERS = frozenset({"sum", "mean", "array"})
ELEMENTWISE = frozenset({"sqrt"})

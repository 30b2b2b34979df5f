"""The one immutable node. Values are whole arrays; labels live on the edges and are local to one node."""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

from derivata.errors import LimitError, ShapeError

if TYPE_CHECKING:
    from derivata.expr.symbol import Symbol

Size: TypeAlias = "int | str"
Shape: TypeAlias = "tuple[Size, ...]"
Labels: TypeAlias = "tuple[int, ...]"
Edge: TypeAlias = "tuple[Expr, Labels]"

NUMBER, SYMBOL, CALL, CONTRACTION, PRIMITIVE, DIFFERENTIAL = (
    "number",
    "symbol",
    "call",
    "contraction",
    "primitive",
    "differential",
)
BUNDLE = "bundle"
ADD, POWER = "add", "pow"  # the two calls that are syntax; a product is a contraction
POWER_BITS = 10_000
LARGEST_COST = 10**15  # written-out trees above this size all count alike
NUMBER_BITS = 13_000

# The only global state: equal nodes are one object. A key holds what its node holds, and goes with it.
_NODES: weakref.WeakValueDictionary[tuple[Any, ...], Expr] = weakref.WeakValueDictionary()


class Expr:
    """An array-valued expression.

    `head` is one of number, symbol, call (elementwise), contraction (a product of operands summed over the
    labels that are not in `data`), primitive (a function of whole arrays) and differential (`d(u)`, which
    only derivations hold). `data` is a Fraction, a Symbol, a function's name, the output labels, or the pair
    (name, number of leading mapped axes). `cost` is the number of nodes of the written-out tree.
    """

    __slots__ = ("__weakref__", "args", "cost", "data", "digest", "head", "shape")
    head: str
    data: Any
    args: tuple[Edge, ...]
    shape: Shape
    cost: int
    digest: bytes

    def __init__(self) -> None:
        raise TypeError("expressions are made by derivata.read, by operators, or by the functions of expr.node")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("expressions do not change")

    def __reduce__(self) -> tuple[Any, ...]:
        return _make, (self.head, self.data, self.args, self.shape)

    def __copy__(self) -> Expr:
        return self

    def __deepcopy__(self, memo: object) -> Expr:
        return self

    # Python's operators build the same nodes as the text does.
    def __add__(self, other: object) -> Expr:
        return _binary(ADD, self, other)

    def __radd__(self, other: object) -> Expr:
        return _binary(ADD, other, self)

    def __neg__(self) -> Expr:
        return number(-self.data) if self.head == NUMBER else _binary("mul", MINUS_ONE, self)

    def __pos__(self) -> Expr:
        return self

    def __sub__(self, other: object) -> Expr:
        return _binary("sub", self, other)

    def __rsub__(self, other: object) -> Expr:
        return _binary("sub", other, self)

    def __mul__(self, other: object) -> Expr:
        return _binary("mul", self, other)

    def __rmul__(self, other: object) -> Expr:
        return _binary("mul", other, self)

    def __truediv__(self, other: object) -> Expr:
        return _binary("div", self, other)

    def __rtruediv__(self, other: object) -> Expr:
        return _binary("div", other, self)

    def __pow__(self, other: object) -> Expr:
        return _binary(POWER, self, other)

    def __rpow__(self, other: object) -> Expr:
        return _binary(POWER, other, self)

    def __matmul__(self, other: object) -> Expr:
        return _binary("matmul", self, other)

    @property
    def T(self) -> Expr:  # noqa: N802 - NumPy's name
        """The axes in reverse order, as in NumPy."""
        return self if len(self.shape) < 2 else contraction([(self, axes(self))], axes(self)[::-1])

    def __str__(self) -> str:
        from derivata.expr.write import write

        return write(self)

    def __repr__(self) -> str:
        shape = f", shape={self.shape}" if self.shape else ""
        text = str(self) if self.cost < 2000 else f"{self.head} of {self.cost} nodes"
        return f"Expr({text!r}{shape})"

    def latex(self, *, indices: bool = False) -> str:
        """The expression as LaTeX, for KaTeX, MathJax and papers; with `indices` entry by entry, in index notation."""
        return str(_face("latex")(self, indices=indices))

    def unicode(self, width: int | None = None, *, indices: bool = False) -> str:
        """The expression as two-dimensional Unicode maths for a terminal; `indices` as for latex."""
        return str(_face("unicode")(self, width=width, indices=indices))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What notebooks show."""
        return {"text/plain": str(self), "text/latex": f"${self.latex()}$"}


_FACES: dict[str, Callable[..., Any]] = {}


def set_face(name: str, face: Callable[..., Any]) -> None:
    """Tell expressions how a higher layer prints them; done once, by the package itself."""
    _FACES[name] = face


def _face(name: str) -> Callable[..., Any]:
    return _FACES[name]


def _make(head: str, data: Any, args: tuple[Edge, ...], shape: Shape) -> Expr:
    """The node with these parts; the same parts give the same object."""
    key = (head, data, args, shape)
    found = _NODES.get(key)
    if found is not None:
        return found
    node = object.__new__(Expr)
    put = object.__setattr__
    put(node, "head", head)
    put(node, "data", data)
    put(node, "args", args)
    put(node, "shape", shape)
    put(node, "cost", min(1 + sum([child.cost for child, _ in args]), LARGEST_COST))
    put(node, "digest", _digest(head, data, args, shape))
    _NODES[key] = node
    return node


def _digest(head: str, data: Any, args: tuple[Edge, ...], shape: Shape) -> bytes:
    """A name that is the same in every process, to sort by."""
    parts = [head, "\0", repr(data), "\0", repr(shape)]
    for _, labels in args:
        parts.append("\0" + ",".join(map(str, labels)))
    state = hashlib.blake2b("".join(parts).encode("utf-8", "surrogatepass"), digest_size=16)
    for child, _ in args:
        state.update(child.digest)
    return state.digest()


def number(value: int | Fraction) -> Expr:
    """An exact rational."""
    if type(value) is not Fraction:
        value = Fraction(value)
    if value.numerator.bit_length() + value.denominator.bit_length() > NUMBER_BITS:
        raise LimitError(f"a number of more than {NUMBER_BITS} bits is not worked out")
    return _make(NUMBER, value, (), ())


ZERO = number(0)
ONE = number(1)
MINUS_ONE = number(-1)


def variable(symbol: Symbol) -> Expr:
    """The node of a declared symbol."""
    return _make(SYMBOL, symbol, (), symbol.shape)


def call(name: str, args: Sequence[Edge], shape: Shape = ()) -> Expr:
    """An elementwise function: output axes are 0, 1, ...; an operand may lack some or permute them."""
    return _make(CALL, name, tuple(args), shape)


def contraction(args: Sequence[Edge], out: Labels, sizes: dict[int, Size] | None = None) -> Expr:
    """The product of the operands summed over the labels that are not in `out`.

    `out` and an operand may repeat a label (a diagonal); a label that only `out` holds broadcasts and needs
    its size in `sizes`.
    """
    known: dict[int, Size] = dict(sizes or {})
    for child, labels in args:
        for label, size in zip(labels, child.shape, strict=True):
            if known.setdefault(label, size) != size:
                raise ShapeError(f"an axis of size {known[label]} meets an axis of size {size}")
    order: dict[int, int] = {}
    for label in out:
        order.setdefault(label, len(order))
    for _, labels in args:
        for label in labels:
            order.setdefault(label, len(order))
    renamed = tuple((child, tuple(order[label] for label in labels)) for child, labels in args)
    return _make(CONTRACTION, tuple(order[label] for label in out), renamed, tuple(known[label] for label in out))


def primitive(name: str, mapped: int, args: Sequence[Edge], shape: Shape) -> Expr:
    """A function of whole arrays. Labels 0..mapped-1 are the leading axes it is mapped over."""
    return _make(PRIMITIVE, (name, mapped), tuple(args), shape)


def bundle(parts: Sequence[Expr]) -> Expr:
    """Several expressions as one graph, so that a pass sees what they share; it has no notation."""
    return _make(PRIMITIVE, (BUNDLE, 0), tuple((part, tuple(range(len(part.shape)))) for part in parts), ())


def differential(of: Expr, label: str = "d") -> Expr:
    """`d(u)`: the change of u, not worked out yet; `label` is how it is written, `d` or `d/dx`."""
    return _make(DIFFERENTIAL, label, ((of, tuple(range(len(of.shape)))),), of.shape)


def with_args(node: Expr, args: tuple[Edge, ...]) -> Expr:
    """The same node over other children of the same shapes."""
    if args == node.args:
        return node
    if node.head == DIFFERENTIAL:
        return differential(args[0][0], node.data)
    return _make(node.head, node.data, args, node.shape)


def axes(node: Expr) -> Labels:
    """One label per axis, in order."""
    return tuple(range(len(node.shape)))


def label_sizes(node: Expr) -> dict[int, Size]:
    """The size of every label of a contraction."""
    sizes: dict[int, Size] = dict(zip(node.data, node.shape, strict=True))
    for child, labels in node.args:
        sizes.update(zip(labels, child.shape, strict=True))
    return sizes


def is_elementwise(node: Expr) -> bool:
    """Whether a contraction is a plain product: nothing summed, no label twice."""
    rank = len(node.data)  # labels are numbered as they appear, those of the output first
    if rank and node.data[-1] != rank - 1:
        return False
    return all(not labels or (max(labels) < rank and len(set(labels)) == len(labels)) for _, labels in node.args)


def is_multiple(node: Expr) -> bool:
    """Whether a node is just a number times another one."""
    if node.head != CONTRACTION or len(node.args) != 2:
        return False
    (factor, _), (_, labels) = node.args
    return factor.head == NUMBER and labels == node.data == axes(node)


def as_expr(value: object) -> Expr | None:
    """A number as a node, a node as it is, anything else None. Floats are taken exactly."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, bool):
        return number(int(value))
    if isinstance(value, int | Fraction):
        return number(value)
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return number(Fraction(repr(value)))
    return None


def _binary(kind: str, left: object, right: object) -> Expr:
    from derivata.expr import arrays  # it builds on this module

    a, b = as_expr(left), as_expr(right)
    if a is None or b is None:
        return NotImplemented  # type: ignore[no-any-return]
    if kind == "matmul":
        return arrays.matmul(a, b)
    if kind == "mul":
        return arrays.multiply(a, b)
    if kind == "div":
        return arrays.multiply(a, arrays.reciprocal(b))
    if kind == "sub":
        return arrays.elementwise(ADD, a, arrays.negative(b))
    return arrays.elementwise(kind, a, b)


def shape_text(shape: Shape) -> str:
    """`(n, d)` as a person writes it."""
    if len(shape) == 1:
        return f"({shape[0]},)"
    return "(" + ", ".join(map(str, shape)) + ")"


def integer_power(base: Fraction, exponent: int) -> Fraction:
    """base**exponent, refused when it would not fit."""
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits > 1 and abs(exponent) * bits > POWER_BITS:
        raise LimitError(f"a power of more than {POWER_BITS} bits is not worked out")
    return Fraction(base**exponent)

"""What a reader of one text knows while it turns syntax into nodes, and the values it passes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from derivata.errors import ReadError, ShapeError
from derivata.expr.arrays import broadcast
from derivata.expr.node import Edge, Expr, Shape, shape_text
from derivata.expr.parse import Syntax
from derivata.expr.symbol import Declarations
from derivata.expr.vocabulary import Vocabulary


@dataclass(frozen=True)
class Value:
    """A node whose first axes are named subscripts (`x[i]` inside `sum(..., i)`); the rest are its own."""

    node: Expr
    subscripts: tuple[str, ...] = ()
    scaled: Expr | None = None  # what the leading scalars of a product multiply, for 2*A@x

    @property
    def own(self) -> int:
        return len(self.node.shape) - len(self.subscripts)


@dataclass
class Scope:
    """One text being read: what its names mean, and where its messages point."""

    text: str
    declarations: Declarations
    vocabulary: Vocabulary
    named: dict[str, Expr] = field(default_factory=dict)
    bound: frozenset[str] = frozenset()
    scalars: dict[str, Expr] = field(default_factory=dict)
    magnitudes: dict[Expr, float] = field(default_factory=dict)

    def fail(self, message: str, piece: Syntax, kind: type[ReadError] = ReadError) -> ReadError:
        return kind(message, text=self.text, position=piece.position)


def elementwise(values: Sequence[Value], build: Callable[[tuple[Edge, ...], Shape], Expr]) -> Value:
    """An elementwise operation over values that may carry subscripts."""
    names = tuple(dict.fromkeys(s for v in values for s in v.subscripts))
    if not names:
        edges, shape = broadcast([v.node for v in values])
        return Value(build(edges, shape))
    sizes: dict[str, int | str] = {}
    subscripted: list[Edge] = []
    for value in values:
        if value.own:
            raise ShapeError(
                f"an array of shape {shape_text(value.node.shape[len(value.subscripts) :])} meets a subscripted "
                "value; in index notation every axis has a subscript"
            )
        for name, size in zip(value.subscripts, value.node.shape, strict=True):
            if sizes.setdefault(name, size) != size:
                raise ShapeError(f"the subscript {name} runs over {sizes[name]} and over {size}")
        subscripted.append((value.node, tuple(names.index(s) for s in value.subscripts)))
    return Value(build(tuple(subscripted), tuple(sizes[n] for n in names)), names)

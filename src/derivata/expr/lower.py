"""Syntax to nodes: names, NumPy notation and index notation become calls and contractions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from derivata.errors import LimitError, ReadError, ShapeError, UnknownNameError
from derivata.expr import notation
from derivata.expr.node import (
    ADD,
    CALL,
    NUMBER,
    ONE,
    POWER,
    Edge,
    Expr,
    axes,
    broadcast,
    call,
    contraction,
    matmul,
    negative,
    number,
    power,
    primitive,
    reciprocal,
    shape_text,
    take_axis,
    transpose,
    variable,
)
from derivata.expr.parse import Syntax, parse
from derivata.expr.symbol import Declarations, Symbol, declare, size_symbol
from derivata.expr.vocabulary import NO_FUNCTIONS, Signature, Vocabulary

_UNSPECIFIED = frozenset("fgh")


@dataclass(frozen=True)
class Value:
    """A node whose first axes are named subscripts (`x[i]` inside `sum(..., i)`); the rest are its own."""

    node: Expr
    subscripts: tuple[str, ...] = ()
    scaled: Expr | None = None  # what the leading scalars of a product multiply, for 2*A@x

    @property
    def own(self) -> int:
        return len(self.node.shape) - len(self.subscripts)


def read(text: str, where: str | Declarations | None = None, vocabulary: Vocabulary = NO_FUNCTIONS) -> Expr:
    """The expression that `text` writes."""
    declarations = declare(where)
    statements = parse(text)
    reader = _Lowering(text, declarations, vocabulary)
    for name, syntax in statements:
        reader.bound = _bound_names(syntax, declarations, reader.named)
        value = reader.lower(syntax)
        if value.subscripts:
            raise ReadError(
                f"the subscript {value.subscripts[0]} is neither summed over nor made an axis by array(..., {value.subscripts[0]})",
                text=text,
                position=syntax.position,
            )
        if name is None:
            return value.node
        if "'" in name or name in reader.named or declarations.lookup(name) or name in vocabulary.functions:
            raise ReadError(
                f"{name} has a meaning already and cannot be defined", text=text, position=syntax.position
            )
        reader.named[name] = value.node
    raise AssertionError("a parsed text ends with an expression")


def _bound_names(root: Syntax, declarations: Declarations, named: dict[str, Expr]) -> frozenset[str]:
    """Names that some sum(body, i) or array(body, i, j) binds: bare second arguments used as subscripts."""
    candidates: set[str] = set()
    used: set[str] = set()
    for piece in _pieces(root):
        if piece.kind == "call" and piece.text in notation.BINDERS:
            candidates.update(c.text for c in piece.children[1:] if c.kind == "name")
        elif piece.kind == "subscript":
            used.update(c.text for c in piece.children[1:] if c.kind == "name")
    return frozenset(n for n in candidates & used if not declarations.lookup(n) and n not in named)


def _pieces(root: Syntax) -> Iterator[Syntax]:
    """Children before parents."""
    stack: list[tuple[Syntax, int]] = [(root, 0)]
    while stack:
        piece, position = stack.pop()
        if position < len(piece.children):
            stack.append((piece, position + 1))
            stack.append((piece.children[position], 0))
        else:
            yield piece


@dataclass
class _Lowering:
    text: str
    declarations: Declarations
    vocabulary: Vocabulary
    named: dict[str, Expr] = field(default_factory=dict)
    bound: frozenset[str] = frozenset()
    scalars: dict[str, Expr] = field(default_factory=dict)
    magnitudes: dict[Expr, float] = field(default_factory=dict)

    def fail(self, message: str, piece: Syntax, kind: type[ReadError] = ReadError) -> ReadError:
        return kind(message, text=self.text, position=piece.position)

    def lower(self, root: Syntax) -> Value:
        done: dict[Syntax, Value] = {}
        binders = {
            id(c)
            for piece in _pieces(root)
            if piece.kind == "call" and piece.text in notation.BINDERS
            for c in piece.children[1:]
            if c.kind == "name" and c.text in self.bound
        }
        for piece in _pieces(root):
            if id(piece) in binders or (piece.kind == "name" and piece.text in self.bound):
                continue
            try:
                done[piece] = self._piece(piece, done)
            except (ReadError, LimitError) as error:
                if error.text is None:
                    raise type(error)(error.message, text=self.text, position=piece.position) from None
                raise
            for child in piece.children:
                done.pop(child, None)
        if root not in done:
            raise self.fail(f"the subscript {root.text} stands alone", root)
        return done[root]

    def _piece(self, piece: Syntax, done: dict[Syntax, Value]) -> Value:
        kind = piece.kind
        if kind == "number":
            assert piece.value is not None
            return Value(number(piece.value))
        if kind == "name":
            return Value(self._name(piece))
        if kind in ("string", "slice"):
            return Value(ONE)
        if kind == "keyword":
            return done.get(piece.children[0], Value(ONE))
        if kind == "attribute":
            return self._attribute(piece, done[piece.children[0]])
        if kind == "subscript":
            return self._subscript(piece, done)
        if kind == "call":
            return self._call(piece, done)
        for child in piece.children:
            if child not in done:
                raise self.fail(f"the subscript {child.text} stands where a value was expected", child)
        values = [done[child] for child in piece.children]
        if kind == "unary":
            value = values[0]
            if piece.text == "+":
                return value
            loose = value.scaled if piece.children[0].kind == "product" else value.node
            return Value(negative(value.node), value.subscripts, loose)
        if kind == "reciprocal":
            return self._divide(piece, values[0])
        if kind == "sum":
            return self._map(values, lambda edges, shape: call(ADD, edges, shape))
        if kind == "product":
            return self._product(piece, values)
        return self._binary(piece, values)

    def _name(self, piece: Syntax) -> Expr:
        name = piece.text
        if name in self.named:
            return self.named[name]
        declared = self.declarations.lookup(name)
        if declared is not None:
            return variable(declared)
        if "'" in name:
            raise self.fail(f"{name} is a function: expected ( after it", piece)
        if name in self.declarations.sizes():
            return variable(size_symbol(name))
        signature = self.vocabulary.functions.get(name)
        if signature is not None and not signature.arguments:
            return call(signature.name, ())
        if signature is not None or name in notation.NAMES:
            raise self.fail(f"{name} is a function: expected {name}(...)", piece)
        if name not in self.scalars:
            if name.startswith("__"):
                raise self.fail(f"unknown name {name[:30]!r}", piece, UnknownNameError)
            self.scalars[name] = variable(Symbol(name))
        return self.scalars[name]

    def _map(self, values: list[Value], build: object) -> Value:
        """An elementwise operation over values that may carry subscripts."""
        assert callable(build)
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

    def _product(self, piece: Syntax, values: list[Value]) -> Value:
        """A flat product; numbers written first are one number, a leading minus belongs to it."""
        values = list(values)
        first = piece.children[0]
        if (
            first.kind == "unary"
            and first.text == "-"
            and not first.grouped
            and values[0].node.head != NUMBER
        ):
            values[0:1] = (
                [Value(number(-1)), Value(values[0].node.args[1][0], values[0].subscripts)]
                if (len(values[0].node.args) == 2)
                else [Value(number(-1)), *self._factors(values[0])]
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
        product = self._map(
            values, lambda edges, shape: contraction(edges, tuple(range(len(shape))), dict(enumerate(shape)))
        )
        scalars = not any(v.node.shape for v in values[:-1]) and piece.children[-1].kind != "reciprocal"
        return Value(product.node, product.subscripts, values[-1].node if scalars else None)

    def _factors(self, value: Value) -> list[Value]:
        """What a minus sign was put in front of: -(a*b)*c keeps a*b as one factor."""
        node = value.node
        rest = contraction(node.args[1:], tuple(range(len(node.shape))), dict(enumerate(node.shape)))
        return [Value(rest, value.subscripts)]

    def _divide(self, piece: Syntax, value: Value) -> Value:
        if value.node.head == NUMBER and value.node.data == 0:
            raise self.fail("division by zero", piece)
        node, inner = value.node, piece.children[0]
        if node.head == CALL and node.data == POWER and node.args[1][0].head == NUMBER and not inner.grouped:
            exponent = number(-node.args[1][0].data)
            return Value(call(POWER, (node.args[0], (exponent, ())), node.shape), value.subscripts)
        return Value(reciprocal(node), value.subscripts)

    def _binary(self, piece: Syntax, values: list[Value]) -> Value:
        left, right = values
        if piece.text == "@":
            loose = None if piece.children[0].grouped else left.scaled
            return self._matmul(left, right, loose)
        if piece.text == "**":
            self._check_power(piece, left.node, right.node)
            return self._map(values, lambda edges, shape: call(POWER, edges, shape))
        return self._map(values, lambda edges, shape: call(notation.COMPARISONS[piece.text], edges, shape))

    def _matmul(self, left: Value, right: Value, loose: Expr | None) -> Value:
        """`2*A@x` and `-A@x` scale the product A@x, as a person reads them."""
        if left.subscripts or right.subscripts:
            raise ShapeError("@ does not take subscripted values; write sum(a[i]*b[i], i)")
        if loose is None or not loose.shape or left.node.head == NUMBER:
            return Value(matmul(left.node, right.node))
        product = matmul(loose, right.node)
        edges = [*left.node.args[:-1], (product, axes(product))]
        return Value(contraction(edges, axes(product)), (), product)

    def _check_power(self, piece: Syntax, base: Expr, exponent: Expr) -> None:
        """Refuse towers of literal numbers that nobody could ever work out."""
        size, height = self._log_magnitude(base), self._log_magnitude(exponent)
        if size is None or height is None or size == 0:
            return
        if height > 60:
            raise LimitError(
                "this power is too large to be worked out", text=self.text, position=piece.position
            )
        self.magnitudes[power(base, exponent)] = size * 2.0**height

    def _log_magnitude(self, node: Expr) -> float | None:
        """The binary logarithm of a literal number or of a power of literal numbers, roughly."""
        if node.head != NUMBER:
            return self.magnitudes.get(node)
        whole = int(abs(node.data))
        return math.log2(whole) if whole > 1 else 0.0

    def _attribute(self, piece: Syntax, value: Value) -> Value:
        if piece.text != "T":
            raise self.fail(
                f"unknown attribute .{piece.text[:30]}; only .T (the transpose) is known",
                piece,
                UnknownNameError,
            )
        if value.subscripts:
            raise self.fail("a subscripted value has no transpose", piece)
        return Value(transpose(value.node))

    def _subscript(self, piece: Syntax, done: dict[Syntax, Value]) -> Value:
        base, *places = piece.children
        value = done[base]
        shape = value.node.shape
        if value.subscripts:
            raise self.fail("this value is subscripted already", piece)
        if len(places) > len(shape):
            raise self.fail(
                f"{len(places)} subscripts for an array of shape {shape_text(shape)}", piece, ShapeError
            )
        names: dict[str, int] = {}
        labels: list[int] = []
        picked: list[Edge] = []
        own: list[int] = []
        for axis in range(len(shape)):
            place = places[axis] if axis < len(places) else None
            if place is not None and place.kind == "name" and place.text in self.bound:
                labels.append(names.setdefault(place.text, axis))
            else:
                labels.append(axis)
                if place is None or place.kind == "slice":
                    own.append(axis)
                else:
                    picked.append((self._position(place, done[place], shape[axis]), (axis,)))
        if not picked and tuple(labels) == axes(value.node):
            return Value(value.node, tuple(names))
        node = contraction([(value.node, tuple(labels)), *picked], (*names.values(), *own))
        return Value(node, tuple(names))

    def _position(self, place: Syntax, value: Value, size: int | str) -> Expr:
        node = value.node
        if node.shape or value.subscripts:
            raise self.fail("a subscript must be a whole number or a symbol", place)
        if node.head == NUMBER:
            if node.data.denominator != 1:
                raise self.fail("a subscript must be a whole number", place)
            position = int(node.data)
            if isinstance(size, int):
                if not -size <= position < size:
                    raise self.fail(f"subscript {position} is out of range for an axis of size {size}", place)
                node = number(position % size)
            elif position < 0:
                raise self.fail("a subscript from the end needs a size that is a number", place)
        elif place.kind == "name" and not self.declarations.lookup(place.text) and place.text in self.scalars:
            node = variable(Symbol(place.text, (), frozenset({"int"})))
        return notation.onehot(node, size)

    def _call(self, piece: Syntax, done: dict[Syntax, Value]) -> Value:
        name = piece.text
        positional = [c for c in piece.children if c.kind != "keyword"]
        keywords = {c.text: c for c in piece.children if c.kind == "keyword"}
        if name in notation.NAMES and not self.declarations.lookup(name):
            return self._notation(piece, positional, keywords, done)
        signature = self.vocabulary.functions.get(name)
        if signature is None or not signature.arguments:
            return self._unspecified(piece, positional, keywords, done)
        return self._function(piece, signature, positional, keywords, done)

    def _unspecified(
        self, piece: Syntax, positional: list[Syntax], keywords: dict[str, Syntax], done: dict[Syntax, Value]
    ) -> Value:
        base = piece.text.rstrip("'")
        if base in self.named or self.declarations.lookup(base) or base in self.scalars:
            raise self.fail(f"{base} is a variable here; a product is written {base}*(...)", piece)
        if base not in _UNSPECIFIED and base not in self.declarations.functions:
            hint = self.vocabulary.suggestion(base, notation.NAMES_TUPLE)
            more = "" if hint else f"; an unspecified function is declared by `{base[:30]} function`"
            if base in self.vocabulary.functions:
                more = "; derivatives in text are written for unspecified functions only"
                hint = ""
            raise self.fail(f"unknown function {piece.text[:40]!r}{hint}{more}", piece, UnknownNameError)
        if len(positional) != 1 or keywords:
            raise self.fail(
                f"the unspecified function {base} takes 1 argument, {len(piece.children)} were given", piece
            )
        value = done[positional[0]]
        return self._map([value], lambda edges, shape: call(piece.text, edges, shape))

    def _function(
        self,
        piece: Syntax,
        signature: Signature,
        positional: list[Syntax],
        keywords: dict[str, Syntax],
        done: dict[Syntax, Value],
    ) -> Value:
        axis = keywords.pop("axis", None)
        if axis is not None and signature.elementwise:
            raise self.fail(f"{piece.text} works element by element and takes no axis", axis)
        count = len(positional)
        if count > len(signature.arguments) or count + len(keywords) < signature.required:
            wanted = _count(signature.required, len(signature.arguments))
            listed = ", ".join(signature.arguments)
            raise self.fail(
                f"{piece.text}({listed}) takes {wanted}, {count} {'was' if count == 1 else 'were'} given",
                piece,
            )
        values: list[Value] = []
        for position, (argument, default) in enumerate(
            zip(signature.arguments, signature.defaults, strict=True)
        ):
            if position < count:
                source = positional[position]
                if argument in keywords:
                    raise self.fail(f"{piece.text} got {argument} twice", keywords[argument])
            elif argument in keywords:
                source = keywords.pop(argument)
            elif default is None:
                raise self.fail(f"{piece.text} needs {argument}", piece)
            else:
                values.append(Value(number(default)))
                continue
            if source not in done:
                raise self.fail(f"the subscript {source.text} stands where a value was expected", source)
            values.append(done[source])
        unknown = next((k for k in keywords if k not in signature.arguments), None)
        if unknown is not None:
            raise self.fail(
                f"{piece.text} has no argument {unknown[:30]!r}; it takes {', '.join(signature.arguments)}",
                piece,
            )
        if signature.elementwise:
            return self._map(values, lambda edges, shape: call(signature.name, edges, shape))
        return Value(self._whole(piece, signature, values, axis))

    def _whole(self, piece: Syntax, signature: Signature, values: list[Value], axis: Syntax | None) -> Expr:
        """A function of whole arrays, mapped over the leading axes."""
        if any(v.subscripts for v in values):
            raise self.fail(f"{piece.text} takes whole arrays, not subscripted values", piece)
        node = values[0].node
        core = signature.core[0]
        if len(node.shape) < len(core):
            kind = {1: "a vector", 2: "a matrix"}.get(len(core), "an array")
            example = {1: "z[n]", 2: "A[n,n]"}.get(len(core), "")
            raise self.fail(
                f'{piece.text} needs {kind}, a scalar was given; declare it, as in where="{example}"',
                piece,
                ShapeError,
            )
        mapped = len(node.shape) - len(core)
        order = list(axes(node))
        if axis is not None:
            if len(core) != 1:
                raise self.fail(f"{piece.text} takes no axis", axis)
            order.append(order.pop(take_axis(node, self._whole_number(axis.children[0]))))
        edges: list[Edge] = []
        sizes: dict[str, int | str] = {}
        for value, names in zip(values, signature.core, strict=True):
            own = len(value.node.shape) - len(names)
            if own not in (0, mapped):
                raise ShapeError(
                    f"{piece.text}: leading axes of {shape_text(value.node.shape)} do not fit {shape_text(node.shape)}"
                )
            where = order if value is values[0] else list(axes(value.node))
            labels = [0] * len(value.node.shape)
            for position, source in enumerate(where):
                labels[source] = position if value is values[0] else position + (mapped - own)
            edges.append((value.node, tuple(labels)))
            for name, source in zip(names, where[own:], strict=True):
                size = value.node.shape[source]
                if sizes.setdefault(name, size) != size:
                    raise ShapeError(f"{piece.text}: an axis of size {sizes[name]} meets one of size {size}")
        shape = tuple(node.shape[i] for i in order[:mapped]) + tuple(sizes[n] for n in signature.out)
        result = primitive(signature.name, mapped, edges, shape)
        if axis is None or not signature.out or order == list(axes(node)):
            return result
        return contraction([(result, tuple(order))], axes(node))

    def _whole_number(self, piece: Syntax) -> int:
        sign, inner = 1, piece
        if piece.kind == "unary" and piece.text.startswith("-"):
            sign, inner = -1, piece.children[0]
        if (
            inner.kind != "number"
            or inner.value is None
            or inner.value.denominator != 1
            or abs(inner.value) > 1000
        ):
            raise self.fail("expected a whole number", piece)
        return sign * int(inner.value)

    def _notation(
        self, piece: Syntax, positional: list[Syntax], keywords: dict[str, Syntax], done: dict[Syntax, Value]
    ) -> Value:
        name = piece.text
        if name in notation.BINDERS and any(
            c.kind == "name" and c.text in self.bound for c in positional[1:]
        ):
            return self._bind(piece, positional, done)
        for child in positional:
            if child not in done:
                raise self.fail(f"the subscript {child.text} stands where a value was expected", child)
        request = notation.Request(
            name=name,
            values=[done[c].node for c in positional],
            strings=[c.text if c.kind == "string" else None for c in positional],
            names=[c.text if c.kind == "name" else None for c in positional],
            axis=None if "axis" not in keywords else self._axis(keywords["axis"].children[0]),
            keepdims="keepdims" in keywords and keywords["keepdims"].children[0].text == "True",
            keywords=frozenset(keywords),
        )
        subscripted = [done[c] for c in positional if done[c].subscripts]
        if subscripted and name not in notation.ELEMENTWISE:
            raise self.fail(
                f"{name} takes whole arrays; over a subscript write {name}(body, {subscripted[0].subscripts[0]})",
                piece,
            )
        if subscripted:
            inner = [done[c] for c in positional]
            return self._map(inner, lambda edges, shape: notation.elementwise_edges(request, edges, shape))
        return Value(notation.build(request))

    def _axis(self, piece: Syntax) -> tuple[int, ...]:
        return (self._whole_number(piece),)

    def _bind(self, piece: Syntax, positional: list[Syntax], done: dict[Syntax, Value]) -> Value:
        body = done[positional[0]]
        names = tuple(c.text for c in positional[1:])
        for child in positional[1:]:
            if child.kind != "name" or child.text not in body.subscripts:
                raise self.fail(f"expected a subscript of the body, found {child.text[:30]!r}", child)
        if body.own:
            raise self.fail("in index notation every axis has a subscript", piece, ShapeError)
        kept = tuple(s for s in body.subscripts if s not in names)
        labels = axes(body.node)
        where = dict(zip(body.subscripts, labels, strict=True))
        if piece.text == "array":
            if kept:
                raise self.fail("array must name every free subscript of its body", piece)
            order = tuple(where[n] for n in names)
            return Value(body.node if order == labels else contraction([(body.node, labels)], order))
        total = contraction([(body.node, labels)], tuple(where[s] for s in kept))
        if piece.text == "mean":
            counted = [
                number(s) if isinstance(s, int) else variable(size_symbol(s))
                for s in (body.node.shape[where[n]] for n in names)
            ]
            total = contraction([(total, axes(total)), *((reciprocal(c), ()) for c in counted)], axes(total))
        return Value(total, kept)


def _count(least: int, most: int) -> str:
    if least == most:
        return f"{least} argument{'s' * (least != 1)}"
    return f"{least} to {most} arguments"

"""Calls: functions of the rulebook, unspecified ones, and the notation for sums and arrays."""

from __future__ import annotations

from derivata.errors import ShapeError, UnknownNameError
from derivata.expr import notation
from derivata.expr.arrays import reciprocal, take_axis
from derivata.expr.node import Edge, Expr, axes, call, contraction, number, primitive, shape_text, variable
from derivata.expr.parse import Syntax
from derivata.expr.scope import Scope, Value, elementwise
from derivata.expr.symbol import size_symbol
from derivata.expr.vocabulary import Signature

_UNSPECIFIED = frozenset("fgh")


def called(scope: Scope, piece: Syntax, done: dict[Syntax, Value]) -> Value:
    name = piece.text
    positional = [c for c in piece.children if c.kind != "keyword"]
    keywords = {c.text: c for c in piece.children if c.kind == "keyword"}
    if name in notation.NAMES and not scope.declarations.lookup(name):
        return _notation(scope, piece, positional, keywords, done)
    signature = scope.vocabulary.functions.get(name)
    if signature is None or not signature.arguments:
        return _unspecified(scope, piece, positional, keywords, done)
    return _function(scope, piece, signature, positional, keywords, done)


def _unspecified(
    scope: Scope,
    piece: Syntax,
    positional: list[Syntax],
    keywords: dict[str, Syntax],
    done: dict[Syntax, Value],
) -> Value:
    base = piece.text.rstrip("'")
    if base in scope.named or scope.declarations.lookup(base) or base in scope.scalars:
        raise scope.fail(f"{base} is a variable here; a product is written {base}*(...)", piece)
    if base not in _UNSPECIFIED and base not in scope.declarations.functions:
        hint = scope.vocabulary.suggestion(base, notation.NAMES_TUPLE)
        more = "" if hint else f"; an unspecified function is declared by `{base[:30]} function`"
        if base in scope.vocabulary.functions:
            more = "; derivatives in text are written for unspecified functions only"
            hint = ""
        raise scope.fail(f"unknown function {piece.text[:40]!r}{hint}{more}", piece, UnknownNameError)
    if len(positional) != 1 or keywords:
        raise scope.fail(f"the unspecified function {base} takes 1 argument, {len(piece.children)} were given", piece)
    value = done[positional[0]]
    return elementwise([value], lambda edges, shape: call(piece.text, edges, shape))


def _function(
    scope: Scope,
    piece: Syntax,
    signature: Signature,
    positional: list[Syntax],
    keywords: dict[str, Syntax],
    done: dict[Syntax, Value],
) -> Value:
    axis, keep = keywords.pop("axis", None), keywords.pop("keepdims", None)
    reduces = not signature.elementwise and not signature.out
    if axis is not None and signature.elementwise:
        raise scope.fail(f"{piece.text} works element by element and takes no axis", axis)
    if keep is not None and not reduces:
        raise scope.fail(f"{piece.text} has no argument keepdims; it reduces no axis", keep)
    count = len(positional)
    if count > len(signature.arguments) or count + len(keywords) < signature.required:
        wanted = _count(signature.required, len(signature.arguments))
        listed = ", ".join(signature.arguments)
        raise scope.fail(
            f"{piece.text}({listed}) takes {wanted}, {count} {'was' if count == 1 else 'were'} given",
            piece,
        )
    values: list[Value] = []
    for position, (argument, default) in enumerate(zip(signature.arguments, signature.defaults, strict=True)):
        if position < count:
            source = positional[position]
            if argument in keywords:
                raise scope.fail(f"{piece.text} got {argument} twice", keywords[argument])
        elif argument in keywords:
            source = keywords.pop(argument)
        elif default is None:
            raise scope.fail(f"{piece.text} needs {argument}", piece)
        else:
            values.append(Value(number(default)))
            continue
        if source not in done:
            raise scope.fail(f"the subscript {source.text} stands where a value was expected", source)
        values.append(done[source])
    unknown = next((k for k in keywords if k not in signature.arguments), None)
    if unknown is not None:
        raise scope.fail(
            f"{piece.text} has no argument {unknown[:30]!r}; it takes {', '.join(signature.arguments)}",
            piece,
        )
    if signature.elementwise:
        return elementwise(values, lambda edges, shape: call(signature.name, edges, shape))
    return Value(_kept(scope, _whole(scope, piece, signature, values, axis), values[0].node, axis, keep))


def _kept(scope: Scope, result: Expr, node: Expr, axis: Syntax | None, keep: Syntax | None) -> Expr:
    """A reduction with `keepdims=True`: the axes that went away stay with size 1."""
    if keep is None or not _truth(scope, keep.children[0]):
        return result
    rank = len(node.shape)
    gone = range(rank) if axis is None else [take_axis(node, _whole_number(scope, axis.children[0]))]
    kept = [i for i in range(rank) if i not in gone]
    return contraction([(result, tuple(kept))], axes(node), dict.fromkeys(gone, 1))


def _truth(scope: Scope, piece: Syntax) -> bool:
    if piece.kind != "name" or piece.text not in ("True", "False"):
        raise scope.fail("expected True or False", piece)
    return piece.text == "True"


def _whole(scope: Scope, piece: Syntax, signature: Signature, values: list[Value], axis: Syntax | None) -> Expr:
    """A function of whole arrays, mapped over the leading axes."""
    if any(v.subscripts for v in values):
        raise scope.fail(f"{piece.text} takes whole arrays, not subscripted values", piece)
    node = values[0].node
    core = signature.core[0]
    if len(node.shape) < len(core):
        kind = {1: "a vector", 2: "a matrix"}.get(len(core), "an array")
        given = f"an array of shape {shape_text(node.shape)}" if node.shape else "a scalar"
        example = {1: "z[n]", 2: "A[n,n]"}.get(len(core), "")
        raise scope.fail(
            f'{piece.text} needs {kind}, {given} was given; declare it, as in where="{example}"',
            piece,
            ShapeError,
        )
    leading = [v.node.shape[: len(v.node.shape) - len(names)] for v, names in zip(values, signature.core, strict=True)]
    most = max(leading, key=len)
    mapped = len(most)
    order = list(axes(node))
    if axis is not None:
        if len(core) != 1:
            raise scope.fail(f"{piece.text} takes no axis", axis)
        order.append(order.pop(take_axis(node, _whole_number(scope, axis.children[0]))))
    edges: list[Edge] = []
    sizes: dict[str, int | str] = {}
    for value, names, outer in zip(values, signature.core, leading, strict=True):
        own = len(outer)
        if outer != most[mapped - own :]:
            raise ShapeError(f"{piece.text}: leading axes of {shape_text(outer)} do not fit {shape_text(most)}")
        where = order if value is values[0] else list(axes(value.node))
        labels = [0] * len(value.node.shape)
        for position, source in enumerate(where):
            labels[source] = position + (mapped - own)
        edges.append((value.node, tuple(labels)))
        for name, source in zip(names, where[own:], strict=True):
            size = value.node.shape[source]
            if sizes.setdefault(name, size) != size:
                raise ShapeError(f"{piece.text}: an axis of size {sizes[name]} meets one of size {size}")
    if mapped and axis is None and len(signature.core) == 1 and not signature.out and len(core) == 1:
        return _reduced(scope, piece, signature, node)
    outside = most if axis is None else tuple(node.shape[i] for i in order[:mapped])
    shape = outside + tuple(sizes[n] for n in signature.out)
    result = primitive(signature.name, mapped, edges, shape)
    if axis is None or not signature.out or order == list(axes(node)):
        return result
    return contraction([(result, tuple(order))], axes(node))


def _reduced(scope: Scope, piece: Syntax, signature: Signature, node: Expr) -> Expr:
    """A reduction of all axes, as in NumPy where no axis is named."""
    if not signature.nests:
        last = len(node.shape) - 1
        raise scope.fail(f"{piece.text} of shape {shape_text(node.shape)} needs an axis, such as axis={last}", piece)
    while node.shape:
        mapped = len(node.shape) - 1
        node = primitive(signature.name, mapped, [(node, axes(node))], node.shape[:-1])
    return node


def _whole_number(scope: Scope, piece: Syntax) -> int:
    sign, inner = 1, piece
    if piece.kind == "unary" and piece.text.startswith("-"):
        sign, inner = -1, piece.children[0]
    if inner.kind != "number" or inner.value is None or inner.value.denominator != 1 or abs(inner.value) > 1000:
        raise scope.fail("expected a whole number", piece)
    return sign * int(inner.value)


def _notation(
    scope: Scope,
    piece: Syntax,
    positional: list[Syntax],
    keywords: dict[str, Syntax],
    done: dict[Syntax, Value],
) -> Value:
    name = piece.text
    if name in notation.BINDERS and any(c.kind == "name" and c.text in scope.bound for c in positional[1:]):
        return _bind(scope, piece, positional, done)
    for child in positional:
        if child not in done:
            raise scope.fail(f"the subscript {child.text} stands where a value was expected", child)
    request = notation.Request(
        name=name,
        values=[done[c].node for c in positional],
        strings=[c.text if c.kind == "string" else None for c in positional],
        names=[c.text if c.kind == "name" else None for c in positional],
        axis=None if "axis" not in keywords else _axis(scope, keywords["axis"].children[0]),
        keepdims="keepdims" in keywords and _truth(scope, keywords["keepdims"].children[0]),
        keywords=frozenset(keywords),
    )
    subscripted = [done[c] for c in positional if done[c].subscripts]
    if subscripted and name not in notation.ELEMENTWISE:
        raise scope.fail(
            f"{name} takes whole arrays; over a subscript write {name}(body, {subscripted[0].subscripts[0]})",
            piece,
        )
    if subscripted:
        inner = [done[c] for c in positional]
        return elementwise(inner, lambda edges, shape: notation.elementwise_edges(request, edges, shape))
    return Value(notation.build(request))


def _axis(scope: Scope, piece: Syntax) -> tuple[int, ...]:
    return (_whole_number(scope, piece),)


def _bind(scope: Scope, piece: Syntax, positional: list[Syntax], done: dict[Syntax, Value]) -> Value:
    body = done[positional[0]]
    names = tuple(c.text for c in positional[1:])
    for child in positional[1:]:
        if child.kind != "name" or child.text not in body.subscripts:
            raise scope.fail(f"expected a subscript of the body, found {child.text[:30]!r}", child)
    if body.own:
        raise scope.fail("in index notation every axis has a subscript", piece, ShapeError)
    kept = tuple(s for s in body.subscripts if s not in names)
    labels = axes(body.node)
    where = dict(zip(body.subscripts, labels, strict=True))
    if piece.text == "array":
        if kept:
            raise scope.fail("array must name every free subscript of its body", piece)
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

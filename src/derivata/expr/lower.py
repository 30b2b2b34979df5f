"""Syntax to nodes: names, NumPy notation and index notation become calls and contractions."""

from __future__ import annotations

from collections.abc import Iterator

from derivata.errors import LimitError, ReadError, UnknownNameError
from derivata.expr import notation
from derivata.expr.arrays import negative
from derivata.expr.calls import called
from derivata.expr.node import ADD, ONE, Expr, call, number, variable
from derivata.expr.operators import attribute, binary, product, quotient
from derivata.expr.parse import Syntax, parse
from derivata.expr.scope import Scope, Value, elementwise
from derivata.expr.subscripts import subscripted
from derivata.expr.symbol import Declarations, Symbol, declare, size_symbol
from derivata.expr.vocabulary import NO_FUNCTIONS, Vocabulary


def read(text: str, where: str | Declarations | None = None, vocabulary: Vocabulary = NO_FUNCTIONS) -> Expr:
    """The expression that `text` writes."""
    declarations = declare(where)
    statements = parse(text)
    scope = Scope(text, declarations, vocabulary)
    for name, syntax in statements:
        scope.bound = _bound_names(syntax, declarations, scope.named)
        value = _lower(scope, syntax)
        if value.subscripts:
            raise ReadError(
                f"the subscript {value.subscripts[0]} is neither summed over nor made an axis by "
                f"array(..., {value.subscripts[0]})",
                text=text,
                position=syntax.position,
            )
        if name is None:
            return value.node
        if "'" in name or name in scope.named or declarations.lookup(name) or vocabulary.knows(name):
            raise ReadError(f"{name} has a meaning already and cannot be defined", text=text, position=syntax.position)
        scope.named[name] = value.node
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


def _lower(scope: Scope, root: Syntax) -> Value:
    done: dict[Syntax, Value] = {}
    binders = {
        id(c)
        for piece in _pieces(root)
        if piece.kind == "call" and piece.text in notation.BINDERS
        for c in piece.children[1:]
        if c.kind == "name" and c.text in scope.bound
    }
    _refuse_strings(scope, root)
    for piece in _pieces(root):
        if id(piece) in binders or (piece.kind == "name" and piece.text in scope.bound):
            continue
        try:
            done[piece] = _piece(scope, piece, done)
        except (ReadError, LimitError) as error:
            if error.text is None:
                raise type(error)(error.message, text=scope.text, position=piece.position) from None
            raise
        for child in piece.children if piece.kind != "slice" else ():  # its bounds are read with the array
            done.pop(child, None)
    if root not in done:
        raise scope.fail(f"the subscript {root.text} stands alone", root)
    return done[root]


def _refuse_strings(scope: Scope, root: Syntax) -> None:
    """A string is a value nowhere; only some calls take one."""
    pieces = list(_pieces(root))
    calls = [p for p in pieces if p.kind == "call"]  # of unknown functions that is what will be said
    known = scope.vocabulary.functions.keys() | notation.NAMES - notation.TAKE_A_STRING
    taken = {id(c) for p in calls if p.text not in known for c in p.children}
    for piece in pieces:
        if piece.kind == "string" and id(piece) not in taken:
            raise scope.fail("a text in quotes stands where a value was expected", piece)


def _piece(scope: Scope, piece: Syntax, done: dict[Syntax, Value]) -> Value:
    kind = piece.kind
    if kind == "number":
        assert piece.value is not None
        return Value(number(piece.value))
    if kind == "name":
        return Value(_name(scope, piece))
    if kind in ("string", "slice", "nothing"):
        return Value(ONE)
    if kind == "keyword":
        return done.get(piece.children[0], Value(ONE))
    if kind == "attribute":
        return attribute(scope, piece, done[piece.children[0]])
    if kind == "subscript":
        return subscripted(scope, piece, done)
    if kind == "call" and piece.text in scope.vocabulary.abbreviations:
        return _written_out(scope, piece, done)
    if kind == "call":
        return called(scope, piece, done)
    for child in piece.children:
        if child not in done:
            raise scope.fail(f"the subscript {child.text} stands where a value was expected", child)
    values = [done[child] for child in piece.children]
    if kind == "unary":
        value = values[0]
        if piece.text == "+":
            return value
        inner = piece.children[0]
        loose = value.scaled if inner.kind == "product" and not inner.grouped else value.node
        return Value(negative(value.node), value.subscripts, loose)
    if kind == "reciprocal":
        return quotient(scope, piece, values[0])
    if kind == "sum":
        return elementwise(values, lambda edges, shape: call(ADD, edges, shape))
    if kind == "product":
        return product(scope, piece, values)
    return binary(scope, piece, values)


def _written_out(scope: Scope, piece: Syntax, done: dict[Syntax, Value]) -> Value:
    """What an abbreviation stands for, with the arguments in their places."""
    names, means = scope.vocabulary.abbreviations[piece.text]
    values = [done.get(child) for child in piece.children if child.kind != "keyword"]
    if len(values) != len(names) or len(values) != len(piece.children):
        raise scope.fail(f"{piece.text} takes {len(names)} arguments: {piece.text}({', '.join(names)})", piece)
    if any(value is None or value.subscripts for value in values):
        raise scope.fail(f"{piece.text} takes whole arrays, not subscripted values", piece)
    inner = Scope(means, declare(None), scope.vocabulary)
    inner.named.update({name: value.node for name, value in zip(names, values, strict=True) if value is not None})
    try:
        return _lower(inner, parse(means)[-1][1])
    except ReadError as error:
        raise scope.fail(f"{piece.text}: {error.message}", piece, type(error)) from None


def _name(scope: Scope, piece: Syntax) -> Expr:
    name = piece.text
    if name in scope.named:
        return scope.named[name]
    declared = scope.declarations.lookup(name)
    if declared is not None:
        return variable(declared)
    if "'" in name:
        raise scope.fail(f"{name} is a function: expected ( after it", piece)
    if name in scope.declarations.sizes():
        return variable(size_symbol(name))
    signature = scope.vocabulary.functions.get(name)
    if signature is not None and not signature.arguments:
        return call(signature.name, ())
    if signature is not None or name in notation.NAMES:
        raise scope.fail(f"{name} is a function: expected {name}(...)", piece)
    if name not in scope.scalars:
        if name.startswith("__"):
            raise scope.fail(f"unknown name {name[:30]!r}", piece, UnknownNameError)
        scope.scalars[name] = variable(Symbol(name))
    return scope.scalars[name]

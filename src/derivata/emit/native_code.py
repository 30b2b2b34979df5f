"""What a record says of a backend: a function's dotted name, or an expression in its arguments' names."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from derivata.emit.pieces import ATOM, COMPARE, PRODUCT, SUM, UNARY, Piece
from derivata.emit.pieces import POWER as POWER_LEVEL

_SELECTION = "np.where"  # the one that takes a truth value as it is


@dataclass(frozen=True)
class NativeCode:
    """The code of a record, parsed once. `places` are (start, end, argument, is alone between commas)."""

    text: str
    level: int
    dotted: bool
    places: tuple[tuple[int, int, str, bool], ...]
    conditions: frozenset[str]
    modules: frozenset[str]

    def uses(self, argument: str) -> int:
        return sum(place[2] == argument for place in self.places)

    def apply(self, names: Sequence[str], pieces: Sequence[Piece]) -> str:
        """The code with the arguments' texts put in."""
        if self.dotted:
            return f"{self.text}({', '.join(piece.text for piece in pieces)})" if pieces else self.text
        given = dict(zip(names, pieces, strict=True))
        found, last = [], 0
        for start, end, name, alone in self.places:
            if name in given:
                found += [self.text[last:start], given[name].at(0 if alone else ATOM)]
                last = end
        return "".join(found) + self.text[last:]


@cache
def native_code(text: str, arguments: tuple[str, ...]) -> NativeCode:
    """Parse a record's code."""
    tree = ast.parse(text, mode="eval").body
    dotted = isinstance(tree, ast.Name | ast.Attribute)
    places: list[tuple[int, int, str, bool]] = []
    modules: set[str] = set()
    conditions: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id not in arguments:
            modules.add(node.value.id)
        if isinstance(node, ast.Name) and node.id in arguments and not dotted:
            start, end = node.col_offset, node.col_offset + len(node.id)
            before, after = text[:start].rstrip()[-1:], text[end:].lstrip()[:1]
            places.append((start, end, node.id, before in ("(", ",") and after in (")", ",")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == _SELECTION:
            conditions.update(n.id for n in ast.walk(node.args[0]) if isinstance(n, ast.Name))
    if dotted and text == _SELECTION:
        conditions.add(arguments[0])
    return NativeCode(
        text, _level(tree), dotted, tuple(sorted(places)), frozenset(conditions), frozenset(modules - {"np"})
    )


def _level(tree: ast.expr) -> int:
    if isinstance(tree, ast.BinOp):
        if isinstance(tree.op, ast.Add | ast.Sub):
            return SUM
        return POWER_LEVEL if isinstance(tree.op, ast.Pow) else PRODUCT
    if isinstance(tree, ast.UnaryOp):
        return UNARY
    return COMPARE if isinstance(tree, ast.Compare | ast.BoolOp | ast.IfExp | ast.Lambda) else ATOM

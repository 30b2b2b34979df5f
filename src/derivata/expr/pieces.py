"""Small pieces of notation: numbers, names, sizes, calls, sums over axes."""

from __future__ import annotations

from derivata.expr.node import Expr, Size, number
from derivata.expr.parse import Syntax
from derivata.expr.sizes import size_parts


def spell_number(node: Expr) -> Syntax:
    return Syntax("number", str(node.data), 0, value=node.data)


def spell_name(name: str) -> Syntax:
    return Syntax("name", name, 0)


def function(name: str, *args: Syntax) -> Syntax:
    return Syntax("call", name, 0, list(args))


def spell_size(size: Size) -> Syntax:
    parts = [spell_number(number(part)) if isinstance(part, int) else spell_name(part) for part in size_parts(size)]
    return parts[0] if len(parts) == 1 else Syntax("product", "*", 0, parts)


def spell_sum(text: Syntax, summed: list[int], rank: int, *, keepdims: bool, name: str = "sum") -> Syntax:
    keep = [Syntax("keyword", "keepdims", 0, [spell_name("True")])] if keepdims else []
    if len(summed) == rank and not keepdims:
        return function(name, text)
    result = text
    for axis in reversed(summed):
        result = function(name, result, Syntax("keyword", "axis", 0, [spell_number(number(axis))]), *keep)
    return result

"""The function that a person pastes: value and derivative, with what they are in its docstring."""

from __future__ import annotations

from collections.abc import Sequence

from derivata.emit.numpy_source import function_source
from derivata.errors import ReadError
from derivata.expr.node import Expr, shape_text
from derivata.expr.symbol import Symbol
from derivata.expr.walk import symbols
from derivata.expr.write import write
from derivata.rules.book import book
from derivata.simplify.recognise import recognise

LONGEST = 2_000


def function_of(of: Expr, by: Symbol, result: Expr, notes: Sequence[str], name: str = "") -> str:
    """Source of a function returning `of` and its derivative `result` by `by`."""
    what = "gradient" if by.shape and not of.shape else "jacobian" if of.shape else "derivative"
    name = name or f"value_and_{what}"
    if not name.isidentifier():
        raise ReadError(f"{name[:40]!r} cannot be the name of a function")
    value = recognise(of, book(), ("recognise", "stable")).result
    found = [s for s in symbols(of).values() if "size" not in s.traits]
    shapes = [f"{s.name}: {_kind(s)}" for s in found]
    docstring = "\n".join(
        [
            f"The value and the {what} by {by.name} of",
            "",
            f"    {_text(of)}",
            "",
            f"{what}:",
            "",
            f"    {_text(result)}",
            "",
            *shapes,
            f"returns: value of shape {shape_text(of.shape)}, {what} of shape {shape_text(result.shape)}",
            *notes,
        ]
    )
    return function_source(name, value, {what: result}, docstring=docstring, parameters=[s.name for s in found])


def _kind(symbol: Symbol) -> str:
    if symbol.shape:
        return f"array of shape {shape_text(symbol.shape)}"
    return "whole number" if symbol.integer else "number"


def _text(node: Expr) -> str:
    text = write(node)
    return text.replace("\n", "\n    ") if len(text) <= LONGEST else f"(an expression of {node.cost} nodes)"

"""Two-dimensional formulas for a terminal, in Unicode or in ASCII."""

from __future__ import annotations

import textwrap

from derivata.expr.node import Expr
from derivata.render.boxes import Box, beside, stack, text_box
from derivata.render.formula import Formula, fold
from derivata.render.setting import typeset
from derivata.render.terminal import Terminal

_INDENT = 2


def unicode(
    root: Expr,
    *,
    width: int | None = None,
    ascii: bool = False,
    marked: frozenset[Expr] | None = None,
    lead: str = "",
    indices: bool = False,
) -> str:
    """The expression as lines of text at most `width` columns wide where that can be done.

    Long sums and products are broken before an operator; what is too wide even then is written on one
    level (`a/b`) and wrapped. `marked` nodes are underlined; `lead` stands before the body, on its base line.
    """
    page = typeset(root, marked, indices=indices)
    flat, tall = Terminal(ascii=ascii, linear=True), Terminal(ascii=ascii, linear=False)
    blocks = []
    for name, part in page.definitions:
        named = beside([_print(name, flat), text_box(" = ")])
        blocks.append(_fitted(named, part, width, tall, flat))
    blocks.append(_fitted(text_box(lead) if lead else None, page.body, width, tall, flat))
    apart = "\n\n" if any("\n" in block for block in blocks) else "\n"
    return apart.join(blocks)


def boxed(root: Expr, *, ascii: bool = False) -> Box:
    """The expression as a box to stand beside others; parts that it names stand above it."""
    page, printer = typeset(root), Terminal(ascii=ascii, linear=False)
    above = [
        beside([_print(name, printer), text_box(" = "), _print(part, printer), text_box(";")])
        for name, part in page.definitions
    ]
    body = _print(page.body, printer)
    return stack([*above, body], sum(box.height for box in above) + body.base) if above else body


def _print(formula: Formula, printer: Terminal) -> Box:
    return fold(formula, printer.parts, printer.build)


def _text(box: Box) -> str:
    return "\n".join(line.rstrip() for line in box.lines)


def _fitted(lead: Box | None, formula: Formula, width: int | None, tall: Terminal, flat: Terminal) -> str:
    start = [] if lead is None else [lead]
    whole = beside([*start, _print(formula, tall)])
    if width is None or whole.width <= width:
        return _text(whole)
    if formula.kind in ("sum", "product", "matmul"):
        rows = _broken(start, formula, width, tall)
        if max(row.width for row in rows) <= width:
            return ("\n\n" if any(not r.flat for r in rows) else "\n").join(map(_text, rows))
    line = _text(beside([*start, _print(formula, flat)])).strip("\n")
    if "\n" in line:  # a subscript that has no small letters
        return _text(whole)
    return _wrapped(line, width)


def _broken(start: list[Box], formula: Formula, width: int, printer: Terminal) -> list[Box]:
    """Rows that are at most as wide as asked where the pieces allow it."""
    pieces = printer.pieces(formula, [_print(p, printer) for p in formula.parts])
    margin = text_box(" ")
    rows: list[list[Box]] = [list(start)]
    used = sum(b.width for b in start)
    for piece in pieces:
        if used + piece.width > width and rows[-1] != start:
            rows.append([margin])
            used = margin.width
        rows[-1].append(piece)
        used += piece.width
    return [beside(row) for row in rows]


def _wrapped(line: str, width: int) -> str:
    lines = textwrap.wrap(
        line, max(width, 8), subsequent_indent=" " * _INDENT, break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(lines) if lines else line

"""Syntax to text that the reader reads back."""

from __future__ import annotations

from collections.abc import Mapping

from derivata.expr.let import spell
from derivata.expr.node import Expr, bundle
from derivata.expr.parse import Syntax

_LEVELS = {"==": 1, "!=": 1, "<": 1, "<=": 1, ">": 1, ">=": 1, "@": 3, "**": 5}
SUM, PRODUCT, UNARY, POWER, ATOM = 2, 3, 4, 5, 9


def write(root: Expr) -> str:
    """One line, or `let` lines and the expression when parts are shared."""
    spelling = spell(root)
    lines = [f"{name} = {text_of(syntax)}" for name, syntax in spelling.definitions]
    return ";\n".join([*lines, text_of(spelling.body)])


def write_all(parts: Mapping[str, Expr]) -> str:
    """`let` lines for what the parts share, then a line for each part by name."""
    spelling = spell(bundle(list(parts.values())))
    lines = [*spelling.definitions, *zip(parts, spelling.body.children, strict=True)]
    return ";\n".join(f"{name} = {text_of(syntax)}" for name, syntax in lines)


def text_of(root: Syntax) -> str:
    """The text of one piece of syntax."""
    written: dict[Syntax, tuple[str, int]] = {}
    stack: list[tuple[Syntax, bool]] = [(root, False)]
    while stack:
        piece, ready = stack.pop()
        if piece in written:
            continue
        if ready:
            written[piece] = _piece(piece, [written[c] for c in piece.children])
        else:
            stack.append((piece, True))
            stack.extend((c, False) for c in piece.children)
    return written[root][0]


def _wrap(item: tuple[str, int], least: int) -> str:
    return item[0] if item[1] >= least else f"({item[0]})"


def _piece(piece: Syntax, parts: list[tuple[str, int]]) -> tuple[str, int]:
    kind = piece.kind
    if kind == "number":
        assert piece.value is not None
        text = str(piece.value)
        return text, (PRODUCT if "/" in text or text.startswith("-") else ATOM)
    if kind == "slice":
        return ":".join(part for part, _ in parts) or piece.text, ATOM
    if kind in ("name", "nothing"):
        return piece.text, ATOM
    if kind == "string":
        return f"'{piece.text}'", ATOM
    if kind == "keyword":
        return f"{piece.text}={parts[0][0]}", ATOM
    if kind == "call":
        return f"{piece.text}({', '.join(p[0] for p in parts)})", ATOM
    if kind == "differential":
        return (f"d({parts[0][0]})" if piece.text == "d" else f"{piece.text.replace('∂', 'd')}[{parts[0][0]}]"), ATOM
    if kind == "attribute":
        return f"{_wrap(parts[0], ATOM)}.{piece.text}", ATOM
    if kind == "subscript":
        return f"{_wrap(parts[0], ATOM)}[{', '.join(p[0] for p in parts[1:])}]", ATOM
    if kind == "unary":
        inner = _wrap(parts[0], PRODUCT)
        return (f"-({inner})" if inner.startswith("-") else f"-{inner}"), PRODUCT
    if kind == "reciprocal":
        return _wrap(parts[0], UNARY), PRODUCT
    if kind == "sum":
        return _sum(piece, parts), SUM
    if kind == "product":
        return _product(piece, parts), PRODUCT
    return _binary(piece, parts)


def _sum(piece: Syntax, parts: list[tuple[str, int]]) -> str:
    first = piece.children[0]
    text = [f"({parts[0][0]})" if first.kind == "sum" else _wrap(parts[0], SUM)]
    for child, part in zip(piece.children[1:], parts[1:], strict=True):
        if part[1] < PRODUCT or child.kind == "sum":
            text.append(f" + ({part[0]})")
        elif part[0].startswith("-"):
            text.append(f" - {part[0][1:]}")
        else:
            text.append(f" + {part[0]}")
    return "".join(text)


def _product(piece: Syntax, parts: list[tuple[str, int]]) -> str:
    text = []
    for index, (child, part) in enumerate(zip(piece.children, parts, strict=True)):
        divided = child.kind == "reciprocal"
        if index == 0:
            loose = child.kind == "product" or (child.kind == "binary" and child.text == "@")
            text.append(f"({part[0]})" if loose or part[1] < PRODUCT else part[0])
        elif index == len(parts) - 1 and child.kind == "binary" and child.text == "@" and piece.scales:
            text.append("*" + part[0])
        else:
            inner = _wrap(part, UNARY) if not divided else part[0]
            text.append(("/" if divided else "*") + inner)
    return "".join(text)


def _binary(piece: Syntax, parts: list[tuple[str, int]]) -> tuple[str, int]:
    level = _LEVELS[piece.text]
    if piece.text == "**":
        return f"{_wrap(parts[0], ATOM)}**{_wrap(parts[1], POWER)}", POWER
    if piece.text == "@":
        # A product next to @ is right in Python and misread by people.
        chain = piece.children[0].kind == "binary" and piece.children[0].text == "@"
        left = parts[0][0] if chain else _wrap(parts[0], UNARY)
        return f"{left}@{_wrap(parts[1], UNARY)}", PRODUCT
    return f"{_wrap(parts[0], SUM)} {piece.text} {_wrap(parts[1], SUM)}", level

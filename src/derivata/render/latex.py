"""LaTeX for KaTeX, MathJax and papers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from derivata.expr.node import Expr
from derivata.render.formula import PREFIXES, Formula, fold
from derivata.render.names import latex_name, latex_text
from derivata.render.products import kind
from derivata.render.setting import typeset

CHANGED = "#c2410c"  # the colour of what changes in a step
_SYMBOLS = {"one": r"\mathbf{1}", "identity": "I", "delta": r"\delta", "top": r"\top", ":": ":"}
_SIGNS = {"==": "=", "!=": r"\ne", "<=": r"\le", ">=": r"\ge", "×": r"\times"}
_BRACKETS = {
    "()": ("(", ")"), "[]": ("[", "]"), "||": (r"\lvert", r"\rvert"), "‖‖": (r"\lVert", r"\rVert"),
    "⌊⌋": (r"\lfloor", r"\rfloor"), "⌈⌉": (r"\lceil", r"\rceil"), "{}": (r"\{", r"\}"),
}  # fmt: skip
_TALL = frozenset({"fraction", "big", "cases", "root"})


class Printed(NamedTuple):
    """LaTeX text, and whether brackets around it have to grow."""

    text: str
    tall: bool


def latex(root: Expr, *, marked: frozenset[Expr] | None = None, indices: bool = False) -> str:
    """The expression in LaTeX; named parts are lines of their own; `marked` nodes are coloured."""
    page = typeset(root, marked, indices=indices)
    body = _print(page.body)
    if not page.definitions:
        return body
    lines = [f"{_print(name)} &= {_print(part)}" for name, part in page.definitions]
    return r"\begin{aligned} " + r" \\ ".join([*lines, f"& {body}"]) + r" \end{aligned}"


def _print(formula: Formula) -> str:
    return fold(formula, _parts, _build).text


def _parts(formula: Formula) -> Sequence[Formula]:
    return formula.parts[:1] if formula.kind == "either" else formula.parts


def _build(formula: Formula, parts: list[Printed]) -> Printed:
    tall = formula.kind in _TALL or any(p.tall for p in parts)
    if formula.kind == "fence":
        return Printed(_fenced(parts[0], formula.text), tall)
    if formula.kind == "apply":
        return Printed(_applied(formula, parts), tall)
    if formula.kind == "index" and formula.parts[0].kind == "name":
        return Printed(latex_name(formula.parts[0].text, _letters(formula.parts[1:], parts[1:])), tall)
    text = _PRINTERS[formula.kind](formula, [p.text for p in parts])
    return Printed(text, tall)


def _fenced(inner: Printed, brackets: str) -> str:
    left, right = _BRACKETS[brackets]
    if inner.tall:
        return rf"\left{left} {inner.text} \right{right}"
    return f"{left} {inner.text} {right}" if len(left) > 1 else f"{left}{inner.text}{right}"


def _applied(formula: Formula, parts: list[Printed]) -> str:
    head, *arguments = parts
    if formula.text in PREFIXES:
        return f"{head.text} {arguments[0].text}"
    inner = Printed(", ".join(a.text for a in arguments), any(a.tall for a in arguments))
    fenced = _fenced(inner, formula.text.lstrip("^"))
    return head.text + (r"\!" if fenced.startswith(r"\left") else "") + fenced


def _sum(formula: Formula, parts: list[str]) -> str:
    text = [("-" if formula.text[0] == "-" else "") + parts[0]]
    text += [f" {s} {p}" for s, p in zip(formula.text[1:], parts[1:], strict=True)]
    return "".join(text)


def _product(formula: Formula, parts: list[str]) -> str:
    text = [parts[0]]
    for i, between in enumerate(formula.text):
        left, right = formula.parts[i], formula.parts[i + 1]
        joint = {".": r" \cdot ", "o": r" \odot "}.get(between) or _gap(left, right)
        text.append(joint + parts[i + 1])
    return "".join(text)


def _gap(left: Formula, right: Formula) -> str:
    """A thin space where letters would run together or a function would catch its neighbour."""
    before, after = kind(left), kind(right)
    spaced = before in ("fraction", "big", "number") or after in ("fraction", "big", "fence")
    return " " if spaced or (_short(left) and _short(right)) else r" \, "


def _short(formula: Formula) -> bool:
    """A single letter, perhaps with scripts."""
    if formula.kind == "either":
        formula = formula.parts[0]
    while formula.kind in ("power", "index", "marked"):
        formula = formula.parts[0]
    if formula.kind == "name":
        return not latex_name(formula.text).startswith((r"\mathit", r"\text"))
    return formula.kind in ("number", "symbol", "fence")


def _matmul(formula: Formula, parts: list[str]) -> str:
    text = [parts[0]]
    for left, right, part in zip(formula.parts, formula.parts[1:], parts[1:], strict=False):
        text.append(_gap(left, right) + part)
    return "".join(text)


def _power(formula: Formula, parts: list[str]) -> str:
    return f"{parts[0]}^{{{parts[1]}}}" if formula.parts[1].kind != "symbol" else f"{parts[0]}^{parts[1]}"


def _letters(formulas: Sequence[Formula], parts: Sequence[Printed] | Sequence[str]) -> str:
    texts = [p.text if isinstance(p, Printed) else p for p in parts]
    together = all(f.kind == "name" and len(f.text) == 1 and f.text.isalpha() for f in formulas)
    return ("" if together else ",").join(texts)


def _index(formula: Formula, parts: list[str]) -> str:
    return f"{parts[0]}_{{{_letters(formula.parts[1:], parts[1:])}}}"


def _cases(formula: Formula, parts: list[str]) -> str:
    lines = [" & ".join(parts[i : i + 2]) for i in range(0, len(parts), 2)]
    return r"\begin{cases} " + r" \\ ".join(lines) + r" \end{cases}"


def _when(formula: Formula, parts: list[str]) -> str:
    return rf"\text{{{latex_text(formula.text)}{' ' if parts else ''}}}" + "".join(parts)


def _differential(formula: Formula, parts: list[str]) -> str:
    single = formula.parts[0].kind in ("name", "index", "fence")
    return r"\mathrm{d}" + (parts[0] if single else rf"\left({parts[0]}\right)")


def _derivative(formula: Formula, parts: list[str]) -> str:
    sign = r"\partial " if formula.text == "∂" else r"\mathrm{d}"
    return rf"\frac{{{sign.strip()}}}{{{sign}{parts[1]}}}\left[{parts[0]}\right]"


def _word(formula: Formula, parts: list[str]) -> str:
    style = r"\mathrm" if len(formula.text) == 1 else r"\operatorname"
    return f"{style}{{{latex_text(formula.text)}}}"


def _relation(formula: Formula, parts: list[str]) -> str:
    return f"{parts[0]} {_SIGNS.get(formula.text, formula.text)} {parts[1]}"


_PRINTERS: dict[str, Callable[[Formula, list[str]], str]] = {
    "number": lambda formula, parts: formula.text,
    "name": lambda formula, parts: latex_name(formula.text),
    "word": _word,
    "bold": lambda formula, parts: rf"\mathbf{{{latex_text(formula.text)}}}",
    "command": lambda formula, parts: formula.text,
    "symbol": lambda formula, parts: _SYMBOLS[formula.text],
    "sign": lambda formula, parts: _SIGNS.get(formula.text, formula.text),
    "sum": _sum,
    "product": _product,
    "matmul": _matmul,
    "kron": lambda formula, parts: r" \otimes ".join(parts),
    "negative": lambda formula, parts: f"-{parts[0]}",
    "fraction": lambda formula, parts: rf"\frac{{{parts[0]}}}{{{parts[1]}}}",
    "power": _power,
    "index": _index,
    "letters": lambda formula, parts: ",".join(parts),
    "root": lambda formula, parts: rf"\sqrt{{{parts[0]}}}",
    "big": lambda formula, parts: rf"\sum_{{{parts[0]}}} {parts[1]}",
    "cases": _cases,
    "when": _when,
    "relation": _relation,
    "indicator": lambda formula, parts: rf"\mathbf{{1}}[{parts[0]}]",
    "differential": _differential,
    "derivative": _derivative,
    "list": lambda formula, parts: ", ".join(parts),
    "row": lambda formula, parts: ("" if ":" in parts else " ").join(parts),
    "either": lambda formula, parts: parts[0],
    "marked": lambda formula, parts: rf"\textcolor{{{CHANGED}}}{{{parts[0]}}}",
}

"""Formulas to boxes. A printer is Unicode or ASCII, in two dimensions or on one line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from derivata.render import names
from derivata.render.boxes import (
    Box,
    beside,
    braced,
    bracketed,
    corner,
    over,
    raised,
    rooted,
    stack,
    text_box,
    underlined,
)
from derivata.render.formula import FRACTION, POWER, PRODUCT, Formula, fold

_SIGNS = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥"}
_COMMANDS_ASCII = {r"\le": "<=", r"\ge": ">=", r"\ne": "!=", r"\leq": "<=", r"\geq": ">=", r"\neq": "!="}
_SYMBOLS = {
    "one": ("𝟏", "1"),
    "identity": ("I", "I"),
    "delta": ("δ", "delta"),
    "top": ("ᵀ", "T"),
    ":": (":", ":"),
}
_LONGEST_SCRIPT = 5


@dataclass(frozen=True)
class Terminal:
    """What is laid out how. `linear` writes fractions as a/b and powers as x^(..)."""

    ascii: bool
    linear: bool

    def parts(self, formula: Formula) -> Sequence[Formula]:
        if formula.kind == "either":
            return formula.parts[2:] if self.ascii else formula.parts[1:2]
        if formula.kind == "power":
            return formula.parts[:1]  # exponents are always on one line
        return formula.parts

    def build(self, formula: Formula, parts: list[Box]) -> Box:
        builders: dict[str, Callable[[Formula, list[Box]], Box]] = {
            "sum": self._joined, "product": self._joined, "matmul": self._joined, "kron": self._joined,
            "fraction": self._fraction,
            "power": self._power, "index": self._index, "root": self._root, "fence": self._fence,
            "apply": self._apply, "big": self._big, "letters": self._list, "list": self._list,
            "cases": self._cases, "when": self._when, "relation": self._relation,
            "indicator": self._indicator, "row": self._row, "differential": self._differential,
            "derivative": self._derivative,
            "negative": self._negative,
        }  # fmt: skip
        if formula.kind == "marked":
            return parts[0] if self.linear else underlined(parts[0], "^" if self.ascii else "‾")
        if formula.kind == "either":
            return parts[0]
        return builders.get(formula.kind, self._leaf)(formula, parts)

    def _leaf(self, formula: Formula, parts: list[Box]) -> Box:
        text = formula.text
        if formula.kind == "name":
            return self._name(text)
        if formula.kind == "symbol":
            text = _SYMBOLS[text][self.ascii]
        elif formula.kind == "command":
            text = _COMMANDS_ASCII.get(text, text.lstrip("\\")) if self.ascii else names.command(text)
        elif formula.kind == "sign":
            text = text if self.ascii else _SIGNS.get(text, text)
        elif formula.kind == "bold" and text == "1" and not self.ascii:
            text = "𝟏"
        return text_box(names.ascii_name(text) if self.ascii else text)

    def _name(self, text: str, more: str = "") -> Box:
        if self.ascii:
            return text_box(names.ascii_name(text) + ("_" + names.ascii_name(more) if more else ""))
        base, own = names.unicode_name(text)
        below = ",".join([*own, *filter(None, [more])])
        return self._with_subscript(text_box(base), below) if below else text_box(base)

    def _with_subscript(self, base: Box, below: str) -> Box:
        small = names.subscript(below)
        if small:
            return corner(base, small, top=False)
        return beside([base, text_box(f"_{below}" if below.isalnum() else f"_({below})")])

    def pieces(self, formula: Formula, parts: list[Box]) -> list[Box]:
        """The terms or factors, each with the operator before it."""
        if formula.kind == "sum":
            first = [self._negative(formula, parts[:1])] if formula.text[0] == "-" else [parts[0]]
            pairs = zip(formula.text[1:], parts[1:], strict=True)
            return [beside(first), *(beside([text_box(f" {s} "), p]) for s, p in pairs)]
        tall = any(not p.flat for p in parts)
        if formula.kind == "kron":
            signs = [" kron " if self.ascii else " ⊗ "]
        elif formula.kind == "matmul":
            signs = [" @ " if self.ascii else " "] * (len(parts) - 1)
        else:
            plain = "*" if self.ascii else "·"
            spaced = tall or any(part.width > 12 for part in parts)
            scalar = f" {plain} " if spaced else plain
            signs = [(" * " if self.ascii else " ⊙ ") if between == "o" else scalar for between in formula.text]
        return [parts[0], *(beside([text_box(s), p]) for s, p in zip(signs, parts[1:], strict=True))]

    def _joined(self, formula: Formula, parts: list[Box]) -> Box:
        return beside(self.pieces(formula, parts))

    def _negative(self, formula: Formula, parts: list[Box]) -> Box:
        return beside([text_box("-" if parts[0].flat else "- "), parts[0]])

    def _fraction(self, formula: Formula, parts: list[Box]) -> Box:
        top, bottom = parts
        if not self.linear:
            longest = max(formula.parts, key=lambda p: p.kind == "fraction")
            return over(top, bottom, "-" if self.ascii else "─", 2 if longest.kind == "fraction" else 0)
        above, below = formula.parts
        if above.level < PRODUCT or above.kind == "big":
            top = self._parenthesised(top)
        if below.level <= FRACTION:
            bottom = self._parenthesised(bottom)
        return beside([top, text_box("/"), bottom])

    def _parenthesised(self, box: Box, brackets: str = "()") -> Box:
        return bracketed(box, brackets[0], brackets[1], ascii_only=self.ascii)

    def _power(self, formula: Formula, parts: list[Box]) -> Box:
        base, exponent = parts[0], formula.parts[1]
        line = Terminal(self.ascii, True)
        box = fold(exponent, line.parts, line.build)
        if self.ascii:
            if exponent.kind == "symbol":
                return beside([base, text_box(".T")])
            inner = box if exponent.level >= POWER and "/" not in box.lines[0] else self._parenthesised(box)
            return beside([base, text_box("**"), inner])
        text = box.lines[0] if box.flat else ""
        small = text if text == "ᵀ" else names.superscript(text.replace(" ", ""))
        if small and len(small) <= _LONGEST_SCRIPT:
            return corner(base, small, top=True)
        if self.linear:
            simple = exponent.level >= POWER and text.isalnum()
            return beside([base, text_box("^"), box if simple else self._parenthesised(box)])
        return raised(base, box)

    def _index(self, formula: Formula, parts: list[Box]) -> Box:
        texts = [b.lines[0] if b.flat else "?" for b in parts[1:]]
        together = all(len(text) == 1 and text.isalpha() for text in texts)
        below = ("" if together else ",").join(texts)
        base = formula.parts[0]
        if base.kind == "name":
            return self._name(base.text, below)
        if self.ascii:
            return beside([parts[0], text_box("_" + (below if below.isalnum() else f"({below})"))])
        return self._with_subscript(parts[0], below)

    def _root(self, formula: Formula, parts: list[Box]) -> Box:
        inner = parts[0]
        if self.ascii:
            return beside([text_box("sqrt"), self._parenthesised(inner)])
        if formula.parts[0].kind in ("name", "number", "word") and inner.flat:
            return beside([text_box("√"), inner])
        if self.linear:
            return beside([text_box("√"), self._parenthesised(inner)])
        return rooted(inner)

    def _fence(self, formula: Formula, parts: list[Box]) -> Box:
        return self._parenthesised(parts[0], formula.text)

    def _apply(self, formula: Formula, parts: list[Box]) -> Box:
        brackets = formula.text.lstrip("^") or "()"
        return beside([parts[0], self._parenthesised(self._list(formula, parts[1:]), brackets)])

    def _list(self, formula: Formula, parts: list[Box]) -> Box:
        between = text_box("," if formula.kind == "letters" else ", ")
        boxes = [piece for part in parts for piece in (between, part)]
        return beside(boxes[1:])

    def _big(self, formula: Formula, parts: list[Box]) -> Box:
        below, body = parts
        if self.ascii:
            letters = below.lines[0]
            return beside([text_box(f"sum_{letters.replace(',', '')} "), body])
        small = names.subscript(below.lines[0].replace(",", ""))
        if small and (body.flat or self.linear):
            return beside([text_box("∑" + small + " "), body])
        if self.linear:
            return beside([text_box(f"∑_{below.lines[0]} "), body])
        return beside([stack([text_box("∑"), below], 0, centred=True), text_box(" "), body])

    def _cases(self, formula: Formula, parts: list[Box]) -> Box:
        pairs = [parts[i : i + 2] for i in range(0, len(parts), 2)]
        if self.linear:
            rows = [b for value, when in pairs for b in (text_box("; "), value, text_box(" "), when)]
            return self._parenthesised(beside(rows[1:]), "{}")
        width = max(value.width for value, _ in pairs)
        lines: list[Box] = []
        for value, when in pairs:
            gap = text_box(" " * (width - value.width + 2))
            lines += [text_box(""), beside([value, gap, when])]
        tall = any(not box.flat for box in lines)
        return braced(stack(lines[1:] if tall or len(pairs) == 2 else lines[1::2], 0), ascii_only=self.ascii)

    def _when(self, formula: Formula, parts: list[Box]) -> Box:
        return beside([text_box(formula.text + (" " if parts else "")), *parts])

    def _relation(self, formula: Formula, parts: list[Box]) -> Box:
        text = formula.text
        if text.startswith("\\"):
            text = _COMMANDS_ASCII.get(text, text.lstrip("\\")) if self.ascii else names.command(text)
        elif not self.ascii:
            text = _SIGNS.get(text, text)
        return beside([parts[0], text_box(f" {text} "), parts[1]])

    def _indicator(self, formula: Formula, parts: list[Box]) -> Box:
        if self.ascii:
            return self._parenthesised(parts[0])
        return beside([text_box("𝟏"), self._parenthesised(parts[0], "[]")])

    def _differential(self, formula: Formula, parts: list[Box]) -> Box:
        single = formula.parts[0].kind in ("name", "index", "fence") and not self.ascii
        return beside([text_box("d"), parts[0] if single else self._parenthesised(parts[0])])

    def _derivative(self, formula: Formula, parts: list[Box]) -> Box:
        sign = "d" if self.ascii else formula.text
        return beside([text_box(f"{sign}/{sign}"), parts[1], self._parenthesised(parts[0], "[]")])

    def _row(self, formula: Formula, parts: list[Box]) -> Box:
        between = text_box("" if any(p.text in ("×", ":") for p in formula.parts) else " ")
        return beside([b for part in parts for b in (between, part)][1:])

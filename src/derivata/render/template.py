"""The `latex` and `unicode` fields of records: what a function looks like around its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from derivata.render.formula import (
    ATOM,
    LOOSE,
    Formula,
    apply,
    condition,
    either,
    fence,
    fraction,
    index,
    name,
    power,
    relation,
    root,
    sign,
    word,
    wrap,
)
from derivata.rules.record import Function

_TOKEN = re.compile(
    r"\\(?:begin|end)\{cases\}|\\(?:text|operatorname|mathrm|mathit|mathbf)\s*\{[^{}]*\}|\\\\|\\[A-Za-z]+|\\."
    r"|\#\w+|\d+|\s+|."
)
_OPENERS = {"(": ")", "[": "]", "|": "|", r"\lvert": r"\rvert", r"\lVert": r"\rVert", r"\lfloor": r"\rfloor",
            r"\lceil": r"\rceil", r"\|": r"\|", r"\{": r"\}"}  # fmt: skip
_BRACKETS = {"(": "()", "[": "[]", "|": "||", r"\lvert": "||", r"\lVert": "‖‖", r"\lfloor": "⌊⌋",
             r"\lceil": "⌈⌉", r"\|": "‖‖", r"\{": "{}"}  # fmt: skip
_SPACES = {r"\,", r"\;", r"\!", r"\:", r"\ ", r"\quad"}
_OPERATORS = frozenset("+-=<>,/") | {r"\le", r"\ge", r"\ne", r"\leq", r"\geq", r"\neq"}


def from_record(record: Function, arguments: Sequence[Formula]) -> Formula:
    """The value of a function at its arguments."""
    plain = apply(word(record.name), [_plain(a) for a in arguments]) if arguments else word(record.name)
    known = dict(zip((n for n, _ in record.arguments), arguments, strict=False))
    shown = set(re.findall(r"#(\w+)", record.latex))
    for (argument, default), value in zip(record.arguments, arguments, strict=False):
        if argument not in shown and not _is_number(value, default):
            return apply(word(record.name), arguments)
    latex = _Template(record.latex, known).formula()
    if latex.kind == "apply" and latex.text == "" and {"odd", "even"} & set(record.traits):
        latex = apply(latex.parts[0], latex.parts[1:], "^")
    if "#" in record.unicode:
        unicode = _Template(record.unicode, known).formula()
    elif record.unicode:
        unicode = apply(word(record.unicode), arguments) if arguments else word(record.unicode)
    else:
        unicode = latex
    return either(latex, unicode, plain)


def _is_number(formula: Formula, value: object) -> bool:
    if value is None:
        return False
    parts = formula.parts if formula.kind == "fraction" else (formula,)
    return all(p.kind == "number" for p in parts) and "/".join(p.text for p in parts) == str(value)


def _plain(argument: Formula) -> Formula:
    return condition(argument) if argument.kind == "indicator" else argument


class _Template:
    """A reader of the little LaTeX that records are written in."""

    def __init__(self, text: str, arguments: Mapping[str, Formula]) -> None:
        self.tokens: list[str] = [t for t in _TOKEN.findall(text) if not t.isspace() and t not in _SPACES]
        self.position = 0
        self.arguments = arguments

    def formula(self) -> Formula:
        return self._row(())

    def _next(self) -> str:
        self.position += 1
        return self.tokens[self.position - 1]

    def _at(self, stops: Sequence[str]) -> bool:
        return self.position >= len(self.tokens) or self.tokens[self.position] in stops

    def _row(self, stops: Sequence[str]) -> Formula:
        """What stands side by side up to a closing token."""
        parts: list[Formula] = []
        while not self._at(stops):
            token = self._next()
            if token in ("^", "_"):
                script = self._group()
                base = parts.pop() if parts else word("")
                parts.append(power(base, script) if token == "^" else index(base, [script]))
            else:
                parts.append(self._atom(token))
        return _joined(parts)

    def _group(self) -> Formula:
        token = self._next()
        if token != "{":
            return self._atom(token)
        inner = self._row(("}",))
        self.position += 1
        return inner

    def _atom(self, token: str) -> Formula:
        if token.startswith("#"):
            return self.arguments.get(token[1:], word(token[1:]))
        if token == "{":
            self.position -= 1
            return self._group()
        if token == r"\left":
            token = self._next()
        if token in _OPENERS:
            return self._fence(token)
        if token == r"\frac":
            return fraction(self._group(), self._group())
        if token == r"\sqrt":
            return root(self._group())
        if token == r"\begin{cases}":
            return self._cases()
        if "{" in token and token.startswith("\\"):
            style, _, inner = token.partition("{")
            return Formula("bold" if style.strip() == r"\mathbf" else "word", inner.rstrip("}"))
        if token in _OPERATORS:
            return sign(token)
        if token.startswith("\\"):
            return Formula("command", token)
        if token.isdigit():
            return Formula("number", token)
        return name(token) if token.isalpha() else sign(token)

    def _fence(self, opener: str) -> Formula:
        closer = _OPENERS[opener]
        items: list[Formula] = []
        while not self._at((closer, r"\right")):
            items.append(self._row((closer, ",", r"\right")))
            if not self._at((closer, r"\right")):
                self.position += 1
        if not self._at((closer,)):
            self.position += 1
        self.position += 1
        inner = items[0] if len(items) == 1 else Formula("list", "", tuple(items), LOOSE)
        return fence(inner, _BRACKETS[opener])

    def _cases(self) -> Formula:
        cells: list[Formula] = []
        while not self._at((r"\end{cases}",)):
            conditional = len(cells) % 2 == 1
            text = "if"
            if conditional and self.tokens[self.position].startswith(r"\text"):
                text = self._next().partition("{")[2].rstrip("}").strip()
            cell = self._row(("&", r"\\", r"\end{cases}"))
            if not self._at((r"\end{cases}",)):
                self.position += 1
            if conditional:
                shown = (condition(cell),) if cell.kind != "row" or cell.parts else ()
                cells.append(Formula("when", text, shown))
            else:
                cells.append(cell)
        self.position += 1
        return Formula("cases", "", tuple(_flattened(cells)), LOOSE)


def _flattened(cells: list[Formula]) -> list[Formula]:
    """Cases within the last case are further cases."""
    *before, value, when = cells
    if value.kind == "either":
        value = value.parts[0]
    return [*before, *value.parts] if value.kind == "cases" and not when.parts else cells


def _joined(parts: list[Formula]) -> Formula:
    """One piece for what stands side by side: a function before its argument, or just a row."""
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2 and _is_head(parts[0]):
        last = parts[1]
        if last.kind != "fence":
            return apply(parts[0], [last], "")
        inner = last.parts[0]
        return apply(parts[0], inner.parts if inner.kind == "list" else [inner], last.text)
    if len(parts) == 3 and parts[1].kind == "sign" and parts[1].text not in "+-/,":
        return relation(parts[0], parts[1].text, parts[2])
    wrapped = [p if p.kind == "sign" else wrap(p, ATOM) for p in parts]
    return Formula("row", "", tuple(wrapped), LOOSE)


def _is_head(formula: Formula) -> bool:
    if formula.kind in ("power", "index"):
        formula = formula.parts[0]
    return formula.kind in ("word", "command", "name", "bold")

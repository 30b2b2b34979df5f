"""Text to tokens, each with its position. Decimals are exact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from derivata.errors import LimitError, ReadError

LONGEST_TEXT = 1_000_000
LONGEST_NUMBER = 3_000
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\f\u00a0]+|#[^\n]*)"
    r"|(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[^\W\d]\w*'*)"
    r"|(?P<string>'[^'\n]*'|\"[^\"\n]*\")"
    r"|(?P<operator>\*\*|==|!=|<=|>=|[-+*/@()\[\],.;=<>:\n\u2212\u00d7\u00b7\u22c5\u2264\u2265\u2260^|&\u00b2\u00b3])"
)
_SAME = {
    "\u2212": "-",
    "\u00d7": "*",
    "\u00b7": "*",
    "\u22c5": "*",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "!=",
    "\n": ";",
}
_HINTS = {
    "^": "powers are written **",
    "|": "the absolute value is written abs(x)",
    "&": "write a product of conditions",
}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is number, name, string, operator or end."""

    kind: str
    text: str
    position: int
    value: Fraction | None = None


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text`, ending with one of kind `end`."""
    if len(text) >= LONGEST_TEXT:
        raise LimitError(
            f"the expression has {len(text):,} characters; at most {LONGEST_TEXT - 1:,} are read",
            text=text,
            position=LONGEST_TEXT,
        )
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ReadError(f"unexpected character {_name(text[position])}", text=text, position=position)
        kind, found = match.lastgroup or "", match.group()
        if kind == "number":
            yield Token("number", found, position, _number(found, text, position))
        elif kind == "operator":
            yield from _operator(found, text, position)
        elif kind != "space":
            yield Token(kind, found, position)
        position = match.end()
    yield Token("end", "", len(text))


def _operator(found: str, text: str, position: int) -> Iterator[Token]:
    if found in _HINTS:
        raise ReadError(f"unexpected {found!r}: {_HINTS[found]}", text=text, position=position)
    if found in "\u00b2\u00b3":
        yield Token("operator", "**", position)
        yield Token("number", found, position, Fraction(2 if found == "\u00b2" else 3))
        return
    yield Token("operator", _SAME.get(found, found), position)


def _number(found: str, text: str, position: int) -> Fraction:
    digits, _, exponent = found.lower().partition("e")
    if len(digits) > LONGEST_NUMBER or len(exponent) > 5 or abs(int(exponent or 0)) > LONGEST_NUMBER:
        raise LimitError(f"a number may have at most {LONGEST_NUMBER} digits", text=text, position=position)
    if not digits.isascii():
        raise ReadError("digits must be 0 to 9", text=text, position=position)
    return Fraction(digits.rstrip(".") if digits.endswith(".") else digits) * Fraction(10) ** int(exponent or 0)


def _name(character: str) -> str:
    code = f"U+{ord(character):04X}"
    return f"{character!r} ({code})" if character.isprintable() else code

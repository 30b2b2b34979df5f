"""Text to tokens, each with its position. Decimals are exact."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from derivata.errors import LimitError, ReadError

LONGEST_TEXT = 1_000_000
LONGEST_NUMBER = 3_000
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\f\u00a0\ufeff]+|#[^\n]*)"
    r"|(?P<number>(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<superscript>\u207b?[\u00b2\u00b3\u00b9\u2070\u2074-\u2079]+)"
    r"|(?P<vulgar>[\u00bc-\u00be])"
    r"|(?P<name>[^\W\d]\w*['\u2032]*)"
    r"|(?P<string>'[^'\n]*'|\"[^\"\n]*\")"
    r"|(?P<operator>\*\*|==|!=|<=|>=|[-+*/@()\[\],.;=<>:\n\u2212\u2013\u00d7\u00b7\u22c5\u2217\u2299\u00f7\u2264\u2265\u2260^|&])"
)
_SAME = {
    "\u2212": "-",
    "\u00d7": "*",
    "\u00b7": "*",
    "\u22c5": "*",
    "\u2217": "*",
    "\u2299": "*",
    "\u00f7": "/",
    "\u2013": "-",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "!=",
    "\n": ";",
}
_SMALL_DIGITS = "\u207b\u00b2\u00b3\u00b9\u2070\u2074\u2075\u2076\u2077\u2078\u2079"
_SUBSCRIPTS = "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089"
# A line that ends in one of these goes on in the next.
_UNFINISHED = frozenset({"+", "-", "*", "/", "@", "**", "(", "[", ",", "=", "<", ">", "<=", ">=", "==", "!=", "\n"})
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
    last = ""
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ReadError(f"unexpected character {_name(text[position])}", text=text, position=position)
        kind, found = match.lastgroup or "", match.group()
        if kind == "number":
            yield Token("number", found, position, _number(found, text, position))
        elif kind == "superscript":
            yield from _superscript(found, position)
        elif kind == "vulgar":
            yield Token("number", found, position, Fraction("\u00bc\u00bd\u00be".index(found) + 1, 4))
        elif kind == "operator" and not (found == "\n" and last in _UNFINISHED):
            yield _operator(found, text, position)
        elif kind == "name":
            found = _name_part(found, text, position)
            yield Token(kind, found.replace("\u2032", "'"), position)
        elif kind == "string":
            yield Token(kind, found, position)
        last = last if kind == "space" or found == "\n" else found
        position += len(found)
    yield Token("end", "", len(text))


def _superscript(found: str, position: int) -> Iterator[Token]:
    """A power written small: x\u00b2, x\u207b\u00b9."""
    yield Token("operator", "**", position)
    if found[0] == "\u207b":
        yield Token("operator", "-", position)
    digits = unicodedata.normalize("NFKC", found.lstrip("\u207b"))
    yield Token("number", found, position, Fraction(digits))


def _name_part(found: str, text: str, position: int) -> str:
    """The name up to a superscript; letters that are another way to write a plain one are refused."""
    for place, character in enumerate(found):
        if character in _SMALL_DIGITS and place:
            return found[:place]
        plain = unicodedata.normalize("NFKC", character)
        if plain != character and len(plain) == 1 and character not in _SUBSCRIPTS and character != "\u2032":
            hint = f"; the plain letter is {plain!r}" if plain.isalpha() else ""
            raise ReadError(f"unexpected character {_name(character)}{hint}", text=text, position=position + place)
    return found


def _operator(found: str, text: str, position: int) -> Token:
    if found in _HINTS:
        raise ReadError(f"unexpected {found!r}: {_HINTS[found]}", text=text, position=position)
    return Token("operator", _SAME.get(found, found), position)


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

"""What `--with` says: `n=2, d=3, x=0.5`, read without evaluating anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from derivata.errors import ReadError

_NAME = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,2}|/\d+)?")
_LONGEST_NUMBER = 40
_LONGEST = 10_000


def settings(texts: Sequence[str]) -> dict[str, Fraction]:
    """Numbers by name; a name is set once."""
    found: dict[str, Fraction] = {}
    for text in texts:
        if len(text) > _LONGEST:
            raise ReadError("--with: the settings are too long")
        start = 0
        for piece in text.split(","):
            name, value = _setting(text, start, piece)
            if name in found:
                raise ReadError(f"--with: {name} is set twice", text=text, position=start)
            if name:
                found[name] = value
            start += len(piece) + 1
    return found


def _setting(text: str, start: int, piece: str) -> tuple[str, Fraction]:
    """One setting; an empty name where nothing is written at all."""
    place = start + len(piece) - len(piece.lstrip())
    if not text.strip():
        return "", Fraction(0)
    name, equals, value = (part.strip() for part in piece.partition("="))
    if not equals or not _NAME.fullmatch(name):
        raise ReadError("--with: expected NAME=NUMBER, such as n=2,d=3", text=text, position=place)
    number = _number(value)
    if number is None:
        position = start + piece.index("=") + 1
        raise ReadError(f"--with: expected a number for {name[:40]}", text=text, position=position)
    return name, number


def _number(text: str) -> Fraction | None:
    if len(text) > _LONGEST_NUMBER or not text.isascii() or not _NUMBER.fullmatch(text):
        return None
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        return None

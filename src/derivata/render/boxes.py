"""Rectangles of text with a baseline: how fractions, powers and brackets are put together on a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_TALL = {
    "(": "⎛⎜⎝", ")": "⎞⎟⎠", "[": "⎡⎢⎣", "]": "⎤⎥⎦", "{": "⎧⎪⎩", "}": "⎫⎪⎭", "|": "│││", "‖": "‖‖‖",
    "⌊": "⎢⎢⎣", "⌋": "⎥⎥⎦", "⌈": "⎡⎢⎢", "⌉": "⎤⎥⎥",
}  # fmt: skip
_ASCII = {"‖": "|", "⌊": "[", "⌋": "]", "⌈": "[", "⌉": "]"}


@dataclass(frozen=True, slots=True)
class Box:
    """Lines of one width; `base` is the line that stands level with its neighbours."""

    lines: tuple[str, ...]
    base: int
    width: int

    @property
    def height(self) -> int:
        return len(self.lines)

    @property
    def flat(self) -> bool:
        return len(self.lines) == 1


def cells(text: str) -> int:
    """How many columns a terminal gives to a text."""
    if text.isascii():
        return len(text)
    return sum(_cells_of(character) for character in text)


@lru_cache(maxsize=4096)
def _cells_of(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def text_box(text: str) -> Box:
    return Box((text,), 0, cells(text))


def beside(boxes: Sequence[Box]) -> Box:
    """Left to right, base lines level."""
    if len(boxes) == 1:
        return boxes[0]
    if all(b.flat for b in boxes):
        return Box(("".join(b.lines[0] for b in boxes),), 0, sum(b.width for b in boxes))
    above = max((b.base for b in boxes), default=0)
    below = max((b.height - b.base for b in boxes), default=1)
    rows: list[list[str]] = [[] for _ in range(above + below)]
    for box in boxes:
        blank = " " * box.width
        first = above - box.base
        for i, row in enumerate(rows):
            row.append(box.lines[i - first] if first <= i < first + box.height else blank)
    return Box(tuple("".join(row) for row in rows), above, sum(b.width for b in boxes))


def stack(boxes: Sequence[Box], base: int, *, centred: bool = False) -> Box:
    """Top to bottom; `base` counts lines of the whole."""
    width = max(b.width for b in boxes)
    lines: list[str] = []
    for box in boxes:
        left = (width - box.width) // 2 if centred else 0
        right = width - box.width - left
        lines.extend(" " * left + line + " " * right for line in box.lines)
    return Box(tuple(lines), base, width)


def over(top: Box, bottom: Box, bar: str, extra: int = 0) -> Box:
    """A fraction."""
    width = max(top.width, bottom.width) + extra
    return stack([top, text_box(bar * width), bottom], top.height, centred=True)


def raised(base: Box, exponent: Box) -> Box:
    """The exponent above and to the right of the base; a tall base lifts it less."""
    lift = max(base.base, 1)
    lines = (*exponent.lines, *(" " * exponent.width,) * lift)
    return beside([base, Box(lines, len(lines) - 1, exponent.width)])


def corner(base: Box, small: str, *, top: bool) -> Box:
    """Small letters at the upper or lower right."""
    width = cells(small)
    blank = (" " * width,) * (base.height - 1)
    return beside([base, Box((small, *blank) if top else (*blank, small), base.base, width)])


def bracketed(inner: Box, left: str, right: str, *, ascii_only: bool) -> Box:
    """Brackets as tall as what they hold; an empty string is no bracket."""
    sides = [_bracket(side, inner, ascii_only=ascii_only) for side in (left, right)]
    return beside([b for b in (sides[0], inner, sides[1]) if b is not None])


def _bracket(side: str, inner: Box, *, ascii_only: bool) -> Box | None:
    if not side:
        return None
    if ascii_only:
        side = _ASCII.get(side, side)
    if inner.flat or ascii_only:
        return Box((side,) * inner.height, inner.base, 1)
    first, middle, last = tuple(_TALL[side])
    return Box((first, *(middle,) * (inner.height - 2), last), inner.base, 1)


def braced(rows: Box, *, ascii_only: bool) -> Box:
    """The brace of a case distinction; its point needs an odd height."""
    if rows.height < 3 or rows.height % 2 == 0:
        rows = Box((*rows.lines, " " * rows.width), rows.base, rows.width)
    middle = rows.height // 2
    signs = ["|" if ascii_only else "⎪"] * rows.height
    signs[0], signs[middle], signs[-1] = ("/", "<", "\\") if ascii_only else ("⎧", "⎨", "⎩")
    rows = Box(rows.lines, middle, rows.width)
    return beside([Box(tuple(signs), middle, 1), text_box(" "), rows])


def rooted(inner: Box) -> Box:
    """A root with its bar."""
    signs = ("√",) if inner.flat else (*("│ ",) * (inner.height - 1), "⎷ ")
    left = Box((" " * len(signs[0]), *signs), inner.base + 1, len(signs[0]))
    bar = text_box("_" * inner.width)
    return beside([left, stack([bar, inner], inner.base + 1)])


def underlined(inner: Box, sign: str) -> Box:
    """A mark under a part."""
    return stack([inner, text_box(sign * inner.width)], inner.base)

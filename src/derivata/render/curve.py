"""A small plot of one curve on a terminal, drawn with Braille dots."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # rows of two dots in one character
_BLANK = 0x2800


def curve(xs: Sequence[float], ys: Sequence[float], *, width: int = 48, height: int = 10, ascii: bool = False) -> str:
    """The points (x, y) joined by a line, with the range of y to the left and that of x below.

    `width` and `height` count characters of the drawing. Points that are not finite leave a gap.
    """
    across, down = (1, 1) if ascii else (2, 4)
    points = [(x, y) for x, y in zip(xs, ys, strict=True) if isfinite(x) and isfinite(y)]
    if not points:
        return "(nothing to draw)"
    left, right = _span([x for x, _ in points])
    low, high = _span([y for _, y in points])
    columns, rows = max(width, 2) * across, max(height, 2) * down

    def place(x: float, y: float) -> tuple[int, int]:
        column = round((x / 2 - left / 2) / (right / 2 - left / 2) * (columns - 1))
        row = round((high / 2 - y / 2) / (high / 2 - low / 2) * (rows - 1))
        return column, row

    dots: set[tuple[int, int]] = set()
    previous: tuple[int, int] | None = None
    for x, y in zip(xs, ys, strict=True):
        here = place(x, y) if isfinite(x) and isfinite(y) else None
        if here is not None:
            dots.update(_segment(previous or here, here))
        previous = here
    lines = _drawn(dots, columns // across, rows // down, ascii=ascii)
    return "\n".join(_framed(lines, (low, high), (left, right), ascii=ascii))


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    if low == high:
        step = abs(low) / 2 or 1.0
        return low - step, high + step
    return low, high


def _segment(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """The dots between two dots."""
    (a, b), (c, d) = start, end
    steps = max(abs(c - a), abs(d - b), 1)
    return [(a + round((c - a) * i / steps), b + round((d - b) * i / steps)) for i in range(steps + 1)]


def _drawn(dots: set[tuple[int, int]], width: int, height: int, *, ascii: bool) -> list[str]:
    if ascii:
        return ["".join("*" if (c, r) in dots else " " for c in range(width)) for r in range(height)]
    grid = [[_BLANK] * width for _ in range(height)]
    for column, row in dots:
        grid[row // 4][column // 2] |= _DOTS[row % 4][column % 2]
    return ["".join(" " if c == _BLANK else chr(c) for c in line) for line in grid]


def _framed(
    lines: list[str], vertical: tuple[float, float], horizontal: tuple[float, float], *, ascii: bool
) -> list[str]:
    low, high = (f"{value:.3g}" for value in vertical)
    margin = max(len(low), len(high))
    side, corner, floor = ("|", "+", "-") if ascii else ("┤", "└", "─")
    plain = "|" if ascii else "│"
    framed = []
    for i, line in enumerate(lines):
        label = high if i == 0 else low if i == len(lines) - 1 else ""
        framed.append(f"{label:>{margin}} {side if label else plain}{line}".rstrip())
    framed.append(" " * (margin + 1) + corner + floor * len(lines[0]))
    first, last = (f"{value:.3g}" for value in horizontal)
    gap = max(len(lines[0]) - len(first) - len(last), 1)
    framed.append(" " * (margin + 2) + first + " " * gap + last)
    return framed

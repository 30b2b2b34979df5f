"""Arrays of numbers as a person writes them: short decimals, rows under rows."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from derivata.render.boxes import Box, beside, bracketed, stack, text_box

_DIGITS = 6
_LONGEST_WHOLE = 10**9
_WIDTH = 88
UNDEFINED = "undefined"


@dataclass(frozen=True)
class Values:
    """The entries of one array, row by row; None where there is no value."""

    shape: tuple[int, ...]
    entries: tuple[float | None, ...]

    @property
    def nested(self) -> Any:
        """A number, or tuples of tuples of numbers, which NumPy takes for an array."""
        return _nested(self.shape, self.entries)

    @property
    def rounded(self) -> bool:
        """Whether printing loses digits."""
        return any(e is not None and float(decimal(e)) != e for e in self.entries)

    def text(self) -> str:
        """Lines of text in nested brackets, as Python writes lists."""
        cells = [decimal(e) for e in self.entries]
        if len(self.shape) < 2:
            line = f"[{', '.join(cells)}]" if self.shape else cells[0]
            return "\n".join(textwrap.wrap(line, _WIDTH, subsequent_indent=" ")) if len(line) > _WIDTH else line
        return "\n".join(_rows(self.shape, _aligned(cells, self.shape[-1])))

    def box(self, *, ascii_only: bool) -> Box:
        """A matrix between tall brackets; other arrays as text."""
        if len(self.shape) != 2:
            lines = self.text().split("\n")
            return stack([text_box(line) for line in lines], 0)
        rows, columns = self.shape
        cells = _aligned([decimal(e) for e in self.entries], columns)
        lines = ["  ".join(cells[i * columns : (i + 1) * columns]) for i in range(rows)]
        inner = stack([text_box(line) for line in lines], (rows - 1) // 2)
        return bracketed(inner, "[", "]", ascii_only=ascii_only)

    def latex(self) -> str:
        """A vector is a column, as the products beside it take it; more than two axes stand in nested brackets."""
        cells = [latex_decimal(e) for e in self.entries]
        if not self.shape:
            return cells[0]
        if len(self.shape) > 2:
            return "".join(line.strip() for line in _rows(self.shape, cells))
        columns = self.shape[1] if len(self.shape) == 2 else 1
        rows = [" & ".join(cells[i : i + columns]) for i in range(0, len(cells), columns)]
        return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"


def decimal(value: float | None) -> str:
    """Six digits; whole numbers in full."""
    if value is None:
        return UNDEFINED
    if value.is_integer() and abs(value) < _LONGEST_WHOLE:
        return str(int(value))
    return f"{value:.{_DIGITS}g}"


def latex_decimal(value: float | None) -> str:
    """The same with a power of ten as a paper sets it."""
    if value is None:
        return rf"\text{{{UNDEFINED}}}"
    mantissa, _, exponent = decimal(value).partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa


def beside_equals(lead: Box, value: Box) -> Box:
    """`lead = value`."""
    return beside([lead, text_box(" = "), value])


def _aligned(cells: Sequence[str], columns: int) -> list[str]:
    widths = [max(len(cell) for cell in cells[i::columns]) for i in range(columns)]
    return [cell.rjust(widths[i % columns]) for i, cell in enumerate(cells)]


def _rows(shape: tuple[int, ...], cells: Sequence[str]) -> list[str]:
    if len(shape) == 1:
        return [f"[{', '.join(cells)}]"]
    step = prod(shape[1:])
    blocks = [_rows(shape[1:], cells[i * step : (i + 1) * step]) for i in range(shape[0])]
    for i, block in enumerate(blocks):
        block[-1] += "]" if i == len(blocks) - 1 else ","
    lines = [line for block in blocks for line in block]
    return ["[" + lines[0], *(" " + line for line in lines[1:])]


def _nested(shape: tuple[int, ...], entries: Sequence[float | None]) -> Any:
    if not shape:
        return entries[0]
    step = prod(shape[1:])
    return tuple(_nested(shape[1:], entries[i * step : (i + 1) * step]) for i in range(shape[0]))

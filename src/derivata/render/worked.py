"""A derivation replayed with numbers: arrays, what is computed from them step by step, and differences beside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from derivata.expr.node import CALL, Expr, variable
from derivata.expr.notation import SIGNS
from derivata.expr.symbol import Symbol
from derivata.expr.write import write
from derivata.render.boxes import Box, beside, text_box
from derivata.render.latex import latex
from derivata.render.names import latex_name, latex_text
from derivata.render.unicode import boxed
from derivata.render.values import Values, beside_equals, decimal, latex_decimal

Show = Callable[[str, "Part | None", Values], str]  # lead, what is computed, what it comes to
_ROUNDING = 4e-16  # of the two numbers that are compared
_WIDTH = 100
_MANY_ROWS = 16
_WIDEST_LEAD = 40  # what is longer stands on a line of its own before a matrix
_HEAD = ("entry", "central difference", "relative error")


@dataclass(frozen=True)
class Part:
    """One line: `node`, written with the names of earlier parts, and its value. `name` is its own, if it has one."""

    name: str
    node: Expr
    value: Values

    @property
    def text(self) -> str:
        """The expression, in parentheses if it is a relation."""
        line = write(self.node).replace("\n", " ")
        if self.node.head == CALL and self.node.data in SIGNS:
            line = f"({line})"
        return f"{self.name} = {line}" if self.name else line

    @property
    def latex(self) -> str:
        """The expression as LaTeX."""
        return f"{latex_name(self.name)} = {latex(self.node)}" if self.name else latex(self.node)


@dataclass(frozen=True)
class Compared:
    """One entry of the derivative and the difference quotient for it; `kink` says what happens at one."""

    entry: str
    derivative: float
    difference: float | None
    kink: str = ""

    @property
    def error(self) -> float | None:
        """The relative error; None where there is no difference, or nothing to relate it to."""
        if self.difference is None:
            return None
        apart, size = abs(self.derivative - self.difference), max(abs(self.derivative), abs(self.difference))
        if apart <= _ROUNDING * size:
            return 0.0
        return apart / size if self.derivative else None

    @property
    def error_text(self) -> str:
        """Two digits, or how far apart the two are where the derivative is 0."""
        if self.kink:
            return "at a kink"
        if self.difference is None:
            return ""
        error = self.error
        if error is None:
            return f"{abs(self.difference):.1e} absolute"
        return f"{error:.1e}" if error else "0"


@dataclass(frozen=True)
class Worked:
    """A derivation with numbers put in.

    `parts` lead to the value of the expression, `slopes` to that of its derivative; both end with it. `compared`
    sets every entry beside central differences of the expression with the step `step`.
    """

    of: Expr
    by: Symbol
    kind: str
    sizes: Mapping[str, int]
    chosen: tuple[str, ...]
    inputs: Mapping[str, Values]
    parts: tuple[Part, ...]
    slopes: tuple[Part, ...]
    compared: tuple[Compared, ...]
    step: float
    order: int = 1

    @property
    def arrays(self) -> Mapping[str, Any]:
        """The numbers put in by name, arrays as nested tuples."""
        return MappingProxyType({name: value.nested for name, value in self.inputs.items()})

    @property
    def value(self) -> Any:
        """What the expression comes to."""
        return self.parts[-1].value.nested

    @property
    def derivative(self) -> Any:
        """What the derivative comes to."""
        return self.slopes[-1].value.nested

    @property
    def lines(self) -> tuple[tuple[str, Any], ...]:
        """Every expression that was computed, in order, with its value."""
        return tuple((part.text, part.value.nested) for part in (*self.parts, *self.slopes))

    def __str__(self) -> str:
        return self.text()

    def text(self) -> str:
        """Plain text."""
        return "\n".join(self._body(_text_line, apart=False))

    def unicode(self, width: int | None = None, *, ascii_only: bool = False) -> str:
        """Two-dimensional maths for a terminal."""

        def show(lead: str, part: Part | None, value: Values) -> str:
            return _drawn(lead, part, value, width, ascii_only)

        return "\n".join(self._body(show, apart=True))

    def _body(self, show: Show, *, apart: bool) -> Iterator[str]:
        yield "Worked instance" + (f": {self._sizes_text()}" if self.sizes else "")
        yield _apart([show(name, None, value) for name, value in self.inputs.items()], apart)
        yield ""
        yield "the expression, from the inside out:"
        yield _apart([show("", part, part.value) for part in self.parts], apart)
        yield ""
        yield f"the {self.kind}:"
        last = show(f"{self.kind} = ", self.slopes[-1], self.slopes[-1].value)
        yield _apart([*(show("", part, part.value) for part in self.slopes[:-1]), last], apart)
        yield ""
        yield f"{self._heading()}:"
        yield from _table([*self._table_rows()])
        yield from self.notes()

    def _sizes_text(self) -> str:
        return ", ".join(f"{n} = {s}{' (chosen)' if n in self.chosen else ''}" for n, s in self.sizes.items())

    def _heading(self) -> str:
        times = "" if self.order == 1 else " taken twice" if self.order == 2 else f" taken {self.order} times"
        return f"the {self.kind} beside central differences of the expression{times} (h = {decimal(self.step)})"

    def _told(self) -> list[Compared]:
        """The rows of the table: of many those are left out in which both sides are 0."""
        if len(self.compared) <= _MANY_ROWS:
            return list(self.compared)
        return [row for row in self.compared if row.derivative or row.difference or row.difference is None]

    def _table_rows(self) -> Iterator[tuple[str, str, str, str]]:
        yield _HEAD[0], self.kind, *_HEAD[1:]
        for row in self._told():
            yield row.entry, decimal(row.derivative), decimal(row.difference), row.error_text

    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the numbers, one line each."""
        found = [f"kink at {row.entry}: {row.kink}" for row in self.compared if row.kink]
        if left_out := len(self.compared) - len(self._told()):
            found.append(f"{left_out} entries that are 0 on both sides are left out")
        if self.by.by_free_entries:
            moved = "diagonal: only its diagonal" if "diagonal" in self.by.traits else "symmetric: mirrored entries"
            found.append(f"{self.by.name} is {moved} moves".replace("entries moves", "entries move together"))
        if any(value.rounded for value in (*self.inputs.values(), *(p.value for p in (*self.parts, *self.slopes)))):
            found.append("numbers are rounded to 6 digits")
        return tuple(found)

    def latex(self) -> str:
        """Aligned blocks for what is put in, the expression and the derivative, then a table."""
        sizes = [(latex_name(name), Values((), (float(size),))) for name, size in self.sizes.items()]
        given = [(latex_name(name), value) for name, value in self.inputs.items()]
        found = [(part.latex, part.value) for part in (*self.parts, *self.slopes)]
        return "\n\n".join([_aligned([*sizes, *given]), _aligned(found), self._latex_table()])

    def _latex_table(self) -> str:
        rows = [[rf"\text{{{latex_text(cell)}}}" for cell in next(self._table_rows())]]
        for row in self._told():
            rows.append(
                [
                    rf"\text{{{latex_text(row.entry)}}}",
                    latex_decimal(row.derivative),
                    latex_decimal(row.difference),
                    rf"\text{{{row.error_text}}}",
                ]
            )
        body = " \\\\\n".join(" & ".join(row) for row in rows)
        return "\\begin{array}{lrrr}\n" + body + "\n\\end{array}"

    def markdown(self) -> str:
        """Markdown with LaTeX between dollars."""
        given = [(latex_name(name), value) for name, value in self.inputs.items()]
        parts = [(part.latex, part.value) for part in self.parts]
        slopes = [(part.latex, part.value) for part in self.slopes]
        head, *rows = self._table_rows()
        table = [head, ("---", "---:", "---:", "---:"), *rows]
        return "\n\n".join(
            [
                "### Worked instance",
                *([f"Sizes: {self._sizes_text()}"] if self.sizes else []),
                f"$$\n{_aligned(given)}\n$$",
                f"The expression, from the inside out:\n\n$$\n{_aligned(parts)}\n$$",
                f"The {self.kind}:\n\n$$\n{_aligned(slopes)}\n$$",
                f"T{self._heading()[1:]}:",
                "\n".join(f"| {' | '.join(row)} |" for row in table),
                *self.notes(),
            ]
        )

    def as_json(self) -> str:
        """Everything, for programs."""
        return json.dumps(
            {
                "sizes": dict(self.sizes),
                "chosen": list(self.chosen),
                "arrays": dict(self.arrays),
                "expression": [{"text": part.text, "value": part.value.nested} for part in self.parts],
                "derivative": [{"text": part.text, "value": part.value.nested} for part in self.slopes],
                "h": self.step,
                "compared": [
                    {
                        "entry": row.entry,
                        "derivative": row.derivative,
                        "central_difference": row.difference,
                        "relative_error": row.error,
                    }
                    for row in self.compared
                ],
                "notes": list(self.notes()),
            },
            indent=2,
            ensure_ascii=False,
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/markdown": self.markdown()}


def _apart(blocks: Sequence[str], apart: bool) -> str:
    """One below the other; what is higher than a line stands apart."""
    text = ""
    for before, block in zip(("", *blocks), blocks, strict=False):
        text += ("\n\n" if apart and "\n" in before + block else "\n") * bool(before) + block
    return text


def _text_line(lead: str, part: Part | None, value: Values) -> str:
    before = lead + (part.text if part is not None else "")
    rows = value.text().split("\n")
    if part is not None and part.text == rows[0]:  # a number is its own value
        return before
    tall = len(rows) > 1 and (len(before) > _WIDEST_LEAD or len(value.shape) > 2)
    if tall or (value.shape and len(before) + 3 + max(map(len, rows)) > _WIDTH):
        return "\n".join([before, "  = " + rows[0], *("    " + row for row in rows[1:])])
    return "\n".join([f"{before} = {rows[0]}", *(" " * (len(before) + 3) + row for row in rows[1:])])


def _drawn(lead: str, part: Part | None, value: Values, width: int | None, ascii_only: bool) -> str:
    box = value.box(ascii_only=ascii_only)
    before = [text_box(lead)] if part is not None and lead else []
    if part is None:
        before = [_name(lead, ascii_only)]
    else:
        before += [_name(part.name, ascii_only), text_box(" = ")] if part.name else []
        before.append(boxed(part.node, ascii=ascii_only))
    if box.lines == before[-1].lines:  # a number is its own value
        return _lines(beside(before))
    whole = beside_equals(beside(before), box)
    if width is not None and whole.width > width:
        return "\n".join([_lines(beside(before)), _lines(beside([text_box("  = "), box]))])
    return _lines(whole)


def _name(name: str, ascii_only: bool) -> Box:
    return boxed(variable(Symbol(name)), ascii=ascii_only)


def _lines(box: Box) -> str:
    return "\n".join(line.rstrip() for line in box.lines)


def _aligned(lines: Sequence[tuple[str, Values]]) -> str:
    rows = " \\\\\n".join(f"{before} &= {value.latex()}" for before, value in lines)
    return "\\begin{aligned}\n" + rows + "\n\\end{aligned}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The first column to the left, the others to the right."""
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    for name, *cells in rows:
        right = [cell.rjust(width) for cell, width in zip(cells, others, strict=True)]
        yield "  ".join([name.ljust(first), *right]).rstrip()

"""What the reader must know of a function: how many arguments, which axes it acts on, what may be left out."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from derivata.errors import ReadError


@dataclass(frozen=True)
class Signature:
    """How a function is called. `core` holds one tuple of axis names per argument; `out` those of the value.

    All empty: elementwise. Otherwise leading axes are mapped over.
    """

    name: str
    arguments: tuple[str, ...]
    defaults: tuple[Fraction | None, ...]
    core: tuple[tuple[str, ...], ...]
    out: tuple[str, ...] = ()
    nests: bool = False  # of a matrix it is that of its values of the rows

    @property
    def elementwise(self) -> bool:
        return not self.out and not any(self.core)

    @property
    def required(self) -> int:
        return sum(default is None for default in self.defaults)


@dataclass(frozen=True)
class Vocabulary:
    """Function and constant names, aliases included; abbreviations with their arguments and what they mean.

    `letters` are those that print a function; in a formula they are free for variables.
    """

    functions: Mapping[str, Signature]
    abbreviations: Mapping[str, tuple[tuple[str, ...], str]] = field(default_factory=dict)
    letters: Mapping[str, str] = field(default_factory=dict)

    def knows(self, name: str) -> bool:
        return name in self.functions or name in self.abbreviations

    def suggestion(self, name: str, others: tuple[str, ...] = ()) -> str:
        """`; did you mean this?` or nothing."""
        if name in self.letters:
            return f"; did you mean {self.letters[name]}?"
        names = [*self.functions, *self.abbreviations, *others]
        swapped = [n for n in names if sorted(n) == sorted(name[:40].lower())]  # the same letters are nearest
        close = swapped or difflib.get_close_matches(name[:40], names, n=1, cutoff=0.6)
        return f"; did you mean {close[0]}?" if close else ""


NESTING: set[str] = set()  # functions that nest, for the writer, who sees only expressions; the rulebook fills it
NO_FUNCTIONS = Vocabulary({})


def parse_signature(text: str, arguments: int) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """`"(i),()->(i)"` as the axis names of the arguments and of the value."""
    if not text:
        return ((),) * arguments, ()
    left, arrow, right = text.replace(" ", "").partition("->")
    if not arrow:
        raise ReadError(f"a signature looks like (i)->(i), not {text!r}")
    groups = [tuple(g for g in part.split(",") if g) for part in left.strip("()").split("),(")]
    return tuple(groups), tuple(g for g in right.strip("()").split(",") if g)

"""How a piece of syntax is looked at while it is set."""

from __future__ import annotations

from collections.abc import Generator
from typing import NamedTuple, TypeAlias

from derivata.expr.parse import Syntax
from derivata.render.formula import Formula


class View(NamedTuple):
    """How a piece is looked at: as a whole (`indices` None), entry by entry, or a vector written as a row.

    `depth` counts the index letters in use around it.
    """

    indices: tuple[str, ...] | None = None
    depth: int = 0
    row: bool = False


Setting: TypeAlias = "Generator[tuple[Syntax, View], Formula, Formula]"
Settings: TypeAlias = "Generator[tuple[Syntax, View], Formula, list[Formula]]"

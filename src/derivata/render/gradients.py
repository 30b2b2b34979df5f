"""Gradients by several variables: expressions by name that share their parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from derivata.expr.node import Expr
from derivata.expr.write import write, write_all

MOST_KINKS = 12  # that are listed


@dataclass(frozen=True)
class Gradients(Mapping[str, Expr]):
    """The gradients of `of` by variable; printed with one `let` line for each part they share."""

    of: Expr
    results: Mapping[str, Expr]
    check: object
    kinks: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Expr:
        return self.results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    def __str__(self) -> str:
        notes = (*(f"domain: {d}" for d in self.domain), *_kinks(self.kinks), str(self.check))
        return "\n".join(["Gradients of", f"    {write(self.of)}", "", self.text(), *notes])

    def text(self) -> str:
        """`let` lines, then `d/dw = ...` for every variable."""
        return write_all({f"d/d{name}": result for name, result in self.results.items()})


def _kinks(kinks: tuple[str, ...]) -> list[str]:
    """The first kinks, and how many more there are: a deep network has one for every layer."""
    left = len(kinks) - MOST_KINKS
    return [*(f"kink: {k}" for k in kinks[:MOST_KINKS]), *([f"and {left} more kinks like these"] if left > 0 else [])]

"""What a derivation remembers: which rule was applied to which node. Everything shown is made from these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derivata.expr.node import Expr


@dataclass(frozen=True, slots=True)
class Step:
    """`rule` turned `before` into what `replacement()` gives; only the two nodes are stored."""

    rule: str
    before: Expr
    replacement: Callable[[], Expr]

    @property
    def after(self) -> Expr:
        return self.replacement()

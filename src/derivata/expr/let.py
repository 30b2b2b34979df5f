"""The notation of a whole expression: `let` lines for its shared parts, then the expression."""

from __future__ import annotations

from dataclasses import dataclass

from derivata.expr.node import Expr, is_multiple
from derivata.expr.parse import Syntax
from derivata.expr.spell import spell_node
from derivata.expr.walk import parent_counts, symbols, topological

INLINE_COST = 300  # a tree of at most this many nodes is written without `let` lines
SHARED_COST = 8
DEEPEST = 60


@dataclass(frozen=True)
class Spelling:
    """`let` lines in order, then the expression itself."""

    definitions: tuple[tuple[str, Syntax], ...]
    body: Syntax


def spell(root: Expr) -> Spelling:
    """The notation of a node, with names for large shared parts and for very deep ones."""
    counts = parent_counts(root) if root.cost > INLINE_COST else {}
    taken = set(symbols(root)) | {"d"} | {str(s) for n in topological(root) for s in n.shape}
    written: dict[Expr, Syntax] = {}
    depth: dict[Expr, int] = {}
    definitions: list[tuple[str, Syntax]] = []
    fresh = 0
    for node in topological(root):
        syntax = spell_node(node, written)
        syntax.node = node
        level = 1 + max((depth[child] for child, _ in node.args), default=0)
        shared = counts.get(node, 0) > 1 and node.cost >= SHARED_COST and not is_multiple(node)
        if node is not root and (shared or level > DEEPEST):
            fresh += 1
            while f"t{fresh}" in taken:
                fresh += 1
            definitions.append((f"t{fresh}", syntax))
            syntax, level = Syntax("name", f"t{fresh}", 0, node=node), 1
        written[node], depth[node] = syntax, level
    return Spelling(tuple(definitions), written[root])

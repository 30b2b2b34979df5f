"""Patterns of whole arrays that have a name: it takes their place before differentiating and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from derivata.expr.node import CALL, CONTRACTION, Expr, with_args
from derivata.expr.walk import topological
from derivata.rewrite.match import rewrite_root
from derivata.rewrite.step import Step
from derivata.rules.book import Book

MOST_ROUNDS = 4


@dataclass(frozen=True)
class Recognised:
    """The result, one step per identity that was used, and what became of every node."""

    result: Expr
    steps: tuple[Step, ...]
    became: Mapping[Expr, Expr]


def recognise(root: Expr, book: Book, purposes: tuple[str, ...] = ("recognise",)) -> Recognised:
    """The expression with every recognised part named."""
    patterns = [p for purpose in purposes for p in book.sides(purpose)]
    memo: dict[Expr, Expr] = {}
    steps: list[Step] = []
    for node in topological(root):
        current = with_args(node, tuple((memo[c], labels) for c, labels in node.args))
        for _ in range(MOST_ROUNDS):
            following = None
            for identity, left, right in patterns:
                if left.head == current.head and _alike(left, current):
                    following = rewrite_root(current, left, right)
                if following is not None:
                    steps.append(Step(f"recognise: {identity.name}", current, _Constant(following)))
                    current = following
                    break
            if following is None:
                break
        memo[node] = current
    return Recognised(memo[root], tuple(steps), memo)


def _alike(left: Expr, node: Expr) -> bool:
    if left.head == CALL:
        return bool(left.data == node.data)
    return left.head != CONTRACTION or len(left.args) <= len(node.args)


class _Constant:
    def __init__(self, value: Expr) -> None:
        self.value = value

    def __call__(self) -> Expr:
        return self.value

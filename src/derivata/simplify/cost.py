"""How long a printed form looks: what textbook form minimises."""

from __future__ import annotations

import math
from collections.abc import Collection

from derivata.expr.means import mean_among
from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, POWER, Expr

NEGATIVE_LEAD = 1.0
FRACTION = 2.5
NEGATIVE_NUMBER = 0.4
REPEATED = 2.0  # what a call that has been seen once costs again
MANY_TERMS = 0.03  # among equals the form with the shorter sums
LARGE = 200  # any node above this counts once


def cost(root: Expr, atoms: Collection[Expr] = (), limit: float = math.inf) -> float:
    """Nodes as written, with a repeated call counted once and penalties for what reads badly.

    `atoms` are large parts that cost the same in every candidate; they are not looked into. What turns out
    to cost more than `limit` is not counted to the end.
    """
    seen: set[Expr] = set()
    amount = 0.0
    stack = [root]
    while stack and amount <= limit:
        node = stack.pop()
        if node in atoms and node is not root:
            amount += REPEATED
            continue
        if node.cost > LARGE or (node.head == CALL and node.data not in (ADD, POWER)):
            if node in seen:
                amount += min(REPEATED, float(node.cost))
                continue
            seen.add(node)
        amount += _own(node)
        mean = mean_among(node.args) if node.head == CONTRACTION else None
        stack.extend(child for i, (child, _) in enumerate(node.args) if mean is None or i != mean.divisor)
    return amount


def _own(node: Expr) -> float:
    if node.head == NUMBER:
        value = node.data
        return 1.0 + FRACTION * bool(value.denominator > 1) + NEGATIVE_NUMBER * bool(value < 0)
    if node.head == CALL and node.data == ADD:
        lead = NEGATIVE_LEAD if is_negative(node.args[0][0]) else 0.0
        signs = len(node.args) - 1.0
        return signs + MANY_TERMS * signs**2 + lead
    if node.head == CONTRACTION:
        args = node.args
        if args and args[0][0].head == NUMBER and args[0][0].data == -1:
            return len(args) - 2.0  # a minus sign, whose number has been counted
        return max(1.0, len(args) - 1.0)
    return 1.0


def is_negative(node: Expr) -> bool:
    """Whether a term is printed with a minus sign."""
    if node.head == NUMBER:
        return bool(node.data < 0)
    return node.head == CONTRACTION and bool(node.args) and is_negative_number(node.args[0][0])


def is_negative_number(node: Expr) -> bool:
    return node.head == NUMBER and bool(node.data < 0)

"""How long a printed form looks: what textbook form minimises."""

from __future__ import annotations

from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, POWER, Expr

NEGATIVE_LEAD = 1.0
FRACTION = 2.5
NEGATIVE_NUMBER = 0.4
REPEATED = 2.0  # what a call that has been seen once costs again
DEEPEST = 400


def cost(root: Expr) -> float:
    """Nodes as written, with a repeated call counted once and penalties for what reads badly."""
    seen: set[Expr] = set()
    amount = 0.0
    stack = [root]
    while stack:
        node = stack.pop()
        if node.head == CALL and node.data not in (ADD, POWER):
            if node in seen:
                amount += min(REPEATED, float(node.cost))
                continue
            seen.add(node)
        if node.cost > DEEPEST:
            if node in seen:
                amount += REPEATED
                continue
            seen.add(node)
        amount += _own(node)
        stack.extend(child for child, _ in node.args)
    return amount


def _own(node: Expr) -> float:
    if node.head == NUMBER:
        value = node.data
        return 1.0 + FRACTION * (value.denominator > 1) + NEGATIVE_NUMBER * (value < 0)
    if node.head == CALL and node.data == ADD:
        lead = NEGATIVE_LEAD if is_negative(node.args[0][0]) else 0.0
        return len(node.args) - 1.0 + lead
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

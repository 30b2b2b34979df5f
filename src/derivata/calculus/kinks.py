"""Where an expression is not differentiable: the kinks of the functions in it that the variable reaches."""

from __future__ import annotations

from fractions import Fraction

from derivata.calculus.domain import Bounds, bounds_of
from derivata.expr.node import CALL, NUMBER, POWER, Expr, axes
from derivata.expr.notation import COMPARISONS
from derivata.expr.walk import depends, topological
from derivata.expr.write import write
from derivata.rewrite.instantiate import argument_edges, instantiate, record_of
from derivata.rules.book import Book
from derivata.rules.record import Function, Kink

LONGEST = 200
_SIGNS = {name: sign for sign, name in COMPARISONS.items()}


def kinks_of(of: Expr, by: Expr, book: Book) -> tuple[str, ...]:
    """One sentence per kink: where, left and right slope, and the value we give.

    A record's kinks are those by its first argument; what declarations rule out, or what parameters smooth
    away, is no kink.
    """
    active = depends(of, by)
    bounds = bounds_of(of, book)
    found: list[str] = []
    for node in topological(of):
        if node not in active or not node.args or node.args[0][0] not in active:
            continue
        if node.head == CALL and node.data == POWER:
            found.extend(_root(node, bounds))
        elif (record := record_of(node, book)) is not None:
            found.extend(s for kink in record.kinks if (s := _sentence(node, record, kink, book, bounds)))
    return tuple(dict.fromkeys(found))


def _root(node: Expr, bounds: dict[Expr, Bounds]) -> list[str]:
    """A root of what touches 0 without going below, such as sqrt(x**2): no border of the domain, a kink."""
    base, exponent = node.args[0][0], node.args[1][0]
    if exponent.head != NUMBER or not 0 < exponent.data < 1 or base not in bounds or base.head == "symbol":
        return []
    if not bounds[base].satisfies(">=", 0) or bounds[base].satisfies(">", 0):
        return []
    return [f"{_short(node)} has no slope where {_short(base)} = 0"]


def _sentence(node: Expr, record: Function, kink: Kink, book: Book, bounds: dict[Expr, Bounds]) -> str:
    at, left, right, ours = (_filled(node, record, text, book) for text in (kink.at, kink.left, kink.right, kink.ours))
    if at.head == CALL and _SIGNS.get(at.data) == "==":
        (first, _), (second, _) = at.args
        if second.head == NUMBER and first in bounds and bounds[first].satisfies("!=", float(Fraction(second.data))):
            return ""
        where = f"{_short(first)} = {_short(second)}"
    else:
        where = _short(at)
    if record.name in COMPARISONS.values():
        return f"the cases of {_short(node)} meet at {where}"
    if left is right and ours is left:
        return f"{_short(node)} jumps at {where}; its slope is {_short(ours)} on both sides" if _jumps(kink) else ""
    slopes = f"slope {_short(left)} from the left, {_short(right)} from the right, chosen {_short(ours)}"
    return f"{_short(node)} at {where}: {slopes}"


def _jumps(kink: Kink) -> bool:
    """Whether the value itself jumps: the slopes are equal whatever the parameters are."""
    return kink.left == kink.right


def _filled(node: Expr, record: Function, text: str, book: Book) -> Expr:
    """A text of the kink over the node's own arguments and value."""
    bound, sizes, mapped = argument_edges(node, record)
    bound["out"] = (node, axes(node))
    formula = book.formula(record, text)
    own = tuple(sizes.get(str(s), s) for s in formula.shape)
    return instantiate(formula, bound, node.shape[:mapped], sizes, own)


def _short(node: Expr) -> str:
    if node.cost > LONGEST:
        return f"a large part ({node.head} of {node.cost} nodes)"
    return write(node)

"""Where an expression is defined: the conditions its functions put on their arguments."""

from __future__ import annotations

from derivata.expr.node import CALL, CONTRACTION, NUMBER, POWER, SYMBOL, Expr
from derivata.expr.walk import topological
from derivata.expr.write import write
from derivata.rules.book import Book

MOST_NODES = 300


def domain_of(of: Expr, book: Book) -> tuple[str, ...]:
    """Conditions that do not follow from the declarations, as text."""
    order = topological(of)
    if len(order) > MOST_NODES:
        return ()
    found: list[str] = []
    for node in order:
        if node.head != CALL:
            continue
        if node.data == POWER:
            found.extend(_power(node))
            continue
        record = book.get(node.data)
        if record is None or not record.domain:
            continue
        values = {name: child for (name, _), (child, _) in zip(record.arguments, node.args, strict=True)}
        for condition in record.domain.split(","):
            found.extend(_condition(condition.strip(), values))
    return tuple(dict.fromkeys(found))


def _power(node: Expr) -> list[str]:
    base, exponent = node.args[0][0], node.args[1][0]
    if base.head == NUMBER and base.data > 0:
        return []
    if exponent.head == NUMBER:
        if exponent.data.denominator == 1:
            return [f"{write(base)} != 0"] if exponent.data < 0 and not _positive(base) else []
        sign = ">" if exponent.data < 0 else ">="
        return [] if _nonnegative(base) else [f"{write(base)} {sign} 0"]
    if _positive(base) or (exponent.head == SYMBOL and exponent.data.integer):
        return []
    return [f"{write(base)} > 0, or {write(exponent)} a whole number"]


def _condition(condition: str, values: dict[str, Expr]) -> list[str]:
    words = condition.split()
    if len(words) != 3 or words[0] not in values:
        return []
    argument = values[words[0]]
    if words[1] in (">", ">=") and words[2] == "0" and _positive(argument):
        return []
    return [f"{write(argument)} {words[1]} {words[2]}"]


def _positive(node: Expr) -> bool:
    """Surely above 0, as far as signs alone can tell."""
    if node.head == NUMBER:
        return bool(node.data > 0)
    if node.head == SYMBOL:
        return bool(node.data.positive)
    if node.head == CALL and node.data == "add":
        return all(_nonnegative(c) for c, _ in node.args) and any(_positive(c) for c, _ in node.args)
    if node.head == CONTRACTION and node.args:
        return all(_positive(c) for c, _ in node.args)
    return False


def _nonnegative(node: Expr) -> bool:
    if _positive(node) or (node.head == SYMBOL and node.data.nonnegative):
        return True
    if node.head == CALL and node.data == POWER and node.args[1][0].head == NUMBER:
        exponent = node.args[1][0].data
        return bool(exponent.denominator == 1 and exponent.numerator % 2 == 0) or _nonnegative(node.args[0][0])
    if node.head == CALL and node.data == "add":
        return all(_nonnegative(c) for c, _ in node.args)
    if node.head == CONTRACTION and node.args:
        return all(_nonnegative(c) for c, _ in node.args)
    return False

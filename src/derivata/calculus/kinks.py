"""Where an expression is not differentiable: the kinks of the functions in it that the variable reaches."""

from __future__ import annotations

from derivata.expr.node import CALL, PRIMITIVE, Expr, call
from derivata.expr.walk import depends, topological
from derivata.expr.write import write
from derivata.rules.book import Book
from derivata.rules.record import Function, Kink

LONGEST = 200


def kinks_of(of: Expr, by: Expr, book: Book) -> tuple[str, ...]:
    """One sentence per kink: where, left and right slope, and the value we give."""
    active = depends(of, by)
    found: list[str] = []
    for node in topological(of):
        if node in active and node.head in (CALL, PRIMITIVE):
            record = book.get(node.data if node.head == CALL else node.data[0])
            if record is not None:
                found.extend(_sentence(node, record, kink) for kink in record.kinks)
    return tuple(dict.fromkeys(found))


def _sentence(node: Expr, record: Function, kink: Kink) -> str:
    values = {name: _short(child) for (name, _), (child, _) in zip(record.arguments, node.args, strict=True)}
    where = _filled(kink.at, record, values, node)
    slopes = [_filled(side, record, values, node) for side in (kink.left, kink.right, kink.ours)]
    shown = _short(node)
    return f"{shown} at {where}: slope {slopes[0]} from the left, {slopes[1]} from the right, chosen {slopes[2]}"


def _filled(text: str, record: Function, values: dict[str, str], node: Expr) -> str:
    """A field of the kink with this call's own arguments."""
    names = {name: child for (name, _), (child, _) in zip(record.arguments, node.args, strict=True)}
    if text in values:
        return values[text]
    for sign in ("==",):
        if sign in text:
            left, right = (part.strip() for part in text.split(sign))
            return f"{values.get(left, left)} = {values.get(right, right)}"
    found = text
    for name in names:
        if name == text:
            found = values[name]
    return found


def _short(node: Expr) -> str:
    if node.cost > LONGEST:
        return f"a large part ({node.head} of {node.cost} nodes)"
    return write(node)


__all__ = ["call", "kinks_of"]

"""Where an expression is not differentiable: the kinks of the functions in it that the variable reaches."""

from __future__ import annotations

from derivata.expr.node import CALL, PRIMITIVE, Expr
from derivata.expr.notation import COMPARISONS
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
    where = " = ".join(values.get(side.strip(), side.strip()) for side in kink.at.split("=="))
    shown = _short(node)
    if record.name in COMPARISONS.values():
        return f"the cases of {shown} meet at {where}"
    left, right, ours = (values.get(slope, slope) for slope in (kink.left, kink.right, kink.ours))
    return f"{shown} at {where}: slope {left} from the left, {right} from the right, chosen {ours}"


def _short(node: Expr) -> str:
    if node.cost > LONGEST:
        return f"a large part ({node.head} of {node.cost} nodes)"
    return write(node)

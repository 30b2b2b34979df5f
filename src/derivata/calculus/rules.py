"""One rule application: the differential of a node in terms of its children's. No function is named here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derivata.errors import UnsupportedError
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    DIFFERENTIAL,
    MINUS_ONE,
    POWER,
    PRIMITIVE,
    SYMBOL,
    ZERO,
    Edge,
    Expr,
    axes,
    call,
    differential,
    label_sizes,
    number,
)
from derivata.expr.selectors import is_onehot
from derivata.rewrite.fold import power_of, product, spread, total
from derivata.rewrite.instantiate import argument_edges, instantiate, record_of
from derivata.rules.book import Book
from derivata.rules.record import Function

Tangent = Callable[[Expr], "Expr | None"]


@dataclass(frozen=True, slots=True)
class Applied:
    """The name of the rule and the differential it gives."""

    rule: str
    result: Expr


def differentiate_node(node: Expr, tangent: Tangent, book: Book) -> Applied:
    """d(node), where `tangent(child)` is d(child), or None for a child held constant."""
    if node.head == CALL and node.data == ADD:
        return _sum(node, tangent)
    if node.head == CONTRACTION:
        return _product(node, tangent)
    if node.head in (CALL, PRIMITIVE):
        return _function(node, record_of(node, book), tangent, book)
    raise UnsupportedError(f"there is no rule for {node.head}")


def _sum(node: Expr, tangent: Tangent) -> Applied:
    changed = [(t, labels) for child, labels in node.args if (t := tangent(child)) is not None]
    return Applied("sum rule", total(changed, node.shape))


def _product(node: Expr, tangent: Tangent) -> Applied:
    sizes = label_sizes(node)
    changed = [(i, t) for i, (child, _) in enumerate(node.args) if (t := tangent(child)) is not None]
    fraction = _fraction(node, dict(changed))
    if fraction is not None and (quotient := _quotient(node, dict(changed), *fraction)) is not None:
        return Applied("quotient rule", quotient)
    terms: list[Edge] = []
    for i, change in changed:
        args = [(change if j == i else child, labels) for j, (child, labels) in enumerate(node.args)]
        terms.append((product(args, node.data, sizes), axes(node)))
    rule = "quotient rule" if fraction is not None else _product_rule(node, len(changed))
    return Applied(rule, total(terms, node.shape))


def _product_rule(node: Expr, changed: int) -> str:
    if len(node.args) == 1:
        labels = node.args[0][1]
        if len(set(labels)) < len(labels):
            return "trace and diagonal"
        return "transpose" if set(labels) == set(node.data) and len(node.data) == len(labels) else "sums"
    if changed > 1:
        return "product rule"
    if any(is_onehot(child) for child, _ in node.args):
        return "component"
    elementwise = all(set(labels) <= set(node.data) for _, labels in node.args)
    return "constant multiple" if elementwise else "matrix product"


def _fraction(node: Expr, changed: dict[int, Expr]) -> tuple[int, int] | None:
    """The places of f and 1/g in f/g, when exactly these two change and lie on all axes."""
    whole = axes(node)
    if len(changed) != 2 or node.data != whole or any(node.args[i][1] != whole for i in changed):
        return None
    lower = [i for i in changed if _is_reciprocal(node.args[i][0])]
    if len(lower) != 1 or node.args[lower[0]][0].args[0][1] != whole:
        return None
    (above,) = (i for i in changed if i != lower[0])
    return above, lower[0]


def _quotient(node: Expr, changed: dict[int, Expr], above: int, below: int) -> Expr | None:
    """f/g as one fraction, (df*g - f*dg)/g**2, while d(1/g) still stands as such."""
    if changed[below].head != DIFFERENTIAL:
        return None
    whole = axes(node)
    top, bottom = node.args[above][0], node.args[below][0].args[0][0]
    change = differential(bottom, changed[below].data)
    sizes = label_sizes(node)
    difference = total(
        [
            (product([(changed[above], whole), (bottom, whole)], whole, sizes), whole),
            (product([(MINUS_ONE, ()), (top, whole), (change, whole)], whole, sizes), whole),
        ],
        node.shape,
    )
    square = power_of((bottom, whole), (number(-2), ()), node.shape)
    rest = [edge for i, edge in enumerate(node.args) if i not in changed]
    return product([*rest, (difference, whole), (square, whole)], whole, sizes)


def _is_reciprocal(node: Expr) -> bool:
    return node.head == CALL and node.data == POWER and node.args[1][0] is MINUS_ONE


def _function(node: Expr, record: Function | None, tangent: Tangent, book: Book) -> Applied:
    if record is None and node.head == CALL:
        return _unspecified(node, node.data, tangent)
    if record is None or not record.d:
        raise UnsupportedError(f"{node.data} has no derivative rule")
    bound, sizes, mapped = argument_edges(node, record)
    bound["out"] = (node, axes(node))
    for (argument, _), (child, labels) in zip(record.arguments, node.args, strict=True):
        change = tangent(child)
        bound["d" + argument] = (ZERO, ()) if change is None else (change, labels)
        if change is not None and argument in record.held:
            raise UnsupportedError(f"{record.name} is differentiated once only")
    formula = book.formula(record, record.d)
    result = instantiate(formula, bound, node.shape[:mapped], sizes, node.shape[mapped:])
    inner = any(child.head != SYMBOL and tangent(child) is not None for child, _ in node.args)
    chained = inner and "choice" not in record.traits
    return Applied(f"{record.rule}, chain rule" if chained else record.rule, result)


def _unspecified(node: Expr, name: str, tangent: Tangent) -> Applied:
    (child, labels), *_ = node.args
    change = tangent(child)
    assert change is not None
    slope = call(name + "'", node.args, node.shape)
    inner = spread((change, labels), node.shape)
    sizes = dict(enumerate(node.shape))
    rule = "unspecified function" if child.head == SYMBOL else "unspecified function, chain rule"
    return Applied(rule, product([(slope, axes(node)), (inner, axes(node))], axes(node), sizes))

"""One rule application: the differential of a node in terms of its children's. No function is named here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from derivata.errors import UnsupportedError
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    MINUS_ONE,
    NUMBER,
    ONE,
    POWER,
    PRIMITIVE,
    SYMBOL,
    ZERO,
    Edge,
    Expr,
    Size,
    axes,
    call,
    number,
)
from derivata.expr.notation import is_onehot
from derivata.rewrite.fold import power_of, product, spread, total
from derivata.rewrite.instantiate import instantiate
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
    if node.head == CALL:
        return _function(node, book.get(node.data), node.data, len(node.shape), tangent, book)
    if node.head == PRIMITIVE:
        name, mapped = node.data
        return _function(node, book.get(name), name, mapped, tangent, book)
    raise UnsupportedError(f"there is no rule for {node.head}")


def _sum(node: Expr, tangent: Tangent) -> Applied:
    changed = [(t, labels) for child, labels in node.args if (t := tangent(child)) is not None]
    return Applied("sum rule", total(changed, node.shape))


def label_sizes(node: Expr) -> dict[int, Size]:
    """The size of every label of a contraction."""
    sizes: dict[int, Size] = dict(zip(node.data, node.shape, strict=True))
    for child, labels in node.args:
        sizes.update(zip(labels, child.shape, strict=True))
    return sizes


def _product(node: Expr, tangent: Tangent) -> Applied:
    sizes = label_sizes(node)
    changed = [(i, t) for i, (child, _) in enumerate(node.args) if (t := tangent(child)) is not None]
    if len(changed) == 2 and (quotient := _quotient(node, dict(changed))) is not None:
        return Applied("quotient rule", quotient)
    terms: list[Edge] = []
    for i, change in changed:
        args = [(change if j == i else child, labels) for j, (child, labels) in enumerate(node.args)]
        terms.append((product(args, node.data, sizes), axes(node)))
    return Applied(_product_rule(node, len(changed)), total(terms, node.shape))


def _product_rule(node: Expr, changed: int) -> str:
    if len(node.args) == 1:
        return "sums"
    elementwise = all(set(labels) <= set(node.data) for _, labels in node.args)
    if changed > 1:
        return "product rule"
    return "constant multiple" if elementwise else "matrix product"


def _quotient(node: Expr, changed: dict[int, Expr]) -> Expr | None:
    """f/g as one fraction: the product rule and the power rule together."""
    whole = axes(node)
    if node.data != whole or any(labels != whole for i, (_, labels) in enumerate(node.args) if i in changed):
        return None
    lower = [i for i in changed if _is_reciprocal(node.args[i][0])]
    if len(lower) != 1:
        return None
    (below,) = lower
    (above,) = (i for i in changed if i != below)
    power = node.args[below][0]
    bottom, bottom_labels = power.args[0]
    if bottom_labels != whole or changed[below].head == NUMBER:
        return None
    top = node.args[above][0]
    change = _base_change(changed[below], power)
    if change is None:
        return None
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


def _base_change(change: Expr, power: Expr) -> Expr | None:
    """The dg in d(1/g) = -dg/g**2, when the differential of 1/g still stands as such."""
    if change.head == "differential":
        from derivata.expr.node import differential

        return differential(power.args[0][0])
    return None


def _function(
    node: Expr, record: Function | None, name: str, mapped: int, tangent: Tangent, book: Book
) -> Applied:
    if record is None:
        return _unspecified(node, name, tangent)
    if is_onehot(node) or not record.d:
        raise UnsupportedError(f"{name} has no derivative rule")
    bound: dict[str, Edge] = {"out": (node, axes(node))}
    sizes: dict[str, Size] = {}
    signature = record.as_signature()
    for (argument, _), (child, labels), core in zip(record.arguments, node.args, signature.core, strict=True):
        change = tangent(child)
        bound[argument] = (child, labels)
        bound["d" + argument] = (ZERO, ()) if change is None else (change, labels)
        sizes.update((c, child.shape[labels.index(mapped + i)]) for i, c in enumerate(core))
    formula = book.formula(record, record.d)
    result = instantiate(formula, bound, node.shape[:mapped], sizes, node.shape[mapped:])
    return Applied(record.rule, result)


def _unspecified(node: Expr, name: str, tangent: Tangent) -> Applied:
    (child, labels), *_ = node.args
    change = tangent(child)
    assert change is not None
    slope = call(name + "'", node.args, node.shape)
    inner = spread((change, labels), node.shape)
    sizes = dict(enumerate(node.shape))
    rule = "derivative of an unspecified function" if child.head == SYMBOL else "chain rule"
    return Applied(rule, product([(slope, axes(node)), (inner, axes(node))], axes(node), sizes))


__all__ = ["ONE", "Applied", "differentiate_node", "label_sizes"]

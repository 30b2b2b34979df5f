"""A formula of the rulebook with whole arrays in the places of its arguments."""

from __future__ import annotations

from collections.abc import Mapping

from derivata.expr.node import (
    CALL,
    CONTRACTION,
    NUMBER,
    PRIMITIVE,
    SYMBOL,
    Edge,
    Expr,
    Labels,
    Shape,
    Size,
    axes,
    call,
    contraction,
    primitive,
)
from derivata.expr.selectors import size_node
from derivata.expr.walk import topological
from derivata.rewrite.fold import fold, spread
from derivata.rules.book import Book
from derivata.rules.record import Function


def instantiate(
    formula: Expr,
    bound: Mapping[str, Edge],
    mapped: Shape,
    sizes: Mapping[str, Size],
    own: Shape | None = None,
) -> Expr:
    """`formula` with its symbols bound to edges, mapped over the leading axes `mapped`.

    The labels of a bound edge are 0..len(mapped)-1 for mapped axes, then one per axis of the formula's
    symbol. `sizes` gives the sizes of the formula's axis names. Every node is folded as it is built.
    """
    lead = len(mapped)
    placed: dict[Expr, Edge] = {}
    for node in topological(formula):
        if node.head == NUMBER:
            placed[node] = (node, ())
        elif node.head == SYMBOL:
            placed[node] = _symbol(node, bound, sizes)
        else:
            placed[node] = _node(node, placed, mapped, sizes)
    shape = own if own is not None else tuple(sizes.get(str(s), s) for s in formula.shape)
    child, labels = placed[formula]
    return spread((child, labels), (*mapped, *shape)) if labels != tuple(range(lead + len(shape))) else child


def record_of(node: Expr, book: Book) -> Function | None:
    """The record of the function that a node applies."""
    if node.head == CALL:
        return book.get(node.data)
    return book.get(node.data[0]) if node.head == PRIMITIVE else None


def argument_edges(node: Expr, record: Function) -> tuple[dict[str, Edge], dict[str, Size], int]:
    """What a node puts in the places of its function's arguments and axis names, and how many axes it maps over."""
    mapped = node.data[1] if node.head == PRIMITIVE else len(node.shape)
    bound: dict[str, Edge] = {}
    sizes: dict[str, Size] = {}
    signature = record.as_signature()
    for (argument, _), (child, labels), core in zip(record.arguments, node.args, signature.core, strict=True):
        bound[argument] = (child, labels)
        sizes.update((c, child.shape[labels.index(mapped + i)]) for i, c in enumerate(core))
    return bound, sizes, mapped


def defined(node: Expr, record: Function, text: str, book: Book) -> Expr:
    """A formula of a node's record over the node's own arguments and value `out`."""
    bound, sizes, mapped = argument_edges(node, record)
    bound["out"] = (node, axes(node))
    formula = book.formula(record, text)
    own = tuple(sizes.get(str(s), s) for s in formula.shape)
    return instantiate(formula, bound, node.shape[:mapped], sizes, own)


def _symbol(node: Expr, bound: Mapping[str, Edge], sizes: Mapping[str, Size]) -> Edge:
    name = node.data.name
    if name in bound:
        return bound[name]
    if name in sizes:
        return size_node(sizes[name]), ()
    return node, ()


def _node(node: Expr, placed: Mapping[Expr, Edge], mapped: Shape, sizes: Mapping[str, Size]) -> Edge:
    """The node over its placed children; it keeps only the mapped axes that some child has."""
    lead = len(mapped)
    children: list[tuple[Expr, Labels, Labels]] = []
    for child, labels in node.args:
        put, where = placed[child]
        children.append((put, where, labels))
    used = sorted({w for _, where, _ in children for w in where if w < lead})
    position = {w: i for i, w in enumerate(used)}
    shift = len(used)

    def relabel(where: Labels, labels: Labels) -> Labels:
        return tuple(position[w] if w < lead else shift + labels[w - lead] for w in where)

    args = [(put, relabel(where, labels)) for put, where, labels in children]
    own = tuple(sizes.get(str(s), s) for s in node.shape)
    shape = (*(mapped[w] for w in used), *own)
    outer = (*used, *range(lead, lead + len(own)))
    if node.head == CALL:
        return fold(call(node.data, args, shape)), outer
    if node.head == CONTRACTION:
        out = (*range(shift), *(shift + label for label in node.data))
        return fold(contraction(args, out, dict(zip(out, shape, strict=True)))), outer
    assert node.head == PRIMITIVE
    name, inner = node.data
    return primitive(name, shift + inner, args, shape), outer

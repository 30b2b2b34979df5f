"""Sums and products put together for printing: ordered terms, broadcasting where NumPy has it, else matrix notation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from derivata.expr.means import mean_among
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    POWER,
    Edge,
    Expr,
    Size,
    axes,
    contraction,
    is_elementwise,
    number,
)
from derivata.expr.place import can_keep, has_place
from derivata.rewrite.fold import product, total
from derivata.simplify.cost import is_negative
from derivata.simplify.matrix import arrange
from derivata.simplify.multiples import content
from derivata.simplify.ordering import kind_of

Order = Callable[[Edge], Any]


def sorted_sum(terms: list[Edge], shape: tuple[Size, ...], order: Order) -> Expr:
    """Terms without a minus sign first, then by order of appearance."""
    ordered = sorted(terms, key=lambda e: (is_negative(e[0]), order(e)))
    if len(shape) > 1 and any(_has_delta(e[0]) or not _has_place(e, shape) for e in ordered):
        ordered = [_stretched(node, labels, shape) for node, labels in ordered]
    return total(ordered, shape)


def _has_delta(node: Expr, depth: int = 3) -> bool:
    """Whether an identity matrix is a factor: the sum is one of matrices and no mere broadcasting."""
    if node.head == CONTRACTION and len(set(node.data)) < len(node.data):
        return True
    inside = (node.head == CALL and node.data == ADD) or (node.head == CONTRACTION and is_elementwise(node))
    return inside and depth > 0 and any(_has_delta(child, depth - 1) for child, _ in node.args)


def _has_place(edge: Edge, shape: tuple[Size, ...]) -> bool:
    """Whether NumPy's broadcasting puts a term on its axes."""
    return has_place(edge, len(shape))


def _stretched(node: Expr, labels: tuple[int, ...], shape: tuple[Size, ...]) -> Edge:
    """A term with fewer axes than its sum, times ones: outer(ones(n), v) rather than v."""
    whole = tuple(range(len(shape)))
    missing = tuple(i for i in whole if i not in labels)
    if not missing:
        return node, labels
    ones = contraction([], tuple(range(len(missing))), {i: shape[k] for i, k in enumerate(missing)})
    inner = node.args if node.head == CONTRACTION and is_elementwise(node) else ((node, axes(node)),)
    one = number(1)
    factors = [(child, tuple(labels[i] for i in where)) for child, where in inner if child is not one]
    return flat_product([*factors, (ones, missing)], whole, dict(enumerate(shape))), whole


def leading_number(node: Expr) -> tuple[Fraction, Expr | None]:
    """The number a product starts with, and the rest of it."""
    if node.head == NUMBER:
        return node.data, None
    if node.head != CONTRACTION or len(node.args) < 2 or node.args[0][0].head != NUMBER:
        return Fraction(1), node
    mean = mean_among(node.args)
    if mean is not None and mean.divisor == 0 and mean.number == 1:
        return Fraction(1), node  # a mean keeps its 1/n
    sizes = dict(zip(node.data, node.shape, strict=True))
    return node.args[0][0].data, product(node.args[1:], node.data, sizes)


def flat_product(edges: list[Edge], out: tuple[int, ...], sizes: dict[int, Size]) -> Expr:
    """An elementwise product as one flat node when NumPy's broadcasting can say it, else in matrix notation."""
    rank = len(out)
    place = {label: i for i, label in enumerate(out)}
    if len(place) == rank and all(
        tuple(place[i] for i in labels) == tuple(range(rank - len(labels), rank))
        or can_keep((child, tuple(place[i] for i in labels)), rank)
        for child, labels in edges
    ):
        return product(
            [(c, tuple(place[i] for i in labels)) for c, labels in edges],
            tuple(range(rank)),
            {i: sizes[label] for i, label in enumerate(out)},
        )
    return arrange(edges, out, sizes)


def one_denominator(root: Expr) -> bool:
    """Whether at most one term is a fraction; more are put over one bar."""
    if root.head != CALL or root.data != ADD:
        return True
    fractions = 0
    for term, _ in root.args:
        factors = term.args if term.head == CONTRACTION else ((term, ()),)
        fractions += any(c.head == CALL and c.data == POWER and kind_of(c) == 3 for c, _ in factors)
    return fractions < 2


def like_terms_free(root: Expr) -> bool:
    """Whether no two terms are multiples of one another."""
    if root.head != CALL or root.data != ADD:
        return True
    parts = [(content(c)[1], labels) for c, labels in root.args]
    return len(set(parts)) == len(parts)

"""What of the input may stand in the result: its names and functions, its sums, its parts as it writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, PRIMITIVE, SYMBOL, Edge, Expr, axes, is_elementwise
from derivata.expr.walk import topological
from derivata.rules.book import Book
from derivata.simplify.matrix import is_transposed
from derivata.simplify.normal import Normaliser
from derivata.simplify.ordering import Ordering
from derivata.simplify.products import transposed
from derivata.simplify.rational import is_internal

LARGEST = 60  # nodes of a part that may stand for itself in the result
MOST_SUMS, MOST_PARTS = 8, 40


@dataclass(frozen=True)
class Written:
    """One input, read once for all that is printed of it.

    `familiar` are its sums as they stand, `sums` their normal forms; `parts` maps normal forms to what the
    input writes for them and the order of its axes; `known` are the functions it uses.
    """

    order: Ordering
    familiar: frozenset[Expr]
    sums: tuple[Expr, ...]
    parts: Mapping[Expr, Edge]
    known: frozenset[str]
    has_dots: bool  # z@c is written as a product of vectors, not as a sum


def as_written(given: Expr, book: Book) -> Written:
    """Read the input."""
    order = topological(given)
    normaliser = Normaliser(given, book)
    normaliser.run()
    familiar = frozenset(n for n in order if n.head == CALL and n.data == ADD)
    inner = [n for n in order if n in familiar and n is not given and n.cost < LARGEST and n not in normaliser.large]
    return Written(
        order=Ordering(given),
        familiar=familiar,
        sums=tuple(dict.fromkeys(normaliser.cluster(n) for n in inner[:MOST_SUMS])),
        parts=_parts(given, order, normaliser),
        known=frozenset(n.data if n.head == CALL else n.data[0] for n in order if n.head in (CALL, PRIMITIVE)),
        has_dots=any(_is_dot(n) for n in order),
    )


def _is_dot(node: Expr) -> bool:
    """The product of two vectors, or of a matrix and a vector."""
    return node.head == CONTRACTION and len(node.args) == 2 and len(node.args[1][1]) == 1 and not is_elementwise(node)


def _parts(given: Expr, order: Sequence[Expr], normaliser: Normaliser) -> dict[Expr, Edge]:
    """By normal form: the part of the input and the order of its axes (a transposed one is written with .T)."""
    found: dict[Expr, Edge] = {}
    inner = {c for n in order if _is_product(n) for c, _ in n.args if _is_product(c)}  # x.T@A in x.T@A@x is no part
    parts = [n for n in order if n is not given and n not in inner and n.cost < LARGEST and _has_other_spellings(n)]
    for node in parts[:MOST_PARTS]:
        for form, labels in _forms(node, normaliser):
            if form.head not in (NUMBER, SYMBOL) and not is_internal(form):
                found.setdefault(form, (node, labels))
    return found


def _has_other_spellings(node: Expr) -> bool:
    if node.head == PRIMITIVE and len(node.args) == 1 and is_transposed(node.args[0][0]):
        return False  # f(A.T) is f(A).T where that is so
    return node.head == PRIMITIVE or (node.head == CONTRACTION and not is_elementwise(node))


def _is_product(node: Expr) -> bool:
    return node.head == CONTRACTION and len(node.args) > 1 and not is_elementwise(node)


def _forms(node: Expr, normaliser: Normaliser) -> list[Edge]:
    """The normal forms of a node and, of a matrix, of its transpose."""
    form = normaliser.memo.get(node, node)
    if len(node.shape) != 2:
        return [(form, axes(node))]
    turned = normaliser.cluster(transposed(form))
    return [(form, (0, 1)), (turned, (1, 0))]

"""Parts of a result that the input holds too: they are printed as the input writes them."""

from __future__ import annotations

from derivata.expr.node import CONTRACTION, NUMBER, PRIMITIVE, SYMBOL, Edge, Expr, axes
from derivata.expr.walk import topological
from derivata.simplify.normal import Normaliser
from derivata.simplify.products import transposed
from derivata.simplify.rational import is_elementwise, is_internal

LARGEST = 60  # nodes of a part that may stand for itself in the result
MOST = 40


def parts_as_written(given: Expr, normaliser: Normaliser) -> dict[Expr, Edge]:
    """By normal form: the part of the input and the order of its axes (a transposed one is written with .T)."""
    found: dict[Expr, Edge] = {}
    order = topological(given)
    inner = {c for n in order if _is_product(n) for c, _ in n.args if _is_product(c)}  # x.T@A in x.T@A@x is no part
    parts = [n for n in order if n is not given and n not in inner and n.cost < LARGEST and _has_other_spellings(n)]
    for node in parts[:MOST]:
        for form, labels in _forms(node, normaliser):
            if form.head not in (NUMBER, SYMBOL) and not is_internal(form):
                found.setdefault(form, (node, labels))
    return found


def _has_other_spellings(node: Expr) -> bool:
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

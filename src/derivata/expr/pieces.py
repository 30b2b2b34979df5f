"""Small pieces of notation: numbers, names, sizes, calls, sums over axes."""

from __future__ import annotations

from collections.abc import Sequence

from derivata.expr.node import CONTRACTION, PRIMITIVE, Expr, Labels, Size, axes, number
from derivata.expr.parse import Syntax
from derivata.expr.selectors import is_onehot
from derivata.expr.sizes import size_terms
from derivata.expr.vocabulary import NESTING


def spell_number(node: Expr) -> Syntax:
    return Syntax("number", str(node.data), 0, value=node.data)


def spell_name(name: str) -> Syntax:
    return Syntax("name", name, 0)


def function(name: str, *args: Syntax) -> Syntax:
    return Syntax("call", name, 0, list(args))


def spell_size(size: Size) -> Syntax:
    terms = [_spell_term(names, factor) for names, factor in size_terms(size)]
    return terms[0] if len(terms) == 1 else Syntax("sum", "+", 0, terms)


def _spell_term(names: Sequence[str], factor: int) -> Syntax:
    numbers = [spell_number(number(abs(factor)))] if abs(factor) != 1 or not names else []
    parts = [*numbers, *map(spell_name, names)]
    term = parts[0] if len(parts) == 1 else Syntax("product", "*", 0, parts)
    return Syntax("unary", "-", 0, [term]) if factor < 0 else term


def spell_sum(text: Syntax, summed: list[int], rank: int, *, keepdims: bool, name: str = "sum") -> Syntax:
    keep = [Syntax("keyword", "keepdims", 0, [spell_name("True")])] if keepdims else []
    if len(summed) == rank and not keepdims:
        return function(name, text)
    result = text
    for axis in reversed(summed):
        result = function(name, result, Syntax("keyword", "axis", 0, [spell_number(number(axis))]), *keep)
    return result


FEWEST_FACTORS = 4  # of a product of one matrix with itself that is written as a power


def chained(factors: Sequence[Syntax]) -> Syntax:
    """A product of matrices from left to right."""
    found = factors[0]
    for factor in factors[1:]:
        found = Syntax("binary", "@", 0, [found, factor])
    return found


def matrix_powers(node: Expr) -> list[tuple[Expr, int]] | None:
    """A product of matrices as factors with their counts, if one stands often enough in a row."""
    if not _is_product(node) or node.shape[0] != node.shape[1]:
        return None
    runs: list[tuple[Expr, int]] = []
    stack = [node]
    while stack:
        factor = stack.pop()
        if _is_product(factor):
            stack += [factor.args[1][0], factor.args[0][0]]
        elif runs and runs[-1][0] is factor:
            runs[-1] = factor, runs[-1][1] + 1
        else:
            runs.append((factor, 1))
    return runs if max(count for _, count in runs) >= FEWEST_FACTORS else None


def _is_product(node: Expr) -> bool:
    return node.head == CONTRACTION and node.data == (0, 1) and [w for _, w in node.args] == [(0, 2), (2, 1)]


def along_axis(child: Expr, labels: Labels, out: Labels, written: dict[Expr, Syntax]) -> Syntax | None:
    """f(X, axis=0): a function of the last axis between a transposition and its inverse."""
    if child.head != PRIMITIVE or len(child.args) != 1 or out != tuple(range(len(labels))):
        return None
    ((inner, order),) = child.args
    if child.data[1] != len(labels) - 1:
        return None
    if inner.head == CONTRACTION and len(inner.args) == 1 and sorted(inner.args[0][1]) == list(inner.data):
        order = tuple(order[i] for i in inner.args[0][1])
        inner = inner.args[0][0]
    if len(order) != len(labels) or any(labels[order[i]] != i for i in range(len(order))):
        return None
    axis = order.index(len(order) - 1)
    return function(child.data[0], written[inner], Syntax("keyword", "axis", 0, [spell_number(number(axis))]))


def reduced_whole(node: Expr) -> Expr | None:
    """The array of which a function reduces one axis after the other, the last one first."""
    inner, depth = node, 0
    while inner.head == PRIMITIVE and inner.data == (node.data[0], depth) and len(inner.args) == 1:
        child, labels = inner.args[0]
        if len(inner.shape) != depth or labels != axes(child) or len(child.shape) != depth + 1:
            return None
        inner, depth = child, depth + 1
    return inner if depth > 1 and node.data[0] in NESTING else None


def subscript(node: Expr, written: dict[Expr, Syntax]) -> Syntax | None:
    """z[k], X[k, :] and so on: one array and selectors."""
    if len(node.args) < 2 or is_onehot(node.args[0][0]):
        return None
    (array, labels), *selectors = node.args
    if not all(is_onehot(s) for s, _ in selectors) or len(set(labels)) < len(labels):
        return None
    places = {lab[0]: s for s, lab in selectors}
    if len(places) < len(selectors) or not set(places) <= set(labels):
        return None
    if node.data != tuple(label for label in labels if label not in places):
        return None
    last = max(i for i, label in enumerate(labels) if label in places)
    subscripts = [
        written[places[label].args[0][0]] if label in places else Syntax("slice", ":", 0)
        for label in labels[: last + 1]
    ]
    return Syntax("subscript", "[", 0, [written[array], *subscripts])

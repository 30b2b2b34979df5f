"""What all terms of a sum have in common: a number and whole powers of factors."""

from __future__ import annotations

from fractions import Fraction

from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, POWER, Edge, Expr, Labels, axes, is_elementwise, number
from derivata.rewrite.fold import power_of, product, total
from derivata.simplify.multiples import content


def monomial_content(node: Expr) -> tuple[Fraction, list[Edge], Edge]:
    """A sum as number * common factors * rest; the rest has just the axes it needs."""
    scale, rest = content(node)
    if rest.head != CALL or rest.data != ADD:
        return scale, [], (rest, axes(rest))
    terms = [_factor_powers(child, labels) for child, labels in rest.args]
    shared = {
        key: min(t[key] for t in terms) if terms[0][key] > 0 else max(t[key] for t in terms)
        for key in terms[0]
        if all(key in t and t[key] * terms[0][key] > 0 for t in terms)
    }
    if not shared:
        return scale, [], (rest, axes(rest))
    common = [(power_of((c, axes(c)), (number(e), ()), c.shape), labels) for (c, labels), e in shared.items()]
    divided = [_divided(term, labels, shared, rest) for term, labels in rest.args]
    used = tuple(sorted({i for _, labels in divided for i in labels}))
    narrow = [(term, tuple(used.index(i) for i in labels)) for term, labels in divided]
    return scale, common, (total(narrow, tuple(rest.shape[i] for i in used)), used)


def _factor_powers(term: Expr, labels: Labels) -> dict[tuple[Expr, Labels], int]:
    """The whole powers in a term: base and the axes of the sum it lies on."""
    args = term.args if term.head == CONTRACTION and is_elementwise(term) else ((term, axes(term)),)
    found: dict[tuple[Expr, Labels], int] = {}
    for child, where in args:
        base, exponent = _base_and_power(child)
        if base.head != NUMBER and not (base.head == CALL and base.data == ADD and exponent > 0):
            key = base, tuple(labels[i] for i in where)
            found[key] = found.get(key, 0) + exponent
    return found


def _base_and_power(node: Expr) -> tuple[Expr, int]:
    """The base and exponent of a whole power; anything else is its own base."""
    if node.head == CALL and node.data == POWER and node.args[1][0].head == NUMBER:
        value = node.args[1][0].data
        if value.denominator == 1 and node.args[0][1] == axes(node):
            return node.args[0][0], int(value)
    return node, 1


def _divided(term: Expr, labels: Labels, divisor: dict[tuple[Expr, Labels], int], whole: Expr) -> Edge:
    """One term of a sum divided by the common factors."""
    args = term.args if term.head == CONTRACTION and is_elementwise(term) else ((term, axes(term)),)
    left = {key: exponent - divisor[key] for key, exponent in _factor_powers(term, labels).items() if key in divisor}
    kept = [(power_of((c, axes(c)), (number(e), ()), c.shape), place) for (c, place), e in left.items() if e]
    for child, where in args:
        place = tuple(labels[i] for i in where)
        if (_base_and_power(child)[0], place) not in divisor and (child.head != NUMBER or child.data != 1):
            kept.append((child, place))
    used = sorted({i for _, w in kept for i in w})
    place_of = {label: i for i, label in enumerate(used)}
    sizes = {place_of[i]: whole.shape[i] for i in used}
    edges = [(c, tuple(place_of[i] for i in w)) for c, w in kept]
    return product(edges, tuple(range(len(used))), sizes), tuple(used)

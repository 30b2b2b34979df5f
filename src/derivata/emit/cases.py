"""A factor that is 0 in some cases, and one that may have no value there: such a product is written case by case.

Where an exact 0 stands beside what is not defined, the 0 wins: the other factor belongs to a case that is not taken.
Floats know no such thing, 0*inf is nan; so where(c, 1, 0)/u becomes where(c, 1/u, 0).
"""

from __future__ import annotations

from collections.abc import Sequence

from derivata.calculus.domain import bounds_in, is_total
from derivata.expr.arrays import is_zero
from derivata.expr.node import (
    CALL,
    CONTRACTION,
    NUMBER,
    POWER,
    ZERO,
    Edge,
    Expr,
    Labels,
    Size,
    call,
    contraction,
    label_sizes,
    with_args,
)
from derivata.expr.notation import SIGNS
from derivata.expr.walk import topological
from derivata.rewrite.fold import product
from derivata.rules.book import book


def by_cases(roots: Sequence[Expr]) -> tuple[Expr, ...]:
    """The roots with every factor that may fail inside the cases of those that decide whether it matters."""
    order = topological(*roots)
    choice = next(f.name for f in book().functions if "choice" in f.traits)
    if not any(_decides(node, choice) for node in order):
        return tuple(roots)
    failing = _failing(order, choice)
    memo: dict[Expr, Expr] = {}
    for node in order:
        changed = with_args(node, tuple((memo[child], labels) for child, labels in node.args))
        places = [i for i, (child, _) in enumerate(node.args) if child in failing]
        memo[node] = _Product(changed, choice).by_cases(places) if node.head == CONTRACTION and places else changed
    return tuple(memo[root] for root in roots)


def _failing(order: Sequence[Expr], choice: str) -> set[Expr]:
    """Nodes of which an entry may have no value, by itself or by what it is made of."""
    bounds = bounds_in(order, book())
    found: set[Expr] = set()
    for node in order:
        inside = any(child in found for child, _ in node.args)
        if node.head == CONTRACTION:
            elementwise = all(set(labels) <= set(node.data) for _, labels in node.args)
            fails = elementwise and inside
        else:
            fails = node.head == CALL and node.data != choice and (inside or not is_total(node, bounds, book()))
        if fails:
            found.add(node)
    return found


def _decides(node: Expr, choice: str) -> bool:
    """Whether a factor is 0 as something else says: a condition, a case of 0, a power whose exponent varies."""
    if node.head != CALL:
        return False
    if node.data == POWER:
        return node.args[1][0].head != NUMBER
    return node.data in SIGNS or (node.data == choice and _has_zero(node, choice))


def _has_zero(node: Expr, choice: str) -> bool:
    if node.head == CALL and node.data == choice:
        return any(_has_zero(child, choice) for child, _ in node.args[1:])
    return is_zero(node)


class _Product:
    """One contraction, its factors on their way into cases."""

    def __init__(self, node: Expr, choice: str) -> None:
        self.node, self.choice = node, choice
        self.sizes = label_sizes(node)

    def by_cases(self, failing: Sequence[int]) -> Expr:
        """The product with the factors at these places put into the cases of the others."""
        edges = list(self.node.args)
        plain = [i for i, (_, labels) in enumerate(edges) if len(set(labels)) == len(labels)]
        deciding = [edges[i] for i in plain if _decides(edges[i][0], self.choice)]
        inner = [edges[i] for i in plain if i in failing]
        rest = [edge for i, edge in enumerate(edges) if i not in plain or (i not in failing and edge not in deciding)]
        # A power decides only about functions of its own base, and is itself decided about by the others.
        for gate in sorted(deciding, key=lambda edge: edge[0].data != POWER):
            others = [edge for edge in inner if edge is not gate and self._is_inside(gate, edge)]
            whole = max((gate, *others), key=lambda edge: len(edge[1]))[1]
            others = [edge for edge in others if set(edge[1]) <= set(whole)]
            if others:
                inner = [edge for edge in inner if edge is not gate and edge not in others]
                inner.append(self._case(gate, others, whole))
            elif gate not in inner:
                rest.append(gate)
        changed = [*rest, *inner]
        if len(changed) == len(edges):
            return self.node
        return contraction(changed, self.node.data, {i: self.sizes[i] for i in self.node.data})

    def _is_inside(self, gate: Edge, edge: Edge) -> bool:
        outer, own = set(gate[1]), set(edge[1])
        if gate[0].data == POWER:
            return outer == own and any(child is gate[0].args[0][0] for child, _ in edge[0].args)
        return own <= outer or outer <= own

    def _case(self, gate: Edge, inner: Sequence[Edge], whole: Labels) -> Edge:
        """The product in the cases of its first factor."""
        node, labels = gate
        if is_zero(node):
            return ZERO, ()
        if node.head == CALL and node.data == self.choice:
            condition, *cases = ((child, tuple(labels[i] for i in own)) for child, own in node.args)
            return self._chosen([condition, *(self._case(case, inner, whole) for case in cases)], whole)
        if _decides(node, self.choice):
            factors = inner if node.data in SIGNS else [gate, *inner]
            return self._chosen([gate, self._times(factors, whole), (ZERO, ())], whole)
        return self._times([gate, *inner], whole)

    def _chosen(self, parts: Sequence[Edge], whole: Labels) -> Edge:
        place = {label: i for i, label in enumerate(whole)}
        args = [(child, tuple(place[i] for i in labels)) for child, labels in parts]
        return call(self.choice, args, tuple(self.sizes[i] for i in whole)), whole

    def _times(self, factors: Sequence[Edge], whole: Labels) -> Edge:
        sizes: dict[int, Size] = {i: self.sizes[i] for i in whole}
        return product(factors, whole, sizes), whole

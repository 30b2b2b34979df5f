"""Contractions in normal form: nested ones flattened, deltas and selectors used, independent parts split.

Every contraction that is left is connected through the labels it sums over.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from derivata.expr.arrays import zeros
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    ONE,
    PRIMITIVE,
    Edge,
    Expr,
    Labels,
    Size,
    axes,
    contraction,
    is_elementwise,
    label_sizes,
    number,
)
from derivata.expr.selectors import is_onehot, is_ravel, is_slide, size_node
from derivata.expr.windows import matrix_of, part_of, slice_of
from derivata.rewrite.fold import product, total
from derivata.simplify.canonical import is_identity_matrix
from derivata.simplify.content import monomial_content
from derivata.simplify.facts import Facts
from derivata.simplify.inverses import Cancellation
from derivata.simplify.multiples import content
from derivata.simplify.operands import in_order
from derivata.simplify.windows import overlapped, picked_of_slice, settled, sliced_factors

DISTRIBUTED_TERMS = 64


@dataclass
class Network:
    """Factors with global labels; `out` may repeat one."""

    coefficient: Fraction
    factors: list[Edge]
    out: Labels
    sizes: dict[int, Size]
    scalars: list[Expr] = field(default_factory=list)


class Algebra(Protocol):
    """What contractions need of the pass they are part of."""

    facts: Facts
    distribution: Distribution
    whole: set[Expr]  # large shared parts, which are not looked into

    def elementwise(self, node: Expr) -> Expr:
        """The normal form of a product or a sum of normal parts."""

    def is_symmetric(self, node: Expr) -> bool:
        """Whether a normal node is surely its own transpose."""

    def identities(self, node: Expr) -> Expr:
        """The node after the identities of the rulebook."""


@dataclass
class Distribution:
    """What the passes over one result share: how contractions of sums are written, and what was found so far."""

    sparing: bool = False  # as sums only where that is shorter, not always
    happened: bool = False  # whether any was
    known: dict[Expr, Expr] = field(default_factory=dict)  # normal forms of small nodes: they depend on nothing else


def normal_contraction(node: Expr, algebra: Algebra) -> Expr:
    """The normal form of a contraction over normal operands."""
    network = flatten(node, algebra.whole)
    network.factors = settled(network.factors, network.out)
    if network.coefficient == 0:
        return zeros(node.shape)
    rest = _unflattened(network) or _summed_flat(network) or _cancelled(network, algebra)
    rest = rest or overlapped(network.factors, network.out) or _summed_along(network, algebra)
    if rest:
        scale: list[Edge] = [(number(network.coefficient), ()), *((s, ()) for s in network.scalars)]
        return normal_contraction(contraction([*scale, *rest], network.out, network.sizes), algebra)
    distributed = None
    spread_out = _distribute(network)
    if spread_out is not None:
        algebra.distribution.happened = True
        terms = [normal_contraction(t, algebra) for t in spread_out]
        distributed = algebra.elementwise(total([(t, axes(t)) for t in terms], node.shape))
        if not algebra.distribution.sparing or any(_is_window(c) for t in spread_out for c, _ in t.args):
            return distributed
    _select(network)
    kept = _assemble(network, node, algebra)
    return kept if distributed is None or kept.cost <= distributed.cost else distributed


def _unflattened(network: Network) -> list[Edge] | None:
    """The factors without two flattenings that undo each other."""
    flat = [(i, labels) for i, (node, labels) in enumerate(network.factors) if is_ravel(node)]
    for i, first in flat:
        for k, second in flat:
            if i >= k or network.factors[i][0] is not network.factors[k][0]:
                continue
            elsewhere = {j for m, (_, w) in enumerate(network.factors) if m not in (i, k) for j in w} | set(network.out)
            rest = [e for m, e in enumerate(network.factors) if m not in (i, k)]
            if first[0] == second[0] and first[0] not in elsewhere:
                pairs = zip(first[1:], second[1:], strict=True)
            elif first[1:] == second[1:] and not set(first[1:]) & elsewhere:
                pairs = zip(first[:1], second[:1], strict=True)
            else:
                continue
            return [*rest, *((contraction([], (0, 0), {0: network.sizes[a]}), (a, b)) for a, b in pairs)]
    return None


def _summed_flat(network: Network) -> list[Edge] | None:
    """The factors without a constant that is 1 for every entry of the others, as one of its axes is only summed."""
    for i, (node, labels) in enumerate(network.factors):
        others = [e for k, e in enumerate(network.factors) if k != i]
        held = {j for _, w in others for j in w} | set(network.out)
        if is_ravel(node) and labels[0] not in held:
            return [*others, *((size_node(network.sizes[j]), ()) for j in labels[1:] if j not in held)]
        if is_slide(node) and labels[2] not in held:
            return [*others, *((size_node(network.sizes[j]), ()) for j in labels[:2] if j not in held)]
        if (part := part_of((node, labels))) and part[1][1] not in held:
            counts = [(size_node(network.sizes[j]), ()) for j in part[1][:1] if j not in held]
            return [*others, *counts] or [(ONE, ())]
    return None


def _summed_along(network: Network, algebra: Algebra) -> list[Edge] | None:
    """The factors after one that is alone in being summed along an axis is replaced by its sum, where that is told."""
    for i, (node, labels) in enumerate(network.factors):
        if node.head != PRIMITIVE or node.data[0] not in algebra.facts.summing:
            continue
        others = [e for k, e in enumerate(network.factors) if k != i]
        held = {j for _, w in others for j in w} | set(network.out)
        for label in [j for j in labels if j not in held and labels.count(j) == 1]:
            kept = tuple(j for j in labels if j != label)
            summed = contraction([(node, labels)], kept)
            if (told := algebra.identities(summed)) is not summed:
                return [*others, (told, kept)]
    return None


def _cancelled(network: Network, algebra: Algebra) -> list[Edge] | None:
    """The factors without a matrix and its inverse that stand side by side."""
    inverses = algebra.facts.matrix_inverses
    if len(network.factors) < 2 or not any(c.head == PRIMITIVE and c.data[0] in inverses for c, _ in network.factors):
        return None
    return Cancellation(inverses, algebra.is_symmetric, _opened).cancelled(network.factors, network.out)


def _opened(matrix: Expr) -> tuple[list[Edge], Labels]:
    """The factors of a matrix and the labels of its axes; the matrix itself if it has a number in front."""
    if matrix.head == CONTRACTION and len(set(matrix.data)) == 2:
        network = flatten(matrix)
        if network.coefficient == 1 and not network.scalars:
            return network.factors, network.out
    return [(matrix, (0, 1))], (0, 1)


def flatten(node: Expr, whole: Collection[Expr] = ()) -> Network:
    """Inline nested contractions and products but those of `whole`; a repeated output label of one is a delta."""
    sizes = label_sizes(node)
    parent = {label: label for label in sizes}

    def find(label: int) -> int:
        while parent[label] != label:
            label = parent[label]
        return label

    fresh = max(sizes, default=-1) + 1
    coefficient = Fraction(1)
    factors: list[Edge] = []
    stack = list(reversed(node.args))
    while stack:
        child, labels = stack.pop()
        if child.head == NUMBER:
            coefficient *= child.data
        elif child.head == CALL and child.data == ADD:
            scale, common, rest = monomial_content(child)
            coefficient *= scale
            factors.append((rest[0], tuple(labels[i] for i in rest[1])))
            factors.extend((c, tuple(labels[i] for i in w)) for c, w in common)
        elif whole and child.head == CONTRACTION and (multiple := content(child))[1] in whole:
            coefficient *= multiple[0]
            factors.append((multiple[1], labels))
        elif child.head == CONTRACTION and (is_elementwise(child) or not _is_atom(child)):
            inner: dict[int, int] = {}
            for place, label in zip(child.data, labels, strict=True):
                if place in inner:
                    a, b = sorted((find(inner[place]), find(label)))
                    parent[b] = a
                else:
                    inner[place] = label
            nested = []
            for grandchild, where in child.args:
                for i, size in zip(where, grandchild.shape, strict=True):
                    if i not in inner:
                        inner[i] = fresh
                        parent[fresh] = fresh
                        sizes[fresh] = size
                        fresh += 1
                nested.append((grandchild, tuple(inner[i] for i in where)))
            stack.extend(reversed(nested))
        else:
            factors.append((child, labels))
    renamed = [(child, tuple(find(i) for i in labels)) for child, labels in factors]
    out = tuple(find(i) for i in node.data)
    used = {i for _, labels in renamed for i in labels} | set(out)
    network = Network(coefficient, renamed, out, sizes)
    for label in {find(i) for i in parent} - used:
        network.scalars.append(size_node(sizes[label]))
    return network


def _is_atom(node: Expr) -> bool:
    """A picked component such as z[k] stays one thing, and so does a slice."""
    return (len(node.args) == 2 and any(is_onehot(c) for c, _ in node.args)) or slice_of(node) is not None


def _distribute(network: Network) -> list[Expr] | None:
    """Write the contraction of a sum as a sum, when a term of it meets a delta, a selector or no summed label."""
    outside = set(network.out)
    position = next((i for i in range(len(network.factors)) if _gains(network.factors, i, outside)), None)
    if position is None:
        return None
    child, labels = network.factors[position]
    rest = [e for i, e in enumerate(network.factors) if i != position]
    scale: list[Edge] = [(number(network.coefficient), ()), *((s, ()) for s in network.scalars)]
    kept = outside.union(*(where for _, where in rest))
    terms = []
    for term, where in child.args:
        own = tuple(labels[i] for i in where)
        constant_along = sorted(set(labels) - kept - set(own))  # a sum of n equal terms is n times one
        counts = [(size_node(network.sizes[label]), ()) for label in constant_along]
        terms.append(contraction([*scale, *counts, *rest, (term, own)], network.out, network.sizes))
    return terms


def _gains(factors: list[Edge], position: int, outside: set[int]) -> bool:
    """Whether a factor is a short sum with a term that makes a summed label go away or comes apart."""
    child, labels = factors[position]
    if child.head != CALL or child.data != ADD or len(child.args) > DISTRIBUTED_TERMS:
        return False
    if not set(labels) - outside:
        return False
    rest = [e for i, e in enumerate(factors) if i != position]
    if any(is_ravel(c) for c, _ in rest):
        return True
    terms = [(term, tuple(labels[i] for i in where)) for term, where in child.args]
    return any(_collapses(*term) or _comes_apart([*rest, term], factors, outside) for term in terms)


def _comes_apart(changed: list[Edge], factors: list[Edge], outside: set[int]) -> bool:
    """Whether fewer labels are summed over, or in more independent parts."""
    before, after = ({i for _, w in side for i in w} - outside for side in (factors, changed))
    summed = [[e for e in side if set(e[1]) - outside] for side in (factors, changed)]
    return before != after or len(_components(summed[1], outside)) > len(_components(summed[0], outside))


def _collapses(term: Expr, labels: Labels) -> bool:
    """Whether a term is a delta or a selector, alone or times something."""
    if term.head == CONTRACTION and is_elementwise(term):
        return _is_window(term) or any(is_identity_matrix(c) or is_onehot(c) for c, _ in term.args)
    return is_identity_matrix(term) or is_onehot(term) or _is_window(term)


def _is_window(term: Expr) -> bool:
    """Whether a term is the constant that a slice or a padding contracts with, perhaps times something."""
    factors = [c for c, _ in term.args] if term.head == CONTRACTION and is_elementwise(term) else [term]
    return any(matrix_of(c) is not None for c in factors)


def _select(network: Network) -> None:
    """A selector that shares its label with others picks their component."""
    for selector, (label,) in [e for e in network.factors if is_onehot(e[0])]:
        others = [i for i, (c, w) in enumerate(network.factors) if label in w and c is not selector]
        if not others and label not in network.out:  # a selector sums to 1
            network.factors = [e for e in network.factors if e != (selector, (label,))]
            continue
        if not others or (len(network.factors) == 2 and label not in network.out):
            continue
        for i in others:
            child, labels = network.factors[i]
            kept = tuple(j for j in labels if j != label)
            inner = picked_of_slice(child, labels.index(label), selector) or (child, selector)
            picked = contraction([(inner[0], labels), (inner[1], (label,))], kept)
            network.factors[i] = (picked, kept)
        if label not in network.out:
            network.factors = [e for e in network.factors if not (e[0] is selector and e[1] == (label,))]
    while (sliced := sliced_factors(network.factors, network.out)) is not None:
        network.factors = sliced


def _assemble(network: Network, node: Expr, algebra: Algebra) -> Expr:
    """One contraction per connected part; their product is elementwise."""
    outside = set(network.out)
    positions = {label: network.out.index(label) for label in network.out}
    parts: list[Edge] = [(number(network.coefficient), ()), *((s, ()) for s in network.scalars)]
    for component in _components(network.factors, outside):
        labels = {i for _, w in component for i in w}
        kept = tuple(i for i in dict.fromkeys(network.out) if i in labels)
        found = _component(component, kept, labels - outside, algebra)
        parts.extend((c, tuple(positions[i] for i in w)) for c, w in found)
    for place, label in enumerate(network.out):
        if positions[label] != place:
            delta = contraction([], (0, 0), {0: node.shape[place]})
            parts.append((delta, (positions[label], place)))
    return algebra.elementwise(product(parts, axes(node), dict(enumerate(node.shape))))


def _components(factors: list[Edge], outside: set[int]) -> list[list[Edge]]:
    """Factors connected through summed labels."""
    groups: list[tuple[set[int], list[Edge]]] = []
    for edge in factors:
        summed = set(edge[1]) - outside
        members = [edge]
        apart = []
        for labels, found in groups:
            if summed and labels & summed:
                summed |= labels
                members = [*found, *members]
            else:
                apart.append((labels, found))
        groups = [*apart, (summed, members)]
    return [members for _, members in groups]


def _component(
    factors: list[Edge],
    kept: Labels,
    summed: set[int],
    algebra: Algebra,
) -> list[Edge]:
    """Factors on the same axes become one elementwise factor; then the operands are put in order."""
    if not summed:
        return [_diagonal_edge(e) for e in factors]
    grouped: dict[frozenset[int], list[Edge]] = {}
    picks = [e for e in factors if is_onehot(e[0])]
    for edge in (e for e in factors if not is_onehot(e[0])):
        child, labels = _diagonal_edge(edge)
        grouped.setdefault(frozenset(labels), []).append((child, labels))
    merged: list[Edge] = picks
    again = False
    for members in grouped.values():
        if len(members) == 1:
            merged.append(members[0])
            again = again or _splits(members[0][0])
            continue
        order = members[0][1]
        place = {label: i for i, label in enumerate(order)}
        sizes = {place[i]: s for i, s in zip(order, members[0][0].shape, strict=True)}
        node = algebra.elementwise(
            product([(c, tuple(place[i] for i in w)) for c, w in members], axes(members[0][0]), sizes)
        )
        again = again or node.head == NUMBER or _splits(node)
        merged.append((node, order))
    if again:
        inner = contraction(merged, kept)
        network = flatten(inner, algebra.whole)
        if sorted((c.digest, len(w)) for c, w in network.factors) != sorted((c.digest, len(w)) for c, w in factors):
            return [(normal_contraction(inner, algebra), kept)]
    return [(ordered(merged, kept, algebra), kept)]


def _splits(node: Expr) -> bool:
    """Whether a number or a factor without all the axes came out in front, or can be taken out of a sum."""
    if node.head == CALL and node.data == ADD:
        return bool(monomial_content(node)[1])
    return (
        node.head == CONTRACTION
        and is_elementwise(node)
        and any(len(labels) < len(node.shape) for _, labels in node.args)
    )


def _diagonal_edge(edge: Edge) -> Edge:
    labels = edge[1]
    if len(set(labels)) == len(labels):
        return edge
    kept = tuple(dict.fromkeys(labels))
    return contraction([edge], kept), kept


def ordered(factors: list[Edge], out: Labels, algebra: Algebra) -> Expr:
    """The contraction with its operands in an order that does not depend on how it was written."""
    return contraction(in_order(factors, out, algebra.is_symmetric), out)

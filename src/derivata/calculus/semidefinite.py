"""Whether a matrix is positive semidefinite, by its form: mirrored products, diagonals, sums, weights that sum to 1."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from derivata.calculus.domain import REAL, Bounds, bounds_of
from derivata.expr.node import ADD, CALL, CONTRACTION, PRIMITIVE, SYMBOL, Edge, Expr, Labels, axes
from derivata.expr.selectors import is_selector
from derivata.rewrite.instantiate import record_of
from derivata.rules.book import Book

MOST_FACTORS = 12
DEEPEST = 6  # matrices inside sums inside products ...: forms nested deeper are not looked at


class Roles(NamedTuple):
    """What the labels of a product are: `partner` takes a row's label to its column's; `left` are the rows' labels.

    A label that is its own partner is on both sides: the matrix is diagonal in it, or there is one for each value.
    """

    partner: dict[int, int]
    left: frozenset[int]


def sign_of(node: Expr, bounds: dict[Expr, Bounds]) -> int:
    """1 where no entry is negative, -1 where none is positive, 0 where nothing is known."""
    if is_selector(node):
        return 1
    known = bounds.get(node, REAL)
    return 1 if known.satisfies(">=", 0) else -1 if known.satisfies("<=", 0) else 0


def definiteness(matrix: Expr, book: Book) -> int:
    """1 if surely positive semidefinite (the first half of the axes are the rows), -1 if negative, 0 if not decided."""
    rank = len(matrix.shape) // 2
    bounds = bounds_of(matrix, book)
    if rank == 0:
        return sign_of(matrix, bounds)
    pairs = {p: p + rank for p in range(rank)}
    roles = Roles({**pairs, **{q: p for p, q in pairs.items()}}, frozenset(range(rank)))
    return _Forms(bounds, book).product([(matrix, axes(matrix))], roles, DEEPEST)


class _Forms:
    """The forms, over what is known of the nodes of one expression."""

    def __init__(self, bounds: dict[Expr, Bounds], book: Book) -> None:
        self.bounds, self.book = bounds, book

    def product(self, edges: Sequence[Edge], roles: Roles, depth: int) -> int:
        """The sign of a product of operands, summed over the labels without a role."""
        if depth <= 0:
            return 0
        flat = _flattened(edges, roles)
        if flat is None or len(flat[0]) > MOST_FACTORS:
            return 0
        for singles, found in _mirrored(flat[0], [], flat[1]):
            sign = 1
            for node, labels in singles:
                sign = sign and sign * self._single(node, labels, found, depth - 1)
            if sign:
                return sign
        return 0

    def _single(self, node: Expr, labels: Labels, roles: Roles, depth: int) -> int:
        """An operand without a mirror image: a weight, or a matrix between the two sides."""
        sides = [label for label in labels if roles.partner.get(label, label) != label]
        if not sides:
            return sign_of(node, self.bounds)
        if len(set(labels)) != len(labels) or any(roles.partner[label] not in labels for label in sides):
            return 0  # it belongs to one side only, and has no image on the other
        partner = {label: roles.partner.get(label, label) for label in labels}
        own = Roles(partner, roles.left)
        if node.head == CALL and node.data == ADD:
            return self._sum(node, labels, own, depth)
        return self._matrix(node, depth) if len(node.shape) == 2 else 0

    def _matrix(self, node: Expr, depth: int) -> int:
        if node.head == SYMBOL:
            low = node.data.low is not None and node.data.low >= 0
            return 1 if "positive definite" in node.data.traits or ("diagonal" in node.data.traits and low) else 0
        record = record_of(node, self.book)
        if record is None or "out@x == eye(n)" not in record.facts:
            return 0
        return self.product([(node.args[0][0], (0, 1))], Roles({0: 1, 1: 0}, frozenset({0})), depth)

    def _sum(self, node: Expr, labels: Labels, roles: Roles, depth: int) -> int:
        terms = [(child, tuple(labels[label] for label in own)) for child, own in node.args]
        if len(terms) > MOST_FACTORS:
            return 0
        signs = {term: self.product([term], roles, depth) for term in terms}
        rest = self._without_simplex(terms, signs, roles)
        found = {signs[term] for term in rest}
        return found.pop() if len(found) == 1 else 0 if found else 1

    def _without_simplex(self, terms: list[Edge], signs: dict[Edge, int], roles: Roles) -> list[Edge]:
        """The terms less diag(p) - outer(p, p), which is positive semidefinite where p >= 0 sums to 1.

        The pair may go only where what is left is positive semidefinite, too: the caller's signs must be 1.
        """
        for plus in terms:
            for minus in terms:
                if plus is not minus and self._is_simplex(plus, minus, roles):
                    left = [t for t in terms if t not in (plus, minus)]
                    if all(signs[t] == 1 for t in left):
                        return left
        return terms

    def _is_simplex(self, plus: Edge, minus: Edge, roles: Roles) -> bool:
        row = [label for label, other in roles.partner.items() if label != other and label in roles.left]
        if len(row) != 1:
            return False
        i, j = row[0], roles.partner[row[0]]
        first, second = _flattened([plus], roles), _flattened([minus], roles)
        if first is None or second is None or len(first[0]) != 1 or len(second[0]) != 3 or not first[0][0][1]:
            return False
        weights, labels = first[0][0]
        number, *pair = sorted(second[0], key=lambda edge: len(edge[1]))
        if number[1] or number[0].data != -1 or {node for node, _ in pair} != {weights}:
            return False
        if not self._sums_to_one(weights) or first[1].partner.get(labels[-1]) != labels[-1]:
            return False
        batch = labels[:-1]
        if any(roles.partner.get(label) != label for label in batch) or labels[-1] not in (i, j):
            return False
        return {own for _, own in pair} == {(*batch, i), (*batch, j)}

    def _sums_to_one(self, node: Expr) -> bool:
        """Along the last axis, with no entry negative."""
        if sign_of(node, self.bounds) != 1:
            return False
        if node.head == SYMBOL:
            return "sums to 1" in node.data.traits
        record = record_of(node, self.book) if node.head == PRIMITIVE else None
        one = record is not None and "sum(out) == 1" in record.facts and record.signature == "(i)->(i)"
        return one and all(own == axes(node) for _, own in node.args)


def _flattened(edges: Sequence[Edge], roles: Roles) -> tuple[list[Edge], Roles] | None:
    """The product written out over operands that are no products; a repeated label joins a row with its column."""
    same: dict[int, int] = {}

    def root(label: int) -> int:
        while label in same:
            label = same[label]
        return label

    fresh = 1 + max([*roles.partner, *(label for _, labels in edges for label in labels)], default=0)
    stack, found = list(edges), list[Edge]()
    while stack:
        node, labels = stack.pop()
        if node.head != CONTRACTION:
            found.append((node, labels))
            continue
        names: dict[int, int] = {}
        for own, outer in zip(node.data, labels, strict=True):
            if root(names.setdefault(own, outer)) != root(outer):
                same[root(outer)] = root(names[own])
        for child, inner in node.args:
            for label in inner:
                if label not in names:
                    names[label], fresh = fresh, fresh + 1
            stack.append((child, tuple(names[label] for label in inner)))
        if len(stack) + len(found) > 4 * MOST_FACTORS:
            return None
    partner: dict[int, int] = {}
    for label, other in roles.partner.items():
        if partner.setdefault(root(label), root(other)) != root(other):
            return None
    left = frozenset(root(label) for label in roles.left)
    if any(label != other and (label in left) == (other in left) for label, other in partner.items()):
        return None  # a row joined with another pair's column is no symmetric form
    return [(node, tuple(root(label) for label in labels)) for node, labels in found], Roles(partner, left)


def _mirrored(edges: list[Edge], singles: list[Edge], roles: Roles) -> Iterator[tuple[list[Edge], Roles]]:
    """Every way to pair operands with their mirror images; what stays single is left to be looked at."""
    if not edges:
        yield singles, _completed(singles, roles)
        return
    (node, labels), *rest = edges
    for place, (other, theirs) in enumerate(rest):
        if other is not node:
            continue
        for one, two in ((labels, theirs), (theirs, labels)):
            if (found := _paired(one, two, roles)) is not None:
                yield from _mirrored(rest[:place] + rest[place + 1 :], singles, found)
    yield from _mirrored(rest, [*singles, edges[0]], roles)


def _paired(one: Labels, two: Labels, roles: Roles) -> Roles | None:
    """The roles if `one` stands on the left and `two`, its image, on the right."""
    partner, left = dict(roles.partner), set(roles.left)
    for a, b in zip(one, two, strict=True):
        if a in partner or b in partner:
            if partner.get(a) != b or partner.get(b) != a or (a != b and a not in left):
                return None
            continue
        partner[a], partner[b] = b, a
        if a != b:
            left.add(a)
    return Roles(partner, frozenset(left))


def _completed(singles: list[Edge], roles: Roles) -> Roles:
    """Labels without a role are summed on both sides at once."""
    loose = {label: label for _, labels in singles for label in labels if label not in roles.partner}
    return Roles({**roles.partner, **loose}, roles.left)

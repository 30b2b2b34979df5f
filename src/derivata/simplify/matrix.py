"""Contractions in matrix notation: local reductions until one array is left."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from derivata.expr.node import CONTRACTION, SYMBOL, Edge, Expr, Labels, Size, axes, contraction
from derivata.expr.place import can_keep
from derivata.rewrite.fold import product


def arrange(edges: list[Edge], out: Labels, sizes: dict[int, Size], symmetric: Collection[Expr] = ()) -> Expr:
    """The product of the edges summed over labels not in `out`, as nested nodes that have a spelling.

    Operands in `symmetric` equal their transposes.
    """
    scalars, arrays = [e for e in edges if not e[1]], [e for e in edges if e[1]]
    work = _Arrangement(arrays, scalars, out, sizes, symmetric)
    work.reduce()
    found = work.result()
    if len(arrays) < 2 or len(set(out)) != 2 or len(out) != 2:
        return found
    turned = _Arrangement(arrays, [], out[::-1], sizes, symmetric)
    turned.reduce()
    other = turned.result()
    if turned.scalars or _transposes(other) + 1 >= _transposes(found):
        return found
    other = contraction([(other, (0, 1))], (1, 0))  # one transpose outside rather than several inside
    return product([*scalars, (other, (0, 1))], (0, 1), dict(enumerate(other.shape)))


def _transposes(root: Expr) -> int:
    """How many transposes are written in a product of matrices."""
    count, stack = 0, [root]
    while stack:
        node = stack.pop()
        if node.head == CONTRACTION and len(node.args) < 3 and len(node.shape) == 2:
            count += is_transposed(node)
            stack.extend(child for child, _ in node.args)
    return count


def transposed(node: Expr, symmetric: Collection[Expr] = ()) -> Expr:
    """The transpose, put inside a product: (A@B).T is B.T@A.T, S.T is S where S is symmetric."""
    if node in symmetric or (node.head == SYMBOL and node.data.symmetric):
        return node
    if is_transposed(node):
        return node.args[0][0]
    if node.head == CONTRACTION and node.data == (0, 0):
        return node
    if _is_matrix_product(node):
        (left, _), (right, _) = node.args
        return contraction([(transposed(right, symmetric), (0, 1)), (transposed(left, symmetric), (1, 2))], (0, 2))
    return contraction([(node, (0, 1))], (1, 0))


def is_transposed(node: Expr) -> bool:
    """A.T of a matrix."""
    return node.head == CONTRACTION and len(node.args) == 1 and node.args[0][1] == (1, 0) and bool(node.data == (0, 1))


def _is_matrix_product(node: Expr) -> bool:
    if node.head != CONTRACTION or len(node.args) != 2 or len(set(node.data)) != 2:
        return False
    (_, first), (_, second) = node.args
    return len(first) == len(second) == 2 and first[1] == second[0] and node.data == (first[0], second[1])


def trace_of_product(left: Expr, right: Expr) -> Expr:
    """tr(left@right)."""
    matrix = contraction([(left, (0, 1)), (right, (1, 2))], (0, 2))
    return contraction([(matrix, (0, 0))], ())


def _turned_pair(node: Expr) -> tuple[Expr, Expr] | None:
    """The A and B of A.T*B or A*B.T."""
    if node.head != CONTRACTION or node.data != (0, 1) or len(node.args) != 2 or not _is_product(node):
        return None
    (left, _), (right, _) = node.args
    if is_transposed(left):
        return left.args[0][0], right
    return (left, right.args[0][0]) if is_transposed(right) else None


def is_diagonal(node: Expr) -> bool:
    """diag(A) of a matrix."""
    return node.head == CONTRACTION and len(node.args) == 1 and node.args[0][1] == (0, 0) and node.data == (0,)


@dataclass
class _Arrangement:
    factors: list[Edge]
    scalars: list[Edge]
    out: Labels
    sizes: dict[int, Size]
    symmetric: Collection[Expr]

    def reduce(self) -> None:
        steps = (
            self._diagonal,
            self._hadamard,
            self._matrix_vector,
            self._own_sum,
            self._matrix_matrix,
            self._scale_rows,
        )
        while any(step() for step in steps):
            pass

    def result(self) -> Expr:
        rank = len(self.out)
        whole = tuple(range(rank))
        sizes = {i: self.sizes[label] for i, label in enumerate(self.out)}
        if len(set(self.out)) < rank:
            node = self._delta()
        elif len(self.factors) == 1 and self.factors[0][1] == self.out:
            node = self.factors[0][0]
        elif len(self.factors) == 1 and self.factors[0][1] == self.out[::-1] and rank == 2:
            node = transposed(self.factors[0][0], self.symmetric)
        elif not self.factors and not rank:
            return product(self.scalars, (), {})
        elif len(self.factors) == 2 and rank == 2 and {w for _, w in self.factors} == {self.out[:1], self.out[1:]}:
            first = next(c for c, w in self.factors if w == self.out[:1])
            second = next(c for c, w in self.factors if w == self.out[1:])
            node = contraction([(first, (0,)), (second, (1,))], (0, 1))
        else:
            node = contraction(self.factors, self.out, self.sizes)
        if not self.scalars:
            return node
        if node.head == CONTRACTION and len(node.args) > 1 and node.data == whole and _is_product(node):
            return product([*self.scalars, *node.args], whole, sizes)
        return product([*self.scalars, (node, whole)], whole, sizes)

    def _delta(self) -> Expr:
        """diag(v) and eye(n); anything else with a repeated output label as it is."""
        if len(self.out) == 2 and len(self.factors) == 1 and len(self.factors[0][1]) == 1:
            node = self.factors[0][0]
            if is_diagonal(node):
                eye = contraction([], (0, 0), {0: node.shape[0]})
                return contraction([(node.args[0][0], (0, 1)), (eye, (0, 1))], (0, 1))
            return contraction([(node, (0,))], (0, 0))
        return contraction(self.factors, self.out, self.sizes)

    def _used_elsewhere(self, label: int, members: tuple[int, ...]) -> bool:
        if label in self.out:
            return True
        return any(label in w for i, (_, w) in enumerate(self.factors) if i not in members)

    def _replace(self, members: tuple[int, ...], node: Expr, labels: Labels) -> bool:
        self.factors = [e for i, e in enumerate(self.factors) if i not in members]
        (self.factors if labels else self.scalars).append((node, labels))
        return True

    def _diagonal(self) -> bool:
        for i, (child, labels) in enumerate(self.factors):
            if len(set(labels)) < len(labels):
                kept = tuple(k for k in dict.fromkeys(labels) if self._used_elsewhere(k, (i,)))
                return self._replace((i,), contraction([(child, labels)], kept), kept)
        return False

    def _hadamard(self) -> bool:
        for _, first in self.factors:
            members = [j for j, (_, w) in enumerate(self.factors) if set(w) == set(first)]
            if len(members) < 2:
                continue
            group = [self.factors[j] for j in members]
            order = min((w for _, w in group), key=lambda w: (sum(v != w for _, v in group), w))
            if len(order) > 2 and any(w != order for _, w in group):
                continue
            plain = [c if w == order else transposed(c, self.symmetric) for c, w in group]
            dead = [k for k in order if not self._used_elsewhere(k, tuple(members))]
            if len(order) == len(dead) == len(plain) == 2 and not self._is_aligned(group):
                return self._replace(tuple(members), trace_of_product(group[0][0], group[1][0]), ())
            if len(order) == 1 and dead and len(plain) == 2:
                return self._replace(tuple(members), contraction([(plain[0], (0,)), (plain[1], (0,))], ()), ())
            spots = tuple(range(len(order)))
            sizes = {k: self.sizes[label] for k, label in enumerate(order)}
            return self._replace(tuple(members), product([(c, spots) for c in plain], spots, sizes), order)
        return False

    def _is_aligned(self, group: list[Edge]) -> bool:
        """Whether two matrices lie on their axes alike, or may be taken to."""
        (left, first), (right, second) = group
        return first == second or transposed(left, self.symmetric) is left or transposed(right, self.symmetric) is right

    def _matrix_vector(self) -> bool:
        for i, (matrix, w) in enumerate(self.factors):
            for j, (vector, v) in enumerate(self.factors):
                if len(w) != 2 or len(v) != 1 or v[0] not in w or self._used_elsewhere(v[0], (i, j)):
                    continue
                rows = matrix if w[1] == v[0] else transposed(matrix, self.symmetric)
                kept = (w[0] if w[1] == v[0] else w[1],)
                return self._replace((i, j), contraction([(rows, (0, 1)), (vector, (1,))], (0,)), kept)
        return False

    def _own_sum(self) -> bool:
        for i, (child, labels) in enumerate(self.factors):
            kept = tuple(k for k in labels if self._used_elsewhere(k, (i,)))
            if kept != labels:
                if is_diagonal(child) and not kept:
                    child, labels = child.args[0]
                elif not kept and (pair := _turned_pair(child)):
                    return self._replace((i,), trace_of_product(*pair), ())
                return self._replace((i,), contraction([(child, labels)], kept), kept)
        return False

    def _matrix_matrix(self) -> bool:
        best: tuple[int, tuple[int, int], Expr, Labels] | None = None
        for i, (left, w) in enumerate(self.factors):
            for j, (right, v) in enumerate(self.factors):
                shared = set(w) & set(v)
                if i == j or len(w) != 2 or len(v) != 2 or len(shared) != 1:
                    continue
                (inner,) = shared
                if self._used_elsewhere(inner, (i, j)):
                    continue
                first = left if w[1] == inner else transposed(left, self.symmetric)
                second = right if v[0] == inner else transposed(right, self.symmetric)
                kept = (w[0] if w[1] == inner else w[1], v[1] if v[0] == inner else v[0])
                turned = (w[1] != inner) + (v[0] != inner) + 2 * (kept == self.out[::-1])
                if best is None or turned < best[0]:
                    best = turned, (i, j), contraction([(first, (0, 1)), (second, (1, 2))], (0, 2)), kept
        return best is not None and self._replace(best[1], best[2], best[3])

    def _scale_rows(self) -> bool:
        """A vector on one axis of a matrix: M*v along the last axis, diag(v)@M along the first."""
        if len(self.factors) < 2:
            return False
        for i, (matrix, w) in enumerate(self.factors):
            for j, (vector, v) in enumerate(self.factors):
                if len(w) != 2 or len(v) != 1 or v[0] not in w or (len(self.out) > 2 and matrix.data == (0, 0)):
                    continue
                if w[1] == v[0] or can_keep((vector, (0,)), 2):
                    sizes = dict(enumerate(matrix.shape))
                    node = product([(matrix, (0, 1)), (vector, (w.index(v[0]),))], (0, 1), sizes)
                else:
                    node = contraction([(contraction([(vector, (0,))], (0, 0)), (0, 1)), (matrix, (1, 2))], (0, 2))
                return self._replace((i, j), node, w)
        return False


def _is_product(node: Expr) -> bool:
    return all(labels == axes(node) for _, labels in node.args)

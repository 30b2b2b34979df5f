"""Matrix inverses met by what they invert: the network of a matrix is looked for beside its inverse."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from derivata.expr.node import PRIMITIVE, Edge, Expr, Labels, contraction

Flatten = Callable[[Expr], tuple[Sequence[Edge], Labels]]


@dataclass(frozen=True)
class Cancellation:
    """Looks for M beside its inverse, whether M is one factor or several; `flatten` opens a matrix into its factors."""

    inverses: frozenset[str]
    is_symmetric: Callable[[Expr], bool]
    flatten: Flatten

    def cancelled(self, factors: Sequence[Edge], out: Labels) -> list[Edge] | None:
        """The factors with one such pair replaced by a delta; nothing if there is none."""
        for position, (node, labels) in enumerate(factors):
            if node.head != PRIMITIVE or node.data[0] not in self.inverses or node.data[1] or len(set(labels)) < 2:
                continue
            for axis in (0, 1):
                shared, other = labels[1 - axis], labels[axis]
                if shared in out:
                    continue
                for used, free in self._instances(node.args[0], axis, factors, position, shared, out):
                    delta = contraction([], (0, 0), {0: node.shape[0]})
                    rest = [e for i, e in enumerate(factors) if i not in used and i != position]
                    return [*rest, (delta, (other, free))]
        return None

    def _instances(
        self, inverted: Edge, axis: int, factors: Sequence[Edge], position: int, shared: int, out: Labels
    ) -> Iterator[tuple[frozenset[int], int]]:
        """Places of the inverted matrix with one axis on the shared label, and the label of its other axis.

        The axis of the inverse that is summed meets the other axis of M.
        """
        matrix, order = inverted
        wanted, ends = self.flatten(matrix)
        start, stop = ends[order.index(axis)], ends[order.index(1 - axis)]
        if start == stop or any(len(set(labels)) < len(labels) for _, labels in wanted):
            return
        held = {label for _, labels in wanted for label in labels}
        if stop not in held:  # the matrix is the same along that axis
            return
        inner = held - {start, stop}
        free = [i for i in range(len(factors)) if i != position]
        for used, names in self._embedded(wanted, factors, free, {start: shared}):
            elsewhere = {i for k in free if k not in used for i in factors[k][1]}
            hidden = {shared, *(names[label] for label in inner)}
            if names[stop] != shared and not hidden & (elsewhere | set(out)):
                yield used, names[stop]

    def _embedded(
        self, wanted: Sequence[Edge], factors: Sequence[Edge], free: Sequence[int], names: dict[int, int]
    ) -> Iterator[tuple[frozenset[int], dict[int, int]]]:
        """Every way to find the wanted factors among the others, with their labels renamed one to one."""
        if not wanted:
            yield frozenset(), names
            return
        node, labels = wanted[0]
        for i in free:
            other, where = factors[i]
            if other is not node:
                continue
            orders = [where, where[::-1]] if len(where) == 2 and self.is_symmetric(node) else [where]
            for order in dict.fromkeys(orders):
                extended = _extended(names, labels, order)
                if extended is not None:
                    left = [k for k in free if k != i]
                    for used, found in self._embedded(wanted[1:], factors, left, extended):
                        yield used | {i}, found


def _extended(names: dict[int, int], labels: Labels, targets: Labels) -> dict[int, int] | None:
    found = dict(names)
    for label, target in zip(labels, targets, strict=True):
        if found.setdefault(label, target) != target:
            return None
    return found if len(set(found.values())) == len(found) else None

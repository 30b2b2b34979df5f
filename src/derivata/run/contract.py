"""Contractions over flat lists of entries: planned once for given sizes, run at every point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from flint import arb

from derivata.errors import LimitError
from derivata.expr.node import Labels
from derivata.run.balls import Entry, is_finite, times

MOST_TERMS = 2_000_000  # products in one contraction; beyond, sizes should be names


def offsets(labels: Sequence[int], order: Sequence[int], sizes: Mapping[int, int]) -> list[int]:
    """Where an array with these axes has its entry, for every assignment of `order`, the last one fastest."""
    strides: dict[int, int] = {}
    step = 1
    for label in reversed(labels):
        strides[label] = strides.get(label, 0) + step
        step *= sizes[label]
    found = [0]
    for label in order:
        stride, size = strides.get(label, 0), sizes[label]
        found = [place + k * stride for place in found for k in range(size)]
    return found


@dataclass(frozen=True)
class _Merge:
    """Two operands (or one, `right` < 0) become one; every `width` terms make an entry."""

    left: int
    right: int
    left_places: list[int]
    right_places: list[int]
    rows: int
    width: int

    def apply(self, pool: list[list[Entry]], *, careful: bool) -> list[Entry]:
        a = pool[self.left]
        if self.right < 0:
            terms = [a[i] for i in self.left_places]
        else:
            b = pool[self.right]
            pairs = zip(self.left_places, self.right_places, strict=True)
            terms = [times(a[i], b[j]) for i, j in pairs] if careful else [a[i] * b[j] for i, j in pairs]
        if self.width == 1:
            return terms
        if self.width == 0:
            return [arb(0)] * self.rows
        starts = range(0, self.rows * self.width, self.width)
        return [sum(terms[start + 1 : start + self.width], terms[start]) for start in starts]


class Contraction:
    """The product of operands with these labels, summed over the labels that are not in `out`."""

    def __init__(self, operands: Sequence[Labels], out: Labels, sizes: Mapping[int, int]) -> None:
        self.scalars = [i for i, labels in enumerate(operands) if not labels]
        self.merges: list[_Merge] = []
        self.count = len(operands)
        self.work = 0
        self._sizes = sizes
        self._held: dict[int, Labels] = {i: labels for i, labels in enumerate(operands) if labels}
        self._eliminate(out)
        self._place(out)

    def __call__(self, operands: list[list[Entry]]) -> list[Entry]:
        values = self._run(operands, careful=False)
        if all(map(is_finite, values)):
            return values
        return self._run(operands, careful=True)

    def _run(self, operands: list[list[Entry]], *, careful: bool) -> list[Entry]:
        pool = list(operands)
        for merge in self.merges:
            pool.append(merge.apply(pool, careful=careful))
        values = pool[self.last] if self.last >= 0 else [arb(1)]
        for i in self.scalars:
            (factor,) = operands[i]
            values = [times(factor, v) for v in values] if careful else [factor * v for v in values]
        if self.sources is None:
            return values
        placed: list[Entry] = [arb(0)] * self.size
        for target, source in zip(self.targets, self.sources, strict=True):
            placed[target] = values[source]
        return placed

    def _eliminate(self, out: Labels) -> None:
        """Sum one label after the other, the cheapest first; then multiply what is left, small ones first."""
        held = self._held
        for i, labels in list(held.items()):
            alone = {s for s in labels if s not in out and not any(s in o for j, o in held.items() if j != i)}
            kept = tuple(dict.fromkeys(s for s in labels if s not in alone))
            if kept != labels:
                self._merge(i, -1, kept)
        while summed := {s for labels in held.values() for s in labels} - set(out):
            label = min(summed, key=lambda s: (self._size_with(s), s))
            members = sorted((i for i in held if label in held[i]), key=lambda i: self._extent(held[i]))
            self._merge_all(members, out)
        self._merge_all(sorted(held, key=lambda i: self._extent(held[i])), out)
        self.last = next(iter(held), -1)

    def _merge_all(self, members: list[int], out: Labels) -> None:
        while len(members) > 1:
            left, right, *rest = members
            elsewhere = {s for i, labels in self._held.items() if i not in (left, right) for s in labels}
            both = dict.fromkeys((*self._held[left], *self._held[right]))
            kept = tuple(s for s in both if s in elsewhere or s in out)
            members = [self._merge(left, right, kept), *rest]

    def _merge(self, left: int, right: int, kept: Labels) -> int:
        both = (*self._held[left], *(self._held[right] if right >= 0 else ()))
        summed = tuple(dict.fromkeys(s for s in both if s not in kept))
        rows, width = self._extent(kept), self._extent(summed)
        _guard(rows * width)
        self.work += rows * width
        order = (*kept, *summed)
        places = offsets(self._held.pop(left), order, self._sizes)
        others = offsets(self._held.pop(right), order, self._sizes) if right >= 0 else []
        self.merges.append(_Merge(left, right, places, others, rows, width))
        made = self.count + len(self.merges) - 1
        self._held[made] = kept
        return made

    def _place(self, out: Labels) -> None:
        """From the axes of the product to those of the output: permuted, repeated (diagonal) or broadcast."""
        labels = self._held.get(self.last, ())
        self.size = self._extent(out)
        _guard(self.size)
        self.work += self.size
        self.sources: list[int] | None = None
        self.targets: list[int] = []
        if labels != out:
            order = tuple(dict.fromkeys(out))
            self.targets = offsets(out, order, self._sizes)
            self.sources = offsets(labels, order, self._sizes)

    def _extent(self, labels: Labels) -> int:
        return prod(self._sizes[s] for s in labels)

    def _size_with(self, label: int) -> int:
        return self._extent(tuple({s for labels in self._held.values() if label in labels for s in labels}))


def _guard(terms: int) -> None:
    if terms > MOST_TERMS:
        raise LimitError(
            f"checking this exactly takes products of {terms} terms, more than {MOST_TERMS}; "
            "write large sizes as names, such as X[n,d], and they are checked with small ones"
        )

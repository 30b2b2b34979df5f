"""Sums of contractions with a common factor on one side: (B + B.T)@X rather than B@X + B.T@X."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import count

from derivata.expr.node import CONTRACTION, Edge, Expr, Labels, Size, contraction, number
from derivata.expr.selectors import is_onehot
from derivata.expr.windows import matrix_of
from derivata.rewrite.fold import product
from derivata.simplify.assemble import Order, sorted_sum
from derivata.simplify.canonical import is_identity_matrix
from derivata.simplify.cost import cost
from derivata.simplify.network import flatten
from derivata.simplify.rational import Rational, from_flint, term_edges

MOST_TERMS = 12
Arrange = Callable[[list[Edge], Labels, dict[int, Size]], Expr]


@dataclass(frozen=True)
class _Term:
    """A number times factors over labels; labels that are not in the sum's own are summed."""

    coefficient: Fraction
    factors: tuple[Edge, ...]


@dataclass(frozen=True)
class _Group:
    """A factor on the same axes of several terms: (position of the term, of the factor, label that is summed)."""

    factor: Edge
    members: tuple[tuple[int, int, int | None], ...]


@dataclass
class Factoring:
    """Puts common factors before the brackets; `signed` prints a part, `arrange` a product."""

    signed: Callable[[Expr], tuple[Fraction, Expr | None]]  # a printed part: its number and the rest
    arrange: Arrange
    order: Order
    symmetric: set[Expr]  # printed nodes that are their own transposes
    is_known: Callable[[Expr], bool]  # whether a part is printed already, or small
    atoms: Collection[Expr]  # large printed parts
    sizes: dict[int, Size] = field(default_factory=dict)
    fresh: Iterator[int] = field(default_factory=count)

    def candidates(self, value: Rational) -> Iterator[Expr]:
        """The sum with common factors taken out, and the transpose of such a sum."""
        if not value.shape or not 1 < len(value.numerator) <= MOST_TERMS or len(value.denominator) > 1:
            return
        if not any(f.node.head == CONTRACTION and f.node.shape for f in value.families):
            return
        self.fresh = count(len(value.shape))
        self.sizes = dict(enumerate(value.shape))
        terms = [self._term(value, exponents, c) for exponents, c in value.numerator.terms()]
        if any(term is None for term in terms):
            return
        out = tuple(range(len(value.shape)))
        kept = [term for term in terms if term is not None]
        yield self._sum(self._factored(kept, out), out)
        if len(out) == 2:
            turned = self._sum(self._factored(kept, out[::-1]), out[::-1])
            yield contraction([(turned, (0, 1))], (1, 0))

    def _term(self, value: Rational, exponents: Sequence[int], coefficient: object) -> _Term | None:
        """One term as a network over the axes of the sum; deltas stand as factors. None if it lacks an axis."""
        ((below, divisor),) = value.denominator.terms()
        edges = term_edges(value, tuple(int(a) - int(b) for a, b in zip(exponents, below, strict=True)))
        whole = tuple(range(len(value.shape)))
        network = flatten(contraction([e for e in edges if e[1]], whole, dict(enumerate(value.shape))))
        scale = from_flint(coefficient) / from_flint(divisor) * network.coefficient
        place: dict[int, int] = {}
        deltas: list[Edge] = []
        for axis, label in enumerate(network.out):
            if place.setdefault(label, axis) != axis:
                deltas.append((contraction([], (0, 0), {0: value.shape[axis]}), (place[label], axis)))
        for label in {i for _, w in network.factors for i in w} - set(place):
            place[label] = next(self.fresh)
            self.sizes[place[label]] = network.sizes[label]
        factors: list[Edge] = [*(e for e in edges if not e[1]), *((s, ()) for s in network.scalars)]
        factors += [(c, tuple(place[i] for i in w)) for c, w in network.factors]
        if not all(self.is_known(c) for c, _ in factors):
            return None
        if any(is_onehot(c) or matrix_of(c) for c, _ in factors) or {
            i for _, w in [*factors, *deltas] for i in w
        } < set(whole):
            return None
        shown: list[Edge] = deltas
        for node, labels in factors:
            part, rest = self.signed(node)
            scale *= part
            if rest is not None:
                shown.append((rest, labels))
        return _Term(scale, tuple(shown))

    def _factored(self, terms: Sequence[_Term], out: Labels) -> list[_Term]:
        """The terms with common factors taken out, as long as there are any."""
        left = list(terms)
        while len(left) > 1 and (group := self._largest(left, out)) is not None:
            gone = {position for position, _, _ in group.members}
            left = [*(t for i, t in enumerate(left) if i not in gone), self._merged(left, group, out)]
        return left

    def _largest(self, terms: Sequence[_Term], out: Labels) -> _Group | None:
        """The common factor that saves most."""
        found: dict[Edge, list[tuple[int, int, int | None]]] = {}
        for i, term in enumerate(terms):
            for k, (node, labels) in enumerate(term.factors):
                inner = [label for label in labels if label not in out]
                outside = {j for m, (_, w) in enumerate(term.factors) if m != k for j in w}
                if len(set(labels)) < len(labels) or len(inner) > 1 or outside & (set(labels) & set(out)):
                    continue
                if set(inner) - outside:
                    continue  # what is left would lack this axis
                if len(inner) == len(labels) and labels and not (len(out) == 1 and _has_one_array(term, k)):
                    continue  # a vector may stand last: A@x + B@x is (A + B)@x
                key = tuple(-1 if label in inner else label for label in labels)
                if len(key) == 2 and node in self.symmetric:
                    key = tuple(sorted(key))
                members = found.setdefault((node, key), [])
                if all(i != other for other, _, _ in members):
                    members.append((i, k, inner[0] if inner else None))
        shared = [_Group(edge, tuple(members)) for edge, members in found.items() if len(members) > 1]
        return max(shared, key=lambda g: (len(g.members) - 1) * (1 + cost(g.factor[0], self.atoms)), default=None)

    def _merged(self, terms: Sequence[_Term], group: _Group, out: Labels) -> _Term:
        """The common factor times what is left of the terms."""
        node, key = group.factor
        hole = next(self.fresh)
        summed = next((label for _, _, label in group.members if label is not None), None)
        if summed is not None:
            self.sizes[hole] = self.sizes[summed]
        own = set(key) - {-1}
        whole = out if own or -1 not in key else (*out, hole)
        kept = whole if -1 in key else tuple(i for i in whole if i not in own)
        inner_out = tuple(dict.fromkeys(hole if i in own else i for i in kept))
        rests = []
        for position, place, label in group.members:
            factors = [e for k, e in enumerate(terms[position].factors) if k != place]
            renamed = tuple((c, tuple(hole if i == label else i for i in w)) for c, w in factors)
            rests.append(_Term(terms[position].coefficient, renamed))
        inner = self._factored(rests, inner_out)
        edge: Edge = (node, tuple(hole if label == -1 else label for label in key))
        if len(inner) == 1:
            return _Term(inner[0].coefficient, (edge, *inner[0].factors))
        scale = _common(inner)
        bracketed = [_Term(t.coefficient / scale, t.factors) for t in inner]
        rest = self._sum(bracketed, inner_out)
        if len(inner_out) == 2 and self._sum(bracketed, inner_out[::-1]) is rest:
            self.symmetric.add(rest)
        return _Term(scale, (edge, (rest, inner_out)))

    def _sum(self, terms: Sequence[_Term], out: Labels) -> Expr:
        scale = _common(terms) if len(terms) > 1 else Fraction(1)
        if len(terms) == 1:
            return self._product(terms[0], out)
        shape = tuple(self.sizes[label] for label in out)
        merged: dict[Expr, Fraction] = {}  # what only the turn of a symmetric matrix told apart
        for term in terms:
            node = self._product(_Term(Fraction(1), term.factors), out)
            merged[node] = merged.get(node, Fraction(0)) + term.coefficient / scale
        whole, sizes = tuple(range(len(out))), dict(enumerate(shape))
        edges: list[Edge] = [
            (product([(number(factor), ()), (node, whole)], whole, sizes), whole)
            for node, factor in merged.items()
            if factor
        ]
        total = sorted_sum(edges, shape, self.order)
        if scale == 1:
            return total
        return contraction([(number(scale), ()), (total, whole)], whole)

    def _product(self, term: _Term, out: Labels) -> Expr:
        """One term in matrix notation; deltas repeat an axis of the result."""
        same = {b: a for node, w in term.factors if is_identity_matrix(node) for a, b in [sorted(w)]}
        factors = [(c, tuple(same.get(i, i) for i in w)) for c, w in term.factors if not is_identity_matrix(c)]
        edges: list[Edge] = [(number(term.coefficient), ())] if term.coefficient != 1 or not factors else []
        ordered = sorted(factors, key=self.order)
        return self.arrange([*edges, *ordered], tuple(same.get(label, label) for label in out), self.sizes)


def _has_one_array(term: _Term, but: int) -> bool:
    """Whether there is just one array beside a factor."""
    return sum(bool(labels) for i, (_, labels) in enumerate(term.factors) if i != but) == 1


def _common(terms: Sequence[_Term]) -> Fraction:
    """The largest number in all coefficients, negative if most of them are."""
    numbers = [term.coefficient for term in terms]
    size = Fraction(math.gcd(*(abs(n.numerator) for n in numbers)), math.lcm(*(n.denominator for n in numbers)))
    return -size if 2 * sum(n < 0 for n in numbers) > len(numbers) else size

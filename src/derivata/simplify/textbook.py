"""The printed form: for every cluster the candidate that reads best; contractions in matrix notation.

It only chooses what to print and is never normalised again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    LARGEST_COST,
    NUMBER,
    POWER,
    PRIMITIVE,
    SYMBOL,
    Edge,
    Expr,
    Labels,
    Shape,
    axes,
    contraction,
    number,
    with_args,
)
from derivata.expr.walk import parent_counts, topological
from derivata.rewrite.fold import product, total
from derivata.rules.book import Book
from derivata.simplify.canonical import is_identity_matrix
from derivata.simplify.cost import cost
from derivata.simplify.generators import variants
from derivata.simplify.matrix import arrange
from derivata.simplify.normal import CUT_COST, Normaliser, normal, normal_with_cuts
from derivata.simplify.rational import Rational, content, is_elementwise, is_internal, rational
from derivata.simplify.recognise import recognise
from derivata.simplify.shapes import Printer, leading_number, sorted_sum

ALONE_BONUS = 2.5  # a sum of terms as the rules gave it is preferred unless something is this much shorter
MOST_ALONE, LARGEST_ALONE = 8, 10**5  # terms, and nodes as written


@dataclass(frozen=True)
class Presented:
    """The printed form, and pairs (node of the input, what became of it) for every cut point and the whole.

    A pair holds when the cut points inside it are replaced by equal values on both sides, so large results
    can be checked part by part.
    """

    result: Expr
    parts: tuple[tuple[Expr, Expr], ...]


def textbook(raw: Expr, given: Expr, book: Book) -> Expr:
    """The form of `raw` to print, `given` being the expression it came from."""
    return present(raw, given, book).result


def present(raw: Expr, given: Expr, book: Book, terms: Sequence[Expr] = ()) -> Presented:
    """The form to print, with the pairs that a check by parts needs.

    `terms` are the derivatives of the terms of a sum: they add up to `raw`, and a sum stays one if that reads well.
    """
    work = _Textbook(given, book)
    shown = work.show(raw, terms)
    final: dict[Expr, Expr] = {}
    # The parts of a large result stay apart, so that each can be checked by itself.
    apart = set() if raw.cost < LARGEST_ALONE else {work.shown.get(to) for to in work.cut.values()}
    merged = {node for node, count in parent_counts(shown).items() if count == 1 and node not in apart}
    for node in topological(shown):
        args = tuple(
            edge for child, labels in node.args for edge in _factors(node, child, labels, child in merged, final)
        )
        final[node] = _divided(with_args(node, args))
    named = recognise(final[shown], book)
    shown_cuts = [(node, final[work.shown[to]]) for node, to in work.cut.items() if work.shown.get(to) in final]
    parts = [(node, named.became.get(to, to)) for node, to in shown_cuts]
    return Presented(named.result, (*parts, (raw, named.result)))


def _factors(node: Expr, child: Expr, labels: Labels, may_merge: bool, final: Mapping[Expr, Expr]) -> Iterator[Edge]:
    """The operand; if it is a product inside a product, its factors."""
    inner = final[child]
    if (
        may_merge
        and all(n.head == CONTRACTION and is_elementwise(n) for n in (node, inner))
        and labels == node.data
        and inner.args
        and all(where in ((), inner.data) for _, where in inner.args)
        and NUMBER not in (inner.args[0][0].head, inner.args[-1][0].head)
    ):
        place = dict(zip(inner.data, labels, strict=True))
        yield from ((factor, tuple(place[i] for i in where)) for factor, where in inner.args)
    else:
        yield inner, labels


def _divided(node: Expr) -> Expr:
    """x**2/2 rather than 1/2*x**2."""
    if node.head != CONTRACTION or not is_elementwise(node) or len(node.args) < 2 or node.args[0][0].head != NUMBER:
        return node
    value, last = node.args[0][0].data, node.args[-1][0]
    if value.denominator == 1 or (last.head == CONTRACTION and not is_elementwise(last)):
        return node
    above = [] if value.numerator == 1 else [(number(value.numerator), ())]
    args = [*above, *node.args[1:], (number(Fraction(1, value.denominator)), ())]
    return contraction(args, node.data, dict(zip(node.data, node.shape, strict=True)))


class _Textbook:
    def __init__(self, given: Expr, book: Book) -> None:
        self.book = book
        order = topological(given)
        self.rank: dict[str, int] = {}
        for node in _left_to_right(given) if given.cost < 5000 else order:
            name = _name(node)
            if name:
                self.rank.setdefault(name, len(self.rank))
        self.familiar = frozenset(n for n in order if n.head == CALL and n.data == ADD)
        self.known = {n.data for n in order if n.head == CALL} | {n.data[0] for n in order if n.head == PRIMITIVE}
        self.shown: dict[Expr, Expr] = {}
        self.cut: dict[Expr, Expr] = {}  # cut points of the input and their normal forms
        self.atoms: set[Expr] = set()  # large printed forms
        self.names: dict[Expr, int] = {}

    def show(self, raw: Expr, terms: Sequence[Expr]) -> Expr:
        """The shortest of: the whole simplified, each summand of it, each of `terms`."""
        found, self.cut = normal_with_cuts(raw, self.book)
        whole = self._present(found)
        if raw.cost > LARGEST_ALONE:
            return whole
        if 1 < len(terms) <= MOST_ALONE:
            by_terms = self._alone([(term, axes(term)) for term in terms], raw.shape)
            if self._reads_better(by_terms, whole):
                return by_terms
        if raw.head == CALL and raw.data == ADD and len(raw.args) <= MOST_ALONE:
            alone = self._alone(raw.args, raw.shape)
            if _one_denominator(alone) and self._reads_better(alone, whole):
                return alone
        return whole

    def _reads_better(self, terms: Expr, whole: Expr) -> bool:
        """Terms as the rules gave them are kept unless something is much shorter or calls fewer functions."""
        kept = _like_terms_free(terms) and self._calls(terms) <= self._calls(whole)
        return kept and cost(terms) - ALONE_BONUS < cost(whole)

    def _alone(self, parts: Sequence[Edge], shape: Shape) -> Expr:
        """Each term of a sum simplified by itself."""
        terms: list[Edge] = []
        for child, labels in parts:
            shown = self._present(normal(child, self.book))
            if shown.head == CALL and shown.data == ADD:
                terms.extend((c, tuple(labels[i] for i in w)) for c, w in shown.args)
            else:
                terms.append(_narrowed(shown, labels))
        return sorted_sum(terms, shape, self._order)

    def _present(self, root: Expr) -> Expr:
        """The printed form of a normal node; every atom below gets its own first."""
        normaliser = Normaliser(root, self.book)
        normaliser.run()
        roots = normaliser.roots
        for node in topological(root):
            if node not in self.shown and (node in roots or not is_internal(node)):
                self._put(node, self._node(node, normaliser))
        return self.shown[root]

    def _put(self, node: Expr, shown: Expr) -> Expr:
        self.shown[node] = shown
        if shown.cost > CUT_COST:
            self.atoms.add(shown)
        return shown

    def _pretty(self, node: Expr) -> Expr:
        """The printed form of an atom, or of a power of one that printing has just built."""
        if node in self.shown:
            return self.shown[node]
        if is_internal(node) and node.head == CALL and node.data == POWER:
            base, exponent = node.args
            return with_args(node, ((self._pretty(base[0]), base[1]), exponent))
        normaliser = Normaliser(node, self.book)
        normaliser.run()
        return self._put(node, self._node(node, normaliser))

    def _node(self, node: Expr, normaliser: Normaliser) -> Expr:
        if not node.args:
            return node
        if is_internal(node):
            return self._cluster(node, normaliser)
        if node.head == CONTRACTION:
            return self._contraction(node)
        return with_args(node, tuple((self._pretty(c), labels) for c, labels in node.args))

    def _contraction(self, node: Expr) -> Expr:
        if is_identity_matrix(node):
            return node
        sizes = dict(zip(node.data, node.shape, strict=True))
        edges: list[Edge] = []
        for child, labels in node.args:
            sizes.update(zip(labels, child.shape, strict=True))
            factor, rest = leading_number(self._pretty(child))
            if factor != 1 or rest is None:
                edges.append((number(factor), ()))
            if rest is not None:
                edges.append((rest, labels))
        edges.sort(key=self._order)
        return arrange(edges, node.data, sizes)

    def _cluster(self, node: Expr, normaliser: Normaliser) -> Expr:
        """The cheapest candidate over every choice of generators."""
        if node in normaliser.large:
            return self._large(node)
        value = rational(node, normaliser.leaf, normaliser.opened)
        best: tuple[float, Expr] | None = None
        for position, choice in enumerate(self._choices(value, normaliser)):
            for candidate in Printer(
                choice, self._pretty, self._order, normaliser.facts.bases, self.familiar
            ).candidates():
                price = cost(candidate, self.atoms) + self._foreign(candidate, value, position)
                if best is None or price < best[0] - 1e-9:
                    best = price, candidate
        return node if best is None else best[1]

    def _choices(self, value: Rational, normaliser: Normaliser) -> Iterator[Rational]:
        yield value
        for variant in variants(value, normaliser):
            yield variant
            if variant.families != value.families:
                yield from (v for v in variants(variant, normaliser) if len(v.families) <= len(value.families))

    def _foreign(self, candidate: Expr, value: Rational, position: int) -> float:
        """A small preference for the functions that are there already."""
        if position == 0:
            return 0.0
        had = {f.node.data for f in value.families if f.node.head == CALL}
        new = (
            {n.data for n in topological(candidate) if n.head == CALL and n.data not in (ADD, POWER)} - had - self.known
        )
        return 0.1 + 0.5 * len(new)

    def _large(self, node: Expr) -> Expr:
        """A cluster too large to choose for: its parts in order."""
        edges = [(self._pretty(c), labels) for c, labels in node.args]
        if node.head == CALL and node.data == ADD:
            return total(sorted(edges, key=self._order), node.shape)
        if node.head != CONTRACTION:
            return with_args(node, tuple(edges))
        edges.sort(key=self._order)
        return product(edges, node.data, dict(zip(node.data, node.shape, strict=True)))

    def _calls(self, root: Expr) -> int:
        """How often functions of the book are written, whole powers aside."""
        count: dict[Expr, int] = {}
        for node in topological(root):
            own = node.head == CALL and node.data != ADD and self.book.get(node.data) is not None
            own = own and (node.data != POWER or node.args[1][0].head != NUMBER)
            count[node] = min(own + sum(count[c] for c, _ in node.args), LARGEST_COST)
        return count[root]

    def _order(self, edge: Edge) -> Any:
        """Numbers, then symbols, then functions, then sums; each in order of appearance in the input."""
        node, labels = edge
        kind, first = _kind(node), self._first(node)
        return kind, first, -_primes(node), labels, node.digest

    def _first(self, node: Expr) -> int:
        if node not in self.names:
            self.names[node] = min((self.rank.get(n, 10**6) for n in _names(node)), default=10**6)
        return self.names[node]


def _narrowed(node: Expr, labels: Labels) -> Edge:
    """A product without the axes that no factor has."""
    if node.head != CONTRACTION or not node.args or not is_elementwise(node):
        return node, labels
    used = [i for i in node.data if any(i in where for _, where in node.args)]
    if len(used) == len(node.data):
        return node, labels
    sizes = dict(zip(node.data, node.shape, strict=True))
    place = dict(zip(node.data, labels, strict=True))
    return contraction(node.args, tuple(used), sizes), tuple(place[i] for i in used)


def _one_denominator(root: Expr) -> bool:
    """Whether at most one term is a fraction; more are put over one bar."""
    if root.head != CALL or root.data != ADD:
        return True
    fractions = 0
    for term, _ in root.args:
        factors = term.args if term.head == CONTRACTION else ((term, ()),)
        fractions += any(c.head == CALL and c.data == POWER and _kind(c) == 3 for c, _ in factors)
    return fractions < 2


def _like_terms_free(root: Expr) -> bool:
    """Whether no two terms are multiples of one another."""
    if root.head != CALL or root.data != ADD:
        return True
    parts = [(content(c)[1], labels) for c, labels in root.args]
    return len(set(parts)) == len(parts)


def _primes(node: Expr) -> int:
    """How often the function written first is differentiated: f'(x)*g(x) stands before f(x)*g'(x)."""
    while node.head == CONTRACTION and node.args:
        node = node.args[0][0]
    return node.data.count("'") if node.head == CALL else 0


def _kind(node: Expr, depth: int = 3) -> int:
    """0 numbers and scalars, 1 functions and arrays, 2 sums, 3 reciprocals; products are as their last factor."""
    if node.head == CALL and node.data == POWER:
        base, exponent = node.args[0][0], node.args[1][0]
        if exponent.head != NUMBER:
            return 1
        return 3 if exponent.data < 0 else _kind(base, depth)
    if node.head == NUMBER:
        return 0
    if node.head == SYMBOL:
        return 0 if not node.shape else 1
    if node.head == CALL and node.data == ADD:
        return 2
    if depth and node.head == CONTRACTION and is_elementwise(node) and node.args:
        return max(_kind(c, depth - 1) for c, _ in node.args)
    return 1


def _name(node: Expr) -> str:
    if node.head == SYMBOL:
        return str(node.data.name)
    if node.head == CALL and node.data not in (ADD, POWER):
        return str(node.data).rstrip("'")
    return str(node.data[0]) if node.head == PRIMITIVE else ""


def _names(node: Expr) -> list[str]:
    own = _name(node)
    if own:
        return [own]
    found: list[str] = []
    stack = [node]
    while stack and len(found) < 20:
        current = stack.pop()
        name = _name(current)
        if name:
            found.append(name)
        else:
            stack.extend(c for c, _ in current.args)
    return found


def _left_to_right(root: Expr) -> Iterator[Expr]:
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        yield node
        for child, _ in reversed(node.args):
            if child not in seen:
                seen.add(child)
                stack.append(child)

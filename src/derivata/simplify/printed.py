"""One graph being printed: for every cluster the candidate that reads best; contractions in matrix notation."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction

from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    POWER,
    PRIMITIVE,
    Edge,
    Expr,
    Labels,
    Shape,
    Size,
    axes,
    call,
    contraction,
    label_sizes,
    number,
    with_args,
)
from derivata.expr.selectors import is_ravel
from derivata.expr.walk import replace, topological
from derivata.rewrite.fold import product, spread, total
from derivata.rules.book import Book
from derivata.simplify.assemble import leading_number, one_denominator, sorted_sum
from derivata.simplify.averages import in_means
from derivata.simplify.canonical import is_identity_matrix
from derivata.simplify.cost import REPEATED, cost
from derivata.simplify.factoring import Factoring
from derivata.simplify.generators import variants
from derivata.simplify.kronecker import over_vec
from derivata.simplify.matrix import arrange, is_transposed, transposed
from derivata.simplify.multiples import Multiple, multiples, scaled
from derivata.simplify.network import Distribution
from derivata.simplify.normal import CUT_COST, Normaliser, normal_with_cuts
from derivata.simplify.rational import Rational, is_internal, narrowed, rational
from derivata.simplify.shapes import MOST_SHAPED, Printer, holds_a_sum, is_polynomial_term, negated
from derivata.simplify.substitution import in_sums
from derivata.simplify.summands import bonus, merge, reads_better
from derivata.simplify.windows import shown_windows
from derivata.simplify.written import Written

WRITTEN_BONUS = 3.0  # a part of the input stays as it is unless another form is this much shorter
AS_WRITTEN = 0.5  # a sum that the input writes with these signs
SUM_OF_CALLS = 1.2  # ties go to the product: what the chain rule gives
MOST_EFFORT, EFFORT_OF_EACH = 2_000, 40
MOST_CHANGED = 4  # families among which a second change of generator is tried
MOST_ALONE, LARGEST_ALONE = 8, 10**5  # terms, and nodes as written


class Print:
    """The printed forms of the parts of one result, found from the inside out."""

    def __init__(self, written: Written, book: Book, distribution: Distribution) -> None:
        self.written, self.book, self.distribution = written, book, distribution
        self.order, self.familiar = written.order, written.familiar
        self.busy: set[Expr] = set()  # clusters being printed: a sum is not written by itself
        self.symmetric: set[Expr] = set()  # printed forms
        self.shown: dict[Expr, Expr] = {}
        self.within: Normaliser | None = None  # the graph that is being printed
        self.cut: dict[Expr, Multiple] = {}  # cut points of the input, by normal forms
        self.atoms: set[Expr] = set()  # large printed forms
        self.products: dict[object, Expr] = {}  # built for some candidate
        self.effort = 0  # terms of all candidates looked at, less what every cluster may have

    def show(self, raw: Expr, terms: Sequence[Expr]) -> Expr:
        """The shortest of: the whole simplified, each summand of it, each of `terms`."""
        normalised, self.cut = normal_with_cuts(raw, self.book, self.distribution)
        whole = self._present(normalised)
        if raw.cost > LARGEST_ALONE:
            return whole
        limit = cost(whole) + bonus(whole, self.book)
        if 1 < len(terms) <= MOST_ALONE:
            by_terms = self._alone([(term, axes(term)) for term in terms], normalised, raw.shape, limit)
            if by_terms is not None and reads_better(by_terms, whole, self.book):
                return by_terms
        if raw.head == CALL and raw.data == ADD and len(raw.args) <= MOST_ALONE:
            alone = self._alone(raw.args, normalised, raw.shape, limit)
            if alone is not None and one_denominator(alone) and reads_better(alone, whole, self.book):
                return alone
        return whole

    def _alone(self, parts: Sequence[Edge], whole: Normaliser, shape: Shape, limit: float) -> Expr | None:
        """Each term of a sum simplified by itself; nothing if that is longer than `limit`."""
        normal = [normal_with_cuts(child, self.book, self.distribution)[0] for child, _ in parts]
        if merge(normal, whole):
            return None
        terms: list[Edge] = []
        amount = -REPEATED
        for normaliser, (_, labels) in zip(normal, parts, strict=True):
            if amount > limit:
                return None
            shown = self._present(normaliser)
            amount += cost(shown) - REPEATED * len(parts)  # what terms share is counted once
            if shown.head == CALL and shown.data == ADD:
                terms.extend((c, tuple(labels[i] for i in w)) for c, w in shown.args)
            else:
                terms.append(narrowed(shown, labels))
        return sorted_sum(terms, shape, self.order)

    def _normal_and_shown(self, node: Expr) -> Expr:
        return self._present(normal_with_cuts(node, self.book, self.distribution)[0])

    def _present(self, normaliser: Normaliser) -> Expr:
        """The printed form of a normal node; every atom below gets its own first."""
        root, roots = normaliser.root, normaliser.roots
        outer, self.within = self.within, normaliser
        for node in topological(root):
            if node not in self.shown and (node in roots or not is_internal(node)):
                self._put(node, self._node(node, normaliser))
        self.within = outer
        return self.shown[root]

    def _is_known(self, node: Expr) -> bool:
        return node in self.shown or node.cost <= CUT_COST

    def _put(self, node: Expr, shown: Expr) -> Expr:
        self.shown[node] = shown
        if shown.cost > CUT_COST:
            self.atoms.add(leading_number(shown)[1] or shown)
        return shown

    def _pretty(self, node: Expr) -> Expr:
        """The printed form of an atom, or of a power of one that printing has just built."""
        if node in self.shown:
            return self.shown[node]
        if is_internal(node) and node.head == CALL and node.data == POWER:
            base, exponent = node.args
            return with_args(node, ((self._pretty(base[0]), base[1]), exponent))
        # Only a large node has parts to be kept whole: those of the graph that it is made from.
        if node.cost > CUT_COST and self.within is not None:
            return self._put(node, self._node(node, self.within.include(node)))
        return self._put(node, self._node(node, Normaliser(node, self.book, self.distribution)))

    def _node(self, node: Expr, normaliser: Normaliser) -> Expr:
        if not node.args:
            return node
        if is_internal(node):
            shown = self._cluster(node, normaliser)
            if normaliser.is_symmetric(node):
                self.symmetric.add(shown)
            return shown
        if node.head == CONTRACTION:
            shown = self._contraction(node, normaliser)
            if (together := _absorbed(node, normaliser)) is not None:
                other = self._contraction(together, normaliser)
                shown = other if cost(other, self.atoms) < cost(shown, self.atoms) + WRITTEN_BONUS else shown
        else:
            args = tuple((self._pretty(c), labels) for c, labels in node.args)
            shown = self._turned(self._as_written(with_args(node, args), normaliser), normaliser)
        if node in self.written.parts:
            part, labels = self.written.parts[node]
            part = part if labels == axes(part) else contraction([(part, labels)], axes(part))
            if cost(part, self.atoms) < cost(shown, self.atoms) + WRITTEN_BONUS:
                shown = part
        if normaliser.is_symmetric(node):
            self.symmetric.add(shown)
        return shown

    def _as_written(self, node: Expr, normaliser: Normaliser) -> Expr:
        """An odd or even function of -u, where the input has u, as one of u."""
        facts = normaliser.facts
        if node.head != CALL or len(node.args) != 1 or node.data not in facts.odd | facts.even:
            return node
        (inner, labels), opposite = node.args[0], negated(node.args[0][0], self.order)
        if inner in self.familiar or opposite not in self.familiar:
            return node
        turned = with_args(node, ((opposite, labels),))
        return scaled(turned, Fraction(-1)) if node.data in facts.odd else turned

    def _turned(self, node: Expr, normaliser: Normaliser) -> Expr:
        """f(A).T rather than f(A.T), for functions that let a transpose through."""
        if node.head != PRIMITIVE or len(node.args) != 1:
            return node
        name, mapped = node.data
        if name in normaliser.facts.transpose_blind and not mapped and is_internal(node.args[0][0]):
            turned = self._pretty(normaliser.cluster(transposed(node.args[0][0])))
            return min(node, with_args(node, ((turned, node.args[0][1]),)), key=lambda form: cost(form, self.atoms))
        if not is_transposed(node.args[0][0]):
            return node
        upright = with_args(node, ((node.args[0][0].args[0][0], node.args[0][1]),))
        if name in normaliser.facts.transposing and not mapped:
            return transposed(upright)
        return upright if name in normaliser.facts.transpose_blind and not mapped else node

    def _contraction(self, node: Expr, normaliser: Normaliser) -> Expr:
        if is_identity_matrix(node):
            return node
        sizes = label_sizes(node)
        edges: list[Edge] = []
        for child, labels in node.args:
            factor, rest = self._with_sign(child, normaliser)
            if factor != 1 or rest is None:
                edges.append((number(factor), ()))
            if rest is not None:
                edges.append((rest, labels))
        edges.sort(key=self.order)
        if self.written.has_dots and not node.data and len(edges) == 1 and _is_pair(edges[0][0]):
            return contraction([(factor, (0,)) for factor, _ in edges[0][0].args], ())
        return self._arranged(edges, node.data, sizes)

    def printed(self, multiple: Multiple, inside: Collection[Expr]) -> Multiple | None:
        """The part of a print that a multiple of a normal node is a multiple of."""
        amount, node = multiple
        for times, form in multiples(node):
            factor, rest = leading_number(self.shown[form]) if form in self.shown else (times, None)
            if rest is not None and rest in inside:
                return amount * times * factor, rest
        return None

    def _with_sign(self, child: Expr, normaliser: Normaliser) -> tuple[Fraction, Expr | None]:
        """The number before an operand and the rest; of a sum the sign that reads better."""
        shown = leading_number(self._pretty(child))
        if not is_internal(child) or child in normaliser.large or shown[1] is None or not holds_a_sum(shown[1]):
            return shown
        opposite = scaled(child, Fraction(-1))
        if opposite.cost > CUT_COST and opposite not in self.shown:
            self._put(opposite, self._cluster(opposite, normaliser))
        turned = leading_number(self._pretty(opposite))
        if turned[1] is None or self._price(turned[1]) >= self._price(shown[1]):
            return shown
        return -turned[0], turned[1]

    def _price(self, node: Expr, limit: float = math.inf) -> float:
        sum_of_calls = _is_sum(node) and not is_polynomial_term(node)
        return cost(node, self.atoms, limit) + SUM_OF_CALLS * sum_of_calls - AS_WRITTEN * (node in self.familiar)

    def _arranged(self, edges: list[Edge], out: Labels, sizes: dict[int, Size]) -> Expr:
        if any(is_ravel(node) for node, _ in edges):
            scalars = [e for e in edges if not e[1]]
            shown = over_vec([e for e in edges if e[1]], out, sizes, self._arranged)
            if shown is not None:
                return product([*scalars, (shown, axes(shown))], axes(shown), dict(enumerate(shown.shape)))
        return arrange(shown_windows(edges, out, sizes, self._arranged), out, sizes, self.symmetric)

    def _cluster(self, node: Expr, normaliser: Normaliser) -> Expr:
        """The cheapest candidate over every choice of generators."""
        if node in normaliser.large:
            return self._large(node)
        value = rational(node, normaliser.leaf, normaliser.opened)
        self.busy.add(node)
        best: tuple[float, Expr] | None = None
        self.effort -= EFFORT_OF_EACH
        seen: set[object] = set()
        for position, choice in enumerate(self._choices(value, normaliser)):
            if position and self.effort > MOST_EFFORT:
                break  # an expression of many large clusters: what stands first will do
            if (key := choice.key()) in seen:
                continue
            seen.add(key)
            bases = normaliser.facts.bases
            printer = Printer(choice, self._pretty, self.order, bases, self.familiar, self.atoms, self.products)
            for candidate in printer.candidates():
                self.effort += len(choice.numerator)
                price = self._price(candidate, math.inf if best is None else best[0] + AS_WRITTEN)
                price += self._foreign(candidate, value, position)
                if best is None or price < best[0] - 1e-9:
                    best = price, candidate
        factoring = Factoring(
            lambda part: self._with_sign(part, normaliser),
            self._arranged,
            self.order,
            self.symmetric,
            self._is_known,
            self.atoms,
        )
        for candidate in (*self._by_cases(node, value, normaliser), *factoring.candidates(value)):
            if best is None or cost(candidate, self.atoms) < best[0]:
                best = cost(candidate, self.atoms), candidate
        self.busy.discard(node)
        return node if best is None else best[1]

    def _by_cases(self, node: Expr, value: Rational, normaliser: Normaliser) -> Iterator[Expr]:
        """One choice for the whole where several parts of it depend on the same condition."""
        groups: dict[Edge, list[Expr]] = {}
        for family in value.families:
            part, whole = family.node, axes(node)
            if part.head == CALL and part.data in normaliser.facts.choices and family.labels == whole == axes(part):
                groups.setdefault(part.args[0], []).append(part)
        if all(len(parts) < 2 for parts in groups.values()):
            return
        mixing = [f.node for f in value.families if f.node.head in (PRIMITIVE, CONTRACTION)]  # entries meet in these
        inside = set(topological(*mixing))
        for (condition, labels), parts in groups.items():
            if len(parts) > 1 and not inside & set(parts):
                sides = [replace(node, {p: spread(p.args[i], p.shape) for p in parts}) for i in (1, 2)]
                shown = [self._normal_and_shown(side) for side in sides]
                edges = [(self._pretty(condition), labels), *(narrowed(s, axes(s)) for s in shown)]
                yield call(parts[0].data, edges, node.shape)

    def _choices(self, value: Rational, normaliser: Normaliser) -> Iterator[Rational]:
        yield value
        if len(value.numerator) + len(value.denominator) > MOST_SHAPED:
            return
        if (averaged := in_means(value)) is not None:
            for mean, total in averaged[1]:
                shown = self._pretty(total)
                self.shown[mean] = with_args(mean, ((shown, mean.args[0][1]), mean.args[1]))
            yield averaged[0]
        sums = [s for s in self.written.sums if s not in self.busy]
        for base in (value, *averaged[:1]) if averaged else (value,):
            yield from in_sums(base, sums, normaliser)
        for variant in variants(value, normaliser):
            yield variant
            if variant.families != value.families and len(value.families) <= MOST_CHANGED:
                yield from (v for v in variants(variant, normaliser) if len(v.families) <= len(value.families))

    def _foreign(self, candidate: Expr, value: Rational, position: int) -> float:
        """A small preference for the functions that are there already."""
        if position == 0:
            return 0.0
        had = {f.node.data for f in value.families if f.node.head == CALL}
        new = (
            {
                n.data
                for n in topological(candidate, is_end=self.atoms.__contains__)
                if n.head == CALL and n.data not in (ADD, POWER)
            }
            - had
            - self.written.known
        )
        return 0.1 + 0.5 * len(new)

    def _large(self, node: Expr) -> Expr:
        """A cluster too large to choose for: its parts in order."""
        edges = [(self._pretty(c), labels) for c, labels in node.args]
        if node.head == CALL and node.data == ADD:
            return total(sorted(edges, key=self.order), node.shape)
        if node.head != CONTRACTION:
            return with_args(node, tuple(edges))
        edges.sort(key=self.order)
        return product(edges, node.data, dict(zip(node.data, node.shape, strict=True)))


def _absorbed(node: Expr, normaliser: Normaliser) -> Expr | None:
    """diag(s)@(I - outer(1, s)) as one factor diag(s) - outer(s, s): a vector put into the sum beside it."""
    for i, (child, labels) in enumerate(node.args):
        if not _is_sum(child) or len(labels) != 2 or not any(is_identity_matrix(c) for c, _ in child.args):
            continue
        for k, (vector, own) in enumerate(node.args):
            if k == i or len(own) != 1 or own[0] not in labels or vector.head == NUMBER:
                continue
            sizes = dict(enumerate(child.shape))
            inside = product([(vector, (labels.index(own[0]),)), (child, (0, 1))], (0, 1), sizes)
            rest = [e for m, e in enumerate(node.args) if m not in (i, k)]
            known = dict(zip(node.data, node.shape, strict=True))
            return contraction([*rest, (normaliser.cluster(inside), labels)], node.data, known)
    return None


def _is_pair(node: Expr) -> bool:
    """The elementwise product of two vectors."""
    return node.head == CONTRACTION and node.data == (0,) and [labels for _, labels in node.args] == [(0,), (0,)]


def _is_sum(node: Expr) -> bool:
    return node.head == CALL and bool(node.data == ADD)

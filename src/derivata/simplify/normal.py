"""The normal form: one bottom-up pass. Elementwise clusters become rational functions, contractions networks."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from derivata.expr.arrays import is_zero, zeros
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    POWER,
    PRIMITIVE,
    SYMBOL,
    Edge,
    Expr,
    Labels,
    axes,
    call,
    contraction,
    is_elementwise,
    is_multiple,
    primitive,
    with_args,
)
from derivata.expr.walk import parent_counts, topological
from derivata.rewrite.fold import power_of, total
from derivata.rewrite.instantiate import instantiate
from derivata.rewrite.match import rewrite_root
from derivata.rules.book import Book
from derivata.simplify.calls import Calls
from derivata.simplify.canonical import canonical, collapsed, collapsing
from derivata.simplify.extent import large_nodes
from derivata.simplify.facts import Facts, facts
from derivata.simplify.inward import inward
from derivata.simplify.like_terms import merged_product, merged_sum
from derivata.simplify.multiples import Multiple, content, multiples
from derivata.simplify.network import Distribution, normal_contraction, ordered
from derivata.simplify.products import chain, is_on_operands, square_factors, transposed, unsqueezed
from derivata.simplify.rational import Family, Leaf, Rational, is_internal, rational

CUT_COST = 200  # a shared node above this cost is one atom to its parents, and is named by `let`
ROUNDS = 6


def normal(root: Expr, book: Book, distribution: Distribution | None = None) -> Expr:
    """The canonical node among those that algebra shows equal; `normal(normal(e)) is normal(e)`."""
    return normal_with_cuts(root, book, distribution)[0].root


def normal_with_cuts(
    root: Expr, book: Book, distribution: Distribution | None = None
) -> tuple[Normaliser, dict[Expr, Multiple]]:
    """The pass over the normal form that changed nothing, and what every cut point of the input is a multiple of."""
    cuts: dict[Expr, Multiple] | None = None
    for _ in range(ROUNDS):
        work = Normaliser(root, book, distribution)
        following = work.run()
        if cuts is None:
            cuts = {node: (Fraction(1), work.memo[node]) for node in work.cut}
        else:
            cuts = {node: _followed(to, work.memo) for node, to in cuts.items()}
        became = inward(following)
        following = became[following]
        cuts = {node: _followed(to, became) for node, to in cuts.items()}
        if following is root:
            break
        root = following
    else:
        work = Normaliser(root, book, distribution)
        work.run()
    return work, cuts or {}


def _followed(multiple: Multiple, became: Mapping[Expr, Expr]) -> Multiple:
    """What a multiple of a node became."""
    amount, node = multiple
    found = ((amount * times, became[form]) for times, form in multiples(node) if form in became)
    return next(found, multiple)


def _is_monomial(node: Expr) -> bool:
    """A number times a node, or a whole power of an atom: what stands inside says as much."""
    if node.head == CALL and node.data == POWER:
        return is_internal(node) and not is_internal(node.args[0][0])
    return is_multiple(node)


class Normaliser:
    """One pass over one graph. `memo` holds the normal form of every node that is not inside a cluster."""

    def __init__(self, root: Expr, book: Book, distribution: Distribution | None = None) -> None:
        self.root, self.book = root, book
        self.distribution = distribution or Distribution()
        self.facts: Facts = facts(book)
        self.memo: dict[Expr, Expr] = {}
        self.made: set[Expr] = set()
        self.cut: set[Expr] = set()
        self.whole: set[Expr] = set()  # what cut nodes became, without the numbers in front
        self.large: set[Expr] = set()
        self.roots: set[Expr] = set()
        self._symmetric: dict[Expr, bool] = {}

    def run(self) -> Expr:
        order = topological(self.root)
        roots = self.roots = self._plan(order)
        known = self.distribution.known
        for node in order:
            if is_internal(node) and node not in roots:
                continue
            if node.cost > CUT_COST:
                self._put(node, self._normal(node))
                continue
            if node not in known:
                known[node] = self._normal(node)
            self._put(node, known[node])
        return self.memo[self.root]

    def _normal(self, node: Expr) -> Expr:
        """The normal form of a node over normal children."""
        if not is_internal(node):
            return self._atom(node)
        return self._structural(node) if node in self.large else self.cluster(node)

    def _put(self, node: Expr, value: Expr) -> None:
        self.memo[node] = value
        self.made.add(value)
        if node in self.cut:
            self.whole.add(content(value)[1])

    def _plan(self, order: list[Expr]) -> set[Expr]:
        """Which internal nodes are roots of clusters, and which are too large to be multiplied out."""
        counts = parent_counts(self.root)
        self.cut = {n for n in order if counts[n] > 1 and n.cost > CUT_COST and not _is_monomial(n)}
        self.large = large_nodes(order, self.cut)
        roots = {self.root} | self.cut
        for node in order:
            if node in self.large or not is_internal(node):
                roots.update(c for c, _ in node.args if is_internal(c))
        return roots

    def include(self, node: Expr) -> Normaliser:
        """Plan a node that has just been put together from parts of the graph."""
        order = topological(node, is_end=self.cut.__contains__)
        self.large |= large_nodes(order, self.cut, known=self.cut)
        return self

    def opened(self, node: Expr) -> tuple[Expr, bool]:
        """The node to look into in the place of this one, and whether it is one atom."""
        if node in self.whole:
            return node, True
        if node in self.cut and node in self.memo:  # a product just made may be one that comes later in the order
            return self.memo[node], True
        if node in self.made or node not in self.memo:
            return node, False
        return self.memo[node], False

    def cluster(self, node: Expr) -> Expr:
        """The normal form of an elementwise cluster."""
        value = rational(node, self.leaf, self.opened)
        if collapsing(value):
            return self._collapsed(collapsed(value))
        return self.identities(unsqueezed(canonical(value)))

    def _collapsed(self, node: Expr) -> Expr:
        """A sum over terms in which deltas and selectors have done their work.

        Over one denominator they could have more to do, without end: then the terms stay apart.
        """
        if node.head != CALL or node.data != ADD:
            return self.cluster_again(node)
        terms = [(self.cluster_again(term), labels) for term, labels in node.args]
        total_node = call(ADD, terms, node.shape)
        value = rational(total_node, self.leaf, self.opened)
        if collapsing(value):
            return merged_sum(terms, total_node)
        return self.identities(canonical(value))

    def cluster_again(self, node: Expr) -> Expr:
        """A cluster over normal parts that an earlier step put together."""
        if node.head == CALL or (node.head == CONTRACTION and is_elementwise(node)):
            inner = with_args(node, tuple((self._settled(c), labels) for c, labels in node.args))
            return self.cluster(inner) if is_internal(inner) else inner
        return self._settled(node)

    def _settled(self, node: Expr) -> Expr:
        """Contractions that collapsing has just built, in normal form."""
        if node.head == CONTRACTION and node not in self.made and node.args and not is_elementwise(node):
            return self.contraction(node)
        if is_internal(node) and node.head != NUMBER and node not in self.made:
            return self.cluster_again(node)
        return node

    def leaf(self, node: Expr, labels: Labels) -> Leaf:
        """What an atom is to a polynomial: powers of families."""
        if node.head == CALL and node.data in self.facts.bases and len(node.args) == 1:
            (inner, where) = node.args[0]
            multiple, unit = content(inner)
            family = call(node.data, [(unit, where)], node.shape)
            return Fraction(1), ((Family(family, labels, "base"), multiple),)
        if node.head == CALL and node.data == POWER:
            return self._power_leaf(node, labels)
        if 1 in node.shape:
            node, labels = self.squeezed(node, labels)
        if len(labels) == 2 and labels[0] > labels[1]:
            node, labels = self._upright(node, labels)
        return Fraction(1), ((Family(node, labels, self._kind(node)), Fraction(1)),)

    def _kind(self, node: Expr) -> str:
        return "size" if node.head == CALL and node.data in self.facts.sizes else "plain"

    def squeezed(self, node: Expr, labels: Labels) -> Edge:
        """An operand without its axes of size 1: how it lies on them says nothing."""
        kept = tuple(i for i, size in enumerate(node.shape) if size != 1)
        return self.contraction(contraction([(node, axes(node))], kept)), tuple(labels[i] for i in kept)

    def _upright(self, node: Expr, labels: Labels) -> Edge:
        """A matrix on exchanged axes as its transpose, where that is one node."""
        if node.head == CONTRACTION and not is_elementwise(node) and is_on_operands(node):
            return ordered(list(node.args), node.data[::-1], self), labels[::-1]
        return (node, labels[::-1]) if self.is_symmetric(node) else (node, labels)

    def is_symmetric(self, node: Expr) -> bool:
        """Whether a normal node is surely its own transpose."""
        if len(node.shape) != 2 or node.shape[0] != node.shape[1] or node.cost > CUT_COST:
            return node.head == SYMBOL and node.data.symmetric
        if node not in self._symmetric:
            self._symmetric[node] = self._finds_symmetric(node)
        return self._symmetric[node]

    def _finds_symmetric(self, node: Expr) -> bool:
        if node.head == SYMBOL:
            return bool(node.data.symmetric)
        if node.head == PRIMITIVE:
            name, mapped = node.data
            passed = name in self.facts.transposing and all(self.is_symmetric(c) for c, _ in node.args)
            return not mapped and (passed or name in self.facts.symmetric)
        if is_internal(node):
            return self.cluster(contraction([(node, (1, 0))], (0, 1))) is node
        if node.head == CONTRACTION and is_on_operands(node):
            return ordered(list(node.args), node.data[::-1], self) is node
        if node.head == CONTRACTION:
            return len(set(node.data)) == 1
        return all(not labels or (len(labels) == 2 and self.is_symmetric(c)) for c, labels in node.args)

    def _straight(self, node: Expr, labels: Labels) -> Edge:
        """An operand with its axes in order."""
        order = tuple(sorted(labels))
        if labels == order or len(set(labels)) < len(labels):
            return node, labels
        return self.cluster(contraction([(node, labels)], order)), order

    def _of_matrix(self, node: Expr) -> Expr:
        """A function of a product of square matrices by theirs; one of a transpose by that of the matrix."""
        name, mapped = node.data
        if mapped or len(node.args) != 1:
            return node
        inner, order = node.args[0]
        if name in self.facts.of_products and len(factors := square_factors(inner)) > 1:
            bound = {"A": (factors[0], (0, 1)), "B": (chain(factors[1:]), (0, 1))}
            return instantiate(self.facts.of_products[name], bound, (), {"n": inner.shape[0]}, node.shape)
        if len(order) != 2 or name not in self.facts.transposing | self.facts.transpose_blind:
            return node
        turned = transposed(inner) if order == (0, 1) else inner
        turned = self.cluster(turned) if is_internal(turned) else turned
        if order == (0, 1) and (turned.cost, turned.digest) >= (inner.cost, inner.digest):
            return node
        upright = primitive(name, 0, [(turned, (0, 1))], node.shape)
        return upright if name in self.facts.transpose_blind else transposed(upright)

    def _power_leaf(self, node: Expr, labels: Labels) -> Leaf:
        (base, inner), (exponent, where) = node.args
        base_labels = tuple(labels[i] for i in inner)
        if exponent.head == NUMBER:
            return Fraction(1), ((Family(base, base_labels, self._kind(base)), Fraction(exponent.data)),)
        constant, rest = Fraction(0), exponent
        if exponent.head == CALL and exponent.data == ADD and (not is_internal(base) or base.head == NUMBER):
            numbers = [c for c, _ in exponent.args if c.head == NUMBER]
            constant = sum((Fraction(c.data) for c in numbers), Fraction(0))
            rest = total([e for e in exponent.args if e[0].head != NUMBER], exponent.shape)
        multiple, unit = content(rest)
        family = call(POWER, [(base, inner), (unit, where)], node.shape)
        factors = [(Family(family, labels, "power"), multiple)]
        if constant:
            factors.append((Family(base, base_labels, self._kind(base)), constant))
        return Fraction(1), tuple(factors)

    def _atom(self, node: Expr) -> Expr:
        """Symbols, calls, contractions and primitives over normal children."""
        if not node.args and node.head == CONTRACTION and len(node.shape) > 2:
            return self.contraction(node)  # an identity over several pairs of axes is a product of deltas
        if not node.args:
            return self.facts.constants.get(node, node)
        inner = with_args(node, tuple((self.memo[c], labels) for c, labels in node.args))
        if inner.head == CONTRACTION:
            return self.contraction(inner)
        if inner.head == CALL:
            return Calls(self).atom(inner)
        if inner.data[0] in self.facts.vanishing and is_zero(inner.args[0][0]):
            return zeros(inner.shape)
        inner = with_args(inner, tuple(self._straight(c, labels) for c, labels in inner.args))
        return self.identities(self._of_matrix(inner))

    def contraction(self, node: Expr) -> Expr:
        if is_elementwise(node):
            return self.cluster(node)
        return self.identities(normal_contraction(node, self))

    def elementwise(self, node: Expr) -> Expr:
        """A product or a sum of normal parts, with the identities that are about contractions."""
        if node.head == CONTRACTION and is_elementwise(node):
            node = with_args(node, tuple((self._known(c), labels) for c, labels in node.args))
        elif node.head == CONTRACTION:
            return self._known(node)
        return self.cluster(node) if is_internal(node) else node

    def _known(self, node: Expr) -> Expr:
        return self.identities(node) if node.head == CONTRACTION and not is_elementwise(node) else node

    def identities(self, node: Expr) -> Expr:
        """The first identity of purpose `shorter` or `outward` that applies, again and again."""
        for _, left, right in (*self.book.sides("shorter"), *self.book.sides("outward")):
            if left.head != node.head or (left.head == CALL and left.data != node.data) or left.data == ADD:
                continue
            if left.head == CONTRACTION and (len(left.args) != len(node.args) or is_elementwise(left)):
                continue
            found = rewrite_root(node, left, right)
            if found is not None:
                return found
        return node

    def _structural(self, node: Expr) -> Expr:
        """A cluster too large to multiply out: flattened, like terms and like factors merged, sorted."""
        parts = [(self.memo.get(c, c), labels) for c, labels in node.args]
        if node.head == CALL and node.data == ADD:
            return merged_sum(parts, node)
        if node.head == CALL:
            return power_of(parts[0], parts[1], node.shape)
        return merged_product(parts, node)


__all__ = ["Normaliser", "Rational", "normal"]

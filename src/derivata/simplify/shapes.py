"""The shapes a rational function can be printed in: factored, content times the rest, collected, term by term."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from derivata.errors import UndefinedError
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    POWER,
    SYMBOL,
    Edge,
    Expr,
    Size,
    axes,
    call,
    number,
    with_args,
)
from derivata.rewrite.fold import power_of, product, total
from derivata.simplify.assemble import Order, flat_product, leading_number, sorted_sum
from derivata.simplify.canonical import is_identity_matrix
from derivata.simplify.cost import cost, is_negative
from derivata.simplify.multiples import scaled
from derivata.simplify.radicals import Polynomial
from derivata.simplify.rational import Rational, from_flint, term_edges

MOST_SHAPED = 80  # terms; of more the factored form is the only one looked at
MOST_COLLECTED = 40
DEEPEST = 1000  # larger parts are not searched for minus signs
MOST_GENERATORS = 6
Pretty = Callable[[Expr], Expr]


@dataclass(frozen=True)
class Printer:
    """Builds printed forms of one rational function; `pretty` gives an atom's own printed form."""

    value: Rational
    pretty: Pretty
    order: Order
    bases: frozenset[str]
    familiar: frozenset[Expr] = frozenset()  # sums as the input wrote them: 1 - p stays 1 - p
    atoms: Collection[Expr] = ()  # large printed parts: they cost the same in every shape
    products: dict[object, Expr] = field(default_factory=dict)  # built before, by their factors

    def candidates(self) -> Iterator[Expr]:
        """Every shape on offer."""
        top, bottom = self.value.numerator, self.value.denominator
        if top.is_zero():
            return
        factored = self._factors(top)
        below = self._below()
        yield self._quotient(factored, below)
        if len(top) + len(bottom) > MOST_SHAPED:
            return
        scale, content, rest = self._content(top)
        yield self._quotient((scale, [*content, *self._polynomial(rest)]), below)
        if len(top) > 1 and len(bottom) == 1:
            yield self._term_by_term()
        elif len(top) > 1 and bottom.is_constant():
            yield self._sum(top)

    def _factors(self, polynomial: Polynomial) -> tuple[Fraction, list[Edge]]:
        scale, parts = polynomial.factor()
        parts = _conjugates_joined(parts)
        edges: list[Edge] = []
        number_part = from_flint(scale)
        monomial = [0] * len(self.value.families)
        for part, count in parts:
            if len(part) == 1 and part.total_degree() == 1 and part.leading_coefficient() == 1:
                exponents = part.monoms()[0]
                monomial = [m + int(e) * int(count) for m, e in zip(monomial, exponents, strict=True)]
                continue
            sign, part = _mostly_positive(part)
            number_part *= sign ** int(count)
            for node, labels in self._polynomial(part):
                if (opposite := negated(node, self.order)) in self.familiar:
                    node, number_part = opposite, number_part * (-1) ** int(count)
                edges.append((power_of((node, axes(node)), (number(int(count)), ()), node.shape), labels))
        return number_part, [*self._atoms(tuple(monomial)), *edges]

    def _content(self, polynomial: Polynomial) -> tuple[Fraction, list[Edge], Polynomial]:
        """Number and monomial in front, and the rest with whole coprime coefficients."""
        if len(polynomial) == 1:
            ((exponents, coefficient),) = polynomial.terms()
            return from_flint(coefficient), self._atoms(exponents), self.value.context.constant(1)
        low = tuple(min(int(e[i]) for e in polynomial.monoms()) for i in range(len(self.value.families)))
        monomial = self.value.context.from_dict({low: 1})
        rest = polynomial / monomial
        scale = rest.factor_squarefree()[0]
        sign, rest = _mostly_positive(rest / scale)
        return from_flint(scale) * sign, self._atoms(low), rest

    def _below(self) -> tuple[Fraction, list[Edge]]:
        scale, edges = self._factors(self.value.denominator)
        return 1 / scale, [self._inverted(e) for e in edges]

    def _inverted(self, edge: Edge) -> Edge:
        node, labels = edge
        if node.head == CALL and node.data in self.bases:
            ((inner, where),) = node.args
            opposite = call(node.data, [(self.pretty(scaled(inner, Fraction(-1))), where)], node.shape)
            return opposite, labels
        if node.head == NUMBER:
            if node.data == 0:
                raise UndefinedError("division by zero: 0 stands below the bar")
            return number(1 / node.data), labels
        if node.head == CALL and node.data == POWER and node.args[1][0].head == NUMBER:
            base, exponent = node.args
            return power_of(base, (number(-exponent[0].data), ()), node.shape), labels
        return power_of((node, axes(node)), (number(-1), ()), node.shape), labels

    def _quotient(self, top: tuple[Fraction, list[Edge]], below: tuple[Fraction, list[Edge]]) -> Expr:
        return self._product(top[0] * below[0], [*_merged([*top[1], *below[1]])])

    def _atoms(self, exponents: tuple[int, ...]) -> list[Edge]:
        return [(self.pretty(node), labels) for node, labels in term_edges(self.value, exponents)]

    def _polynomial(self, polynomial: Polynomial) -> list[Edge]:
        """A polynomial as one factor: flat or collected, whichever is shorter."""
        if polynomial.is_constant():
            return [(number(from_flint(polynomial.coeffs()[0])), ())]
        if len(polynomial) == 1:
            scale, edges, _ = self._content(polynomial)
            return [(number(scale), ()), *edges]
        options = [self._narrow_sum(polynomial)]
        if len(polynomial) <= MOST_COLLECTED:
            degrees = [int(d) for d in polynomial.degrees()]
            for i in sorted((i for i, d in enumerate(degrees) if d), key=lambda i: -degrees[i])[:MOST_GENERATORS]:
                if collected := self._collected(polynomial, i):
                    options.append(collected)
        return [min(options, key=lambda e: cost(e[0], self.atoms))]

    def _collected(self, polynomial: Polynomial, index: int) -> Edge | None:
        """Terms grouped by powers of one generator, each coefficient with its content taken out."""
        groups: dict[int, dict[tuple[int, ...], Any]] = {}
        for exponents, coefficient in polynomial.terms():
            rest = tuple(0 if i == index else int(e) for i, e in enumerate(exponents))
            groups.setdefault(int(exponents[index]), {})[rest] = coefficient
        if all(len(g) == 1 for g in groups.values()):
            return None
        terms: list[Edge] = []
        for power, group in groups.items():
            scale, content, rest = self._content(self.value.context.from_dict(group))
            monomial = tuple(power if i == index else 0 for i in range(len(self.value.families)))
            factors = [*self._atoms(monomial), *content]
            if not rest.is_constant():
                if not factors:
                    terms.extend(self._terms(self.value.context.from_dict(group)))
                    continue
                factors.append(self._narrow_sum(rest))
            terms.append(self._narrow(scale, factors))
        return self._total(terms)

    def _terms(self, polynomial: Polynomial) -> list[Edge]:
        return [self._narrow(from_flint(c), self._atoms(e)) for e, c in polynomial.terms()]

    def _narrow_sum(self, polynomial: Polynomial) -> Edge:
        return self._total(self._terms(polynomial))

    def _total(self, terms: list[Edge]) -> Edge:
        used = sorted({i for _, labels in terms for i in labels})
        place = {label: i for i, label in enumerate(used)}
        edges = [(c, tuple(place[i] for i in labels)) for c, labels in terms]
        return sorted_sum(edges, tuple(self.value.shape[i] for i in used), self.order), tuple(used)

    def _sum(self, polynomial: Polynomial) -> Expr:
        return sorted_sum(self._terms(polynomial), self.value.shape, self.order)

    def _term_by_term(self) -> Expr:
        ((below, divisor),) = self.value.denominator.terms()
        terms = []
        for exponents, coefficient in self.value.numerator.terms():
            difference = tuple(int(a) - int(b) for a, b in zip(exponents, below, strict=True))
            terms.append(self._narrow(from_flint(coefficient / divisor), self._atoms(difference)))
        return sorted_sum(terms, self.value.shape, self.order)

    def _narrow(self, scale: Fraction, edges: list[Edge]) -> Edge:
        """A product over just the axes its factors have."""
        used = tuple(sorted({i for _, labels in edges for i in labels}))
        return self._arranged(scale, edges, used), used

    def _product(self, scale: Fraction, edges: list[Edge]) -> Expr:
        return self._arranged(scale, edges, tuple(range(len(self.value.shape))))

    def _arranged(self, scale: Fraction, edges: list[Edge], out: tuple[int, ...]) -> Expr:
        key = scale, tuple(edges), out, self.value.shape
        if key not in self.products:
            self.products[key] = self._new_product(scale, edges, out)
        return self.products[key]

    def _new_product(self, scale: Fraction, edges: list[Edge], out: tuple[int, ...]) -> Expr:
        shown: list[Edge] = []
        for node, labels in edges:
            factor, rest = leading_number(node)
            scale *= factor
            if rest is not None:
                shown.append((rest, labels))
        scale, shown = self._signed(scale, shown)
        shown.sort(key=self.order)
        out, shown = _without_deltas(out, shown)
        if scale != 1 or not shown:
            shown.insert(0, (number(scale), ()))
        sizes: dict[int, Size] = dict(enumerate(self.value.shape))
        return flat_product(shown, out, sizes)

    def _signed(self, scale: Fraction, edges: list[Edge]) -> tuple[Fraction, list[Edge]]:
        """Turn factors that are sums so that few minus signs are left; 1 - f rather than f - 1."""
        shown: list[Edge] = []
        ties: list[tuple[bool, bool, int, Expr]] = []
        for position, (node, labels) in enumerate(edges):
            if holds_a_sum(node) and node not in self.atoms:
                opposite = negated(node, self.order)
                saved = _minus_signs(node) - _minus_signs(opposite)
                if node not in self.familiar and (saved > 0 or opposite in self.familiar):
                    node, opposite, scale, saved = opposite, node, -scale, -saved
                if not saved:
                    ties.append((node in self.familiar, _ends_in_minus_number(opposite), position, opposite))
            shown.append((node, labels))
        if scale < 0 and ties:
            _, _, position, opposite = min(ties, key=lambda tie: tie[:3])
            shown[position] = opposite, shown[position][1]
            return -scale, shown
        return scale, shown


def _mostly_positive(polynomial: Polynomial) -> tuple[int, Polynomial]:
    """The polynomial or its opposite, whichever has fewer minus signs, and the sign that was taken out."""
    negative = sum(c < 0 for c in polynomial.coeffs())
    return (-1, -polynomial) if 2 * negative > len(polynomial) else (1, polynomial)


def _conjugates_joined(parts: list[tuple[Polynomial, int]]) -> list[tuple[Polynomial, int]]:
    """1 - u**2 rather than (1 - u)*(1 + u)."""
    found: list[tuple[Polynomial, int]] = []
    for part, count in parts:
        for i, (other, times) in enumerate(found):
            if count == times and len(part) == len(other) == 2 and len(joined := part * other) == 2:
                found[i] = joined, count
                break
        else:
            found.append((part, count))
    return found


def _flat(terms: list[Edge]) -> list[Edge]:
    """Terms that are sums replaced by theirs."""
    found: list[Edge] = []
    for node, labels in terms:
        inner = node.args if _is_sum(node) else ((node, axes(node)),)
        found.extend((child, tuple(labels[i] for i in where)) for child, where in inner)
    return found


def _without_deltas(out: tuple[int, ...], edges: list[Edge]) -> tuple[tuple[int, ...], list[Edge]]:
    """Identity matrices among the factors become repeated output labels."""
    for node, labels in edges:
        if is_identity_matrix(node) and len(set(labels)) == 2:
            keep, drop = labels
            rest = [
                (c, tuple(keep if i == drop else i for i in w)) for c, w in edges if not (c is node and w == labels)
            ]
            return tuple(keep if i == drop else i for i in out), rest
    return out, edges


def _merged(edges: list[Edge]) -> list[Edge]:
    """Powers of one base above and below the bar are one power: x**n/x, exp(u)/exp(v)."""
    merged: dict[tuple[Expr, tuple[int, ...]], list[Edge]] = {}
    for node, labels in edges:
        base, where = (
            (node.args[0][0], node.args[0][1]) if node.head == CALL and node.data == POWER else (node, axes(node))
        )
        merged.setdefault((base, tuple(labels[i] for i in where)), []).append((node, labels))
    found: list[Edge] = []
    for (base, where), members in merged.items():
        lead, whole = max(members, key=lambda edge: len(edge[1]))
        exponents = [_exponent(edge) for edge in members]
        apart = any(own and set(labels) != set(whole) for (_, own), (_, labels) in zip(exponents, members, strict=True))
        if len(members) == 1 or apart or len(set(whole)) < len(whole):
            found.extend(members)
            continue
        place = {label: i for i, label in enumerate(whole)}
        used = sorted({place[label] for _, own in exponents for label in own})
        edges = [(e, tuple(used.index(place[label]) for label in own)) for e, own in exponents]
        summed = total(edges, tuple(lead.shape[i] for i in used))
        power = power_of((base, tuple(place[label] for label in where)), (summed, tuple(used)), lead.shape)
        found.append((power, whole))
    return found


def _exponent(edge: Edge) -> Edge:
    """To which power a factor stands, with the exponent's axes among those of all factors."""
    node, labels = edge
    if node.head != CALL or node.data != POWER:
        return number(1), ()
    exponent, own = node.args[1]
    return exponent, tuple(labels[i] for i in own)


def _ends_in_minus_number(node: Expr) -> bool:
    """f(x) - 1, which reads better as 1 - f(x); polynomials such as x - 1 stay."""
    if node.head != CALL or node.data != ADD:
        return False
    numbers = [c for c, _ in node.args if c.head == NUMBER]
    if node.cost > DEEPEST:
        return False
    rest = [c for c, _ in node.args if c.head != NUMBER]
    return len(numbers) == 1 and numbers[0].data < 0 and not all(is_polynomial_term(c) for c in rest)


def is_polynomial_term(node: Expr) -> bool:
    """Whether a term is made of numbers and symbols only."""
    seen, stack = {node}, [node]
    while stack:
        part = stack.pop()
        if part.head not in (NUMBER, SYMBOL, CONTRACTION) and part.data != POWER:
            return False
        fresh = [child for child, _ in part.args if child not in seen]
        seen.update(fresh)
        stack.extend(fresh)
    return True


def holds_a_sum(node: Expr, depth: int = 2) -> bool:
    """Whether a minus sign can be put inside."""
    if node.head == CONTRACTION:
        return any(_is_sum(c) or (depth and c.head == CONTRACTION and holds_a_sum(c, depth - 1)) for c, _ in node.args)
    return _is_sum(node) or _is_odd_power(node)


def _nearest_sum(node: Expr) -> int | None:
    """The operand of a product that is a sum, or holds one least deep."""
    for depth in range(3):
        for place, (child, _) in enumerate(node.args):
            if _is_sum(child) if depth == 0 else child.head == CONTRACTION and holds_a_sum(child, depth - 1):
                return place
    return None


def _is_odd_power(node: Expr) -> bool:
    """A sum to an odd whole power, such as a divisor."""
    if node.head != CALL or node.data != POWER or node.args[1][0].head != NUMBER:
        return False
    exponent = node.args[1][0].data
    return exponent.denominator == 1 and exponent.numerator % 2 == 1 and _is_sum(node.args[0][0])


def _is_sum(node: Expr) -> bool:
    return node.head == CALL and node.data == ADD


def _minus_signs(root: Expr) -> int:
    """How many minus signs are written outside of functions; f(x) - 1 counts twice, as 1 - f(x) reads better."""
    count = 0
    stack = [root]
    while stack:
        node = stack.pop()
        if _is_sum(node):
            count += sum(is_negative(child) for child, _ in node.args) + _ends_in_minus_number(node)
        if _is_sum(node) or _is_odd_power(node) or node.head == CONTRACTION:
            stack.extend(child for child, _ in node.args if child.cost < DEEPEST)
    return count


def negated(node: Expr, order: Order) -> Expr:
    """The node with the opposite sign, the minus put inside a sum."""
    if node.head == CALL and node.data == ADD:
        return sorted_sum(_flat([(negated(c, order), labels) for c, labels in node.args]), node.shape, order)
    if _is_odd_power(node):
        (base, labels), exponent = node.args
        return with_args(node, ((negated(base, order), labels), exponent))
    if node.head == CONTRACTION and not is_negative(node) and (place := _nearest_sum(node)) is not None:
        child, labels = node.args[place]
        return with_args(node, (*node.args[:place], (negated(child, order), labels), *node.args[place + 1 :]))
    if node.head == CONTRACTION and any(len(labels) not in (0, len(node.shape)) for _, labels in node.args):
        return product([(number(-1), ()), (node, axes(node))], axes(node), dict(enumerate(node.shape)))
    return scaled(node, Fraction(-1))

"""A rational function as the node that stands for it: sorted terms over one denominator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from derivata.errors import UndefinedError
from derivata.expr.arrays import zeros
from derivata.expr.node import (
    ADD,
    CALL,
    NUMBER,
    POWER,
    Edge,
    Expr,
    Labels,
    axes,
    call,
    contraction,
    integer_power,
    number,
)
from derivata.expr.selectors import is_lower, is_onehot
from derivata.rewrite.fold import power_of, product, spread, total
from derivata.simplify.radicals import Polynomial
from derivata.simplify.rational import Family, Rational, from_flint, term_edges


def is_identity_matrix(node: Expr) -> bool:
    """eye(n): the Kronecker delta."""
    return node.head == "contraction" and not node.args and node.data == (0, 0)


def canonical(value: Rational) -> Expr:
    """The sum of the terms of the numerator, times the denominator to the power -1."""
    if value.numerator.is_zero():
        return zeros(value.shape)
    low, bottom = _monomial_apart(value)
    top = _terms_over(value, low)
    if bottom.is_constant():
        return _sum(value, [(c / from_flint(bottom.coeffs()[0]), edges) for c, edges in top])
    inner = _narrow(value, [_joined(value, c, e) for c, e in _terms(value, bottom)])
    power = power_of((inner[0], axes(inner[0])), (number(-1), ()), inner[0].shape)
    if len(top) == 1:
        return _sum(value, [_joined(value, top[0][0], [*top[0][1], (power, inner[1])])])
    numerator = _narrow(value, top)
    return product([numerator, (power, inner[1])], tuple(range(len(value.shape))), dict(enumerate(value.shape)))


Term = tuple[Fraction, list[Edge]]


def _terms(value: Rational, polynomial: Polynomial) -> list[Term]:
    return [
        _joined(value, from_flint(coefficient), term_edges(value, exponents))
        for exponents, coefficient in polynomial.terms()
    ]


def _terms_over(value: Rational, below: tuple[int, ...]) -> list[Term]:
    """The terms of the numerator, each divided by the monomial that all terms of the denominator have."""
    return [
        _joined(
            value,
            from_flint(coefficient),
            term_edges(value, tuple(int(a) - int(b) for a, b in zip(exponents, below, strict=True))),
        )
        for exponents, coefficient in value.numerator.terms()
    ]


def _joined(value: Rational, coefficient: Fraction, edges: list[Edge]) -> Term:
    """Whole powers of numbers go into the coefficient."""
    kept: list[Edge] = []
    for child, labels in edges:
        if child.head == NUMBER:
            coefficient *= child.data
            continue
        if (
            child.head == CALL
            and child.data == POWER
            and child.args[0][0].head == NUMBER
            and child.args[1][0].head == NUMBER
        ):
            if child.args[0][0].data == 0 and child.args[1][0].data < 0:
                raise UndefinedError("division by zero: a negative power of what is 0 everywhere")
            whole = child.args[1][0].data.numerator // child.args[1][0].data.denominator
            coefficient *= integer_power(child.args[0][0].data, whole)
            child = power_of(child.args[0], (number(child.args[1][0].data - whole), ()), child.shape)
            if child.head == NUMBER:
                continue
        kept.append((child, labels))
    return coefficient, sorted(kept, key=lambda e: (e[0].digest, e[1]))


def _term(coefficient: Fraction, edges: list[Edge]) -> Edge:
    """A product over just the axes its factors have."""
    used = sorted({label for _, labels in edges for label in labels})
    place = {label: i for i, label in enumerate(used)}
    sizes = {place[label]: size for child, labels in edges for label, size in zip(labels, child.shape, strict=True)}
    args = [(number(coefficient), ()), *((c, tuple(place[i] for i in labels)) for c, labels in edges)]
    return product(args, tuple(range(len(used))), sizes), tuple(used)


def _narrow(value: Rational, terms: list[Term]) -> Edge:
    """A sum over just the axes its terms have."""
    made = [_term(c, e) for c, e in terms]
    used = sorted({label for _, labels in made for label in labels})
    place = {label: i for i, label in enumerate(used)}
    edges = [(node, tuple(place[i] for i in labels)) for node, labels in made]
    return total(edges, tuple(value.shape[i] for i in used)), tuple(used)


def _sum(value: Rational, terms: list[Term]) -> Expr:
    return spread(_narrow(value, terms) if len(terms) > 1 else _term(*terms[0]), value.shape)


def collapsing(value: Rational) -> bool:
    """Whether some term holds a delta or a selector that would rename or pick another factor."""
    special = [i for i, f in enumerate(value.families) if _special(f)]
    if not special:
        return False
    low, bottom = _monomial_apart(value)
    degrees = bottom.degrees()
    special = [i for i in special if not degrees[i]]  # below the bar they stay what they are
    for exponents in value.numerator.monoms():
        powers = tuple(int(e) - k for e, k in zip(exponents, low, strict=True))
        if any(powers[i] > 0 and _acts(value, powers, i, degrees) for i in special):
            return True
    return False


def _monomial_apart(value: Rational) -> tuple[tuple[int, ...], Polynomial]:
    """The denominator as exponents of a monomial and the rest."""
    bottom = value.denominator
    low = tuple(min(int(e[i]) for e in bottom.monoms()) for i in range(len(value.families)))
    return low, bottom / value.context.from_dict({low: 1})


def _acts(value: Rational, exponents: tuple[int, ...], special: int, degrees: Sequence[int]) -> bool:
    family = value.families[special]
    if exponents[special] != value.units[special].denominator:
        return True  # a power of it, a root too, is itself
    if is_lower(family.node):
        return False
    targets = set(family.labels[1:] if is_identity_matrix(family.node) else family.labels)
    return any(
        i != special and (exponents[i] or degrees[i]) and targets & set(f.labels) for i, f in enumerate(value.families)
    )


def collapsed(value: Rational) -> Expr:
    """The sum with deltas and selectors used in every term, ready to be normalised again."""
    terms = []
    low, bottom = _monomial_apart(value)
    scale, below = (bottom.coeffs()[0], []) if bottom.is_constant() else (1, [_inverse(value, bottom)])
    for exponents, coefficient in value.numerator.terms():
        powers = tuple(int(e) - k for e, k in zip(exponents, low, strict=True))
        edges = [(number(from_flint(coefficient / scale)), ()), *_once(value, powers), *below]
        terms.append(_use(edges, value))
    whole = axes(terms[0])
    return call(ADD, [(t, whole) for t in terms], value.shape) if len(terms) > 1 else terms[0]


def _inverse(value: Rational, polynomial: Polynomial) -> Edge:
    node, labels = _narrow(value, _terms(value, polynomial))
    return power_of((node, axes(node)), (number(-1), ()), node.shape), labels


def _once(value: Rational, exponents: tuple[int, ...]) -> list[Edge]:
    """A monomial in which deltas and selectors stand once: their powers are themselves."""
    counted = zip(exponents, value.families, value.units, strict=True)
    kept = tuple(unit.denominator if e > 0 and _special(f) else int(e) for e, f, unit in counted)
    return term_edges(value, kept)


def _special(family: Family) -> bool:
    """Whether all entries are 0 or 1, whatever the variables: powers of it are itself."""
    return is_identity_matrix(family.node) or is_onehot(family.node) or is_lower(family.node)


def _use(edges: list[Edge], value: Rational) -> Expr:
    """Rename along deltas, pick along selectors."""
    deltas = [labels for child, labels in edges if is_identity_matrix(child)]
    first = _equal_labels(deltas)
    named = [(c, tuple(first.get(i, i) for i in w)) for c, w in edges if not is_identity_matrix(c)]
    edges = [_diagonal(c, w) for c, w in named]
    kept = [(i, keep) for i, keep in sorted(first.items()) if i != keep]
    edges += [(contraction([], (0, 0), {0: value.shape[i]}), (keep, i)) for i, keep in kept]
    for child, labels in list(edges):
        if is_onehot(child):
            edges = [_picked(c, w, child, labels[0]) if labels[0] in w and c is not child else (c, w) for c, w in edges]
    whole = tuple(range(len(value.shape)))
    return product(edges, whole, dict(enumerate(value.shape)))


def _equal_labels(pairs: Iterable[Labels]) -> dict[int, int]:
    """The smallest label that deltas make each label equal to."""
    first: dict[int, int] = {}
    for pair in pairs:
        a, b = (first.setdefault(i, i) for i in pair)
        first = {i: min(a, b) if j in (a, b) else j for i, j in first.items()}
    return first


def _diagonal(node: Expr, labels: Labels) -> Edge:
    """An operand in which a label repeats, as the array of its diagonal."""
    if len(set(labels)) == len(labels):
        return node, labels
    kept = tuple(dict.fromkeys(labels))
    return contraction([(node, labels)], kept), kept


def _picked(node: Expr, labels: Labels, selector: Expr, label: int) -> Edge:
    kept = tuple(i for i in labels if i != label)
    return contraction([(node, labels), (selector, (label,))], kept), kept

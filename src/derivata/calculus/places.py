"""Where a function of one variable is 0, and its sign beside a place: exactly, for rational functions case by case."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from flint import fmpq, fmpq_poly

from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, ONE, POWER, ZERO, Expr, with_args
from derivata.expr.notation import SIGNS
from derivata.expr.walk import topological
from derivata.rewrite.instantiate import defined, record_of
from derivata.rules.book import Book

MOST_CASES = 16
MOST_DEGREE = 12


class Ratio(NamedTuple):
    """top/bottom, polynomials (fmpq_poly, which has no type hints) in the variable."""

    top: Any
    bottom: Any


def zeros_of(of: Expr, by: Expr, book: Book) -> list[Fraction] | None:
    """Every number at which `of` can be 0, in order; nothing where that cannot be told, or one is irrational.

    A zero of `of` is one of the case that holds there, so those of all cases are looked for.
    """
    found: set[Fraction] = set()
    for case in _cases(of, book) or ():
        ratio = ratio_of(case, by)
        if ratio is None or ratio.top == 0:
            return None
        for factor, _ in ratio.top.factor()[1]:
            if factor.degree() > 1 and _has_real_root(factor):
                return None
            if factor.degree() == 1:
                root = -factor[0] / factor[1]
                found.add(Fraction(int(root.p), int(root.q)))
    return sorted(found) if _cases(of, book) else None


def _has_real_root(factor: Any) -> bool:
    """Whether some root may be real; of a factor of odd degree one is."""
    whole = factor.numer()
    return any(bool(root.imag.contains(0)) for root, _ in whole.complex_roots())


def sign_beside(of: Expr, by: Expr, place: Fraction, side: int) -> int | None:
    """The sign of `of` just before (-1), at (0) or just after (1) a place; nothing where it is no rational function."""
    if (ratio := ratio_of(of, by)) is None:
        return None
    shifted = (ratio.top * ratio.bottom)(fmpq_poly([fmpq(place.numerator, place.denominator), 1]))
    terms = [(power, c) for power, c in enumerate(shifted.coeffs()) if c != 0 and (side or power == 0)]
    if not terms:
        return 0
    power, coefficient = terms[0]
    return (1 if coefficient > 0 else -1) * (side**power if side else 1)


def ratio_of(of: Expr, by: Expr) -> Ratio | None:
    """A scalar expression as a rational function of `by`; nothing if it is none, or of too high a degree."""
    found: dict[Expr, Ratio] = {by: Ratio(fmpq_poly([0, 1]), fmpq_poly([1]))}
    for node in topological(of):
        if node in found:
            continue
        if (ratio := _ratio(node, found)) is None or max(part.degree() for part in ratio) > MOST_DEGREE:
            return None
        found[node] = ratio
    return found[of]


def _ratio(node: Expr, found: dict[Expr, Ratio]) -> Ratio | None:
    one = fmpq_poly([1])
    if node.head == NUMBER:
        return Ratio(fmpq_poly([fmpq(node.data.numerator, node.data.denominator)]), one)
    parts = [found[child] for child, _ in node.args]
    if node.head == CALL and node.data == ADD:
        total = Ratio(fmpq_poly([0]), one)
        for part in parts:
            total = Ratio(total.top * part.bottom + part.top * total.bottom, total.bottom * part.bottom)
        return total
    if node.head == CONTRACTION and not node.shape:
        product = Ratio(one, one)
        for part in parts:
            product = Ratio(product.top * part.top, product.bottom * part.bottom)
        return product
    if node.head == CALL and node.data == POWER and node.args[1][0].head == NUMBER:
        return _power(parts[0], node.args[1][0].data)
    return None


def _power(base: Ratio, exponent: Fraction) -> Ratio | None:
    if exponent.denominator != 1 or abs(exponent) > MOST_DEGREE:
        return None
    if exponent >= 0:
        return Ratio(base.top ** int(exponent), base.bottom ** int(exponent))
    return None if base.top == 0 else Ratio(base.bottom ** int(-exponent), base.top ** int(-exponent))


def _cases(of: Expr, book: Book) -> list[Expr]:
    """What the expression can be, one case chosen of every function made of pieces; empty if there are too many."""
    cases: dict[Expr, list[Expr]] = {}
    for node in topological(of):
        found = [node] if not node.args else []
        for args in _chosen([cases[child] for child, _ in node.args]):
            found += _of_pieces(with_args(node, tuple((a, w) for a, (_, w) in zip(args, node.args, strict=True))), book)
        cases[node] = list(dict.fromkeys(found))
        if not 0 < len(cases[node]) <= MOST_CASES:
            return []
    return cases[of]


def _chosen(options: list[list[Expr]]) -> list[tuple[Expr, ...]]:
    """One of each, in every way; none if there are too many."""
    found: list[tuple[Expr, ...]] = [()] if options else []
    for choices in options:
        found = [(*before, choice) for before in found for choice in choices]
        if len(found) > MOST_CASES**2:
            return []
    return found


def _of_pieces(node: Expr, book: Book) -> list[Expr]:
    record = record_of(node, book)
    if record is None or not (record.kinks or "choice" in record.traits):
        return [node]
    if record.name in SIGNS:
        return [ZERO, ONE]
    if "choice" in record.traits:
        return [child for child, _ in node.args[1:]]
    return _cases(defined(node, record, record.value, book), book) if record.value else []

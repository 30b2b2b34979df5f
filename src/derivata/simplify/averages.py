"""Sums as multiples of means: x - mean(x) rather than (n*x - sum(x))/n."""

from __future__ import annotations

from fractions import Fraction

from flint import Ordering, fmpq_mpoly_ctx

from derivata.expr.arrays import reciprocal
from derivata.expr.means import summed_size
from derivata.expr.node import Expr, axes, contraction, variable
from derivata.expr.selectors import size_node
from derivata.expr.sizes import size_terms
from derivata.expr.symbol import size_symbol
from derivata.simplify.rational import Family, Rational, reduced


def in_means(value: Rational) -> tuple[Rational, list[tuple[Expr, Expr]]] | None:
    """The function in the means of its sums; and pairs (mean, sum)."""
    sums = [
        i
        for i, (family, unit) in enumerate(zip(value.families, value.units, strict=True))
        if family.kind == "plain" and unit == 1 and summed_size(family.node) not in (None, 1)
    ]
    if not sums:
        return None
    families = list(value.families)
    units = list(value.units)
    made: list[tuple[Expr, Expr]] = []
    images: dict[int, tuple[int, list[tuple[int, list[int]]]]] = {}
    for i in sums:
        node = value.families[i].node
        size = summed_size(node)
        assert size is not None
        mean = contraction([(node, axes(node)), (reciprocal(size_node(size)), ())], axes(node))
        made.append((mean, node))
        terms = []
        for names, factor in size_terms(size):
            terms.append(
                (factor, [_place(Family(variable(size_symbol(n)), (), "plain"), families, units) for n in names])
            )
        images[i] = _place(Family(mean, value.families[i].labels, "plain"), families, units), terms
    context = fmpq_mpoly_ctx.get(tuple(f"g{i}" for i in range(len(families))), Ordering.lex)
    generators = [context.gen(i) for i in range(len(value.families))]
    for i, (mean_place, terms) in images.items():
        count = context.constant(0)
        for factor, places in terms:
            term = context.constant(factor)
            for place in places:
                term *= context.gen(place)
            count += term
        generators[i] = count * context.gen(mean_place)
    top, below = (p.compose(*generators, ctx=context) for p in (value.numerator, value.denominator))
    return reduced(Rational(tuple(families), tuple(units), context, top, below, value.shape)), made


def _place(family: Family, families: list[Family], units: list[Fraction]) -> int:
    """Where a generator stands; a new one is put at the end."""
    for i, known in enumerate(families):
        if known == family and units[i] == 1:
            return i
    families.append(family)
    units.append(Fraction(1))
    return len(families) - 1

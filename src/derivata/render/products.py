"""Products as they are printed: numbers first, one fraction, big sums and matrix products last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from derivata.render.formula import (
    FRACTION,
    PRODUCT,
    Formula,
    closed,
    fraction,
    negative,
    transposed,
    without_minus,
    wrap,
)

JUXTAPOSED, DOT, ELEMENTWISE = " ", ".", "o"
_TRAILING = ("big", "matmul", "cases")  # what stands beside a fraction and not on top of it


def kind(formula: Formula) -> str:
    """What a piece is when its colour is overlooked."""
    while formula.kind in ("marked", "either"):
        formula = formula.parts[0]
    return formula.kind


def product(factors: Sequence[Formula]) -> Formula:
    """An elementwise product."""
    for place, factor in enumerate(factors):
        opposite = without_minus(factor)
        if opposite is not None and (not place or (factor.kind == "negative" and opposite.kind == "number")):
            return negative(product([*factors[:place], opposite, *factors[place + 1 :]]))
    parts = sorted(_flat(factors), key=_rank)
    if len(parts) == 1:
        return parts[0]
    arrays = sum(p.array for p in parts)
    last = len(parts) - 1
    parts = [_factor(p, final=i == last, alone=arrays < 2) for i, p in enumerate(parts)]
    between = "".join(_between(a, b) for a, b in pairwise(parts))
    return Formula("product", between, tuple(parts), PRODUCT, arrays > 0)


def _flat(factors: Sequence[Formula]) -> list[Formula]:
    found: list[Formula] = []
    for factor in factors:
        found.extend(factor.parts if factor.kind == "product" else [factor])
    return found


def _rank(factor: Formula) -> int:
    if factor.array:
        return 3
    if kind(factor) == "number":
        return 0
    return 2 if kind(factor) in _TRAILING else 1


def _factor(factor: Formula, *, final: bool, alone: bool) -> Formula:
    if final and alone and kind(factor) in _TRAILING:
        return factor
    return wrap(factor if final else closed(factor), FRACTION)


def _between(left: Formula, right: Formula) -> str:
    if left.array and right.array:
        return ELEMENTWISE
    if kind(left) == "number" and (_starts_with_digit(right) or kind(right) == "fraction"):
        return DOT
    return DOT if _starts_with_digit(right) else JUXTAPOSED


def _starts_with_digit(formula: Formula) -> bool:
    while formula.kind in ("power", "index", "product", "matmul", "marked", "either"):
        formula = formula.parts[0]
    return formula.kind == "number"


def matrix_product(factors: Sequence[Formula], *, array: bool) -> Formula:
    """A chain of matrices and vectors; it is associative, so it needs no parentheses of its own."""
    opposite = without_minus(factors[0])
    if opposite is not None:
        return negative(matrix_product([opposite, *factors[1:]], array=array))
    parts: list[Formula] = []
    for factor in factors:
        parts.extend(factor.parts if factor.kind == "matmul" else [wrap(closed(factor), FRACTION)])
    return Formula("matmul", "", tuple(parts), PRODUCT, array)


def quotient(top: Sequence[Formula], bottom: Sequence[Formula]) -> Formula:
    """One fraction, with what is long to its right: 1/n times a sum."""
    if not bottom:
        return product(top)
    opposite = without_minus(top[0])
    if opposite is not None:
        return negative(quotient([opposite, *top[1:]], bottom))
    above, below = _merged(top, list(bottom))
    aside: list[Formula] = []
    if not any(f.array for f in below):
        aside = [f for f in above if kind(f) in _TRAILING]
        others = [f for f in above if kind(f) != "number"]
        if len(others) == 1 and kind(others[0]) == "apply" and all(kind(f) == "number" for f in below):
            aside = others
    above = [f for f in above if f not in aside]
    head = fraction(product(above) if above else Formula("number", "1"), product(below))
    return product([head, *aside]) if aside else head


def _merged(top: Sequence[Formula], below: list[Formula]) -> tuple[list[Formula], list[Formula]]:
    """The factors above and below the line; a fraction among those above gives up its parts."""
    above: list[Formula] = []
    for factor in _flat(top):
        if factor.kind == "fraction":
            over, under = factor.parts
            above.extend(_without_one(over))
            below.insert(0, under)
        else:
            above.append(factor)
    return above, below


def _without_one(formula: Formula) -> list[Formula]:
    if formula.kind == "number" and formula.text == "1":
        return []
    return list(formula.parts) if formula.kind == "product" else [formula]


def transpose(formula: Formula) -> Formula:
    """The transpose; transposing twice is nothing."""
    if formula.kind == "power" and formula.parts[1].kind == "symbol" and formula.parts[1].text == "top":
        return replace(formula.parts[0], array=True)
    return transposed(formula)

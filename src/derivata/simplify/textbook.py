"""The printed form: for every cluster the candidate that reads best; contractions in matrix notation.

It only chooses what to print and is never normalised again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from derivata.expr.node import Expr, axes, contraction, number, with_args
from derivata.expr.walk import parent_counts, topological
from derivata.rules.book import Book
from derivata.simplify.cost import cost
from derivata.simplify.division import divided, merged_factors
from derivata.simplify.network import Distribution
from derivata.simplify.printed import LARGEST_ALONE, Print
from derivata.simplify.recognise import recognise
from derivata.simplify.written import as_written


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
    written = as_written(given, book)
    work = Print(written, book, Distribution())
    shown = work.show(raw, terms)
    if work.distribution.happened and raw.cost < LARGEST_ALONE:
        other = Print(written, book, Distribution(sparing=True))
        undistributed = other.show(raw, terms)
        if cost(undistributed) < cost(shown):
            work, shown = other, undistributed
    order = topological(shown)
    inside = frozenset(order)
    printed = {node: found for node, to in work.cut.items() if (found := work.printed(to, inside))}
    # The parts of a large result stay apart, so that each can be checked by itself.
    apart = set() if raw.cost < LARGEST_ALONE else {part for _, part in printed.values()}
    merged = {node for node, count in parent_counts(shown).items() if count == 1 and node not in apart}
    final: dict[Expr, Expr] = {}
    for node in order:
        args = tuple(
            edge for child, labels in node.args for edge in merged_factors(node, child, labels, child in merged, final)
        )
        final[node] = divided(with_args(node, args), work.order)
    named = recognise(final[shown], book)
    parts = []
    for node, (amount, part) in printed.items():
        whole = named.became.get(final[part], final[part])
        multiple = contraction([(number(amount), ()), (whole, axes(whole))], axes(whole))
        parts.append((node, whole if amount == 1 else multiple))
    return Presented(named.result, (*parts, (raw, named.result)))

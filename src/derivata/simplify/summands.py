"""A sum: its terms each simplified by itself, or the whole simplified. Which of the two reads better."""

from __future__ import annotations

from collections.abc import Sequence

from derivata.expr.node import ADD, CALL, LARGEST_COST, NUMBER, POWER, Expr
from derivata.expr.walk import topological
from derivata.rules.book import Book
from derivata.simplify.assemble import like_terms_free
from derivata.simplify.cost import cost
from derivata.simplify.normal import Normaliser
from derivata.simplify.rational import is_internal, rational

ALONE_BONUS = 2.5  # a sum of terms as the rules gave it is preferred unless something is this much shorter
GENERAL_BONUS = 5.0  # the same where unspecified functions stand: rules are shown as they are written


def bonus(whole: Expr, book: Book) -> float:
    """How much longer than the whole the terms may be."""
    unspecified = any(n.head == CALL and book.get(n.data) is None for n in topological(whole))
    return GENERAL_BONUS if unspecified else 0.0 if whole.shape else ALONE_BONUS


def reads_better(terms: Expr, whole: Expr, book: Book) -> bool:
    """Terms as the rules gave them are kept unless something is much shorter or calls fewer functions."""
    kept = like_terms_free(terms) and _calls(terms, book) <= _calls(whole, book)
    return kept and cost(terms) < cost(whole) + bonus(whole, book)


def merge(terms: Sequence[Normaliser], whole: Normaliser) -> bool:
    """Whether polynomials have fewer terms together than each by itself: what cancels is not written apart."""
    count = 0
    for normaliser in (*terms, whole):
        root = normaliser.root
        if not is_internal(root) or root in normaliser.large:
            return False
        value = rational(root, normaliser.leaf, normaliser.opened)
        if not value.denominator.is_constant():
            return False
        count += -len(value.numerator) if normaliser is whole else len(value.numerator)
    return count > 0


def _calls(root: Expr, book: Book) -> int:
    """How often functions of the book are written, whole powers aside."""
    count: dict[Expr, int] = {}
    for node in topological(root):
        own = node.head == CALL and node.data != ADD and book.get(node.data) is not None
        own = own and (node.data != POWER or node.args[1][0].head != NUMBER)
        count[node] = min(own + sum(count[c] for c, _ in node.args), LARGEST_COST)
    return count[root]

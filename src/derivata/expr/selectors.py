"""Constant arrays of zeros and ones that contractions pick, place and shift with; and sizes as numbers."""

from __future__ import annotations

from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    PRIMITIVE,
    SYMBOL,
    Expr,
    Size,
    call,
    contraction,
    number,
    primitive,
    variable,
)
from derivata.expr.sizes import size_difference, size_product, size_sum, size_terms
from derivata.expr.symbol import size_symbol

ONEHOT = "onehot"  # what a subscript with a whole number or a symbol contracts with
RAVEL = "ravel"
SLIDE = "slide"
LOWER = "lower"


def onehot(position: Expr, size: Size) -> Expr:
    """The vector that is 1 at `position` (from 0) and 0 elsewhere."""
    return primitive(ONEHOT, 0, [(position, ())], (size,))


def ravel(rows: Size, columns: Size) -> Expr:
    """Where entry (i, j) of a matrix stands when it is written row after row: 1 at [i*columns + j, i, j], else 0.

    What kron, vec and commutation contract with.
    """
    return primitive(RAVEL, 0, [], (size_product(rows, columns), rows, columns))


def slide(places: Size, steps: Size) -> Expr:
    """1 at [i, k, j] where j == i + k, else 0: what slices, concatenate and correlate contract with."""
    return primitive(SLIDE, 0, [], (places, steps, size_difference(size_sum(places, steps), 1)))


def lower(rows: Size, columns: Size) -> Expr:
    """The matrix that is 1 on and below the diagonal, else 0: what tril, triu and cumsum multiply with."""
    return primitive(LOWER, 0, [], (rows, columns))


def is_onehot(node: Expr) -> bool:
    return node.head == PRIMITIVE and node.data[0] == ONEHOT


def is_ravel(node: Expr) -> bool:
    return node.head == PRIMITIVE and node.data[0] == RAVEL


def is_slide(node: Expr) -> bool:
    return node.head == PRIMITIVE and node.data[0] == SLIDE


def is_lower(node: Expr) -> bool:
    return node.head == PRIMITIVE and node.data[0] == LOWER


def is_selector(node: Expr) -> bool:
    """Whether all entries are 0 or 1 and no record of the rulebook says which."""
    return node.head == PRIMITIVE and node.data[0] in (ONEHOT, RAVEL, SLIDE, LOWER)


def size_node(size: Size) -> Expr:
    """A size as a scalar."""
    terms = [_term(names, factor) for names, factor in size_terms(size)]
    return terms[0] if len(terms) == 1 else call(ADD, [(term, ()) for term in terms])


def _term(names: tuple[str, ...], factor: int) -> Expr:
    numbers = [number(factor)] if factor != 1 or not names else []
    parts = [*numbers, *(variable(size_symbol(name)) for name in names)]
    return parts[0] if len(parts) == 1 else contraction([(part, ()) for part in parts], ())


def node_size(value: Expr) -> Size | None:
    """The size that a scalar writes: whole numbers and names, their products, and sums of these."""
    if value.shape:
        return None
    if value.head == NUMBER:
        return int(value.data) if value.data.denominator == 1 else None
    if value.head == SYMBOL:
        return str(value.data.name)
    if value.head != CONTRACTION and (value.head != CALL or value.data != ADD):
        return None
    combine = size_product if value.head == CONTRACTION else size_sum
    if value.cost > _LARGEST:
        return None
    parts = [node_size(child) for child, _ in value.args]
    known = [part for part in parts if part is not None]
    return combine(*known) if len(known) == len(parts) else None


_LARGEST = 60  # nodes of a size

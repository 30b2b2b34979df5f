"""Where an expression is defined: the conditions its functions put on their arguments."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, POWER, PRIMITIVE, SYMBOL, Expr
from derivata.expr.notation import SIGNS
from derivata.expr.selectors import is_onehot
from derivata.expr.walk import rebuild, symbols, topological
from derivata.expr.write import write
from derivata.rewrite.fold import fold
from derivata.rewrite.instantiate import defined, record_of
from derivata.rules.book import Book

MOST_NODES = 300


class Bounds(NamedTuple):
    """An interval that surely holds every entry; `open` ends are not reached. Finite ends are exact."""

    low: Fraction | float
    low_open: bool
    high: Fraction | float
    high_open: bool

    def satisfies(self, sign: str, value: Fraction | float) -> bool:
        """Whether `entry sign value` holds for every entry."""
        above = self.low > value or (self.low == value and self.low_open)
        below = self.high < value or (self.high == value and self.high_open)
        return {
            ">": above,
            "<": below,
            ">=": self.low >= value,
            "<=": self.high <= value,
            "!=": above or below,
            "==": self.low == self.high == value,
        }[sign]


REAL = Bounds(-math.inf, True, math.inf, True)


def domain_of(of: Expr, book: Book) -> tuple[str, ...]:
    """Conditions that do not follow from the declarations, as text."""
    bounds = bounds_of(of, book)
    found: list[str] = []
    for node in bounds:
        if node.head == CALL and node.data == POWER:
            found.extend(_power(node, bounds))
        else:
            found.extend(write(condition) for condition in _conditions(node, bounds, book))
    return tuple(dict.fromkeys(found))


def is_total(node: Expr, bounds: dict[Expr, Bounds], book: Book) -> bool:
    """Whether a call surely has a value wherever its arguments have one."""
    if node.head == CALL and node.data == POWER:
        sign = _sign_needed(node)
        return not sign or bounds[node.args[0][0]].satisfies(sign, 0)
    return next(_conditions(node, bounds, book), None) is None


def is_outside(node: Expr, book: Book) -> bool:
    """Whether a call of numbers surely has no value."""
    return any(all(child.head == NUMBER for child, _ in condition.args) for condition in _conditions(node, {}, book))


def bounds_of(of: Expr, book: Book) -> dict[Expr, Bounds]:
    """What is known of the values of every node; nothing for very large expressions."""
    order = topological(of)
    return bounds_in(order, book) if len(order) <= MOST_NODES else {}


def bounds_in(order: Iterable[Expr], book: Book) -> dict[Expr, Bounds]:
    """What is known of the values of nodes that come children first."""
    bounds: dict[Expr, Bounds] = {}
    for node in order:
        bounds[node] = _bounds(node, bounds, book)
    return bounds


def _sign_needed(node: Expr) -> str:
    """How the base of a power must compare with 0; empty where any base will do."""
    exponent = _in_numbers(node.args[1][0])
    if exponent.head != NUMBER:
        return "" if exponent.head == SYMBOL and exponent.data.integer and exponent.data.nonnegative else ">"
    if exponent.data.denominator == 1:
        return "!=" if exponent.data < 0 else ""
    return ">" if exponent.data < 0 else ">="


def _in_numbers(exponent: Expr) -> Expr:
    """An exponent such as 10**17 as the number it is."""
    return exponent if exponent.head == NUMBER or symbols(exponent) else rebuild(exponent, fold)


def _power(node: Expr, bounds: dict[Expr, Bounds]) -> list[str]:
    base, exponent = node.args[0][0], _in_numbers(node.args[1][0])
    if exponent.head == NUMBER:
        sign = _sign_needed(node)
        return [f"{write(base)} {sign} 0"] if sign and not bounds[base].satisfies(sign, 0) else []
    if bounds[base].satisfies(">", 0):
        return []
    if exponent.head == SYMBOL and exponent.data.integer:
        sure = exponent.data.nonnegative or bounds[base].satisfies("!=", 0)
        return [] if sure else [f"{write(base)} != 0, or {write(exponent)} >= 0"]
    return [f"{write(base)} > 0, or {write(exponent)} a whole number"]


def _conditions(node: Expr, bounds: dict[Expr, Bounds], book: Book) -> Iterator[Expr]:
    """The conditions of a node's record with the arguments put in, but for those that hold anyway."""
    record = record_of(node, book)
    if record is None:
        return
    for text in filter(None, record.domain.split(",")):
        condition = defined(node, record, text.strip(), book)
        if condition.head == CALL and condition.data in SIGNS:
            (left, _), (right, _) = condition.args
            if right.head == NUMBER:
                known = bounds[left] if left in bounds else _bounds(left, bounds, book) if left.head == NUMBER else REAL
                if known.satisfies(SIGNS[condition.data], Fraction(right.data)):
                    continue
        yield condition


def _bounds(node: Expr, known: dict[Expr, Bounds], book: Book) -> Bounds:
    if node.head == NUMBER:
        value = Fraction(node.data)
        return Bounds(value, False, value, False)
    if node.head == SYMBOL:
        symbol = node.data
        low = -math.inf if symbol.low is None else symbol.low
        high = math.inf if symbol.high is None else symbol.high
        return Bounds(low, symbol.low is None or symbol.low_open, high, symbol.high is None or symbol.high_open)
    parts = [known[child] for child, _ in node.args]
    if node.head == CALL and node.data == ADD:
        return Bounds(
            sum(p.low for p in parts),
            any(p.low_open for p in parts),
            sum(p.high for p in parts),
            any(p.high_open for p in parts),
        )
    if node.head == CALL and node.data == POWER:
        return _power_bounds(node, parts[0])
    if node.head == CONTRACTION and node.args and is_onehot(node.args[-1][0]):
        return parts[0] if len(parts) == 2 else REAL
    if node.head == CONTRACTION:
        return _product_bounds(node, parts)
    record = book.get(node.data[0] if node.head == PRIMITIVE else node.data)
    return REAL if record is None else interval(record.range)


def _power_bounds(node: Expr, base: Bounds) -> Bounds:
    exponent = node.args[1][0]
    even = exponent.head == NUMBER and exponent.data.denominator == 1 and exponent.data.numerator % 2 == 0
    if base.satisfies(">", 0) or (even and base.satisfies("!=", 0)):
        return Bounds(0.0, True, math.inf, True)
    return Bounds(0.0, False, math.inf, True) if even or base.satisfies(">=", 0) else REAL


def _product_bounds(node: Expr, parts: list[Bounds]) -> Bounds:
    """Signs only, except that a negative number in front turns the interval."""
    summed = any(not set(labels) <= set(node.data) for _, labels in node.args)
    plain = not summed and len(set(node.data)) == len(node.data)
    if len(parts) == 2 and plain and node.args[0][0].head == NUMBER and node.args[0][0].data == -1:
        inner = parts[1]
        return Bounds(-inner.high, inner.high_open, -inner.low, inner.low_open)
    off_diagonal = len(set(node.data)) < len(node.data)  # entries that are 0
    if all(p.satisfies(">", 0) for p in parts) and not off_diagonal:
        return Bounds(0.0, True, math.inf, True)
    return Bounds(0.0, False, math.inf, True) if all(p.satisfies(">=", 0) for p in parts) else REAL


def interval(text: str) -> Bounds:
    """A record's range, such as `[0, inf)`."""
    low, high = text[1:-1].split(",")
    return Bounds(_end(low), text[0] == "(", _end(high), text[-1] == ")")


def _end(text: str) -> Fraction | float:
    text = text.strip()
    try:
        return Fraction(text)
    except ValueError:
        return {"inf": math.inf, "-inf": -math.inf}.get(text, math.nan)

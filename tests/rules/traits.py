"""The traits of a record are exactly those that the function shows."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from rules import samples
from rules.oracle import Undefined, agree, declared, parsed, truth, value_at

from derivata.expr.node import CALL, PRIMITIVE
from derivata.expr.walk import topological
from derivata.rules.book import Book
from derivata.rules.record import TRAITS, Function
from derivata.run.balls import Array, ball

_PIECES = frozenset({"lt", "le", "gt", "ge", "eq", "ne", "where", "floor", "amax"})


def check_traits(book: Book, record: Function) -> Iterator[str]:
    """The traits are exactly those the function shows."""
    yield from (f"{trait} is no trait" for trait in set(record.traits) - TRAITS)
    claimed = set(record.traits) & TRAITS
    shown = {"constant"} if not record.arguments else set()
    if _is_piecewise(book, record):
        shown.add("piecewise")
    if _is_choice(record):
        shown.add("choice")
    if "nests" in claimed and record.signature == "(i)->()" and _nests(record):
        shown.add("nests")  # a licence to reduce one axis after the other; it need not be used
    if record.arguments and not record.as_signature().out:
        shown |= _symmetry(record) | _growth(record)
    if claimed != shown:
        yield f"claimed, not shown: {sorted(claimed - shown)}; shown, not claimed: {sorted(shown - claimed)}"


def _is_piecewise(book: Book, record: Function) -> bool:
    if record.name in _PIECES:
        return True
    if not record.value:
        return False
    nodes = topological(parsed(record.value, declared(record)))
    names = {n.data if n.head == CALL else n.data[0] for n in nodes if n.head in (CALL, PRIMITIVE)}
    return any("piecewise" in f.traits for name in names if (f := book.get(name)) is not None and f is not record)


def _nests(record: Function) -> bool:
    """Whether the value of the rows' values is that of all entries."""
    name = record.arguments[0][0]
    rows = [(Fraction(1), Fraction(-2)), (Fraction(3, 2), Fraction(5)), (Fraction(2), Fraction(1, 2))]
    values = [value_at(record, {name: row}).entries[0] for row in rows]
    together = value_at(record, {name: tuple(e for row in rows for e in row)}).entries
    return agree(truth(record, {name: Array((len(values),), values)}).entries, together)


def _is_choice(record: Function) -> bool:
    """Whether a condition, any number that is not 0, decides between the other two arguments."""
    if len(record.arguments) != 3:
        return False
    for condition in (1, 0, -2, Fraction(1, 2)):
        given = (Fraction(condition), Fraction(3, 7), Fraction(5, 7))
        point = {name: value for (name, _), value in zip(record.arguments, given, strict=True)}
        try:
            found = value_at(record, point).entries
        except Undefined:
            return False
        if not agree(found, [ball(given[1] if condition else given[2])]):
            return False
    return True


def _symmetry(record: Function) -> set[str]:
    """odd and even are about functions of one argument."""
    if len(record.arguments) > 1:
        return set()
    name = record.arguments[0][0]
    found = {"odd", "even"}
    for point in samples.points(record):
        x = point[name]
        mirrored = {name: type(x)(-e for e in x) if isinstance(x, tuple) else -x}
        try:
            here, there = value_at(record, point).entries, value_at(record, mirrored).entries
        except Undefined:
            return set()
        found -= {"even"} if not agree(here, there) else set()
        found -= {"odd"} if not agree(here, [-e for e in there]) else set()
    return found


def _growth(record: Function) -> set[str]:
    """How the function goes in its first argument, the others held."""
    found = {"increasing", "decreasing", "nondecreasing", "convex", "concave"}
    for line in samples.lines(record):
        values = []
        for place, point in line:
            try:
                values.append((place, value_at(record, point).entries[0]))
            except Undefined:
                return set()
        for (_, a), (_, b) in pairwise(values):
            found -= {"increasing"} if a == b or a > b else set()
            found -= {"decreasing"} if a == b or a < b else set()
            found -= {"nondecreasing"} if a > b else set()
        for (x, a), (y, b), (z, c) in zip(values, values[1:], values[2:], strict=False):
            # Rounding must not make a straight line look bent, nor an overlap look straight.
            bend = (c - b) * ball(y - x) - (b - a) * ball(z - y)
            found -= {"convex"} if bend < 0 else set()
            found -= {"concave"} if bend > 0 else set()
    if "increasing" in found:
        found -= {"nondecreasing"}
    return found

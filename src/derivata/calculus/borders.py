"""Where the cases of an expression meet: its value and slope on either side of a border, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NamedTuple

from derivata.calculus.derive import derivative
from derivata.calculus.places import sign_beside, zeros_of
from derivata.errors import DerivataError
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    ONE,
    SYMBOL,
    ZERO,
    Expr,
    axes,
    call,
    contraction,
    number,
    variable,
)
from derivata.expr.notation import SIGNS
from derivata.expr.symbol import Symbol
from derivata.expr.walk import depends, rebuild, symbols, topological
from derivata.expr.walk import replace as replace_nodes
from derivata.expr.write import write
from derivata.rewrite.fold import fold
from derivata.rewrite.instantiate import defined, record_of
from derivata.rules.book import Book

Simplifier = Callable[[Expr], Expr]
Sign = Callable[[Expr], "int | None"]  # of a difference on one side of a border, if it is told
LARGEST = 60  # nodes of a part that is looked at
_HOLDS = {"<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1), "==": (0,), "!=": (-1, 1)}


@dataclass(frozen=True)
class Sides:
    """Values and slopes by `by` on one side of a border, on it, and on the other side.

    Those where `by` comes to `at`, if it is known where; in the order in which `by` passes if that is known too
    (`ordered`), else below the border first.
    """

    by: Expr
    at: Expr | None
    ordered: bool
    values: tuple[Expr, ...]
    slopes: tuple[Expr, ...]

    def turned(self) -> Sides:
        """The same seen from the other side."""
        return replace(self, values=self.values[::-1], slopes=self.slopes[::-1])

    @property
    def smooth(self) -> bool:
        """Whether nothing is to be seen of the border, in the value or in the slope that is given there."""
        return len(set(self.values)) == len(set(self.slopes)) == 1


class UndecidedError(Exception):
    """It cannot be told what lies beside a border."""


class Border(NamedTuple):
    """Where `apart` is 0: at `by` = `at`, if that is known."""

    apart: Expr
    by: Expr
    at: Expr | None


def entry(root: Expr) -> dict[Expr, Expr]:
    """What one entry of `root` is computed from: its elementwise parts as scalars, the rest named by their text.

    Empty when there are too many parts.
    """
    inner: set[Expr] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node not in inner and node.shape in ((), root.shape) and is_elementwise_entry(node):
            inner.add(node)
            stack.extend(child for child, _ in node.args)
        if len(inner) > LARGEST:
            return {}
    scalars: dict[Expr, Expr] = {}
    for node in topological(root):
        if node in inner:
            for child, _ in node.args:
                scalars.setdefault(child, named(child))
            edges = [(scalars[child], ()) for child, _ in node.args]
            scalars[node] = call(node.data, edges) if node.head == CALL else contraction(edges, ())
    scalars.setdefault(root, named(root))
    return scalars


def is_elementwise_entry(node: Expr) -> bool:
    """Whether every entry of a node is computed from the entries of its operands at the same place."""
    out = axes(node) if node.head == CALL else node.data
    return node.head in (CALL, CONTRACTION) and all(labels in ((), out) for _, labels in node.args) and bool(node.args)


def named(node: Expr) -> Expr:
    """A scalar in the place of what is not looked into."""
    if node.head == NUMBER or (node.head == SYMBOL and not node.shape):
        return node
    if node.head == SYMBOL:
        return variable(replace(node.data, shape=(), traits=frozenset()))
    return variable(Symbol(f"({write(node)})"))


class Borders:
    """What lies on either side of the borders in scalar expressions; `simplified` tells what is equal."""

    def __init__(self, book: Book, simplified: Simplifier) -> None:
        self.book, self.simplified = book, simplified

    def sides(self, of: Expr, border: tuple[Expr, Expr], active: Collection[Expr]) -> list[Sides] | None:
        """Both sides of every place where two expressions are equal; nothing where that cannot be told.

        By an active symbol if there is one.
        """
        try:
            apart = self.simplified(border[0] - border[1])
            if apart.head == NUMBER:
                return []  # equal everywhere or nowhere
            if (found := self._at_places(of, apart, active)) is not None:
                return found
            sides = self._by_symbol(of, apart, active)
            return None if sides is None else [sides]
        except (DerivataError, UndecidedError):
            return None

    def _at_places(self, of: Expr, apart: Expr, active: Collection[Expr]) -> list[Sides] | None:
        """Both sides of all places of the only variable, if all are found."""
        names = symbols(of)
        by = variable(*names.values()) if len(names) == 1 else None
        if by is None or by not in active or (places := zeros_of(apart, by, self.book)) is None:
            return None
        try:
            return [self._at_place(of, by, place) for place in places if self._there(apart, by, number(place)) is ZERO]
        except (DerivataError, UndecidedError):
            return None

    def _at_place(self, of: Expr, by: Expr, place: Fraction) -> Sides:
        """Both sides of one place of the only variable."""

        def decided(node: Expr, side: int) -> Expr:
            def sign(apart: Expr) -> int:
                if (found := sign_beside(apart, by, place, side)) is None:
                    raise UndecidedError
                return found

            return self._decided(node, sign)

        below, equal, above = (decided(of, side) for side in (-1, 0, 1))
        return self._sides((below, equal, above), decided(self._slope(of, by), 0), by, number(place), ordered=True)

    def _by_symbol(self, of: Expr, apart: Expr, active: Collection[Expr]) -> Sides | None:
        """Both sides of the border as a symbol crosses it that says where it is; else everywhere on each side."""
        crossing = self._crossing(apart, active)
        if crossing is not None:
            by, slope = crossing
            told = slope.head == NUMBER
            try:
                sides = self._beside(of, Border(apart, by, self.simplified(by - apart / slope)), ordered=told)
                return sides.turned() if told and slope.data < 0 else sides
            except DerivataError:  # no value or no slope there
                pass
        moving = [by for by in map(variable, symbols(of).values()) if by in active]
        return self._beside(of, Border(apart, moving[0], None), ordered=False) if len(moving) == 1 else None

    def _crossing(self, apart: Expr, active: Collection[Expr]) -> tuple[Expr, Expr] | None:
        """A symbol in which the distance from the border is linear, with its slope: an active one if there is one."""
        found = []
        for by in map(variable, symbols(apart).values()):
            if by.data.integer or self._has_pieces(apart, by):
                continue
            slope = self.simplified(derivative(apart, by, self.book)[0])
            if slope is not ZERO and by.data.name not in symbols(slope):
                found.append((by, slope))
        return min(found, key=lambda pair: (pair[0] not in active, pair[1].head != NUMBER), default=None)

    def _has_pieces(self, of: Expr, by: Expr) -> bool:
        moving = depends(of, by)
        return any((record := record_of(node, self.book)) is not None and bool(record.kinks) for node in moving)

    def _beside(self, of: Expr, border: Border, *, ordered: bool) -> Sides:
        def decided(node: Expr, side: int) -> Expr:
            return self._decided(node, lambda apart: None if (t := self._turned(apart, border)) is None else side * t)

        below, equal, above = (decided(of, side) for side in (-1, 0, 1))
        if below is equal is above:
            raise UndecidedError
        given = decided(self._slope(of, border.by), 0)
        return self._sides((below, equal, above), given, border.by, border.at, ordered=ordered)

    def _sides(self, parts: Sequence[Expr], given: Expr, by: Expr, at: Expr | None, *, ordered: bool) -> Sides:
        below, _, above = parts
        values = tuple(self._there(part, by, at) for part in parts)
        slopes = tuple(self._there(part, by, at) for part in (self._slope(below, by), given, self._slope(above, by)))
        return Sides(by, at, ordered, values, slopes)

    def _there(self, part: Expr, by: Expr, at: Expr | None) -> Expr:
        return self.simplified(part if at is None else replace_nodes(part, {by: at}))

    def _slope(self, of: Expr, by: Expr) -> Expr:
        return derivative(of, by, self.book)[0] if by.data.name in symbols(of) else ZERO

    def _decided(self, of: Expr, sign: Sign) -> Expr:
        """The expression with the cases put in that the sign of a difference decides."""
        return self._put_in(of, sign, set(), [])

    def _put_in(self, of: Expr, sign: Sign, done: set[Expr], decisions: list[Expr]) -> Expr:
        """The same, not looking again into what is `done`; what was decided is added to `decisions`."""

        def change(node: Expr) -> Expr:
            found = node if node in done else self._case(node, sign, done, decisions)
            done.add(found)
            return found

        return rebuild(of, change)

    def _case(self, node: Expr, sign: Sign, done: set[Expr], decisions: list[Expr]) -> Expr:
        record = record_of(node, self.book)
        if record is not None and "choice" in record.traits:
            condition, first, second = (child for child, _ in node.args)
            if not is_condition(condition):
                raise UndecidedError
            return node if condition.head != NUMBER else second if condition is ZERO else first
        if record is None or not record.kinks:
            return fold(node)
        if record.name in SIGNS:
            (left, _), (right, _) = node.args
            if (side := sign(left - right)) is None:
                return node
            decisions.append(node)
            return ONE if side in _HOLDS[SIGNS[record.name]] else ZERO
        if not record.value:
            raise UndecidedError
        before = len(decisions)
        found = self._put_in(defined(node, record, record.value, self.book), sign, done, decisions)
        return found if len(decisions) > before else node

    def _turned(self, apart: Expr, border: Border) -> int | None:
        """1 where a distance is 0 at the border and grows across it, -1 where it falls; nothing for other ones."""
        ratio = self.simplified(apart / border.apart)
        if ratio.head != NUMBER and border.at is not None and self._there(apart, border.by, border.at) is ZERO:
            there = (self._there(self._slope(part, border.by), border.by, border.at) for part in (apart, border.apart))
            if (ratio := self.simplified(next(there) / next(there))).head != NUMBER:
                raise UndecidedError
        return _sign(ratio) or None


def is_condition(node: Expr) -> bool:
    """Whether a number comes of comparisons alone: one, a product or a sum of some, or one that is decided."""
    if node.head == CONTRACTION or (node.head == CALL and node.data == ADD):
        return bool(node.args) and all(is_condition(child) for child, _ in node.args)
    return node.head == NUMBER or (node.head == CALL and node.data in SIGNS)


def _sign(value: Expr) -> int | None:
    if value.head != NUMBER:
        return None
    return int(value.data > 0) - int(value.data < 0)


def equated(condition: Expr) -> tuple[Expr, Expr] | None:
    """Both sides of an equation."""
    if condition.head != CALL or SIGNS.get(condition.data) != "==":
        return None
    (first, _), (second, _) = condition.args
    return first, second

"""Where the cases of an expression meet: its value and slope on either side of a border, entry by entry."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from derivata.calculus.derive import derivative
from derivata.errors import DerivataError
from derivata.expr.node import CALL, CONTRACTION, NUMBER, ONE, SYMBOL, ZERO, Expr, axes, call, contraction, variable
from derivata.expr.notation import COMPARISONS
from derivata.expr.symbol import Symbol
from derivata.expr.walk import rebuild, symbols, topological
from derivata.expr.walk import replace as replace_nodes
from derivata.expr.write import write
from derivata.rewrite.fold import fold
from derivata.rewrite.instantiate import defined, record_of
from derivata.rules.book import Book

Simplifier = Callable[[Expr], Expr]
LARGEST = 60  # nodes of a part that is looked at
_SIGNS = {name: sign for sign, name in COMPARISONS.items()}
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

    @property
    def jumps(self) -> bool:
        return self.at is not None and self.values[0] is not self.values[2]

    @property
    def smooth(self) -> bool:
        """Whether nothing is to be seen of the border, in the value or in the slope that is given there."""
        return len(set(self.values)) == len(set(self.slopes)) == 1


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

    def sides(self, of: Expr, border: tuple[Expr, Expr], active: Collection[Expr]) -> Sides | None:
        """Both sides of the border where two expressions are equal, by a symbol that says where that is.

        That is an active symbol if there is one; nothing where several are active and none says it.
        """
        try:
            apart = self.simplified(border[0] - border[1])
            crossing = next(self._crossing(apart, active), None)
            if crossing is not None and (sides := self._across(of, apart, *crossing)) is not None:
                return sides
            moving = [by for by in map(variable, symbols(of).values()) if by in active]
            return self._sides(of, apart, moving[0], None, ordered=False) if len(moving) == 1 else None
        except DerivataError:
            return None

    def _crossing(self, apart: Expr, active: Collection[Expr]) -> Iterator[tuple[Expr, Expr]]:
        """Symbols in which the distance from the border is linear, with its slope: the active ones first."""
        found = []
        for by in map(variable, symbols(apart).values()):
            if by.data.integer:
                continue
            slope = self.simplified(derivative(apart, by, self.book)[0])
            if slope is not ZERO and by.data.name not in symbols(slope):
                found.append((by not in active, slope.head != NUMBER, by, slope))
        yield from ((by, slope) for *_, by, slope in sorted(found, key=lambda entry: entry[:2]))

    def _across(self, of: Expr, apart: Expr, by: Expr, slope: Expr) -> Sides | None:
        """Both sides at the border itself; nothing where there is no value or slope."""
        turned = slope.head == NUMBER and slope.data < 0
        try:
            sides = self._sides(of, apart, by, self.simplified(by - apart / slope), ordered=slope.head == NUMBER)
        except DerivataError:
            return None
        return replace(sides, values=sides.values[::-1], slopes=sides.slopes[::-1]) if turned else sides

    def _sides(self, of: Expr, apart: Expr, by: Expr, at: Expr | None, *, ordered: bool) -> Sides:
        below, equal, above = (self._on_side(of, Border(apart, by, at), side) for side in (-1, 0, 1))
        given = self._on_side(self._slope(of, by), Border(apart, by, at), 0)
        values = tuple(self._there(part, by, at) for part in (below, equal, above))
        slopes = tuple(self._there(part, by, at) for part in (self._slope(below, by), given, self._slope(above, by)))
        return Sides(by, at, ordered, values, slopes)

    def _there(self, part: Expr, by: Expr, at: Expr | None) -> Expr:
        return self.simplified(part if at is None else replace_nodes(part, {by: at}))

    def _slope(self, of: Expr, by: Expr) -> Expr:
        return derivative(of, by, self.book)[0] if by.data.name in symbols(of) else ZERO

    def _on_side(self, of: Expr, border: Border, side: int) -> Expr:
        """The expression as it is before (-1), at (0) or after (1) the border: what is decided there put in."""

        def decided(node: Expr) -> Expr:
            record = record_of(node, self.book)
            if record is None:
                return fold(node)
            for kink in record.kinks:
                here = equated(defined(node, record, kink.at, self.book))
                turned = 0 if here is None else self._turned(here[0] - here[1], border)
                if turned and record.name in _SIGNS:
                    return ONE if side * turned in _HOLDS[_SIGNS[record.name]] else ZERO
                if turned and record.value:
                    return self._on_side(defined(node, record, record.value, self.book), border, side)
            return node

        return rebuild(of, decided)

    def _turned(self, apart: Expr, border: Border) -> int:
        """1 where a distance is 0 at the border and grows across it, -1 where it falls, else 0."""
        ratio = self.simplified(apart / border.apart)
        if ratio.head != NUMBER and border.at is not None and self._there(apart, border.by, border.at) is ZERO:
            there = (self._there(self._slope(part, border.by), border.by, border.at) for part in (apart, border.apart))
            ratio = self.simplified(next(there) / next(there))
        return (1 if ratio.data > 0 else -1) if ratio.head == NUMBER and ratio.data else 0


def equated(condition: Expr) -> tuple[Expr, Expr] | None:
    """Both sides of an equation."""
    if condition.head != CALL or _SIGNS.get(condition.data) != "==":
        return None
    (first, _), (second, _) = condition.args
    return first, second

"""Where an expression is not differentiable: the kinks of the functions in it that the variable reaches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from derivata.calculus.borders import (
    Borders,
    Sides,
    Simplifier,
    entry,
    equated,
    is_condition,
    is_elementwise_entry,
    named,
)
from derivata.calculus.domain import Bounds, bounds_of
from derivata.expr.node import CALL, CONTRACTION, NUMBER, ONE, POWER, SYMBOL, Expr, call
from derivata.expr.notation import SIGNS
from derivata.expr.walk import depends, topological
from derivata.expr.write import write
from derivata.rewrite.instantiate import defined, record_of
from derivata.rules.book import Book
from derivata.rules.record import Function, Kink

LONGEST = 200
MOST_WORK, MOST_COST = 300, 40  # cost of all parts whose sides are looked at, and of one
BRIEF = 25  # cost of a slope that is stated
LARGEST = 500  # nodes of an expression in which kinks that cancel are looked for


def kinks_of(
    of: Expr, wrt: Sequence[Expr], book: Book, simplified: Simplifier, results: Sequence[Expr] = ()
) -> tuple[str, ...]:
    """One sentence per kink: where, left and right slope, and the value we give.

    A record's kinks are those by its first argument; what declarations rule out, what parameters smooth away
    and what the rest of the expression makes up for is no kink. `results` are its derivatives, if they are known.
    """
    if is_smooth(of, book) and all(node.data != POWER or _is_counted(node.args[1][0]) for node in topological(of)):
        return ()
    found = _Kinks(of, wrt, book, simplified).sentences()
    smooth = bool(results) and all(is_smooth(result, book) and _is_total(result, book) for result in results)
    return () if found and smooth and _is_continuous(of, wrt, book) else found


def _is_continuous(of: Expr, wrt: Sequence[Expr], book: Book) -> bool:
    """Whether nothing that the variables reach can jump."""
    records = [record for node in depends(of, *wrt) if (record := record_of(node, book)) is not None]
    jumps = any(kink.left == kink.right for record in records for kink in record.kinks)
    return not jumps and not any("choice" in record.traits for record in records)


def is_smooth(of: Expr, book: Book) -> bool:
    """Whether nothing in an expression is put together case by case."""
    records = (record for node in topological(of) if (record := record_of(node, book)) is not None)
    return not any(record.kinks or "choice" in record.traits for record in records)


def _is_total(result: Expr, book: Book) -> bool:
    """Whether a derivative surely has a value everywhere, and no kinks: so has then what is continuous."""
    for node in topological(result):
        record = record_of(node, book)
        if record is not None and record.domain:
            return False
        if node.head == CALL and node.data == POWER and not _is_counted(node.args[1][0]):
            return False
    return True


def _is_counted(exponent: Expr) -> bool:
    return exponent.head == NUMBER and exponent.data.denominator == 1 and bool(exponent.data > 0)


class _Kinks:
    def __init__(self, of: Expr, wrt: Sequence[Expr], book: Book, simplified: Simplifier) -> None:
        self.of, self.names, self.book = of, {by.data.name for by in wrt}, book
        self.order, self.active, self.bounds = topological(of), depends(of, *wrt), bounds_of(of, book)
        self.borders = Borders(book, simplified)
        self.left = MOST_WORK
        self.entries: dict[Expr, dict[Expr, Expr]] = {}
        self.parents: dict[Expr, list[Expr]] = {}
        for node in self.order:
            for child in dict.fromkeys(child for child, _ in node.args):
                self.parents.setdefault(child, []).append(node)

    def sentences(self) -> tuple[str, ...]:
        found: list[str] = []
        for node in self.order:
            if node not in self.active or not node.args:
                continue
            record = record_of(node, self.book)
            first = node.args[0][0] in self.active
            if node.head == CALL and node.data == POWER:
                found.extend(_root(node, self.bounds) if first else [])
            elif record is not None and "choice" in record.traits:
                found.extend(_unequal(node) if first else [])
            elif record is not None:
                found.extend(s for kink in record.kinks for s in self._kink(node, record, kink))
        return tuple(dict.fromkeys(found))

    def _kink(self, node: Expr, record: Function, kink: Kink) -> list[str]:
        """What is said of one kink of one node; nothing where it is not one of the whole."""
        at = defined(node, record, kink.at, self.book)
        border, first = equated(at), node.args[0][0] in self.active
        if border and (border[0] is border[1] or self._never(*border)):
            return []
        if not (first or (border and self.active.intersection(border))):
            return []
        compares = record.name in SIGNS
        told = self._told(node, record, kink, border) if border and (record.value or compares) else None
        if told is not None:
            return told
        alone = first and not any(child in self.active for child, _ in node.args[1:])
        return _stated(node, record, kink, at, self.book, by_the_first=alone)

    def _told(self, node: Expr, record: Function, kink: Kink, border: tuple[Expr, Expr]) -> list[str] | None:
        """What the whole does at a kink of a node in it; nothing where that is not found out, or too long."""
        wholes = self._wholes(node) if node.head == CALL and len(self.order) <= LARGEST else []
        moving = [child for child, _ in node.args if child in self.active]
        if wholes == [node] and record.name not in SIGNS and moving == [node.args[0][0]]:
            operand = self._entry(node).get(moving[0])
            if operand is None or operand.head == SYMBOL:
                return None  # nothing can make up for it, and the record says it best
        found = [(whole, self._sides(self._entry(whole), whole, node, kink)) for whole in wholes]
        if found and all(sides is not None and all(s.smooth for s in sides) for _, sides in found):
            return []
        if not found or not all(sides and self._are_by_a_variable(sides) for _, sides in found):
            parts = self._choices(node) if record.name in SIGNS else []
            found = [(part, self._sides(self._entry(part), part, node, kink)) for part in parts]
            if node.args[0][0] not in self.active:
                found = [(node, self._sides(_bare(node), node, node, kink))]
        kinks = [(whole, s) for whole, sides in found if sides for s in sides if not s.smooth]
        brief = all(part.cost <= BRIEF for _, s in kinks for part in (*s.values, *s.slopes))
        jumping = record.name in SIGNS or kink.left == kink.right
        return [_said(whole, s, border, jumping=jumping) for whole, s in kinks] if kinks and brief else None

    def _are_by_a_variable(self, sides: Sequence[Sides]) -> bool:
        return all(s.by.data.name in self.names for s in sides)

    def _never(self, first: Expr, second: Expr) -> bool:
        if second.head != NUMBER or first not in self.bounds:
            return False
        return self.bounds[first].satisfies("!=", Fraction(second.data))

    def _sides(self, scalars: dict[Expr, Expr], whole: Expr, node: Expr, kink: Kink) -> list[Sides] | None:
        """The sides of a node's kink in one entry of what it stands in, by what moves with the variable."""
        if node not in scalars or self.left <= 0 or scalars[whole].cost > MOST_COST:
            return None
        record = record_of(scalars[node], self.book)
        self.left -= scalars[whole].cost
        border = record and equated(defined(scalars[node], record, kink.at, self.book))
        active = {scalar for part, scalar in scalars.items() if part in self.active}
        found = self.borders.sides(scalars[whole], border, active) if border else None
        return found if found is None or all(s.by in active or s.smooth for s in found) else None

    def _entry(self, whole: Expr) -> dict[Expr, Expr]:
        if whole not in self.entries:
            self.entries[whole] = entry(whole)
        return self.entries[whole]

    def _wholes(self, node: Expr) -> list[Expr]:
        """The largest parts that are computed entry by entry from a node's entries."""
        return self._upwards(node, lambda found: False)

    def _choices(self, node: Expr) -> list[Expr]:
        """The choices that a comparison decides, or the largest parts it stands in."""

        def chooses(found: Expr) -> bool:
            record = record_of(found, self.book)
            return record is not None and "choice" in record.traits

        return self._upwards(node, chooses)

    def _upwards(self, node: Expr, enough: Callable[[Expr], bool]) -> list[Expr]:
        found: dict[Expr, None] = {}
        seen, stack = {node}, [node]
        while stack:
            part = stack.pop()
            above = [p for p in self.parents.get(part, ()) if p.shape == part.shape and is_elementwise_entry(p)]
            if enough(part) or len(above) < len(self.parents.get(part, ())) or part is self.of:
                found[part] = None
            if not enough(part):
                stack.extend(p for p in above if p not in seen)
                seen.update(above)
        return list(found)


def _unequal(node: Expr) -> list[str]:
    """A choice by a number, which is not 0 or is."""
    condition = node.args[0][0]
    return [] if is_condition(condition) else [f"the cases of {_short(node)} meet at {_short(condition)} = 0"]


def _root(node: Expr, bounds: dict[Expr, Bounds]) -> list[str]:
    """A root of what touches 0 without going below, such as sqrt(x**2): no border of the domain, a kink."""
    base, exponent = node.args[0][0], node.args[1][0]
    if exponent.head != NUMBER or not 0 < exponent.data < 1 or base not in bounds or base.head == SYMBOL:
        return []
    if not bounds[base].satisfies(">=", 0) or bounds[base].satisfies(">", 0):
        return []
    inner = base.args[1][0] if base.head == CALL and base.data == POWER else ONE
    if inner.head == NUMBER and inner.data * exponent.data > 1:
        return []
    return [f"{_short(node)} has no slope where {_short(base)} = 0"]


def _bare(node: Expr) -> dict[Expr, Expr]:
    """An elementwise call over scalars that are named by its operands' text."""
    scalars = {child: named(child) for child, _ in node.args}
    return {**scalars, node: call(node.data, [(scalars[child], ()) for child, _ in node.args])}


def _said(whole: Expr, sides: Sides, border: tuple[Expr, Expr], *, jumping: bool) -> str:
    """Where the cases meet, with both slopes there and the one that is given; the values if they may differ."""
    left, right = map(_short, border)
    first, second, where = f"where {left} < {right}", f"where {left} > {right}", f"{left} = {right}"
    if sides.ordered and sides.at is not None:
        first, second, where = "from the left", "from the right", f"{_short(sides.by)} = {_short(sides.at)}"
    before, chosen, after = map(_short, sides.slopes)
    slopes = f"slope {before} {first}, {after} {second}, chosen {chosen}"
    if before == chosen == after:
        slopes = f"its slope is {chosen} on both sides"
    low, here, high = map(_short, sides.values)
    if low != high and sides.at is not None:
        return f"{_short(whole)} jumps at {where} from {low} to {high}; {slopes}"
    if low == high != here and sides.at is not None:
        return f"{_short(whole)} jumps at {where} from {low} to {here} and back; {slopes}"
    values = f"value {low} {first}, {high} {second}; " if low != high and jumping else ""
    return f"{_short(whole)} at {where}: {values}{slopes}"


def _stated(node: Expr, record: Function, kink: Kink, at: Expr, book: Book, *, by_the_first: bool) -> list[str]:
    """What the record says, for one entry of the node: slopes by its first argument, if that alone moves."""
    border = equated(at)
    where = _short(at) if border is None else f"{_short(border[0])} = {_short(border[1])}"
    if record.name in SIGNS or not by_the_first:
        return [f"the cases of {_short(node)} meet at {where}"]
    scalar = _bare(node)[node] if node.head == CALL else node
    left, right, ours = (defined(scalar, record, text, book) for text in (kink.left, kink.right, kink.ours))
    if left is right and ours is left:
        jumps = kink.left == kink.right  # else the parameters make it smooth
        return [f"{_short(node)} jumps at {where}; its slope is {_short(ours)} on both sides"] if jumps else []
    slopes = f"slope {_short(left)} from the left, {_short(right)} from the right, chosen {_short(ours)}"
    argument = node.args[0][0]
    return [f"{_short(node)} at {where}: {slopes}" + ("" if argument.head == SYMBOL else f" (by {_short(argument)})")]


def _short(node: Expr) -> str:
    if node.cost > LONGEST:
        return f"a large part ({node.head} of {node.cost} nodes)"
    if node.head == CONTRACTION and all(child.head == NUMBER for child, _ in node.args):
        return write(node.args[0][0] if node.args else ONE)  # the same number everywhere
    text = write(node)
    return text[1:-1] if node.head == SYMBOL and text.startswith("(") else text

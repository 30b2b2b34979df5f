"""What stands on paper: fractions, powers, big sums. LaTeX and Unicode are two ways of printing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

T = TypeVar("T")

LOOSE, SUM, NEGATIVE, PRODUCT, FRACTION, PREFIX, POWER, ATOM = range(1, 9)
PREFIXES = ("", "^")  # `^`: a power stands on the name, as in f^2 x
_LONGEST_DECIMAL = 8


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """One piece of a formula.

    `level` says how tightly it holds together; `array` whether it stands for a whole array, so that a
    product with another one is elementwise.
    """

    kind: str
    text: str = ""
    parts: tuple[Formula, ...] = ()
    level: int = ATOM
    array: bool = False


def fold(root: Formula, children: Callable[[Formula], Sequence[Formula]], build: Callable[[Formula, list[T]], T]) -> T:
    """Print the parts before the whole, without recursion."""
    done: dict[Formula, T] = {}
    stack = [(root, False)]
    while stack:
        formula, ready = stack.pop()
        if formula in done:
            continue
        parts = children(formula)
        if ready or not parts:
            done[formula] = build(formula, [done[p] for p in parts])
        else:
            stack.append((formula, True))
            stack.extend((p, False) for p in parts)
    return done[root]


def name(text: str) -> Formula:
    return Formula("name", text)


def word(text: str) -> Formula:
    """An upright name such as diag."""
    return Formula("word", text)


def symbol(text: str) -> Formula:
    """A sign both printers know: `one`, `identity`, `delta`, `top`, `:` and so on."""
    return Formula("symbol", text)


def sign(text: str) -> Formula:
    """An operator or a comma, as the language writes it."""
    return Formula("sign", text)


def number(value: Fraction) -> Formula:
    """An exact rational: a fraction, or a decimal where the fraction would be unreadable."""
    if value < 0:
        return negative(number(-value))
    if value.denominator == 1:
        return Formula("number", str(value))
    if value.denominator > 100 and (text := _decimal(value)):
        return Formula("number", text)
    return fraction(Formula("number", str(value.numerator)), Formula("number", str(value.denominator)))


def _decimal(value: Fraction) -> str:
    for digits in range(1, _LONGEST_DECIMAL + 1):
        scaled = value * 10**digits
        if scaled.denominator == 1:
            whole, rest = divmod(scaled.numerator, 10**digits)
            return f"{whole}.{rest:0{digits}d}"
    return ""


def negative(inner: Formula) -> Formula:
    opposite = without_minus(inner)
    if opposite is not None or inner.level < PRODUCT:
        inner = fence(inner)
    return Formula("negative", "-", (inner,), NEGATIVE, inner.array)


def without_minus(formula: Formula) -> Formula | None:
    """What a leading minus stands before, or None."""
    if formula.kind == "negative":
        return formula.parts[0]
    if formula.kind == "marked" and (inner := without_minus(formula.parts[0])) is not None:
        return marked(inner)
    return None


def marked(formula: Formula) -> Formula:
    """The part of a step that changes."""
    return replace(formula, kind="marked", text="", parts=(formula,))


def either(latex: Formula, unicode: Formula, ascii_only: Formula) -> Formula:
    """One thing that is written differently for each printer."""
    variants = (latex, unicode, ascii_only)
    return Formula("either", "", variants, min(v.level for v in variants), latex.array)


def _each(formula: Formula, change: Callable[[Formula], Formula]) -> Formula:
    latex, unicode, ascii_only = map(change, formula.parts)
    return either(latex, unicode, ascii_only)


def fence(inner: Formula, brackets: str = "()") -> Formula:
    return Formula("fence", brackets, (inner,), ATOM, inner.array)


def wrap(formula: Formula, least: int) -> Formula:
    """In parentheses unless it holds together well enough."""
    if formula.level >= least:
        return formula
    if formula.kind == "either":
        return replace(_each(formula, lambda f: wrap(f, least)), array=formula.array)
    return fence(formula)


def apply(head: Formula, arguments: Sequence[Formula], brackets: str = "()") -> Formula:
    """A function and its arguments; without brackets (or with `^`) it is a prefix such as `log x`."""
    if brackets in PREFIXES and not _single(arguments[0]):
        brackets += "()"
    return Formula("apply", brackets, (head, *arguments), PREFIX if brackets in PREFIXES else ATOM)


def _bare(formula: Formula) -> bool:
    return formula.kind == "apply" and formula.text in PREFIXES


def _single(formula: Formula) -> bool:
    """What may follow `log` without parentheses."""
    while formula.kind == "marked":
        formula = formula.parts[0]
    if formula.kind == "either":
        formula = formula.parts[0]
    if formula.kind == "apply":
        return not _bare(formula)
    return formula.kind in ("name", "number", "symbol", "command", "index") and formula.level == ATOM


def closed(formula: Formula) -> Formula:
    """The same with its argument in parentheses, so that something may follow."""
    if _bare(formula):
        return replace(formula, text=formula.text + "()", level=ATOM)
    if formula.kind == "marked":
        inner = closed(formula.parts[0])
        return formula if inner is formula.parts[0] else replace(marked(inner), array=formula.array)
    if formula.kind == "either" and formula.level == PREFIX:
        return replace(_each(formula, closed), array=formula.array)
    return formula


def power(base: Formula, exponent: Formula) -> Formula:
    array = base.array or exponent.array
    if exponent.kind == "fraction" and all(p.kind == "number" for p in exponent.parts):
        exponent = Formula("number", f"{exponent.parts[0].text}/{exponent.parts[1].text}")
    if base.kind == "either":
        return replace(_each(base, lambda f: power(f, exponent)), array=array)
    counted = exponent.kind == "number" and exponent.text.isdigit()
    if counted and base.kind == "apply" and base.text.startswith("^"):
        head, *arguments = base.parts  # f^2 x; a second power needs parentheses
        raised = (power(head, exponent), *arguments)
        return replace(base, text=base.text[1:], parts=raised, level=min(base.level, POWER), array=array)
    return Formula("power", "", (wrap(closed(base), ATOM), exponent), POWER, array)


def transposed(base: Formula) -> Formula:
    """Of a matrix or of a vector written as a row."""
    if base.kind == "either":
        return replace(_each(base, transposed), array=True)
    return Formula("power", "", (wrap(closed(base), ATOM), symbol("top")), POWER, True)


def index(base: Formula, subscripts: Sequence[Formula]) -> Formula:
    """An entry: the base with subscripts."""
    if not subscripts:
        return base
    if base.kind == "either":
        return replace(_each(base, lambda f: index(f, subscripts)), array=False)
    inner = base
    while inner.kind == "marked":
        inner = inner.parts[0]
    held = fence(base) if inner.kind == "index" else wrap(closed(base), ATOM)
    return Formula("index", "", (held, *subscripts))


def collected(entry: Formula, subscripts: Sequence[Formula]) -> Formula:
    """The array whose entries these are."""
    return Formula("index", "", (fence(entry), *subscripts), ATOM, True)


def root(inner: Formula) -> Formula:
    return Formula("root", "", (inner,), ATOM, inner.array)


def fraction(top: Formula, bottom: Formula) -> Formula:
    return Formula("fraction", "", (top, bottom), FRACTION, top.array or bottom.array)


def kron(left: Formula, right: Formula) -> Formula:
    """The Kronecker product."""
    return Formula("kron", "", (wrap(closed(left), FRACTION), wrap(closed(right), FRACTION)), PRODUCT, True)


def relation(left: Formula, text: str, right: Formula) -> Formula:
    return Formula("relation", text, (wrap(left, SUM), wrap(right, SUM)), LOOSE, left.array or right.array)


def indicator(condition: Formula) -> Formula:
    """1 where a condition holds, else 0."""
    return Formula("indicator", "", (condition,), ATOM, condition.array)


def condition(formula: Formula) -> Formula:
    """A number used as a condition."""
    if formula.kind == "marked":
        return marked(condition(formula.parts[0]))
    if formula.kind == "indicator":
        return formula.parts[0]
    if formula.kind == "product" and all(p.kind == "indicator" for p in formula.parts):
        return Formula("list", "", tuple(p.parts[0] for p in formula.parts), LOOSE)
    return relation(formula, "!=", number(Fraction(0)))


def big_sum(subscripts: Sequence[Formula], body: Formula) -> Formula:
    return Formula("big", "", (Formula("letters", "", tuple(subscripts)), wrap(body, PRODUCT)), PRODUCT)


def add(terms: Sequence[Formula]) -> Formula:
    """A sum; terms with a leading minus are subtracted."""
    signs, parts = [], []
    for term in terms:
        opposite = without_minus(term)
        signs.append("+" if opposite is None else "-")
        parts.append(wrap(term if opposite is None else opposite, PRODUCT))
    return Formula("sum", "".join(signs), tuple(parts), SUM, any(t.array for t in terms))

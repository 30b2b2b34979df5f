"""Whether an expression is convex in a variable: composition rules, and the form of the Hessian where they end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from derivata.calculus.domain import REAL, bounds_of, domain_of
from derivata.calculus.kinks import kinks_of
from derivata.calculus.semidefinite import definiteness, sign_of
from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, POWER, Expr, with_args
from derivata.expr.walk import depends, topological
from derivata.expr.write import write
from derivata.rewrite.instantiate import defined, record_of
from derivata.rules.book import Book

MOST_HESSIANS = 6
LARGEST = 120  # nodes of an expression whose Hessian is looked at
LONGEST = 100
UNDECIDED = "not decided"
# What is known of every entry of a node, as (convex, concave): both is affine.
Curve = tuple[bool, bool]
AFFINE, CONVEX, CONCAVE, UNKNOWN = (True, True), (True, False), (False, True), (False, False)
_WORDS = {AFFINE: "affine", CONVEX: "convex", CONCAVE: "concave", UNKNOWN: UNDECIDED}


@dataclass(frozen=True)
class Convexity:
    """`kind` is convex, concave, affine or not decided, where the expression is defined; `reason` says why."""

    kind: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind}\n{self.reason}" if self.reason else self.kind


class Above(NamedTuple):
    """What the rules need of higher layers.

    The Hessian of a scalar (or none), parts that have a name named, and the form in which equal parts are one.
    """

    second: Callable[[Expr], Expr | None]
    named: Callable[[Expr], Expr]
    simplified: Callable[[Expr], Expr]


def convexity_of(of: Expr, by: Expr, book: Book, above: Above) -> Convexity:
    """What can be proved of `of` as a function of the symbol `by`."""
    if {"int", "size", "orthogonal"} & by.data.traits:
        return Convexity(UNDECIDED, f"the values of {by.data.name} are no convex set")
    found = _Pass(above.named(of), by, book, above)
    curve, why = found.run()
    lines = [f"{_short(node)}: {text}" for node, text in why.items()]
    return Convexity(_WORDS[curve], "\n".join(lines))


class _Pass:
    """One visit of every node, children first."""

    def __init__(self, of: Expr, by: Expr, book: Book, above: Above) -> None:
        self.of, self.by, self.book, self.above = of, by, book, above
        self.active = depends(of, by)
        self.bounds = bounds_of(of, book)
        self.curves: dict[Expr, Curve] = {}
        self.left = MOST_HESSIANS

    def run(self) -> tuple[Curve, dict[Expr, str]]:
        why: dict[Expr, str] = {}
        for node in topological(self.of):
            if node not in self.active or node is self.by:
                self.curves[node] = AFFINE
                continue
            curve, text = self._curve(node)
            if curve == UNKNOWN and not node.shape:
                curve, text = self._by_hessian(node)
            self.curves[node] = curve
            if curve != AFFINE:
                why[node] = f"{_WORDS[curve]}, {text}" if text else _WORDS[curve]
        curve = self.curves[self.of]
        return curve, why if curve != UNKNOWN else {n: t for n, t in why.items() if self.curves[n] == UNKNOWN}

    def _curve(self, node: Expr) -> tuple[Curve, str]:
        if node.head == CALL and node.data == ADD:
            parts = [self.curves[child] for child, _ in node.args]
            return _meet(parts), "a sum of such"
        if node.head == CALL and node.data == POWER:
            return self._power(node)
        if node.head == CONTRACTION:
            return self._product(node)
        return self._function(node)

    def _product(self, node: Expr) -> tuple[Curve, str]:
        active = [edge for edge in node.args if edge[0] in self.active]
        sign = 1
        for child, _ in node.args:
            sign *= 1 if child in self.active else sign_of(child, self.bounds)
        inner = self.curves[active[0][0]]
        if len(active) == 1:
            return (inner if inner == AFFINE else _signed(inner, sign)), "a sum of such, with weights of one sign"
        if len(active) == 2 and active[0] == active[1] and inner == AFFINE:
            return _signed(CONVEX, sign), "a weighted sum of squares of what is affine"
        return UNKNOWN, ""

    def _power(self, node: Expr) -> tuple[Curve, str]:
        base, exponent = node.args[0][0], node.args[1][0]
        if exponent.head != NUMBER:
            return UNKNOWN, ""
        p, inner, known = exponent.data, self.curves[base], self.bounds.get(base, REAL)
        nonnegative, nonpositive = known.satisfies(">=", 0), known.satisfies("<=", 0)
        whole = p.denominator == 1
        if p < 0 and whole and not (known.satisfies(">", 0) or known.satisfies("<", 0)):
            return UNKNOWN, ""  # it has a pole inside
        if whole and p >= 0 and p % 2 == 0:
            slope = 1 if nonnegative else -1 if nonpositive else 0
            return _composed(CONVEX, slope, inner), "an even power"
        if whole and nonpositive and not nonnegative:
            up = 1 if p > 0 or p % 2 == 0 else -1
            return _composed(CONVEX if p % 2 == 0 else CONCAVE, up, inner), "a power of what is not positive"
        if whole and not nonnegative:
            return (inner, "a first power") if p == 1 else (UNKNOWN, "")
        if not whole and p > 1 and not nonnegative and inner != AFFINE:
            return UNKNOWN, ""  # the set where it is defined need not be convex
        shape = CONCAVE if 0 < p < 1 else CONVEX
        return _composed(shape, 1 if p > 0 else -1, inner), "a power of what is not negative"

    def _function(self, node: Expr) -> tuple[Curve, str]:
        record = record_of(node, self.book)
        if record is None:
            return UNKNOWN, ""
        places = [i for i, (child, _) in enumerate(node.args) if child in self.active]
        if "choice" in record.traits and 0 not in places:
            return _meet([self.curves[child] for child, _ in node.args[1:]]), "of one kind in both cases"
        traits = set(record.traits)
        own: Curve = ("convex" in traits, "concave" in traits)
        if "!" in record.domain:
            return UNKNOWN, ""  # what is left out in the middle makes the domain not convex
        if places != [0] or record.signature not in ("", "(i)->()", "(n,n)->()") or own == UNKNOWN:
            return self._expanded(node)
        inner = self.curves[node.args[0][0]]
        slope = 1 if traits & {"increasing", "nondecreasing"} else -1 if "decreasing" in traits else 0
        if record.domain and inner != AFFINE and not self._convex_domain(record.domain, slope, own):
            return UNKNOWN, ""
        return _composed(own, slope, inner), f"as {record.name} is {_WORDS[own]}" + {
            1: " and nondecreasing",
            -1: " and nonincreasing",
            0: " and its argument affine",
        }[slope]

    def _convex_domain(self, domain: str, slope: int, own: Curve) -> bool:
        """Whether h(g) > c and the like bound the side of g on which the composition is a convex set."""
        signs = {">"} if (slope > 0) == (own == CONCAVE) else {"<"}
        return all({c for c in condition if c in "<>!"} == signs for condition in domain.split(","))

    def _expanded(self, node: Expr) -> tuple[Curve, str]:
        """A function of several active arguments, or of whole arrays, by the formulas of its record."""
        record = record_of(node, self.book)
        if record is None or record.domain or any(self.curves[child] != AFFINE for child, _ in node.args):
            return UNKNOWN, ""
        equations = [f.partition("==")[2] for f in record.facts if f.startswith("out == ")]
        for text in filter(None, (record.value, *equations)):
            formula = defined(node, record, text, self.book)
            # Only the parts are named: the whole would get back the name it has here.
            formula = with_args(formula, tuple((self.above.named(child), labels) for child, labels in formula.args))
            if formula is node or any(record_of(n, self.book) is record for n in topological(formula)):
                continue
            inner = _Pass(formula, self.by, self.book, self.above)
            inner.left, self.left = min(self.left, 1), max(self.left - 1, 0)
            if self.left and (curve := inner.run()[0]) != UNKNOWN:
                return curve, f"as it is {_short(formula)}"
        return UNKNOWN, ""

    def _by_hessian(self, node: Expr) -> tuple[Curve, str]:
        if self.left <= 0 or self.by.data.traits or len(topological(node)) > LARGEST or not self._smooth(node):
            return UNKNOWN, ""
        self.left -= 1
        hessian = self.above.second(node)
        sign = 0 if hessian is None else definiteness(hessian, self.book)
        if hessian is None or not sign:
            return UNKNOWN, ""
        word = "positive" if sign > 0 else "negative"
        matrix = f"its Hessian {_short(hessian)} is {word} semidefinite"
        scalar = f"its second derivative {_short(hessian)} {'>=' if sign > 0 else '<='} 0"
        return CONVEX if sign > 0 else CONCAVE, matrix if self.by.shape else scalar

    def _smooth(self, of: Expr) -> bool:
        """Whether the Hessian says it all: no kinks nor jumps, and defined on a convex set."""
        if kinks_of(of, [self.by], self.book, self.above.simplified):
            return False
        active = depends(of, self.by)
        records = [(n, r) for n in active if (r := record_of(n, self.book)) is not None and n.data != ADD]
        if any("piecewise" in record.traits for _, record in records):
            return False
        if not domain_of(of, self.book):
            return True  # the declarations imply every condition
        return all(self._half_space(node) for node, record in records if record.domain)

    def _half_space(self, node: Expr) -> bool:
        """Whether the node's conditions put bounds on something affine."""
        record, (base, _) = record_of(node, self.book), node.args[0]
        if node.data != POWER:
            affine = len(node.args) == 1 and self.curves.get(base) == AFFINE
            return affine and record is not None and "!" not in record.domain and record.signature == ""
        exponent, known = node.args[1][0], self.bounds.get(base, REAL)
        if exponent.head != NUMBER:
            return known.satisfies(">", 0)
        if exponent.data.denominator == 1:
            return bool(exponent.data >= 0) or known.satisfies("!=", 0)
        return known.satisfies(">=", 0) or self.curves.get(base) == AFFINE


def _composed(outer: Curve, slope: int, inner: Curve) -> Curve:
    """h(g) where h goes up, down or neither: convex of affine, convex nondecreasing of convex, and so on."""
    if inner == AFFINE:
        return outer
    up, down = slope > 0, slope < 0
    convex = outer[0] and ((up and inner[0]) or (down and inner[1]))
    concave = outer[1] and ((up and inner[1]) or (down and inner[0]))
    return convex, concave


def _signed(curve: Curve, sign: int) -> Curve:
    return curve if sign > 0 else curve[::-1] if sign < 0 else UNKNOWN


def _meet(parts: list[Curve]) -> Curve:
    return all(p[0] for p in parts), all(p[1] for p in parts)


def _short(node: Expr) -> str:
    text = write(node)
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."

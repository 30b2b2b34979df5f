"""When two lists of balls say the same, what is reported of a check, and how a disagreement is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log2
from typing import Literal, NoReturn, TypeAlias

from derivata.errors import DisagreementError
from derivata.expr.node import Expr
from derivata.run.balls import Ball, Entry, constant, is_finite

Verdict: TypeAlias = Literal["equal", "different", "undefined", "outside", "open"]
# What a comparison at some precision gives: expected and found; None where the expression has no value.
Comparison: TypeAlias = "Callable[[int], tuple[list[Entry], list[Entry]] | None]"

DOUBLINGS = 4
_GUARD_BITS = 30
_SHOWN_TEXT = 300


@dataclass(frozen=True)
class Check:
    """What was checked. `local` counts rule applications that were checked one by one."""

    points: int
    digits: int
    local: int = 0
    kinks: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = f"checked: {_count(self.points, 'point')}, {self.digits} digits"
        if self.local:
            said = f"checked: {_count(self.local, 'rule application')} one by one, {self.digits} digits"
        return said + (f"; not differentiable at {', '.join(self.kinks)}" if self.kinks else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def working_bits(digits: int) -> int:
    """The precision to start with."""
    return ceil(digits * log2(10)) + _GUARD_BITS


def decide(compare: Comparison, digits: int) -> tuple[Verdict, list[Entry], list[Entry]]:
    """Compare at more and more digits until the enclosures are tight or no longer overlap.

    Enclosures that do not overlap are a proof; ones that do must be tighter than the last ten digits asked
    for, else nothing was decided.
    """
    wanted = ceil(max(digits - 10, digits // 2) * log2(10))
    bits = working_bits(digits)
    verdict: Verdict = "open"
    expected: list[Entry] = []
    found: list[Entry] = []
    for _ in range(DOUBLINGS + 1):
        sides = compare(bits)
        if sides is None:
            return "outside", [], []
        expected, found = sides
        verdict = _verdict(expected, found, wanted)
        if verdict in ("equal", "different"):
            break
        bits *= 2
    return verdict, expected, found


def _verdict(expected: list[Entry], found: list[Entry], wanted: int) -> Verdict:
    verdict: Verdict = "equal"
    for a, b in zip(map(constant, expected), map(constant, found), strict=True):
        if b.is_nan():
            verdict = "undefined"
        elif not b.is_finite():
            verdict = "open" if verdict == "equal" else verdict
        elif not a.overlaps(b):
            return "different"
        elif min(a.rel_one_accuracy_bits(), b.rel_one_accuracy_bits()) < wanted and verdict == "equal":
            verdict = "open"
    return verdict


def disagreement(
    what: str, of: Expr, where: str, expected: list[Entry], found: list[Entry], sides: tuple[str, str]
) -> NoReturn:
    """Say which values differ where."""
    for a, b in zip(map(constant, expected), map(constant, found), strict=True):
        if b.is_nan() or not a.overlaps(b):
            values = f"{sides[0]} {_digits(a)}, {sides[1]} {_digits(b) if not b.is_nan() else 'no value'}"
            break
    else:
        values = "the values differ"
    text = f" of {of}" if of.cost < _SHOWN_TEXT else ""
    raise DisagreementError(
        f"{what}{text} disagrees with exact arithmetic, so it is not shown: {values} at {where}. "
        "This is a bug in derivata; please report it with the expression."
    )


def _digits(ball: Ball) -> str:
    """Enough digits to see a difference in."""
    return str(ball.str(40, radius=False))


def all_finite(entries: list[Entry]) -> bool:
    return all(map(is_finite, entries))

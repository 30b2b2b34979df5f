"""What identities and laws must satisfy: their equations hold, and their conditions are needed."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

from rules.oracle import parsed

from derivata.errors import DerivataError
from derivata.expr.node import SYMBOL
from derivata.expr.symbol import declare
from derivata.expr.walk import topological
from derivata.rules.book import Book
from derivata.rules.record import Identity, Law
from derivata.run.balls import Array, ball, coefficient, moving, precision
from derivata.run.precise import Program

BITS = 2400  # log(exp(700)) and the like keep their digits
_SIZE = 3
PURPOSES = frozenset({"recognise", "shorter", "outward", "product", "power", "stable", "value"})
_BY = re.compile(r"d/d(\w+)\[(.+)\] = (.+)")
_OF = re.compile(r"d\((.+?)\) = (.+)")


@cache
def _program(text: str, where: str) -> Program:
    sizes = declare(where).sizes()
    return Program([parsed(text, where)], dict.fromkeys(sizes, _SIZE))


def _run(text: str, where: str, point: dict[str, Array]) -> list[Any]:
    return _program(text, where).run(point, bits=BITS)[0].entries


def _names(where: str, *texts: str) -> dict[str, bool]:
    """The variables, and whether each is a whole number (a subscript)."""
    nodes = [n for text in texts if text for n in topological(parsed(text, where))]
    found = {n.data.name: n.data.integer for n in nodes if n.head == SYMBOL and "size" not in n.data.traits}
    return dict(sorted(found.items()))


def _points(where: str, names: dict[str, bool], count: int) -> Iterator[dict[str, list[Fraction]]]:
    """Numbers on both sides of 0, near it and far; arrays sum to 1 where that is said."""
    chance = random.Random(where + str(list(names)))
    symbols = declare(where).symbols
    for _ in range(count):
        point: dict[str, list[Fraction]] = {}
        for name in names:
            rank = len(symbols[name].shape) if name in symbols else 0
            if names[name]:
                point[name] = [Fraction(1)]
                continue
            if not rank:
                x = Fraction(chance.choice([-700, -37, -3, -1, 0, 1, 2, 5, 90]), chance.choice([1, 2, 8, 2**30]))
                point[name] = [x]
                continue
            entries = [Fraction(chance.randint(-40, 40), 8) for _ in range(_SIZE**rank)]
            if name in symbols and "sums to 1" in symbols[name].traits:
                entries[0] = 1 - sum(entries[1:])
            point[name] = entries
        yield point


def _arrays(where: str, point: dict[str, list[Fraction]]) -> dict[str, Array]:
    symbols = declare(where).symbols
    ranks = {name: len(symbols[name].shape) if name in symbols else 0 for name in point}
    return {n: Array((_SIZE,) * ranks[n], [ball(x) for x in entries]) for n, entries in point.items()}


def _same(left: list[Any], right: list[Any]) -> bool:
    return len(left) == len(right) and all(a.overlaps(b) for a, b in zip(left, right, strict=True))


def check_identity(book: Book, identity: Identity) -> Iterator[str]:
    """Both sides are equal where the condition holds, and nowhere else."""
    if identity.purpose not in PURPOSES:
        yield f"{identity.purpose} is no purpose"
    where = identity.where
    for text in (identity.left, identity.right, identity.when):
        if text:
            book.identity_side(identity, text)
    names = _names(where, identity.left, identity.right, identity.when)
    if identity.purpose in ("shorter", "value"):
        left, right = parsed(identity.left, where), parsed(identity.right, where)
        if right.cost > left.cost:
            yield f"{identity.right} is longer"
    tried = outside = needed = 0
    for given in _points(where, names, 24 if names else 1):
        point = _arrays(where, given)
        sides = [_run(text, where, point) for text in (identity.left, identity.right)]
        defined = all(e.is_finite() for side in sides for e in side)
        if identity.when and not _run(identity.when, where, point)[0] > 0:
            outside += 1
            needed += not defined or not _same(*sides)
            continue
        if not defined:
            yield f"undefined at {given}"
            return
        tried += 1
        if not _same(*sides):
            yield f"not equal at {given}"
            return
    if not tried:
        yield "the condition never holds"
    if 4 * needed < 3 * outside:  # a single point beyond the condition may satisfy the equation by chance
        yield f"the condition {identity.when} is stricter than it need be"


def check_law(book: Book, law: Law) -> Iterator[str]:
    """The example holds."""
    text, _, rest = law.example.partition(" where ")
    where = rest.partition(", so")[0]
    text = text.partition(", so")[0]
    if match := _BY.fullmatch(text):
        by, left, right = match.groups()
        names = _names(where, left, right)
        moves = {name: Fraction(int(name == by)) for name in names}
    elif match := _OF.fullmatch(text):
        left, right = match.groups()
        names = _names(where, left)
        where = ", ".join(part for part in (where, re.sub(r"(\w+)\[", r"d\1[", where)) if part)
        moves = {name: Fraction(0) for name, whole in names.items() if whole}
    else:
        left, _, right = text.partition(" = ")
        names = _names(where, left, right)
        moves = dict.fromkeys(names, Fraction(0))
    for given in _points(where, names, 12):
        yield from _law_at(left, right, where, given, moves, derivative=match is not None)


def _law_at(
    left: str,
    right: str,
    where: str,
    given: dict[str, list[Fraction]],
    moves: dict[str, Fraction],
    *,
    derivative: bool,
) -> Iterator[str]:
    still = _arrays(where, given)
    changes = {
        name: [moves[name] if name in moves else Fraction(i * 2 + 3, 4) for i in range(len(entries))]
        for name, entries in given.items()
    }
    going = {
        name: Array(a.shape, [moving(e, ball(c)) for e, c in zip(a.entries, changes[name], strict=True)])
        for name, a in still.items()
    }
    differentials = {f"d{n}": Array(still[n].shape, [ball(c) for c in changes[n]]) for n in given}
    value = _run(left, where, going if derivative else still)
    wanted = _run(right, where, still | differentials)
    found = [coefficient(e) for e in value] if derivative else value
    if all(e.is_finite() for e in found + wanted) and not _same(found, wanted):
        yield f"{left}: not so at {given}"


def equation_problems(book: Book, record: Identity | Law) -> Iterator[str]:
    """Everything that is wrong with an identity or a law."""
    with precision(BITS):
        try:
            if isinstance(record, Identity):
                yield from check_identity(book, record)
            else:
                yield from check_law(book, record)
        except (DerivataError, ValueError) as error:
            yield str(error)

"""Records times checks: no field of the rulebook stands unproved."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from fractions import Fraction

import pytest

from derivata.expr.node import CONTRACTION, NUMBER, Expr
from derivata.expr.walk import topological
from derivata.rules.book import book, make_book
from derivata.rules.record import TRAITS, Function, Identity, Law
from derivata.run.balls import Array, ball, precision
from derivata.run.precise import Program
from rules import checks, oracle

_FUNCTIONS = book().functions
_D_BY = re.compile(r"d/d(\w+)\[(.+)\] = (.+)")
_D_OF = re.compile(r"d\((.+)\) = (.+)")


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("record", _FUNCTIONS, ids=lambda record: record.name)
def test_record(record: Function, check: checks.Check) -> None:
    assert list(checks.problems(book(), record, (check,))) == []


def test_every_trait_is_used() -> None:
    assert {trait for record in _FUNCTIONS for trait in record.traits} == TRAITS


def test_names_are_declared_once() -> None:
    with pytest.raises(ValueError, match="declared twice: exp"):
        make_book([book().functions[0], *_FUNCTIONS[1:], next(f for f in _FUNCTIONS if f.name == "exp")])


def test_definitions_go_down_to_functions_without_one() -> None:
    below: dict[str, set[str]] = {}
    for record in _FUNCTIONS:
        nodes = topological(book().formula(record, record.value)) if record.value else []
        names = [n.data if isinstance(n.data, str) else n.data[0] for n in nodes if n.head in ("call", "primitive")]
        below[record.name] = {name for name in names if (f := book().get(name)) and f.value}
    while below:
        ready = {name for name, needed in below.items() if not needed & below.keys()}
        assert ready, f"defined in a circle: {sorted(below)}"
        below = {name: needed for name, needed in below.items() if name not in ready}


# Identities


def _points(where: str, names: list[str]) -> Iterator[dict[str, Array]]:
    """Values on both sides of 0, near it and far; vectors of probabilities where `where` says so."""
    chance = random.Random(where + str(names))
    vectors = re.findall(r"(\w+)\[", where)
    for _ in range(24):
        point: dict[str, Array] = {}
        for name in names:
            if name not in vectors:
                x = Fraction(chance.choice([-700, -37, -3, -1, 0, 1, 2, 5, 90]), chance.choice([1, 2, 8, 2**30]))
                point[name] = Array((), [ball(x)])
                continue
            entries = [Fraction(chance.randint(-40, 40), 8) for _ in range(3)]
            if "sums to 1" in where:
                entries[0] = 1 - sum(entries[1:])
            point[name] = Array((3,), [ball(x) for x in entries])
        yield point


@pytest.mark.parametrize("identity", book().identities, ids=lambda identity: identity.name)
def test_identity(identity: Identity) -> None:
    sides = [book().identity_side(identity, text) for text in (identity.left, identity.right)]
    names = sorted({n.data.name for side in sides for n in topological(side) if n.head == "symbol"} - {"n"})
    tried = broken = 0
    with precision(2400):
        for point in _points(identity.where, names) if names else [{}]:
            left, right = (_entries(side, point) for side in sides)
            if not all(e.is_finite() for e in left + right):
                continue
            holds = not identity.when or _entries(book().identity_side(identity, identity.when), point)[0] > 0
            same = all(a.overlaps(b) for a, b in itertools.zip_longest(left, right * len(left)[: 1] if False else right))
            tried += bool(holds)
            broken += bool(holds and not same)
    assert tried
    assert not broken


def _entries(node: Expr, point: dict[str, Array]) -> list[object]:
    return Program([node], {"n": 3}).run(point, bits=2400)[0].entries

"""Records times checks: no field of the rulebook stands unproved."""

from __future__ import annotations

from operator import attrgetter

import numpy as np
import pytest
from rules import checks, equations

import derivata as dv
from derivata.expr.node import CALL, PRIMITIVE
from derivata.expr.walk import topological
from derivata.rules.book import book, make_book
from derivata.rules.record import TRAITS, Abbreviation, Function, Identity, Law
from derivata.run.sample import points

_FUNCTIONS = book().functions
_LAWS = (
    "constant", "variable", "sum rule", "constant multiple", "product rule", "quotient rule", "chain rule",
    "power rule", "sums", "matrix product", "total derivative", "gradient", "partial derivative", "simplify",
    "recognise",
)  # fmt: skip


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("record", _FUNCTIONS, ids=lambda record: record.name)
def test_function(record: Function, check: checks.Check) -> None:
    assert list(checks.problems(book(), record, (check,))) == []


@pytest.mark.parametrize("identity", book().identities, ids=lambda identity: identity.name)
def test_identity(identity: Identity) -> None:
    assert list(equations.equation_problems(book(), identity)) == []


@pytest.mark.parametrize("law", book().laws, ids=lambda law: law.name)
def test_law(law: Law) -> None:
    assert list(equations.equation_problems(book(), law)) == []


@pytest.mark.parametrize("record", book().abbreviations, ids=lambda record: record.name)
def test_abbreviation(record: Abbreviation) -> None:
    """What is written out is what NumPy's function of that name does."""
    written = f"{record.name}({record.args})"
    assert dv.read(written, record.where) is dv.read(record.means, record.where)
    point = next(points(dv.read(written, record.where), count=1))
    values = {name: np.array([float(x) for x in v.entries]).reshape(v.shape) for name, v in point.values.items()}
    ours = dv.evaluate(dv.read(written, record.where), **values)
    theirs = attrgetter(record.numpy)(np)(*(values[name] for name in record.arguments))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_derivations_find_the_laws_they_name() -> None:
    assert {law.name for law in book().laws} >= set(_LAWS)


def test_every_trait_is_used() -> None:
    assert {trait for record in _FUNCTIONS for trait in record.traits} == TRAITS


def test_names_are_declared_once() -> None:
    with pytest.raises(ValueError, match=f"declared twice: {_FUNCTIONS[0].name}"):
        make_book([_FUNCTIONS[0], *_FUNCTIONS])


def test_definitions_end_at_functions_without_one() -> None:
    waiting: dict[str, set[str]] = {}
    for record in _FUNCTIONS:
        nodes = topological(book().formula(record, record.value)) if record.value else []
        called = [book().get(n.data if n.head == CALL else n.data[0]) for n in nodes if n.head in (CALL, PRIMITIVE)]
        waiting[record.name] = {callee.name for callee in called if callee is not None and callee.value}
    while waiting:
        ready = {name for name, needed in waiting.items() if not needed & waiting.keys()}
        assert ready, f"defined in a circle: {sorted(waiting)}"
        waiting = {name: needed for name, needed in waiting.items() if name not in ready}

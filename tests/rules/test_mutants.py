"""How good are the checks? Errors are planted in every field, and nearly all of them must be caught."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from rules import checks
from rules.equations import equation_problems
from rules.mutants import Mutant, function_mutants, identity_mutants, law_mutants

from derivata.rules.book import Book, book, make_book
from derivata.rules.record import Function

CAUGHT = 0.95

# The check that looks at a field first; the others follow.
_FIRST = {
    "value": checks.check_differential,
    "d": checks.check_differential,
    "facts": checks.check_facts,
    "range": checks.check_range,
    "kinks": checks.check_kinks,
    "traits": checks.check_traits,
    "domain": checks.check_domain,
    "stable": checks.check_stable,
    "code": checks.check_numpy,
    "signature": checks.check_forms,
    "latex": checks.check_forms,
    "transposed": checks.check_transposed,
}

# Why an error may stay: it is none, or only exact equality with an irrational number would show it.
_REASONS = (
    (r"\.traits: .*'nests'", "a licence to reduce one axis after the other: it need not be used, and is not false"),
    (r"\.domain: 'det\(x\) != 0'", "matrices whose log-determinant is exactly 0 are never met"),
    (r"^(pi|e)\.range", "an irrational number is at neither end of its interval, so brackets mean the same"),
    (r"\.d: '0\*dx|^step\.d: '0\*", "0 times anything is 0"),
    (r"facts.*(- pi|\+ 4|- 3|\+3\*x)", "true as well: another shift or sign of the same symmetry"),
    (r"\.facts\.", "true as well, and still says something about the value"),
    (
        r"^pow\.domain|^eq\.facts|^atan2\.kinks",
        "dividing by a condition divides by 1, or by 0 where it counts as false",
    ),
    (r"cos\(x\) != 0", "fails at multiples of an irrational number only, which are never met"),
    (r"\.stable", "another threshold, as good to the last digits"),
    (r"^celu\.d", "clip of a condition happens to choose the same two values"),
    (r"^eigmin\.domain: .*\(\+x\)", "where an eigenvalue is not simple, balls give no slope to compare with"),
    (r"by Cholesky factor\.when", "random matrices seldom have eigenvalues between two small numbers"),
    (r"\(0\)", "another function that has the value 0 there"),
)


def _mutants() -> Iterator[Mutant]:
    for record in book().functions:
        yield from function_mutants(record)
    for identity in book().identities:
        yield from identity_mutants(identity)
    for law in book().laws:
        yield from law_mutants(law)


def _with(mutant: Function) -> Book:
    functions = [mutant if f.name == mutant.name else f for f in book().functions]
    return make_book(functions, book().laws, book().identities)


def _is_caught(mutant: Mutant) -> bool:
    record = mutant.record
    if not isinstance(record, Function):
        return next(equation_problems(book(), record), None) is not None
    first = _FIRST[mutant.field.partition(".")[0]]
    order = (first, *(check for check in checks.CHECKS if check is not first))
    return next(checks.problems(_with(record), record, order), None) is not None


def _reason(label: str) -> str:
    return next((reason for pattern, reason in _REASONS if re.search(pattern, label)), "?")


@pytest.mark.slow
def test_planted_errors_are_caught() -> None:
    count, survivors = 0, []
    for mutant in _mutants():
        count += 1
        if not _is_caught(mutant):
            survivors.append(mutant.label)
    print(f"{count} errors planted, {count - len(survivors)} caught")
    for label in survivors:
        print(f"  {label}  [{_reason(label)}]")
    unexplained = [label for label in survivors if _reason(label) == "?"]
    assert not unexplained, "\n".join(unexplained)
    assert count > 3000
    assert len(survivors) <= (1 - CAUGHT) * count


@pytest.mark.parametrize(
    ("name", "field", "wrong"),
    [
        ("tanh", "d", "(1 + out**2)*dx"),
        ("sigmoid", "value", "1/(1 + exp(x))"),
        ("gelu", "stable", "x*erf(-x/sqrt(2))/2"),
        ("log", "domain", "x > 1"),
        ("silu", "range", "[-0.2784645427610738, 1)"),
        ("softplus", "facts", ("softplus(-x) == out + x",)),
        ("relu", "traits", ("nondecreasing", "piecewise")),
        ("abs", "kinks", ()),
    ],
)
def test_a_typical_slip_is_caught_by_its_own_check(name: str, field: str, wrong: object) -> None:
    right = book().by_name[name]
    record = Function(**{**vars(right), field: wrong})
    assert list(checks.problems(_with(record), record, (_FIRST[field],)))

"""Whatever is typed: only DerivataError escapes, nothing hangs, forms are fixed points, text reads back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import derivata as dv
from derivata.errors import UndefinedError, VariableError, VerificationError
from derivata.expr.node import Expr
from derivata.expr.walk import symbols
from derivata.rules.book import book

WHERE = "u[n], v[n], A[n,n], B[n,m], S[n,n] symmetric, p > 0, q[n] > 0, k int"
SECONDS = 1.0
SCALARS = st.sampled_from(["x", "y", "p", "2", "1/2", "3", "0.1", "pi", "u[k]", "n"])
VECTORS = st.sampled_from(["u", "v", "q"])
MATRICES = st.sampled_from(["A", "S", "A.T"])
ELEMENTWISE = sorted(
    f.name for f in book().functions if f.arguments and not f.signature and len(f.arguments) == 1 and f.name != "where"
)
TOKENS = [
    *"+-*/@()[],.:;=<>'^!%&|~#\"\\ \n\t",
    *("**", "==", "<=", ">=", "!=", ".T", "x", "y", "A", "u", "k", "n", "f", "f'", "0", "1", "2.5", "1e3", "axis"),
    *("sum", "mean", "einsum", "'i->'", "eye", "ones", "where", "max", "softmax", "norm", "exp", "log", "axis=0"),
]


def scalars(depth: int) -> st.SearchStrategy[str]:
    if depth == 0:
        return SCALARS
    inner = st.deferred(lambda: scalars(depth - 1))
    vector = st.deferred(lambda: vectors(depth - 1))
    matrix = st.deferred(lambda: matrices(depth - 1))
    return st.one_of(
        SCALARS,
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} - {})".format, inner, inner),
        st.builds("{}*{}".format, inner, inner),
        st.builds("({})/({})".format, inner, inner),
        st.builds("({})**{}".format, inner, st.sampled_from(["2", "3", "(-1)", "(1/2)", "(-3/2)", "p"])),
        st.builds("-({})".format, inner),
        st.builds("{}({})".format, st.sampled_from([*ELEMENTWISE, "f", "g"]), inner),
        st.builds("where({} > {}, {}, {})".format, inner, inner, inner, inner),
        st.builds("max({}, {})".format, inner, inner),
        st.builds("sum({})".format, vector),
        st.builds("mean({})".format, vector),
        st.builds("({})@({})".format, vector, vector),
        st.builds("{}({})".format, st.sampled_from(["norm", "logsumexp"]), vector),
        st.builds("tr({})".format, matrix),
        st.builds("sum(({})*({}))".format, matrix, matrix),
    )


def vectors(depth: int) -> st.SearchStrategy[str]:
    if depth == 0:
        return VECTORS
    scalar = st.deferred(lambda: scalars(depth - 1))
    inner = st.deferred(lambda: vectors(depth - 1))
    matrix = st.deferred(lambda: matrices(depth - 1))
    return st.one_of(
        VECTORS,
        st.builds("({} + {})".format, inner, inner),
        st.builds("({} - {})".format, inner, scalar),
        st.builds("({})*({})".format, inner, inner),
        st.builds("({})*({})".format, scalar, inner),
        st.builds("({})/({})".format, inner, scalar),
        st.builds("({})**2".format, inner),
        st.builds("{}({})".format, st.sampled_from(ELEMENTWISE), inner),
        st.builds("softmax({})".format, inner),
        st.builds("({})@({})".format, matrix, inner),
        st.builds("sum({}, axis=0)".format, matrix),
        st.builds("diag({})".format, matrix),
    )


def matrices(depth: int) -> st.SearchStrategy[str]:
    if depth == 0:
        return MATRICES
    scalar = st.deferred(lambda: scalars(depth - 1))
    vector = st.deferred(lambda: vectors(depth - 1))
    inner = st.deferred(lambda: matrices(depth - 1))
    return st.one_of(
        MATRICES,
        st.builds("({} + {})".format, inner, inner),
        st.builds("({})@({})".format, inner, inner),
        st.builds("({})*({})".format, inner, inner),
        st.builds("({})*({})".format, scalar, inner),
        st.builds("({}).T".format, inner),
        st.builds("outer({}, {})".format, vector, vector),
        st.builds("diag({})".format, vector),
        st.builds("exp({})".format, inner),
        st.builds("({} + {})".format, inner, vector),
        st.just("B@B.T"),
    )


EXPRESSIONS = st.one_of(scalars(2), scalars(3), vectors(2), matrices(2))


def quick(work: Callable[[], Any]) -> Any:
    """The result of `work`, None if it is refused; an answer that was slow once must be quick the second time."""
    for attempt in range(3):
        start = time.perf_counter()
        try:
            found = work()
        except dv.DerivataError:
            found = None
        if time.perf_counter() - start < SECONDS or attempt == 2:
            assert time.perf_counter() - start < SECONDS
            return found
    return None


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_random_text(text: str) -> None:
    quick(lambda: dv.derive(text, "x"))
    quick(lambda: dv.read("x", text))


@given(st.lists(st.sampled_from(TOKENS), max_size=25), st.booleans())
@settings(max_examples=1000)
def test_token_soup(tokens: list[str], spaced: bool) -> None:
    text = (" " if spaced else "").join(tokens)
    quick(lambda: dv.derive(text, "x", where="A[n,n], u[n], k int"))


def is_fixed(node: Expr, where: str) -> None:
    """Normal forms are final, and text says all there is to an expression."""
    form = quick(lambda: dv.normal(node))
    assume(form is not None)
    assert dv.normal(form) is form, (str(node), str(form), str(dv.normal(form)))
    assert dv.normal(dv.read(str(node), where)) is form, str(node)
    assert dv.normal(dv.read(str(form), where)) is form, str(form)


@given(EXPRESSIONS)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_normal_forms_are_final(text: str) -> None:
    node = quick(lambda: dv.read(text, WHERE))
    assume(node is not None)
    is_fixed(node, WHERE)


@given(EXPRESSIONS, st.sampled_from(["x", "u", "A", "p"]))
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_derivatives_are_right_or_refused(text: str, wrt: str) -> None:
    node = quick(lambda: dv.read(text, WHERE))
    assume(node is not None and len(node.shape) + (wrt == "u") + 2 * (wrt == "A") <= 2)
    try:
        found = dv.derive(node, wrt)
    except (VariableError, UndefinedError):
        return
    except VerificationError as refusal:
        # Nothing may be said to be a bug in derivata; that no point was found is the expression's fault.
        if "bug" in str(refusal):
            raise AssertionError((text, wrt)) from refusal
        return
    is_fixed(found.result, WHERE)
    str(found), found.latex(), found.unicode(60)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("sqrt(abs(x)) + x**4", ""),
        ("sqrt(abs(x))*x**5 + abs(x)", ""),
        ("abs(x)**(3/2)*x**2 - 1/(1 + abs(x))**2", ""),
        ("sum(where(diag(u) > 0, A, 2*A))", "A[n,n], u[n] > 0"),
        ("where(x + y <= 1, x, 5*x)", "x <= 1, y <= 1e-20"),
        ("where(2*x - 1 > 0, x, 1 - x)", ""),
        ("sum(softmax(B))", "B[n,m]"),
    ],
)
def test_normal_forms_have_the_value_of_what_they_are_forms_of(text: str, where: str) -> None:
    e = dv.read(text, where)
    sizes = {"n": 3, "m": 2}
    chance = np.random.default_rng(1)
    for x in (-2.0, -0.5, 0.5, 1.0):
        values = {"x": x, "y": 1e-21, "u": chance.uniform(0.1, 2, sizes["n"]), "A": chance.normal(size=(3, 3))}
        values["B"] = chance.normal(size=(sizes["n"], sizes["m"]))
        given = {name: value for name, value in values.items() if name in symbols(e)}
        expected, found = (dv.evaluate(form, where, **given) for form in (e, dv.normal(e)))
        assert np.allclose(expected, found), text

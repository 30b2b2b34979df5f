"""The text of generated functions, and that it runs alone."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import derivata as dv
from derivata.emit.numpy_source import function_source
from derivata.errors import EvaluationError
from derivata.expr.arrays import elementwise, reciprocal
from derivata.expr.lower import read
from derivata.expr.node import Expr, number, variable
from derivata.expr.symbol import Symbol
from derivata.rules.book import book
from derivata.run.evaluate import evaluate

WHERE = "X[n,d], y[n], v[n], w[d], A[n,n], B[n,n], T[n,c], z[c]"


def expression(text: str, where: str = WHERE) -> Expr:
    return read(text, where, book().vocabulary)


def source(text: str) -> str:
    return function_source("model", None, {"result": expression(text)}, docstring="")


def returned(text: str) -> str:
    return source(text).strip().splitlines()[-1].strip().removeprefix("return ")


def run(text: str, name: str = "model") -> Any:
    space: dict[str, Any] = {}
    exec(compile(text, "<test>", "exec"), space)
    return space[name]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("sum(log(1+exp(-y*(X@w))))", "np.sum(np.log(1 + np.exp(-y*(X @ w))))"),
        ("X.T@(X@w - y)", "X.T @ (X @ w - y)"),
        ("1/n*X.T@(X@w - y)", "(X.T @ (X @ w - y))/n"),
        ("diag(y) - outer(y, y)", "np.diag(y) - np.outer(y, y)"),
        ("X.T@diag(y)@X", "(X*y[:, None]).T @ X"),
        ("A@B@y", "A @ (B @ y)"),
        ("tr(A@B)", "np.sum(A*B.T)"),
        ("tr(A)", "np.trace(A)"),
        ("X/sum(X, axis=1, keepdims=True)", "X/np.sum(X, axis=1, keepdims=True)"),
        ("X.T*y", "X.T*y"),
        ("a**2 - 2*a*b + b**(1/2)", "a**2 - 2*a*b + np.sqrt(b)"),
        ("a/3 + 1/2", "1/3*a + 0.5"),
        ("(a + b)/(a - b)", "(a + b)/(a - b)"),
        ("z[k]", "z[k]"),
        ("X[:, 1]", "X[:, 1]"),
        ("z - onehot(k, c)", "z - (np.arange(c) == k)"),
        ("A + 3*eye(n)", "A + 3*np.eye(n, dtype=dtype)"),
        ("sum(X, axis=0)", "np.sum(X, axis=0)"),
        ("einsum('ij,j,i->i', A, y, v)", "v*(A @ y)"),
        ("2*(y > 0)*y", "2*y*(y > 0)"),
    ],
)
def test_what_a_reader_sees(text: str, written: str) -> None:
    assert returned(text) == written


def test_value_and_gradient_share_their_parts() -> None:
    text = function_source(
        "logistic_loss",
        expression("sum(log(1+exp(-y*(X@w))))"),
        {"gradient": expression("-X.T@(y*sigmoid(-y*(X@w)))")},
        docstring="The logistic loss.\n\n" + "shapes: X (n, d), y (n,), w (d,). " * 6,
        parameters=["w", "X", "y"],
    )
    assert text.count("X @ w") == 1
    assert "return value, gradient" in text
    assert "def logistic_loss(w, X, y):" in text
    assert max(map(len, text.splitlines())) <= 100
    function = run(text, "logistic_loss")
    assert function.__doc__.startswith("The logistic loss.")
    rng = np.random.default_rng(1)
    X, y, w = rng.normal(size=(5, 3)), np.sign(rng.normal(size=5)), rng.normal(size=3)
    value, gradient = function(w, X, y)
    margin = y * (X @ w)
    np.testing.assert_allclose(value, np.log1p(np.exp(-margin)).sum())
    np.testing.assert_allclose(gradient, -X.T @ (y / (1 + np.exp(margin))))
    np.testing.assert_allclose(function(w.tolist(), X.tolist(), y.astype(int).tolist())[1], gradient)
    assert function(*(a.astype(np.float32) for a in (w, X, y)))[1].dtype == np.float32


def test_stable_code_does_not_warn() -> None:
    function = run(function_source("f", None, {"d": expression("sigmoid(x)*sigmoid(-x)")}, docstring=""), "f")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(function(np.array([-1000.0, 0.0, 1000.0])), [0, 0.25, 0])
        assert function(np.float32(-1000)).dtype == np.float32
        assert run(source("1/(1 + exp(x))"))(1000.0) == 0


def test_python_numbers_do_not_raise_what_numpy_would_not() -> None:
    with np.errstate(all="ignore"):
        assert run(source("1/x"))(0) == np.inf
        assert np.isnan(run(source("x**(1/3)"))(-1.0))
        assert run(source("x**20"))(np.uint8(10)) == 1e20


def test_docstrings_of_any_text() -> None:
    for doc in ('ends with "quotes"', 'has """ inside', r"\frac{a}{b}", "back\\", "one\n\ntwo"):
        assert run(function_source("f", None, {"v": expression("x")}, docstring=doc), "f").__doc__.strip()


def test_names_do_not_clash() -> None:
    node = sum(
        (variable(Symbol(a)) * variable(Symbol(b)) for a, b in [("value", "np"), ("class", "dtype")]),
        number(0),
    )
    function = run(function_source("f", node, {"gradient": variable(Symbol("np"))}, docstring=""), "f")
    assert function(2, 3, 4, 5) == (26, 3)
    both = run(function_source("f", expression("f(x)"), {"slope": expression("f'(x)")}, docstring=""), "f")
    assert both(0.0, np.cos, np.sin) == (1, 0)


def test_sizes_come_from_shapes_or_are_arguments() -> None:
    assert "n, d = X.shape" in source("X/(n*d)")
    assert "n = y.shape[0]" in source("mean(y)")
    assert "def model(n, d):" in source("2*ones(n, d)")
    assert run(source("2*ones(n, d)"))(2, 3).tolist() == [[2.0] * 3] * 2
    unused = function_source("f", None, {"g": expression("2*w")}, docstring="", parameters=["w", "X"])
    assert "def f(w, X):" in unused


def test_nothing_nests_deeply() -> None:
    x = variable(Symbol("x"))
    power, sums, quotient = x, x, x
    for _ in range(2_000):
        power = elementwise("add", power * power, number(1)) * x
        sums = elementwise("add", x, sums)
        quotient = reciprocal(quotient + 1)
    for node in (power, sums, quotient):
        text = function_source("f", None, {"v": node}, docstring="")
        assert max(map(len, text.splitlines())) <= 200
        assert len(text) < 200_000
        compile(text, "<test>", "exec")
    assert run(function_source("f", None, {"v": quotient}, docstring=""), "f")(1.0) == pytest.approx((5**0.5 - 1) / 2)
    many = function_source("f", None, {"v": read(" + ".join(f"variable_{i}" for i in range(500)))}, docstring="")
    assert max(map(len, many.splitlines())) <= 110
    assert run(many, "f")(*[1] * 500) == 500


def test_numbers_beyond_floats_are_refused() -> None:
    with pytest.raises(EvaluationError, match="larger than any float"):
        function_source("f", None, {"v": number(10**400)}, docstring="")
    assert "1e+30" in function_source("f", None, {"v": number(10**30) * variable(Symbol("x"))}, docstring="")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("2*einsum('jk,il->ijlk', T.T@T, eye(n))", ["np.einsum('ijik->ijk', t1)[...] = 2*(T.T @ T)", "return t1"]),
        ("einsum('ik,jl->ijkl', eye(n), eye(d))", ["np.einsum('ijij->ij', t1)[...] = 1", "return t1"]),
        ("einsum('ij,kl->ijkl', eye(n), X)", ["np.einsum('iijk->ijk', t1)[...] = X", "return t1"]),
        ("einsum('i,ij,jk->ik', y, eye(n), eye(n))", ["return np.diag(y)"]),
        ("einsum('ij,jk->ik', A, eye(n))", ["return A"]),
        ("einsum('ij,ij->ij', A, eye(n))", ["return np.diag(np.diag(A))"]),
        ("einsum('ij,kk->ij', eye(n), A)", ["return np.trace(A)*np.eye(n, dtype=dtype)"]),
    ],
)
def test_identity_matrices_are_not_multiplied_by(text: str, lines: list[str]) -> None:
    written = [line.strip() for line in source(text).splitlines()]
    assert written[-len(lines) :] == lines


def test_diagonals_hold_what_einsum_would() -> None:
    rng = np.random.default_rng(2)
    values = {"A": rng.normal(size=(4, 4)), "X": rng.normal(size=(4, 3)), "y": rng.normal(size=4), "n": 4, "d": 3}
    arrays = {**values, "I": np.eye(4), "J": np.eye(3)}
    for spec, names in [
        ("ij,ik->kij", "XI"),
        ("ik,jl->ijkl", "IJ"),
        ("ij,jk,kl->ijkl", "III"),
        ("i,ij,jk->ik", "yII"),
        ("ij,jk->ijk", "AI"),
        ("ij,kl,jm->iklm", "IXA"),
        ("ij,kl->kl", "IA"),
        ("ij,jk,ki->", "IAA"),
    ]:
        operands = ", ".join({"I": "eye(n)", "J": "eye(d)"}.get(name, name) for name in names)
        e = expression(f"einsum('{spec}', {operands})")
        expected = np.einsum(spec, *(arrays[name] for name in names))
        np.testing.assert_allclose(evaluate(e, values), expected, rtol=1e-12, atol=1e-12)


def test_long_chains_stay_products_of_matrices() -> None:
    chain = "einsum('ij,jk,kl,lm,mo,pj,pk,pl,pm->ipo', A, A, A, A, A, R, R, R, R)"
    where = "A[n,n], R[b,n]"
    text = function_source(
        "f", None, {"v": expression(f"einsum('ipo,jpo->pij', {chain}, {chain})", where)}, docstring=""
    )
    assert "einsum" not in text
    assert text.count("@") <= 6  # the chain is multiplied once
    rng = np.random.default_rng(3)
    A, R = rng.normal(size=(3, 3)), rng.normal(size=(2, 3))
    once = np.einsum("ij,jk,kl,lm,mo,pj,pk,pl,pm->ipo", *[A] * 5, *[R] * 4)
    np.testing.assert_allclose(run(text, "f")(A, R), np.einsum("ipo,jpo->pij", once, once))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("X.T@diag(y**2*sigmoid(v))@X", "t2 = X*np.sqrt(y**2*np.where(v >= 0, 1, t1)/(1 + t1))[:, None]"),
        ("X@diag(exp(w))@X.T", "t1 = X*np.sqrt(np.exp(w))"),
        ("3*X.T@diag(softmax(y))@X", "t2 = X*np.sqrt(t1/np.sum(t1))[:, None]"),
        ("X.T@diag(y)@X", "return (X*y[:, None]).T @ X"),  # y may be negative
        ("X.T@diag(exp(y))@T", "return (X*np.exp(y)[:, None]).T @ T"),
    ],
)
def test_weights_that_are_not_negative_make_a_product_symmetric(text: str, written: str) -> None:
    lines = [line.strip() for line in source(text).splitlines()]
    assert written in lines, lines


def test_symmetric_products_have_the_same_value() -> None:
    rng = np.random.default_rng(4)
    values = {"X": rng.normal(size=(5, 3)), "y": rng.normal(size=5), "w": rng.normal(size=3)}
    X, y, w = values.values()
    weights = y**2 / (1 + np.exp(-y))
    found = evaluate(expression("X.T@diag(y**2*sigmoid(y))@X/n"), values)
    np.testing.assert_allclose(found, X.T @ np.diag(weights) @ X / 5, rtol=1e-12)
    assert np.array_equal(found, found.T)
    np.testing.assert_allclose(evaluate(expression("X@diag(exp(w))@X.T"), values), X * np.exp(w) @ X.T, rtol=1e-12)


def test_a_selector_in_a_long_product_is_written() -> None:
    rng = np.random.default_rng(6)
    B, W = rng.normal(size=(3, 2)), rng.normal(size=(2, 2))
    derivation = dv.derive("sum(hardtanh(B@W)[:,0])", "B", "B[n,m], W[m,m]")
    passed = np.abs(B @ W[:, 0]) < 1
    np.testing.assert_allclose(evaluate(derivation.result, {"B": B, "W": W}), np.outer(passed, W[:, 0]))


@pytest.mark.parametrize(
    ("text", "where", "written"),
    [
        ("where(x > 0, 1, 0)/sqrt(relu(x))", "", "np.where(x > 0, 1/np.sqrt(np.maximum(x, 0)), 0)"),
        ("where(x > 0, log(x), 0)*y", "", "np.where(x > 0, np.log(x), 0)*y"),
        ("(x > 0)*log(x)", "", "np.where(x > 0, np.log(x), 0)"),
        ("x**p*log(x)", "", "np.where(t1, t1*np.log(x), 0)"),
        ("x**p*log(x)", "x > 0", "x**p*np.log(x)"),  # no power of it is 0
        ("where(x > 0, 1, 0)/(1 + x**2)", "", "np.where(x > 0, 1, 0).astype(dtype)/(1 + x**2)"),  # never 0 below
        ("X.T@(where(X@w > 0, 1, 0)/relu(X@w))", WHERE, "X.T @ np.where(t1 > 0, 1/np.maximum(t1, 0), 0)"),
        ("diag(where(y > 0, 1, 0))@outer(log(y), w)", WHERE, "np.outer(np.where(y > 0, np.log(y), 0), w)"),
    ],
)
def test_an_exact_zero_wins(text: str, where: str, written: str) -> None:
    lines = function_source("model", None, {"result": expression(text, where)}, docstring="").splitlines()
    assert lines[-1].strip() == f"return {written}"


def test_a_case_that_is_not_taken_may_fail() -> None:
    for text, where, given, expected in [
        ("asin(hardtanh(x))", "", {"x": 2.0}, 0),
        ("sqrt(relu(x))", "", {"x": -1.0}, 0),
        ("hardswish(x)**k", "k int", {"x": -4.0, "k": 0}, 0),
        ("x**3/3 + relu(x)**(1/2)", "", {"x": -2.0}, 4),
    ]:
        assert dv.evaluate(dv.derive(text, "x", where).result, **given) == expected
    by_power = dv.derive("sum(onehot(k, n)**t*v)", "t", "v[n], k int").result
    assert dv.evaluate(by_power, k=1, t=1.5, v=[1.0, 2, 3]) == 0
    off_diagonal = dv.derive("D**t", "t", "D[n,n] diagonal").result
    assert np.array_equal(dv.evaluate(off_diagonal, D=np.diag([1.0, 1]), t=0.5), np.zeros((2, 2)))


def test_a_function_of_a_constant_has_its_shape() -> None:
    assert np.array_equal(dv.evaluate("abs(zeros(1, 1))"), [[0]])
    assert np.array_equal(dv.evaluate("X/(1 + abs(zeros(1, 1)))", "X[1,1]", X=[[2.0]]), [[2]])

"""Components, diagonals, triangles and running sums: one normal form, derivatives that read back, NumPy's values."""

from __future__ import annotations

import numpy as np
import pytest

import derivata as dv

WHERE = "G[n,n], H[n,n], A[n,n], X[n,d], Y[n,d], x[n], z[n], w[n], k int"

EQUAL = [
    ("diag(G + H)", "diag(G) + diag(H)"),
    ("diag(exp(G + outer(x, z)))", "exp(diag(G) + x*z)"),
    ("tr(1/G)", "sum(1/diag(G))"),
    ("(z + x)[k]", "z[k] + x[k]"),
    ("exp(G)[k]", "exp(G[k])"),
    ("(G@z)[k]", "G[k]@z"),
    ("tanh(G@x)[k]", "tanh(G[k]@x)"),
    ("sign(X.T)", "sign(X).T"),
    ("tanh(outer(x, ones(d)) + X)", "tanh(X + outer(x, ones(d)))"),
    ("tril(A)*tril(A)", "tril(A**2)"),
    ("triu(A.T)", "tril(A).T"),
    ("cumsum(x)", "tril(ones(n, n))@x"),
    ("cumsum(X, axis=1)", "X@triu(ones(d, d))"),
    ("(X - amax(X, axis=1, keepdims=True)).T", "X.T - amax(X, axis=1)"),
]


@pytest.mark.parametrize(("one", "other"), EQUAL, ids=[one for one, _ in EQUAL])
def test_one_normal_form(one: str, other: str) -> None:
    assert dv.normal(dv.read(one, WHERE)) is dv.normal(dv.read(other, WHERE))


DERIVATIVES = [
    ("atan(A)", "A", "einsum('ij,ik,jl->ijkl', 1/(1 + A**2), eye(n), eye(n))"),
    ("1/sqrt(1 + X**2)", "X", None),
    ("sum((cumsum(x) - z)**2)", "x", "2*tril(ones(n, n)).T@(cumsum(x) - z)"),
    ("sum(tril(A)**2)", "A", "2*tril(A)"),
    ("sum(softmax(tril(A))@x)", "A", None),
    ("logdet(tril(A)@tril(A).T)", "A", None),
    ("X@(w[0]*ones(d) - mean(x))", "x", None),
    ("sum(X/norm(X, axis=1, keepdims=True)*Y)", "X", None),
    ("X - logsumexp(X, axis=1, keepdims=True)", "X", None),
    ("max(X - sum(X, axis=1, keepdims=True), Y)", "Y", None),
]


@pytest.mark.parametrize(("text", "wrt", "expected"), DERIVATIVES, ids=[text for text, *_ in DERIVATIVES])
def test_derivatives_read_back(text: str, wrt: str, expected: str | None) -> None:
    result = dv.derive(text, wrt, WHERE).result
    assert expected is None or str(result) == expected
    assert dv.normal(dv.read(str(result), WHERE)) is dv.normal(result)


def test_numpy_code_sums_as_it_runs() -> None:
    chance = np.random.default_rng(0)
    x, y = chance.normal(size=(3, 4)), chance.normal(size=(3, 4))
    where = "X[n,d], Y[n,d]"
    np.testing.assert_allclose(dv.evaluate("cumsum(X, axis=1)", where, X=x), np.cumsum(x, axis=1))
    np.testing.assert_allclose(dv.evaluate("tril(X) - triu(Y)", where, X=x, Y=y), np.tril(x) - np.triu(y))
    backwards = dv.evaluate(dv.gradient("sum(Y*cumsum(X, axis=0))", "X", where), X=x, Y=y)
    np.testing.assert_allclose(backwards, np.cumsum(y[::-1], axis=0)[::-1])
    assert "np.cumsum" in dv.code("sum(Y*cumsum(X, axis=0))", wrt="X", where=where)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cumsum(X)", "needs an axis"),
        ("tril(x)", "takes a matrix"),
        ("exp(X, keepdims=True)", "reduces no axis"),
        ("amax(X, keepdims=maybe)", "True or False"),
        ("solve(A)", "solve takes 2 arguments"),
    ],
)
def test_what_does_not_fit_says_so(text: str, message: str) -> None:
    with pytest.raises(dv.DerivataError, match=message):
        dv.read(text, WHERE)

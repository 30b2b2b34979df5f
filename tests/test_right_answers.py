"""Expressions whose right derivative was once refused as a bug, or came out as nan: each by the cause it had."""

from __future__ import annotations

import numpy as np
import pytest

import derivata as dv
from derivata.expr.walk import symbols

# An entry is compared with the largest: both must be one value, however they are printed.
EXTREMES = [
    ("amin(A/t, axis=0)", "t", "A[n,m], t"),
    ("amax(R/(1 + R**2), axis=0)", "R", "R[n,1]"),
    ("amin((-((-(einsum('ij,k->ijk', R, u))**2)))**(3/2), axis=-1)*one", "R", "R[n,1], u[n], one[1]"),
    ("sum(where(A/t == amin(A/t, axis=0), A**2*t, t))", "A", "A[n,m], t"),
]


@pytest.mark.parametrize(("text", "wrt", "where"), EXTREMES)
def test_the_place_of_an_extreme_is_decided(text: str, wrt: str, where: str) -> None:
    f = dv.read(text, where)
    found = dv.derive(f, wrt)
    assert found.check.points >= 3
    assert dv.normal(dv.read(str(found.result), where)) is dv.normal(found.result)
    chance = np.random.default_rng(5)
    shapes = {"A": (3, 2), "t": (), "R": (3, 1), "u": (3,), "one": (1,)}
    for _ in range(5):
        given = {name: chance.normal(size=shapes[name]) for name, s in symbols(f).items() if not s.integer}
        value = dv.evaluate(found.result, **given, n=3, m=2)
        along = chance.normal(size=np.shape(given[wrt]))
        ends = [dv.evaluate(f, **{**given, wrt: given[wrt] + h * along}) for h in (1e-6, -1e-6)]
        slope = np.tensordot(value, along, axes=np.ndim(along))
        assert np.allclose(slope, (ends[0] - ends[1]) / 2e-6, rtol=1e-5, atol=1e-7)


def test_ties_share_the_slope() -> None:
    result = dv.gradient("amax(x/(3*t))", "x", "x[n], t")
    assert dv.evaluate(result, x=[0.1, 0.7, 0.7], t=1.3) == pytest.approx(np.array([0, 0.5, 0.5]) / 3.9)


# A rule that is right for its own operands, but not whatever stands in their places.
STEPS = [
    ("x*zeros(n)", "x", ""),
    ("diag(w)@zeros(m, 1)", "w", "w[m]"),
    ("zeros(n, m)/outer(u, v)", "v", "u[n], v[m]"),
    ("logaddexp(b - x, x)", "b", "b[n]"),
    ("erf(r**pi)", "r", "r in (0, 1)"),
    ("sum(abs(D))", "D", "D[n,n] diagonal"),
    ("mean(sum(sign(D), axis=1))", "D", "D[n,n] diagonal"),
    ("amax(D)", "D", "D[n,n] diagonal"),
]

# Text that is printed is read again: arguments that are mapped over beside one that is not.
PRINTED = [
    ("inv(expm(A))@v", "A", "A[n,n], v[n]"),
    ("expm(t*P)[k,:]", "P", "P[n,n], k int"),
]


@pytest.mark.parametrize(("text", "wrt", "where"), STEPS)
def test_a_step_may_hold_for_its_own_operands_only(text: str, wrt: str, where: str) -> None:
    f = dv.read(text, where)
    form = dv.jvp(f, wrt)
    slope = dv.derive(f, wrt).result
    chance = np.random.default_rng(3)
    shapes = {"x": (), "w": (3,), "u": (3,), "v": (3,), "b": (3,), "r": (), "D": (3, 3)}
    given = {name: abs(chance.normal(size=shapes[name])) / 4 for name, s in symbols(f).items() if not s.integer}
    along = chance.normal(size=shapes[wrt])
    if wrt == "D":
        given[wrt], along = np.diag(np.diag(given[wrt])), np.diag(np.diag(along))
    value = dv.evaluate(slope, **given, n=3, m=3)
    expected = np.tensordot(value, along, axes=np.ndim(along))
    assert np.allclose(dv.evaluate(form, **given, **{f"d{wrt}": along}, n=3, m=3), expected)


def test_a_change_of_a_matrix_exponential_may_be_huge() -> None:
    assert dv.derive("R**det(expm(A))", "A", "A[n,n]").check.points >= 3


def test_a_form_is_judged_where_the_expression_has_a_value() -> None:
    found = dv.jvp("where(z == A, A, K)/Q**2", "Q", "A[n,n], K[n,n], Q[n,n] orthogonal")
    assert str(found) == "-2*where(z == A, A, K)/Q**3*dQ"


@pytest.mark.parametrize(("text", "wrt", "where"), PRINTED)
def test_what_is_printed_reads_back(text: str, wrt: str, where: str) -> None:
    result = dv.derive(text, wrt, where).result
    assert dv.normal(dv.read(str(result), where)) is dv.normal(result)
    with pytest.raises(dv.DerivataError, match=r"leading axes of \(k,\) do not fit \(m,\)"):
        dv.read("expm_frechet(A, B)", "A[m,n,n], B[k,n,n]")


def test_a_norm_of_nothing_has_the_chosen_slope() -> None:
    assert str(dv.derive("norm(u - u)", "u", "u[n]").result) == "zeros(n)"


def test_where_the_short_form_has_no_value_the_long_one_is_shown() -> None:
    """Over one denominator, a slope that a condition makes 0 turns into 0/0 where hardtanh is flat."""
    derivation = dv.derive("(acos(hardtanh(B)) + B)**2", "B", where="B[1,m]")
    slope = np.asarray(dv.evaluate(derivation.result, B=[[3.0, -2.0]])).reshape(2, 2)
    assert np.allclose(slope, np.diag([6.0, 2 * (np.pi - 2)]))


def test_extreme_eigenvalues_have_the_outer_product_of_their_eigenvectors() -> None:
    matrix = np.array([[2.0, 1, 0], [1, 3, 0.5], [0, 0.5, 1]])
    values, vectors = np.linalg.eigh(matrix)
    for name, place in (("eigmax", -1), ("eigmin", 0)):
        assert np.isclose(dv.evaluate(f"{name}(A)", "A[n,n]", A=matrix), values[place])
        gradient = dv.evaluate(dv.gradient(f"{name}(A)", "A", "A[n,n]"), A=matrix)
        assert np.allclose(gradient, np.outer(vectors[:, place], vectors[:, place]))
    hessian = dv.evaluate(dv.hessian("eigmax(A)", "A", "A[n,n]"), A=matrix)
    step = 1e-5 * np.eye(3)[[0]].T @ np.eye(3)[[1]]
    slopes = [np.linalg.eigh(m + m.T)[1][:, -1] for m in (matrix + step, matrix - step)]
    assert np.allclose(hessian[:, :, 0, 1], (np.outer(*slopes[:1] * 2) - np.outer(*slopes[1:] * 2)) / 2e-5, atol=1e-8)


def test_a_log_determinant_by_its_cholesky_factor_is_one() -> None:
    text, where = "2*sum(log(diag(cholesky(K + s*eye(n)))))", "K[n,n] positive definite, s > 0"
    assert str(dv.derive(text, "s", where=where).result) == "tr(inv(K + s*eye(n)))"
    assert str(dv.gradient("sum(log(diag(cholesky(A))))", "A", "A[n,n] positive definite")) == "inv(A)/2"

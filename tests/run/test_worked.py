"""A derivation with numbers put in: which numbers, that they are right, and what is said where they cannot be."""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction

import numpy as np
import pytest

import derivata as dv
from derivata.apps.cli import main

WHERE = "X[n,d], y[n], w[d]"
SQUARES = ["sum((X@w - y)**2)", "--wrt", "w", "--where", WHERE, "--no-steps"]

# formula, variable, declarations, order
EXPRESSIONS = [
    ("log(sigmoid(w*x + b))", "w", "", 1),
    ("x**3*y", "x", "", 3),
    ("sum(log(1 + exp(-y*(X@w))))", "w", WHERE, 1),
    ("softmax(z)", "z", "z[n]", 1),
    ("logsumexp(z)", "z", "z[n]", 2),
    ("-log(softmax(z)[k])", "z", "z[n], k int", 1),
    ("softmax(z)", "z[k]", "z[n]", 1),
    ("sum(A*x)*A[0,1]", "A[0,j]", "A[m,n], x[n]", 2),
    ("sum(relu(W@x + b))", "W", "W[m,n], x[n], b[m]", 1),
    ("inv(A)@x", "A", "A[n,n] symmetric, x[n]", 1),
    ("logdet(A@A)", "A", "A[n,n] diagonal", 1),
    ("x@inv(S)@x + logdet(S)", "S", "x[n], S[n,n] positive definite", 1),
    ("A@X@B", "X", "A[m,n], X[n,p], B[p,q]", 1),
    ("norm(W2@tanh(W1@x) - y)**2/2", "W1", "W1[h,d], W2[k,h], x[d], y[k]", 1),
    ("acosh(x)*atanh(y)/sqrt(u - 10)", "x", "u > 10", 1),
    ("n*x[4]**2*sum(x)", "x", "x[n]", 1),
    ("det(A)", "A", "A[8,8]", 1),
]


@pytest.mark.parametrize(("text", "wrt", "where", "order"), EXPRESSIONS)
def test_values_are_those_of_numpy_and_of_differences(text: str, wrt: str, where: str, order: int) -> None:
    derivation = dv.derive(text, wrt, where, order=order)
    worked = dv.worked(derivation)
    given = {**worked.arrays, **worked.sizes}
    assert np.allclose(worked.value, dv.evaluate(dv.read(text, where), **given), rtol=1e-12)
    assert np.allclose(worked.derivative, dv.evaluate(derivation.result, **given), rtol=1e-12)
    assert worked.compared
    assert all(abs(row.derivative - row.difference) <= 1e-6 * max(1, abs(row.derivative)) for row in worked.compared)
    assert all(len(str(value)) <= 5 for array in worked.inputs.values() for value in array.entries)


def test_every_part_is_shown_once_and_has_its_value() -> None:
    worked = dv.worked(dv.derive("sum((X@w - y)**2)", "w", WHERE), n=2, d=3)
    assert [text for text, _ in worked.lines] == [
        *("X@w", "X@w - y", "(X@w - y)**2", "sum((X@w - y)**2)"),
        *("X.T@(X@w - y)", "2*X.T@(X@w - y)"),
    ]
    values = {name: np.array(value) for name, value in worked.arrays.items()}
    for text, value in worked.lines:
        assert np.array_equal(dv.evaluate(text, WHERE, **values), value)


def test_long_parts_are_written_by_name() -> None:
    lstm = "sum(g*(sigmoid(Wo@x)*tanh(sigmoid(Wf@x)*c + sigmoid(Wi@x)*tanh(Wc@x))))"
    worked = dv.worked(dv.derive(lstm, "Wf", "Wo[h,d], Wf[h,d], Wi[h,d], Wc[h,d], x[d], c[h], g[h]"))
    lines = dict(worked.lines)
    named = next(text for text in lines if text.startswith("t1 = "))
    assert named == "t1 = sigmoid(Wf@x)*c + sigmoid(Wi@x)*tanh(Wc@x)"
    assert np.allclose(np.tanh(lines[named]), lines["tanh(t1)"], rtol=1e-14)
    assert max(map(len, lines)) < 90
    assert not any(text.startswith("t3 =") for text in lines)  # the same sum in another order is not told twice


def test_a_wrong_derivative_shows() -> None:
    derivation = dv.derive("sum(sin(x))", "x", "x[n]")
    worked = dv.worked(dataclasses.replace(derivation, result=dv.read("1.001*cos(x)", "x[n]")))
    assert all(0.0009 < (row.error or 0) < 0.0011 for row in worked.compared)


def test_numbers_obey_what_was_declared() -> None:
    where = "p[m,n] sums to 1, Q[n,n] orthogonal, S[n,n] positive definite, A[n,n] symmetric, D[n,n] diagonal"
    more = ", lam in (0, 1), u > 10, v <= -1/2, k int, j int, r int"
    text = "tr(Q@S@A@D)*sum(p@Q)*lam*u*v*p[j,k]*r**2"
    for n in (2, 3, 5):
        got = dv.worked(dv.derive(text, "lam", where + more), n=n, m=3).arrays
        p, Q, S, A, D = (np.array(got[name]) for name in "pQSAD")
        assert (p > 0).all()
        assert np.allclose(p.sum(axis=1), 1)
        assert np.allclose(Q @ Q.T, np.eye(n))
        assert np.array_equal(S, S.T)
        assert np.linalg.eigvalsh(S).min() > 0.1
        assert np.array_equal(A, A.T)
        assert np.array_equal(D, np.diag(np.diag(D)))
        assert 0 < got["lam"] < 1
        assert got["u"] > 10
        assert got["v"] <= -0.5
        assert got["k"] in range(n)
        assert got["j"] in range(3)
        assert got["r"] == int(got["r"])


def test_sizes_that_are_not_given_are_chosen() -> None:
    worked = dv.worked(dv.derive("sum((X@w - y)**2)", "w", WHERE), n=2)
    assert dict(worked.sizes) == {"n": 2, "d": 3}
    assert worked.chosen == ("d",)
    assert str(worked).startswith("Worked instance: n = 2, d = 3 (chosen)\n")
    assert dict(dv.worked(dv.derive("inv(A)", "A", "A[n,n]")).sizes) == {"n": 2}  # 3 would make 81 entries
    assert dict(dv.worked(dv.derive("x[5]**2", "x", "x[n]")).sizes) == {"n": 6}


def test_scalars_may_be_set() -> None:
    derivation = dv.derive("x**2*y", "x")
    assert dv.worked(derivation, x=0.5, y=Fraction(3)).derivative == 3
    assert dv.worked(dv.derive("a*sum(z)", "z[k]", "z[n]"), k=2).compared[0].entry == "z[2]"
    assert dv.worked(derivation, x=np.float64(0.5), y=np.int64(3)).derivative == 3


def test_mirrored_entries_move_together() -> None:
    worked = dv.worked(dv.derive("sum(A*B)", "A", "A[n,n] symmetric, B[n,n]"))
    (_, b), (c, _) = worked.arrays["B"]
    row = {row.entry: row for row in worked.compared}
    assert list(row) == ["A[0,0]", "A[0,1]", "A[1,1]"]
    assert row["A[0,1]"].difference == row["A[0,1]"].derivative == b + c
    assert "A is symmetric: mirrored entries move together" in worked.notes()


def test_kinks_are_avoided_or_told() -> None:
    derivation = dv.derive("sum(relu(W@x))", "W", "W[m,n], x[n]")
    assert not any(row.kink for row in dv.worked(derivation).compared)
    at_kink = dv.worked(dv.derive("relu(x) + abs(y)", "x"), x=0)
    assert [row.error_text for row in at_kink.compared] == ["at a kink"]
    assert "kink at x: slope 0 from the left, 1 from the right" in at_kink.notes()
    assert "kink at x: the value jumps" in dv.worked(dv.derive("sign(x)", "x"), x=0).notes()
    bent = dv.worked(dv.derive("abs(x)", "x"), x=0)  # central differences of abs agree with the slope we give
    assert bent.compared[0].kink == "slope -1 from the left, 1 from the right"


def test_a_worked_instance_does_not_change() -> None:
    worked = dv.worked(dv.derive("x**2", "x"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        worked.parts = ()  # type: ignore[misc]
    with pytest.raises(TypeError):
        worked.arrays["x"] = 1  # type: ignore[index]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The exit status of the command line, and what it printed."""
    try:
        main(list(arguments))
        status = 0
    except SystemExit as stop:
        status = int(stop.code or 0)
    return status, *capsys.readouterr()


# what --with says, what the message says
MISTAKES = [
    ("N=3", "'N' is neither a size nor a variable of the expression; did you mean n?"),
    ("rows=3", "it has: n, d, X, w, y"),
    ("n=0", "a positive whole number was expected, 0 was given"),
    ("n=2.5", "a positive whole number was expected, 2.5 was given"),
    ("n=two", "--with: expected a number for n"),
    ("n=1/0", "--with: expected a number for n"),
    ("n=" + "9" * 50, "--with: expected a number for n"),
    ("n=__import__('os')", "--with: expected a number for n"),
    ("n", "--with: expected NAME=NUMBER"),
    ("n=2,,d=3", "--with: expected NAME=NUMBER"),
    ("=3", "--with: expected NAME=NUMBER"),
    ("n=2,n=3", "--with: n is set twice"),
    ("w=1", "w is an array; only sizes and scalars can be set"),
    ("n=10,d=10", "X would have 100 entries with n = 10, d = 10; a worked instance is there to be read"),
    ("n=99999999999", "entries"),
]


@pytest.mark.parametrize(("numbers", "message"), MISTAKES)
def test_a_mistake_is_told(numbers: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "derive", *SQUARES, "--with", numbers)
    assert status == 2
    assert not out
    assert err.startswith("error: ")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "where", "given", "message"),
    [
        ("lam*x", "lam > 0", {"lam": -1}, "lam was declared > 0, -1 was given"),
        ("k*x", "k int", {"k": 0.5}, "k was declared a whole number, 0.5 was given"),
        ("x*z[4]", "z[n]", {"n": 3}, "n = 3 is too small"),
        ("x*sum(z)", "z[100]", {}, "z would have 100 entries"),
        ("sin(" * 120 + "x" + ")" * 120, "", {}, "too many for a worked instance"),
        ("f(x)", "", {}, "f is an unspecified function"),
        ("sqrt(x)", "", {"x": 0}, "with x = 0 the expression or its derivative has no value"),
        ("exp(x)", "", {"x": 5000}, "with x = 5000 the expression or its derivative has no value"),
        ("x*y", "", {"y": "2"}, "y must be a number"),
        ("x*y", "", {"y": float("inf")}, "y must be a number"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(text: str, where: str, given: dict[str, object], message: str) -> None:
    derivation = dv.derive(text, "x", where)
    with pytest.raises(dv.DerivataError, match=message):
        dv.worked(derivation, **given)


def test_every_format_shows_it(capsys: pytest.CaptureFixture[str]) -> None:
    shown = {}
    for form in ("text", "unicode", "latex", "json"):
        status, shown[form], _ = run(capsys, "derive", *SQUARES, "--with", "n=2", "--with", "d=2", "--format", form)
        assert status == 0
    assert "X@w - y = [2, -7]\n" in shown["text"]
    assert "X w - y = [2, -7]\n" in shown["unicode"]
    assert "X = ⎡ 2  1⎤\n    ⎣-1  3⎦\n" in shown["unicode"]
    assert r"X w - y &= \begin{bmatrix} 2 \\ -7 \end{bmatrix} \\" in shown["latex"]
    found = json.loads(shown["json"])
    assert found["result"] == "2*X.T@(X@w - y)"
    assert found["worked"]["arrays"]["X"] == [[2, 1], [-1, 3]]
    assert found["worked"]["derivative"][-1]["value"] == [22, -38]
    assert [row["central_difference"] for row in found["worked"]["compared"]] == pytest.approx([22, -38])


def test_tall_arrays_stand_under_their_names() -> None:
    text = dv.worked(dv.derive("inv(A)", "A", "A[n,n]")).text()
    assert "inv(A) = [[0.428571, -0.142857],\n          [0.142857,  0.285714]]\n" in text
    assert "numbers are rounded to 6 digits" in text
    wide = dv.worked(dv.derive("sum(x)", "x", "x[n]"), n=64)
    assert max(map(len, wide.text().split("\n"))) <= 100


def test_a_long_table_leaves_zeros_out() -> None:
    worked = dv.worked(dv.derive("kron(A, B)", "A", "A[m,n], B[p,q]"), m=2, n=2, p=2, q=2)
    assert len(worked.compared) == 64
    table = worked.text().split("(h = 0.0001):\n")[1].split("\n")
    assert len(table) == 1 + 16 + 1
    assert table[-1] == "48 entries that are 0 on both sides are left out"

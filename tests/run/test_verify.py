"""The check: right derivatives pass, wrong ones never do, however small the mistake."""

from __future__ import annotations

from fractions import Fraction

import pytest

from derivata.calculus.derive import derivative, linearise
from derivata.errors import VerificationError
from derivata.expr.lower import read
from derivata.expr.node import ONE, ZERO, Expr, differential, number, variable
from derivata.expr.symbol import declare
from derivata.expr.walk import replace, symbols
from derivata.rules.book import book
from derivata.run.verify import Check, verify_derivative, verify_equal, verify_rules

TINY = number(Fraction(1, 10**30))

RIGHT = [
    ("x**2*exp(x)", "x", "x*(x + 2)*exp(x)", ""),
    ("log(sigmoid(w*x + b))", "w", "x*sigmoid(-(w*x + b))", ""),
    ("sum((X@w - y)**2)", "w", "2*X.T@(X@w - y)", "X[n,d], y[n], w[d]"),
    ("sum(log(1 + exp(-y*(X@w))))", "w", "-X.T@(y*sigmoid(-y*(X@w)))", "X[n,d], y[n], w[d]"),
    ("softmax(z)", "z", "diag(softmax(z)) - outer(softmax(z), softmax(z))", "z[n]"),
    ("f(x**2)", "x", "2*x*f'(x**2)", ""),
    ("f'(x)*g(x)", "x", "f''(x)*g(x) + f'(x)*g'(x)", ""),
    ("x**p", "x", "p*x**(p - 1)", ""),
    ("x**p", "p", "x**p*log(x)", ""),
    ("x**k", "x", "k*x**(k - 1)", "k int"),
    ("where(x > 0, x, 0)**2", "x", "where(x > 0, 2*x, 0)", ""),
    ("where(x > 1, log(log(x)), 0)", "x", "where(x > 1, 1, 0)/(x*log(x))", ""),
    ("abs(x)", "x", "sign(x)", ""),
    ("sqrt(x**2)", "x", "x/abs(x)", ""),
    ("log(x**2)", "x", "2/x", ""),
    ("max(x, y)", "y", "step(y - x)", ""),
    ("norm(A@x)", "x", "A.T@(A@x)/norm(A@x)", "A[m,n], x[n]"),
    ("logsumexp(z)", "z", "softmax(z)", "z[n]"),
    ("tr(A.T@A)", "A", "2*A", "A[m,n]"),
    ("A@x", "A", "einsum('ik,j->ikj', eye(m), x)", "A[m,n], x[n]"),
    ("x[k]", "x", "onehot(k, n)", "x[n], k int"),
    ("tr(A@X)", "X", "A + A.T - A*eye(n)", "A[n,n], X[n,n] symmetric"),
    ("tr(A@X)", "X", "A*eye(n)", "A[n,n], X[n,n] diagonal"),
    ("tr(A@X)", "X", "A.T", "A[n,n], X[n,n] positive definite"),
    ("sum(y*log(p))", "p", "y/p", "y[n] sums to 1, p[n] sums to 1"),
    ("log(1 - u) + log(u - 3/4)", "u", "1/(u - 1) + 1/(u - 3/4)", "u in (0, 1)"),
    ("c**2", "x", "0", ""),
]

WRONG = [
    ("sqrt(x**2)", "x", "1", ""),
    ("sqrt(x**2)", "x", "sqrt(x)/sqrt(x)", ""),
    ("sqrt(x*y)", "x", "sqrt(y)/(2*sqrt(x))", ""),
    ("log(x**2)", "x", "2/abs(x)", ""),
    ("abs(x)", "x", "1", ""),
    ("where(x > 0, x, 0)", "x", "1", ""),
    ("tr(A@A.T@A)", "A", "3*A@A", "A[n,n]"),
    ("x**p", "p", "x**p", ""),
    ("x**k", "x", "k*x**k", "k int"),
    ("f(2*x)", "x", "f'(2*x)", ""),
    ("f(x)", "x", "f(x)", ""),
    ("f(x)", "x", "g'(x)", ""),
    ("softmax(z)", "z", "diag(softmax(z))", "z[n]"),
    ("A@x", "x", "A.T", "A[n,n], x[n]"),
    ("tr(A@X)", "X", "A", "A[n,n], X[n,n]"),
    ("tr(A@X)", "X", "A.T", "A[n,n], X[n,n] symmetric"),
    ("tr(A@X)", "X", "(A + A.T)/2", "A[n,n], X[n,n] symmetric"),
    ("sum(p)", "p", "zeros(n)", "p[n] sums to 1"),
    ("x**3", "x", "3*exp(2*log(x))", ""),
]


def posed(text: str, by: str, result: str, where: str) -> tuple[Expr, Expr, Expr]:
    f, found = (read(t, where, book().vocabulary) for t in (text, result))
    declared = declare(where).lookup(by)
    return f, variable(symbols(f).get(by) or declared or read(by).data), found


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: f"{case[0]} by {case[1]}")
def test_a_right_derivative_passes(case: tuple[str, str, str, str]) -> None:
    assert verify_derivative(*posed(*case)) == Check(points=24, digits=50)


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: f"{case[0]} by {case[1]}")
def test_an_error_of_a_part_in_1e30_is_refused(case: tuple[str, str, str, str]) -> None:
    f, x, right = posed(*case)
    for wrong in (right + TINY, right * (ONE + TINY) if right is not ZERO else TINY):
        with pytest.raises(VerificationError, match="disagrees with exact arithmetic"):
            verify_derivative(f, x, wrong)


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case[0]} by {case[1]}")
def test_a_wrong_derivative_is_refused(case: tuple[str, str, str, str]) -> None:
    with pytest.raises(VerificationError, match="disagrees with exact arithmetic"):
        verify_derivative(*posed(*case))


def test_the_refusal_says_what_happened_where() -> None:
    with pytest.raises(VerificationError, match=r"of x\*\*2 .*the slope is .*gives .* at x = .*bug"):
        verify_derivative(*posed("x**2", "x", "x", ""))
    with pytest.raises(VerificationError, match="gives no value"):
        verify_derivative(*posed("x**2", "x", "2*sqrt(x)**2", ""))


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(VerificationError, match="shape"):
        verify_derivative(*posed("sum(x)", "x", "1", "x[n]"))


def test_without_points_of_the_domain_nothing_is_claimed() -> None:
    with pytest.raises(VerificationError, match="none lay in the domain"):
        verify_derivative(*posed("log(-1 - x**2)", "x", "2*x/(1 + x**2)", ""))


def test_the_numbers_asked_for_are_kept() -> None:
    check = verify_derivative(*posed("exp(x)", "x", "exp(x)", ""), points=5, digits=100)
    assert str(check) == "checked: 5 points, 100 digits"
    assert str(Check(24, 50, kinks=("x = 0",))).endswith("; not differentiable at x = 0")


def test_cancellation_is_met_with_more_digits() -> None:
    f, x, result = posed("(exp(x) - exp(x + c))/c", "x", "(exp(x) - exp(x + c))/c", "c in (0, 1e-60)")
    assert verify_derivative(f, x, result).points == 24


def test_large_literal_sizes_get_fewer_points() -> None:
    check = verify_derivative(*posed("sum(X**2)", "X", "2*X", "X[100,50]"))
    assert 2 <= check.points < 24


def test_equal_forms() -> None:
    def equal(a: str, b: str, where: str = "") -> Check:
        return verify_equal(read(a, where, book().vocabulary), read(b, where, book().vocabulary))

    assert str(equal("(x + 1)**2", "x**2 + 2*x + 1")) == "checked: 24 points, 50 digits"
    assert equal("x/x", "1").points == 24
    assert equal("A.T@B.T", "(B@A).T", "A[n,m], B[k,n]").points == 24
    for a, b in (("sqrt(x**2)", "x"), ("log(x**2)", "2*log(x)"), ("x", "x + 1e-30")):
        with pytest.raises(VerificationError):
            equal(a, b)
    with pytest.raises(VerificationError, match="shape"):
        equal("x", "sum(x)", "x[n]")


LOCAL = [
    ("x**2*exp(x)/tanh(x)", "x", ""),
    ("sum(log(1 + exp(-y*(X@w))))", "w", "X[n,d], y[n], w[d]"),
    ("where(x > 0, log(x), x**2)/(1 + exp(-x))", "x", ""),
    ("f(x)**k/g(2*x)", "x", "k int"),
    ("tanh(W@softmax(V@x) + b)[k]", "V", "W[m,n], V[n,d], x[d], b[m], k int"),
    ("x**x*max(x, 1)", "x", ""),
    ("n*norm(x)/amax(x)", "x", "x[n]"),
]


@pytest.mark.parametrize("case", LOCAL, ids=lambda case: case[0])
def test_every_rule_application_is_checked(case: tuple[str, str, str]) -> None:
    text, by, where = case
    f = read(text, where, book().vocabulary)
    x = variable(symbols(f)[by])
    assert x is not None
    result, found = derivative(f, x, book())
    steps = [(step.before, step.after) for step in found.steps]
    assert verify_rules(steps, wrt=(x,)).local == len(steps)
    assert verify_derivative(f, x, result).points == 24
    for i, (before, after) in enumerate(steps):
        for wrong in (after + TINY, after * 2 + TINY):
            with pytest.raises(VerificationError, match="step of the derivation"):
                verify_rules([*steps[:i], (before, wrong), *steps[i + 1 :]], wrt=(x,))


def test_a_forgotten_term_of_a_rule_is_seen() -> None:
    f = read("x*exp(x)", "", book().vocabulary)
    x, e = (child for child, _ in f.args)
    whole = (differential(f), differential(x) * e + x * differential(e))
    inner = (differential(e), e * differential(x))
    assert verify_rules([whole, inner], wrt=(x,)).local == 2
    with pytest.raises(VerificationError):
        verify_rules([(differential(f), differential(x) * e), inner], wrt=(x,))
    with pytest.raises(VerificationError):
        verify_rules([(differential(f), x * differential(e)), inner], wrt=(x,))


def test_deep_chains_are_checked_rule_by_rule() -> None:
    layers = [read(t, "", book().vocabulary) for t in ("tanh(z)*z + 3*x", "exp(-z**2)/2", "sigmoid(z/x)")]
    x, z = read("x"), read("z")
    y = x
    for level in range(600):
        y = replace(layers[level % 3], {z: y})
    steps = [(s.before, s.after) for s in linearise(y, x, book()).steps]
    assert verify_rules(steps, wrt=(x,)).local == len(steps) > 1500
    before, after = steps[1000]
    steps[1000] = (before, after + TINY)
    with pytest.raises(VerificationError):
        verify_rules(steps, wrt=(x,))

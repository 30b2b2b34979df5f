"""Derivatives everybody knows, in the form in which everybody knows them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import derivata as dv
from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, POWER, PRIMITIVE, SYMBOL, Expr
from derivata.expr.walk import topological
from derivata.rules.book import book

VECTORS = "X[n,d], y[n], w[d], z[n], k int"

FORMS = [
    ("1/x", "x", "", "-1/x**2"),
    ("log(x)", "x", "", "1/x"),
    ("exp(x)", "x", "", "exp(x)"),
    ("f(x)*g(x)", "x", "", "f'(x)*g(x) + f(x)*g'(x)"),
    ("f(x)/g(x)", "x", "", "(f'(x)*g(x) - f(x)*g'(x))/g(x)**2"),
    ("x**n", "x", "", "n*x**(n-1)"),
    ("sigmoid(x)", "x", "", "sigmoid(x)*(1-sigmoid(x))"),
    ("1/(1+exp(-x))", "x", "", "sigmoid(x)*(1-sigmoid(x))"),
    ("tanh(x)", "x", "", "1-tanh(x)**2"),
    ("relu(x)", "x", "", "where(x > 0, 1, 0)"),
    ("leaky_relu(x, a)", "x", "", "where(x > 0, 1, a)"),
    ("log(sigmoid(x))", "x", "", "sigmoid(-x)"),
    ("log(1+exp(x))", "x", "", "sigmoid(x)"),
    ("x*sigmoid(x)", "x", "", "sigmoid(x)*(1 + x*(1-sigmoid(x)))"),
    ("log(cosh(x))", "x", "", "tanh(x)"),
    ("-y*log(sigmoid(w*x+b)) - (1-y)*log(1-sigmoid(w*x+b))", "w", "", "x*(sigmoid(w*x+b) - y)"),
    ("-y*log(sigmoid(w*x+b)) - (1-y)*log(1-sigmoid(w*x+b))", "b", "", "sigmoid(w*x+b) - y"),
    ("-y*log(sigmoid(w*x+b)) - (1-y)*log(1-sigmoid(w*x+b))", "x", "", "w*(sigmoid(w*x+b) - y)"),
    ("x**2*y + sin(x*y)", "x", "", "2*x*y + y*cos(x*y)"),
    ("x**2*y + sin(x*y)", "y", "", "x**2 + x*cos(x*y)"),
    ("sum((X@w - y)**2)", "w", VECTORS, "2*X.T@(X@w - y)"),
    ("sum(log(1 + exp(-y*(X@w))))", "w", VECTORS, "-X.T@(y*sigmoid(-y*(X@w)))"),
    ("softmax(z)", "z", VECTORS, "diag(softmax(z)) - outer(softmax(z), softmax(z))"),
    ("-sum(y*log(softmax(z)))", "z", VECTORS, "sum(y)*softmax(z) - y"),
    ("-sum(y*log(softmax(z)))", "z", "z[n], y[n] sums to 1", "softmax(z) - y"),
    ("-log(softmax(z)[k])", "z", VECTORS, "softmax(z) - onehot(k, n)"),
    # Beyond the list: what a textbook or a paper prints.
    ("sqrt(x)", "x", "", "1/(2*sqrt(x))"),
    ("1/sqrt(x)", "x", "", "-1/(2*x**(3/2))"),
    ("x**x", "x", "", "x**x*(log(x) + 1)"),
    ("x*log(x)", "x", "", "log(x) + 1"),
    ("sin(x)*cos(x)", "x", "", "cos(x)**2 - sin(x)**2"),
    ("sin(x)/x", "x", "", "(x*cos(x) - sin(x))/x**2"),
    ("exp(-x**2)", "x", "", "-2*x*exp(-x**2)"),
    ("atan2(y, x)", "x", "", "-y/(x**2 + y**2)"),
    ("(a*x+b)/(c*x+d)", "x", "", "(a*d - b*c)/(c*x + d)**2"),
    ("f(g(x))", "x", "", "f'(g(x))*g'(x)"),
    ("x*tanh(softplus(x))", "x", "", "tanh(softplus(x)) + x*sigmoid(x)*(1 - tanh(softplus(x))**2)"),
    ("-log(s) - (x-mu)**2/(2*s**2)", "s", "s > 0", "(x - mu)**2/s**3 - 1/s"),
    ("p*log(p/q) + (1-p)*log((1-p)/(1-q))", "q", "p > 0, q > 0", "(q - p)/(q*(1 - q))"),
    (
        "where(abs(r) <= delta, r**2/2, delta*(abs(r) - delta/2))",
        *("r", "", "where(abs(r) <= delta, r, delta*sign(r))"),
    ),
    ("w@S@w", "w", "w[d], S[d,d] symmetric", "2*S@w"),
    ("w@A@w", "w", "w[d], A[d,d]", "(A + A.T)@w"),
    ("sum((Y - U@V.T)**2)", "V", "Y[n,d], U[n,m], V[d,m]", "2*(U@V.T - Y).T@U"),
    ("c@sigmoid(A@z)", "A", "c[n], A[n,m], z[m]", "outer(c*sigmoid(A@z)*(1 - sigmoid(A@z)), z)"),
    ("norm(X@w - y)", "w", VECTORS, "X.T@(X@w - y)/norm(X@w - y)"),
    ("logsumexp(z)", "z", VECTORS, "softmax(z)"),
    ("log(sum(exp(z)))", "z", VECTORS, "softmax(z)"),
    ("log_softmax(z)", "z", VECTORS, "eye(n) - outer(ones(n), softmax(z))"),
    ("sum(c*(z - mean(z)))", "z", "c[n], z[n]", "c - sum(c)/n"),
]

SECOND = [
    ("sum((X@w - y)**2)", "w", VECTORS, "2*X.T@X"),
    (
        "sum(log(1 + exp(-y*(X@w))))",
        *("w", VECTORS, "X.T@diag(y**2*sigmoid(y*(X@w))*(1 - sigmoid(y*(X@w))))@X"),
    ),
    ("logsumexp(z)", "z", VECTORS, "diag(softmax(z)) - outer(softmax(z), softmax(z))"),
    ("log(x)", "x", "", "-1/x**2"),
    ("x**3*y", "x", "", "6*x*y"),
]


def form(node: Expr) -> Any:
    """The expression up to the order of terms and factors, and to where the sign of a product stands."""
    sign, key = _signed(node)
    return sign, key


def _signed(node: Expr) -> tuple[Fraction, Any]:
    """A number, and the form of the rest with a sign that does not depend on how it was written."""
    if node.head == NUMBER:
        return Fraction(node.data), ("one",)
    if node.head == CALL and node.data == ADD:
        terms = sorted((repr(_signed(t)[1]), _signed(t)[0], labels) for t, labels in _terms(node))
        sign = 1 if terms[0][1] > 0 else -1
        return Fraction(sign), ("sum", tuple((key, sign * n, labels) for key, n, labels in terms))
    if _is_product(node) or (node.head == CALL and node.data == POWER):
        number, factors = _factors(node)
        if len(factors) == 1 and factors[0][1] == 1:
            return number, factors[0][0]
        return number, ("product", tuple(sorted(map(repr, factors))))
    if node.head == SYMBOL:
        return Fraction(1), ("symbol", node.data.name)
    parts = tuple((repr(form(child)), labels) for child, labels in node.args)
    if node.head == CONTRACTION:
        number = Fraction(1)
        for child, _ in node.args:
            number *= _signed(child)[0]
        parts = tuple((repr(_signed(child)[1]), labels) for child, labels in node.args)
        return number, (node.head, node.data, parts)
    return Fraction(1), (node.head, node.data, parts)


def _terms(node: Expr) -> list[tuple[Expr, tuple[int, ...]]]:
    found = []
    for child, labels in node.args:
        if child.head == CALL and child.data == ADD:
            found += [(c, tuple(labels[i] for i in where)) for c, where in _terms(child)]
        else:
            found.append((child, labels))
    return found


def _is_product(node: Expr) -> bool:
    whole = tuple(range(len(node.shape)))
    return node.head == CONTRACTION and node.data == whole and all(w in ((), whole) for _, w in node.args)


def _factors(node: Expr, exponent: Fraction = Fraction(1)) -> tuple[Fraction, list[Any]]:
    """The number in front and the powers of a product; divisors are powers too."""
    if node.head == CALL and node.data == POWER and node.args[1][0].head == NUMBER:
        base, power = node.args[0][0], node.args[1][0].data
        if _is_product(base) and power == -1:
            return _factors(base, exponent * power)
        number, key = _signed(base)
        if (exponent * power).denominator == 1:
            return number ** int(exponent * power), [(key, exponent * power)]
        return Fraction(1), [((number, key), exponent * power)]
    if not _is_product(node):
        number, key = _signed(node) if node.head != CALL or node.data != POWER else (Fraction(1), _power(node))
        return number**exponent, [] if key == ("one",) else [(key, exponent)]
    whole, found = Fraction(1), []
    for child, _ in node.args:
        number, factors = _factors(child, exponent)
        whole *= number
        found += factors
    return whole, found


def _power(node: Expr) -> Any:
    return ("power", *(repr(form(child)) for child, _ in node.args))


def the_same(found: Expr, wanted: str, where: str) -> bool:
    return bool(form(found) == form(dv.read(wanted, where)))


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("x*y + 2", "2 + y*x", True),
        ("x*(a - b)", "-(b - a)*x", True),
        ("x/2", "0.5*x", True),
        ("1/(2*x)", "0.5/x", True),
        ("1/(x*y)", "1/y/x", True),
        ("sigmoid(x)*(1 - sigmoid(x))", "sigmoid(x)*sigmoid(-x)", False),
        ("sigmoid(x)*(1 - sigmoid(x))", "sigmoid(x) - sigmoid(x)**2", False),
        ("x + y", "x - y", False),
        ("(x - y)**3", "(y - x)**3", False),
        ("x**2", "x*x", False),
        ("f(x)", "f'(x)", False),
        ("2*x", "3*x", False),
    ],
)
def test_forms_are_told_apart(one: str, other: str, alike: bool) -> None:
    assert (form(dv.read(one)) == form(dv.read(other))) is alike


@pytest.mark.parametrize(("text", "wrt", "where", "wanted"), FORMS)
def test_the_form_of_the_textbook(text: str, wrt: str, where: str, wanted: str) -> None:
    derivation = dv.derive(text, wrt, where=where)
    assert the_same(derivation.result, wanted, where), str(derivation.result)
    assert "checked: " in str(derivation)


@pytest.mark.parametrize(("text", "wrt", "where", "wanted"), SECOND)
def test_second_derivatives(text: str, wrt: str, where: str, wanted: str) -> None:
    found = dv.hessian(text, wrt, where=where)
    assert the_same(found, wanted, where), str(found)


@pytest.mark.parametrize(("text", "wrt", "where", "wanted"), FORMS)
def test_no_function_appears_from_nowhere(text: str, wrt: str, where: str, wanted: str) -> None:
    """Every function in the result is in the input, in the name of a part of it, or in the form wanted."""
    allowed = names(dv.read(text, where)) | names(dv.read(wanted, where)) | {ADD, POWER}
    assert names(dv.gradient(text, wrt, where=where) if not dv.read(text, where).shape else dv.read(wanted, where)) <= (
        allowed
    )


def names(root: Expr) -> set[str]:
    found = {n.data for n in topological(root) if n.head == CALL}
    return found | {n.data[0] for n in topological(root) if n.head == PRIMITIVE}


def test_domain_kinks_and_constants_are_stated() -> None:
    assert "domain: x > 0, or n a whole number" in str(dv.derive("x**n", "x"))
    assert "domain: x > 0" in str(dv.derive("log(x)"))
    assert "held constant: y" in str(dv.derive("x**2*y + sin(x*y)", "x"))
    kinks = dv.derive("relu(x)").kinks
    assert kinks == ("relu(x) at x = 0: slope 0 from the left, 1 from the right, chosen 0",)
    assert "slope a from the left, 1 from the right, chosen a" in str(dv.derive("leaky_relu(x, a)", "x"))


def test_kinks_can_be_refused() -> None:
    with pytest.raises(dv.DerivataError, match="does not exist everywhere: relu"):
        dv.derive("relu(x)", allow_kinks=False)
    assert str(dv.derive("softplus(x)", allow_kinks=False).result) == "sigmoid(x)"


READ_OFF = {"simplify", "read the gradient off", "read the derivative off, simplify"}


def test_steps_name_their_rule_and_mark_what_changes() -> None:
    derivation = dv.derive("log(sigmoid(x))")
    assert [line.rule for line in derivation.lines] == ["logarithm, chain rule", "sigmoid", "simplify"]
    assert "‹d/dx[sigmoid(x)]›/sigmoid(x)" in str(derivation)
    rules = {r.name for r in (*book().laws, *book().identities)} | {f.rule for f in book().functions}
    for text, wrt, where, _ in FORMS:
        for line in dv.derive(text, wrt, where=where).lines:
            named = line.rule.removesuffix(", chain rule").removeprefix("recognise: ")
            assert named in rules | READ_OFF | {"unspecified function"}, line.rule


def test_one_component() -> None:
    assert str(dv.derive("sum(z**2)", "z[k]", where="z[n], k int").result) == "2*z[k]"
    assert str(dv.derive("sum(z**2)", "z[1]", where="z[3]").result) == "2*z[1]"


def test_along_a_direction_and_backwards() -> None:
    assert str(dv.jvp("sin(x)*y", "x")) == "y*cos(x)*dx"
    where = "A[n,m], x[m]"
    assert str(dv.vjp("A@x", "x", where=where)) == "A.T@g"
    assert str(dv.jvp("A@x", "x", where=where)) == "A@dx"


def test_any_order() -> None:
    assert str(dv.derive("x**4", order=3).result) == "24*x"
    assert str(dv.derive("x**2", order=3).result) == "0"
    assert str(dv.hessian("x*y", "x")) == "0"

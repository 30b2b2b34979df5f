"""Values of expressions against NumPy, and what is said of values that do not fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivata.errors import EvaluationError, UnsupportedError
from derivata.expr.arrays import elementwise
from derivata.expr.lower import read
from derivata.expr.node import CALL, CONTRACTION, NUMBER, PRIMITIVE, SYMBOL, Expr, contraction, number, variable
from derivata.expr.symbol import Symbol
from derivata.expr.walk import replace, symbols, topological
from derivata.rules.book import book
from derivata.run.evaluate import evaluate

WHERE = "X[n,d], Y[n,d], y[n], v[n], w[d], A[n,n], B[n,n], T[n,c], z[c]"
RNG = np.random.default_rng(7)
VALUES: dict[str, Any] = {
    "X": RNG.normal(size=(4, 3)),
    "Y": RNG.normal(size=(4, 3)),
    "y": RNG.normal(size=4),
    "v": RNG.normal(size=4),
    "w": RNG.normal(size=3),
    "A": RNG.normal(size=(4, 4)),
    "B": RNG.normal(size=(4, 4)),
    "T": RNG.normal(size=(4, 5)),
    "z": RNG.normal(size=5),
    "a": 0.7,
    "b": -1.3,
    "k": 2,
}


def expression(text: str, where: str = WHERE) -> Expr:
    return read(text, where, book().vocabulary)


def values(node: Expr) -> dict[str, Any]:
    return {name: VALUES[name] for name in symbols(node) if name in VALUES}


def logistic(t: Any) -> Any:
    return 1 / (1 + np.exp(-t))


def softmax(t: Any, axis: int = -1) -> Any:
    e = np.exp(t - t.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


X, Y, y, v, w, A, B, T, z, a, b = (VALUES[name] for name in "XYyvwABTzab")
S = softmax(z)

CASES = [
    ("sum(log(1+exp(-y*(X@w))))", np.sum(np.log(1 + np.exp(-y * (X @ w))))),
    ("-X.T@(y*sigmoid(-y*(X@w)))", -X.T @ (y * logistic(-y * (X @ w)))),
    ("softmax(T)", softmax(T)),
    ("softmax(T, axis=0)", softmax(T, 0)),
    ("softmax(T, axis=1)", softmax(T, 1)),
    ("diag(softmax(z)) - outer(softmax(z), softmax(z))", np.diag(S) - np.outer(S, S)),
    ("log(softmax(z)[k])", np.log(S[2])),
    ("z[k]*z[0]", z[2] * z[0]),
    ("X[1, :]", X[1]),
    ("X[:, 2]", X[:, 2]),
    ("X[1, 2]", X[1, 2]),
    ("softmax(z) - onehot(k, c)", S - np.eye(5)[2]),
    ("onehot(k, c)*3", 3 * np.eye(5)[2]),
    ("sum(X, axis=0)", X.sum(0)),
    ("sum(X, axis=1)", X.sum(1)),
    ("X/sum(X, axis=1, keepdims=True)", X / X.sum(1, keepdims=True)),
    ("X - mean(X, axis=0, keepdims=True)", X - X.mean(0, keepdims=True)),
    ("sum(X, axis=0, keepdims=True)", X.sum(0, keepdims=True)),
    ("mean(y**2)", np.mean(y**2)),
    ("1/n*X.T@(X@w - y)", X.T @ (X @ w - y) / 4),
    ("X.T*y", X.T * y),
    ("X.T@diag(y)@X", X.T @ np.diag(y) @ X),
    ("A@B@y", A @ B @ y),
    ("tr(A@B@A)", np.trace(A @ B @ A)),
    ("tr(A)*diag(A)", np.trace(A) * np.diag(A)),
    ("sum(A*B.T)", np.sum(A * B.T)),
    ("einsum('ij,jk,k,i->i', A, B, y, v)", np.einsum("ij,jk,k,i->i", A, B, y, v)),
    ("einsum('i,ij->ij', y, X)", y[:, None] * X),
    ("einsum('i->ii', y)", np.diag(y)),
    ("einsum('i,j->iji', y, w)", np.einsum("i,j,ik->ijk", y, w, np.eye(4))),
    ("einsum('ij->iij', X)", np.einsum("ij,ik->ikj", X, np.eye(4))),
    ("einsum('ii,i->i', A, y)", np.diag(A) * y),
    ("einsum('ij,kj->ijk', X, X)", np.einsum("ij,kj->ijk", X, X)),
    ("einsum('ij,ik,il->jkl', X, Y, X)", np.einsum("ij,ik,il->jkl", X, Y, X)),
    (
        "einsum('ijk,ijl->kl', einsum('ij,k->ijk', X, y), einsum('ij,k->ijk', Y, y))",
        np.sum(X * Y) * np.outer(y, y),
    ),
    ("einsum('bi,bj,b->ij', X, Y, y)", np.einsum("bi,bj,b->ij", X, Y, y)),
    ("eye(n)*3 + A", 3 * np.eye(4) + A),
    ("(X > 0)*Y", (X > 0) * Y),
    ("(X > 0)*(Y > 0)", (X > 0) * (Y > 0) * 1.0),
    ("(X > 0) + (Y > 0)", (X > 0) * 1.0 + (Y > 0)),
    ("2*(X > 0) - (Y > 0)", 2.0 * (X > 0) - (Y > 0)),
    ("-(X > 0)", -1.0 * (X > 0)),
    ("(X > 0)@w", (X > 0) * 1.0 @ w),
    ("exp(y > 0)", np.exp((y > 0) * 1.0)),
    ("where(X > Y, X, a)", np.where(X > Y, X, a)),
    ("X > 0", (X > 0) * 1.0),
    ("sum(where(y > 0, 1, 0))", np.sum(y > 0)),
    ("a**2 + 1/b - 2**a/(1 + a*b)", a**2 + 1 / b - 2**a / (1 + a * b)),
    ("sqrt(a)/a**(1/3)", np.sqrt(a) / a ** (1 / 3)),
    ("a - (b - a) - (-b)", a - (b - a) + b),
    ("-(-a)**2*-b", -(a**2) * -b),
    ("(a + b)**2/(a - b)/b", (a + b) ** 2 / (a - b) / b),
    ("2**(1/2)*y", 2**0.5 * y),
    ("pi*a", np.pi * a),
    ("outer(y, w)*X", np.outer(y, w) * X),
    ("sum(sum(X[i,j]*w[j], j)**2, i)", np.sum((X @ w) ** 2)),
    ("array(X[i,j]*y[i], j, i)", (X * y[:, None]).T),
    ("sum(y)*sum(w)", y.sum() * w.sum()),
    ("logsumexp(T)", np.log(np.exp(T).sum())),
    ("logsumexp(T, axis=1)", np.log(np.exp(T).sum(-1))),
    ("norm2(y)", np.linalg.norm(y)),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_the_value_is_numpys(text: str, expected: Any) -> None:
    node = expression(text)
    given_values = values(node) | ({"n": 4} if text.startswith("eye") else {}) | ({"c": 5} if "onehot" in text else {})
    result = evaluate(node, given_values)
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(result, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("name", [f.name for f in book().functions if not f.signature and f.arguments])
def test_every_elementwise_function_has_code_that_is_its_value(name: str) -> None:
    record = book().get(name)
    assert record is not None
    if not record.value:
        return
    names = [argument for argument, _ in record.arguments]
    points = np.linspace(0.15, 0.85, 4)
    at = {argument: points + 0.03 * i for i, argument in enumerate(names)}
    where = ", ".join(f"{argument}[m]" for argument in names)
    written = read(f"{name}({', '.join(names)})", where, book().vocabulary)
    value = read(record.value, where, book().vocabulary)
    used = set(symbols(value))
    expected = np.broadcast_to(evaluate(value, {k: x for k, x in at.items() if k in used}), (4,))
    np.testing.assert_allclose(evaluate(written, at), expected, rtol=1e-6, atol=1e-9)


def test_no_warning_and_no_loss_far_out() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert evaluate(expression("sigmoid(x)"), {"x": -1000}) == 0
        assert evaluate(expression("sigmoid(x)"), {"x": 1000}) == 1
        assert evaluate(expression("log(x)"), {"x": 0}) == -np.inf
        assert evaluate(expression("1/x"), {"x": 0}) == np.inf
        assert np.isnan(evaluate(expression("x**(1/2)"), {"x": -1}))


def test_the_type_of_the_arrays_is_kept() -> None:
    node = expression("a*X@w + where(y > 0, 1, 0)/n*log(2) + eye(n)@y")
    small = {k: np.float32(x) if np.ndim(x) else x for k, x in values(node).items()}
    assert evaluate(node, small).dtype == np.float32
    assert evaluate(node, values(node)).dtype == np.float64
    assert evaluate(expression("x*y", "y[n]"), {"x": 2, "y": [1, 2]}).dtype == np.float64
    assert evaluate(expression("-x"), {"x": np.uint8(3)}) == -3


def test_the_result_is_the_callers_own() -> None:
    given_y = VALUES["y"].copy()
    result = evaluate(expression("y"), {"y": given_y})
    result += 1
    np.testing.assert_array_equal(given_y, VALUES["y"])
    assert evaluate(expression("diag(A)"), {"A": A}).flags.writeable
    assert isinstance(evaluate(expression("2"), {}), np.ndarray)


def test_unspecified_functions_are_called() -> None:
    node = expression("f(x)*f'(x)")
    for slope in ("f'", "f_prime"):
        assert evaluate(node, {"x": 0.5, "f": np.sin, slope: np.cos}) == pytest.approx(np.sin(1.0) / 2)
    with pytest.raises(EvaluationError, match="callable"):
        evaluate(node, {"x": 0.5, "f": 1.0, "f'": np.cos})


@pytest.mark.parametrize(
    ("given_values", "message"),
    [
        ({"X": X}, "no value for w; the expression takes X.n,d., w.d."),
        ({"X": X.tolist()[0], "w": w}, r"X has shape \(3,\), expected \(n, d\)"),
        ({"X": X, "w": y}, r"d is 3 in X and 4 in w"),
        ({"X": X, "w": [1, float("nan"), 2]}, "w holds NaN at position 1"),
        ({"X": [[1, 2], [float("nan"), 2]], "w": [1, 2]}, r"X holds NaN at position \(1, 0\)"),
        ({"X": np.zeros((0, 3)), "w": w}, "size zero"),
        ({"X": X, "w": ["a", "b", "c"]}, "not an array of numbers"),
        ({"X": X, "w": w + 1j}, "complex"),
        ({"X": X, "w": [1, [2], 3]}, "not an array of numbers"),
        ({"X": X, "w": None}, "not an array of numbers"),
        ({"X": X, "w": np.ma.masked_array(w)}, "masked"),
        ({"X": X, "w": w, "n": 5}, "n is given as 5, and is 4 in X"),
        ({"X": X, "w": w, "n": 4.5}, "whole number"),
    ],
)
def test_values_that_do_not_fit(given_values: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        evaluate(expression("X@w"), given_values)


def test_other_refusals() -> None:
    assert evaluate(expression("X@w"), {"X": X, "w": w, "n": 4, "d": 3}).shape == (4,)
    assert evaluate(expression("x"), {"x": float("inf")}) == np.inf
    for text, given_values, message in [
        ("z[k]", {"z": z, "k": 5}, "out of range"),
        ("z[k]", {"z": z, "k": -1}, "out of range"),
        ("z[k]", {"z": z, "k": 1.5}, "whole number"),
        ("z[7]", {"z": z}, "out of range"),
        ("x", {"x": 10**400}, "larger than any float"),
        ("x", {"x": float("nan")}, "x is NaN"),
        ("x", {"x": [1.0, 2.0]}, "expected a scalar"),
    ]:
        with pytest.raises(EvaluationError, match=message):
            evaluate(expression(text), given_values)


def test_numbers_beyond_floats() -> None:
    for node in (
        elementwise("pow", number(9), elementwise("pow", number(9), number(9))),
        number(10**400),
        number(10**400) * variable(Symbol("x")),
        elementwise("pow", number(3), number(700)) * number(1),
        elementwise("pow", number(0), number(-1)),
    ):
        with pytest.raises(EvaluationError):
            evaluate(node, {"x": 1.0} if symbols(node) else {})


def test_names_that_python_keeps() -> None:
    first, second, third, fourth = (variable(Symbol(name)) for name in ("lambda", "np", "t1", "print"))
    node = first * second + third * fourth
    assert evaluate(node, {"lambda": 2, "np": 3, "t1": 4, "print": 5}) == 26


def test_large_graphs_take_linear_time() -> None:
    x = variable(Symbol("x"))
    node: Expr = x
    for _ in range(3_000):
        node = elementwise("add", node * node, x)
    assert evaluate(node, {"x": 0.1}) == pytest.approx((1 - np.sqrt(1 - 0.4)) / 2)
    wide = read("+".join(f"x{i}*{i}" for i in range(3_000)))
    assert evaluate(wide, {f"x{i}": 1 for i in range(3_000)}) == 3_000 * 2_999 / 2
    many = read("*".join(f"x{i}" for i in range(3_000)))
    assert evaluate(many, {f"x{i}": 1 for i in range(3_000)}) == 1


def test_a_function_without_code_or_formula_is_named() -> None:
    functions = [f for f in book().functions if f.arguments and not f.signature]
    for function in (f for f in functions if not (f.code.get("numpy") or f.value or f.stable)):
        text = f"{function.name}({', '.join('xyz'[: len(function.arguments)])})"
        with pytest.raises(UnsupportedError, match=function.name):
            evaluate(expression(text), dict.fromkeys("xyz"[: len(function.arguments)], 0.5))


# Node by node, without any plan: what the emitted code is compared with.


def naive(root: Expr, given_values: dict[str, Any], sizes: dict[str, int]) -> Any:
    done: dict[Expr, Any] = {}
    for node in topological(root):
        done[node] = _naive(node, [done[c] for c, _ in node.args], given_values, sizes)
    return done[root]


def _naive(node: Expr, args: list[Any], given_values: dict[str, Any], sizes: dict[str, int]) -> Any:
    shape = tuple(sizes[s] if isinstance(s, str) else s for s in node.shape)
    if node.head == NUMBER:
        return np.float64(node.data)
    if node.head == SYMBOL:
        name = node.data.name
        return np.asarray(sizes[name] if "size" in node.data.traits else given_values[name], float)
    if node.head == CALL:
        edges = zip(args, (labels for _, labels in node.args), strict=True)
        placed = [np.broadcast_to(_placed(arg, labels, len(shape)), shape) for arg, labels in edges]
        functions: dict[str, Any] = {
            "add": lambda *terms: sum(terms),
            "pow": np.power,
            "exp": np.exp,
            "log": np.log,
            "tanh": np.tanh,
            "gt": np.greater,
            "sigmoid": logistic,
        }
        return np.asarray(functions[node.data](*placed), float)
    if node.head == PRIMITIVE:
        assert node.data[0] == "softmax"
        labels = node.args[0][1]
        return softmax(np.transpose(args[0], np.argsort(labels)))
    assert node.head == CONTRACTION
    operands: list[Any] = []
    for arg, (_, labels) in zip(args, node.args, strict=True):
        operands += [arg, list(labels)]
    fresh, out = 40, []
    for label, size in zip(node.data, shape, strict=True):
        if label in out:
            operands += [np.eye(size), [label, fresh]]
            out.append(fresh)
            fresh += 1
        else:
            operands += [np.ones(size), [label]]
            out.append(label)
    return np.einsum(*operands, out) if operands else np.float64(1)


def _placed(arg: Any, labels: tuple[int, ...], rank: int) -> Any:
    order = np.argsort(labels) if labels else ()
    shape = [1] * rank
    for label, size in zip(labels, np.shape(arg), strict=True):
        shape[label] = size
    return np.transpose(arg, order).reshape(shape)


LEAVES = ["X", "Y", "y", "v", "w", "A", "B", "T", "z", "a", "b"]
SIZES = {"n": 4, "d": 3, "c": 5}


@st.composite
def graphs(draw: st.DrawFn) -> Expr:
    """A random contraction or elementwise node over random ones."""
    pool = [expression(name) for name in LEAVES] + [number(2), expression("1/2"), expression("-1")]
    for _ in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["contraction", "contraction", "add", "pow", "tanh", "gt", "softmax"]))
        first = draw(st.sampled_from(pool))
        second = draw(st.sampled_from(pool))
        if kind == "contraction":
            count = draw(st.integers(0, 4))
            pool.append(_random_contraction(draw, [draw(st.sampled_from(pool)) for _ in range(count)]))
            continue
        if kind == "softmax" and first.shape:
            pool.append(read("softmax(q)", f"q[{','.join(map(str, first.shape))}]", book().vocabulary))
            pool[-1] = replace(pool[-1], {variable(symbols(pool[-1])["q"]): first})
            continue
        if kind in ("add", "gt"):
            second = second if second.shape == first.shape else number(1)
            pool.append(elementwise(kind, first, second))
        elif kind == "pow":
            pool.append(elementwise("pow", first * first + 1, number(draw(st.sampled_from([-2, -1, 2, 3])))))
        else:
            pool.append(elementwise("tanh", first))
    return pool[-1]


def _random_contraction(draw: st.DrawFn, operands: list[Expr]) -> Expr:
    labels: dict[int | str, list[int]] = {}
    count = 0
    edges = []
    for operand in operands:
        mine: list[int] = []
        for size in operand.shape:
            known = labels.setdefault(size, [])
            if draw(st.booleans()) and known:
                mine.append(draw(st.sampled_from(known)))
            else:
                mine.append(count)
                known.append(count)
                count += 1
        edges.append((operand, tuple(mine)))
    everything = [label for known in labels.values() for label in known]
    out: list[int] = draw(st.lists(st.sampled_from(everything), max_size=3)) if everything else []
    sizes: dict[int, int | str] = {label: size for size, known in labels.items() for label in known}
    if draw(st.booleans()) and len(out) < 3:
        stretched: list[int | str] = ["n", "d", 1, 2]
        out.append(count)
        sizes[count] = draw(st.sampled_from(stretched))
    return contraction(edges, tuple(out), sizes)


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_the_plan_computes_what_the_nodes_say(node: Expr) -> None:
    with np.errstate(all="ignore"):
        expected = naive(node, VALUES, SIZES)
    needed = {s for n in topological(node) for s in n.shape if isinstance(s, str)}
    result = evaluate(node, values(node) | {s: SIZES[s] for s in needed})
    assert result.shape == np.shape(expected)
    np.testing.assert_allclose(result, expected, rtol=1e-8, atol=1e-8)

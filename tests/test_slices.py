"""Slices, concatenations and sliding products: read, derived, printed, computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import derivata as dv
from derivata.errors import EvaluationError, ReadError
from derivata.expr.node import Size
from derivata.expr.sizes import fitting_sizes, read_size, size_difference, size_in_numbers, size_product, size_sum

WHERE = "x[n], w[m], y[n-m+1], X[n,d], Z[n,m], u[d+m], v[d-1], g[n-3]"
SIZES = {"n": 6, "m": 3, "d": 4}


def values() -> dict[str, Any]:
    chance = np.random.default_rng(7)
    shapes = {"x": 6, "w": 3, "y": 4, "X": (6, 4), "Z": (6, 3), "u": 7, "v": 3, "g": 3}
    return {name: chance.normal(size=shape) for name, shape in shapes.items()}


VALUES = values()


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (size_sum("n", -1), "n - 1"),
        (size_sum("n", "m", 2, "n"), "m + 2*n + 2"),
        (size_difference(3, "n"), "-n + 3"),
        (size_product(size_sum("n", -1), "d", 2), "2*d*n - 2*d"),
        (size_difference(size_sum("n", "m"), "m", "n"), 0),
        (read_size("n-m + 1"), "n - m + 1"),
        (read_size("2 * d"), "2*d"),
        (read_size("n--1"), None),
        (read_size("-n"), None),
    ],
)
def test_a_size_is_written_in_one_way(size: Size | None, text: Size | None) -> None:
    assert size == text
    if isinstance(size, str):
        assert read_size(size) in (size, None)


def test_sizes_are_drawn_large_enough() -> None:
    found = fitting_sizes(["n - 5", "n - m + 1", "d"], {"n": 1, "m": 3, "d": 1})
    assert min(size_in_numbers(size, found) for size in ("n - 5", "n - m + 1")) >= 1
    assert found["d"] == 1


# The formula, NumPy's own value of it.
COMPUTED = [
    ("x[1:]", lambda v: v["x"][1:]),
    ("x[:-1]", lambda v: v["x"][:-1]),
    ("x[2:5]", lambda v: v["x"][2:5]),
    ("x[-3:]", lambda v: v["x"][-3:]),
    ("x[m:n-1]", lambda v: v["x"][3:-1]),
    ("X[1:, 2:]", lambda v: v["X"][1:, 2:]),
    ("X[0, 1:]", lambda v: v["X"][0, 1:]),
    ("exp(x[1:])[1:][0]", lambda v: np.exp(v["x"][2])),
    ("concatenate(x, w)", lambda v: np.concatenate((v["x"], v["w"]))),
    ("concatenate(X, Z, axis=1)", lambda v: np.concatenate((v["X"], v["Z"]), axis=1)),
    ("concatenate(X[1:], X)", lambda v: np.concatenate((v["X"][1:], v["X"]))),
    ("concatenate(zeros(1), x, zeros(2))", lambda v: np.pad(v["x"], (1, 2))),
    ("correlate(x, w)", lambda v: np.correlate(v["x"], v["w"], "valid")),
    ("convolve(x, w)", lambda v: np.convolve(v["x"], v["w"])),
    ("correlate(x, ones(3))/3", lambda v: np.convolve(v["x"], np.ones(3) / 3, "valid")),
    ("slide(2, 3)", lambda v: np.array([[[float(j == i + k) for j in range(4)] for k in range(3)] for i in range(2)])),
]


@pytest.mark.parametrize(("text", "wanted"), COMPUTED)
def test_the_value_is_numpys(text: str, wanted: Any) -> None:
    assert dv.evaluate(text, WHERE, **VALUES) == pytest.approx(wanted(VALUES), abs=1e-12)


# The formula, the variable, the derivative as it is printed.
DERIVED = [
    ("sum(abs(x[1:] - x[:-1]))", "x",
     "concatenate(zeros(1), sign(x[1:] - x[:-1])) - concatenate(sign(x[1:] - x[:-1]), zeros(1))"),
    ("sum(x[1:]**2)", "x", "2*concatenate(zeros(1), x[1:])"),
    ("sum(g*x[1:-2])", "x", "concatenate(zeros(1), g, zeros(2))"),
    ("mean(x[1:]*x[:-1])", "x", "(concatenate(zeros(1), x[:-1]) + concatenate(x[1:], zeros(1)))/(n - 1)"),
    ("sum((correlate(x, w) - y)**2)", "w", "2*correlate(x, correlate(x, w) - y)"),
    ("sum((correlate(x, w) - y)**2)", "x", "2*convolve(correlate(x, w) - y, w)"),
    ("sum(y*correlate(x, ones(m))/m)", "x", "convolve(y, ones(m))/m"),
    ("sum((concatenate(X, Z, axis=1)@u)**2)", "u", "2*concatenate(X, Z, axis=1).T@(concatenate(X, Z, axis=1)@u)"),
    ("sum((concatenate(X, Z, axis=1)@u)**2)", "Z", "2*outer(concatenate(X, Z, axis=1)@u, u[d:])"),
    ("sum(tanh(concatenate(x, w)))", "w", "1 - tanh(w)**2"),
    ("sum((X[:, 1:]@v)**2)", "X", "2*outer(X[:, 1:]@v, concatenate(zeros(1), v))"),
    ("tanh(x)[1:3]", "x", "eye(n)[1:3]*(1 - tanh(x)**2)"),
    ("correlate(x, w)", "w", "slide(n - m + 1, m)@x"),
    ("sum(exp(X[1:, 2:]))", "X", "concatenate(zeros(n, 2), concatenate(zeros(1, d - 2), exp(X[1:, 2:])), axis=1)"),
    ("sum(x[1:][0]*x[-1:])", "x", "sum(x[-1:])*onehot(1, n) + x[1]*concatenate(zeros(n - 1), ones(1))"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wrt", "wanted"), DERIVED)
def test_derivatives_print_readably_and_read_back(text: str, wrt: str, wanted: str) -> None:
    found = dv.derive(text, wrt, where=WHERE).result
    assert str(found) == wanted
    assert dv.normal(dv.read(str(found), WHERE)) is dv.normal(found)
    assert dv.normal(dv.normal(found)) is dv.normal(found)


@pytest.mark.parametrize(("text", "wrt", "wanted"), DERIVED)
def test_generated_code_computes_the_derivative(text: str, wrt: str, wanted: str) -> None:
    found = dv.evaluate(dv.derive(text, wrt, where=WHERE).result, WHERE, **VALUES)
    step, slopes = 1e-6, []
    for place in np.ndindex(VALUES[wrt].shape):
        shift = np.zeros_like(VALUES[wrt])
        shift[place] = step
        ends = [dv.evaluate(text, WHERE, **{**VALUES, wrt: VALUES[wrt] + sign * shift}) for sign in (1, -1)]
        slopes.append((ends[0] - ends[1]) / (2 * step))
    assert np.moveaxis(slopes, 0, -1).reshape(found.shape) == pytest.approx(found, abs=1e-7)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("exp(x)[1:3]", "exp(x[1:3])"),
        ("(x*2 + 1)[1:]", "2*x[1:] + 1"),
        ("x[1:][1:-1]", "x[2:-1]"),
        ("x[1:][0]", "x[1]"),
        ("X[0][1:]", "X[0, 1:]"),
        ("X[:, 2:][1:]", "X[1:, 2:]"),
        ("(X@u[:d])[1:]", "X[1:]@u[:d]"),
        ("concatenate(x, w)[n:]", "w"),
        ("concatenate(x, w)[:n-1]", "x[:-1]"),
        ("sum(convolve(x, w))", "sum(x)*sum(w)"),
        ("convolve(x, w)", "convolve(w, x)"),
        ("sum(x[1:][i]*x[:-1][i], i)", "x[1:]@x[:-1]"),
        ("eye(n)[1:]@x", "x[1:]"),
    ],
)
def test_two_spellings_are_one_expression(one: str, other: str) -> None:
    assert dv.normal(dv.read(one, WHERE)) is dv.normal(dv.read(other, WHERE))


@pytest.mark.parametrize(
    ("text", "where", "said", "place"),
    [
        ("x[::2]", "x[n]", "no step", 3),
        ("x[1:2:]", "x[n]", "no step", 5),
        ("x[0:9]", "x[3]", "out of range for an axis of size 3", 3),
        ("x[2:2]", "x[3]", "empty", 3),
        ("x[k:]", "x[n], k int", "a whole number or made of sizes", 2),
        ("x[1/2:]", "x[n]", "a whole number or made of sizes", 3),
        ("1 + (2:3)", "", "unexpected ':'", 6),
        ("concatenate(x, 1)", "x[n]", "equally many axes", 0),
        ("concatenate(X, Z)", "X[n,d], Z[n,m]", "differ in that axis only", 0),
        ("correlate(x, w)", "x[2], w[3]", "3 weights do not fit into 2 entries", 0),
        ("correlate(X, w)", "X[n,d], w[3]", "takes two vectors", 0),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text: str, where: str, said: str, place: int) -> None:
    with pytest.raises(ReadError, match=said) as caught:
        dv.read(text, where)
    assert caught.value.position == place


def test_arrays_too_short_for_a_slice_are_refused() -> None:
    with pytest.raises(EvaluationError, match="with n = 4 the size n - 4 is 0"):
        dv.evaluate("sum(x[2:5])", "x[n]", x=np.ones(4))
    with pytest.raises(EvaluationError, match="y has an axis of size 5, expected n - m \\+ 1, which is 4"):
        dv.evaluate("correlate(x, w) - y", WHERE, x=np.ones(6), w=np.ones(3), y=np.ones(5))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("sum((x[1:] - x[:-1])**2)", ["np.pad", "[1:]", "[:-1]"]),
        ("correlate(x, w)", ["np.correlate(x, w)"]),
        ("sum(exp(x[-2:]))", ["x[-2:]"]),
    ],
)
def test_generated_code_slices(text: str, lines: list[str]) -> None:
    code = str(dv.code(text, "x", where=WHERE))
    assert all(line in code for line in lines)


def test_formulas_show_slices_as_papers_do() -> None:
    assert dv.read("x[1:3]", WHERE).latex() == "x_{1:3}"
    assert dv.read("sum((x[1:] - x[:-1])**2)", WHERE).latex() == r"\sum_{i} (x_{i + 1} - x_{i})^{2}"
    assert dv.read("X[:, 1:-1]", WHERE).latex() == "X_{:,1:-1}"

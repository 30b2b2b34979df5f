"""What a person may type or paste by mistake: one message that points at the place, and nothing hangs."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest

import derivata as dv
from derivata.apps.cli import main

# text, variable, declarations, what the message says, the place that the caret points at (None: no place)
MISTAKES = [
    ("sin(x", "x", "", "never closed", 3),
    ("sin(x))", "x", "", "closes nothing", 6),
    ("tahn(x)", "x", "", "did you mean tanh", 0),
    ("1 + softmx(z)", "z", "z[n]", "did you mean softmax", 4),
    ("tanh(x, y)", "x", "", "takes 1 argument, 2 were given", 0),
    ("tanh()", "x", "", "takes 1 argument, 0 were given", 0),
    ("A@b", "b", "A[n,m], b[k]", r"\(n, m\) and \(k,\)", 1),
    ("x + A@b", "b", "A[3,4], b[5]", r"\(3, 4\) and \(5,\)", 5),
    ("X + y", "y", "X[n,d], y[n]", r"\(n, d\) and \(n,\)", 2),
    ("x + y", "z", "", "does not occur", None),
    ("x + y", None, "", "say which variable", None),
    ("__import__('os')", "x", "", "unknown function", 0),
    ("x.__class__", "x", "", "unknown attribute", 2),
    ("lambda x: x", "x", "", "expected an operator", 7),
    ("(" * 10_000 + "x" + ")" * 10_000, "x", "", "nested more than", None),
    ("x+" * 500_000 + "x", "x", "", "characters", None),
    ("9**9**9**9", "x", "", "too large", 1),
    ("1e999999999", "x", "", "digits", 0),
    ("-" * 5_000 + "x", "x", "", "nested more than", None),
    ("\0x", "x", "", "unexpected character U.0000", 0),
    ("x + \ud800", "x", "", "unexpected character U.D800", 4),
    ("", "x", "", "empty", None),
    ("  \n ", "x", "", "empty", None),
    ("x^2", "x", "", r"\*\*", 1),
    ("2x", "x", "", "written with", 1),
    ("x y", "x", "", "written with", 2),
    ("w(x + b)", "x", "", "unknown function 'w'", 0),
    ("x ==", "x", "", "ends where an operand", 4),
    ("x/0", "x", "", "division by zero", 1),
    ("softmax(z)", "z", "", r"declare it, as in where=.z\[n\]", 0),
    ("z[5]", "z", "z[3]", "out of range", 2),
    ("x**(10**400)", "x", "", r"a power above 10\*\*18", None),
    ("(x + 1)**(-1/10**50)", "x", "", "or a root as high", None),
    ("(((x**999999)**999999)**999999)**999999", "x", "", r"a power above 10\*\*18", None),
    ("sum(z)", "z", "z[0]", "an axis of size 0", None),
    ("z[0]", "z", "z[1000000000000]", "at most 9 digits", None),
    ("z[0.5]", "z", "z[3]", "whole number", 2),
    ("sum(z, axis=3)", "z", "z[n]", "no axis 3", 0),
    ("'abc'", "x", "", "quotes", 0),
    ("h = x", "x", "", "expected", None),
    ("x", "x", "x[n", "never closed", None),
    ("x", "x", "x blue", "'blue' is not known", None),
    ("log(-1 - x**2)", "x", "", "none lay in the domain", None),
    ("0**t", "t", "", r"log\(0\) has no value", None),
    ("log(x - x)", "x", "", r"log\(0\) has no value", None),
    ("x*var(u - u)/var(u - u)", "x", "u[n]", r"division by zero: var\(u - u\) is 0", None),
    ("x/norm(u - u)", "x", "u[n]", "none lay in the domain", None),
]


@pytest.mark.parametrize(("text", "wrt", "where", "message", "place"), MISTAKES)
def test_a_mistake_is_told(text: str, wrt: str | None, where: str, message: str, place: int | None) -> None:
    start = time.perf_counter()
    with pytest.raises(dv.DerivataError, match=message) as caught:
        dv.derive(text, wrt, where=where)
    assert time.perf_counter() - start < 2
    if place is not None:
        *_, shown, caret = str(caught.value).split("\n")
        assert caret.strip() == "^"
        assert caret.index("^") - (len(shown) - len(shown.lstrip())) == place, str(caught.value)


@pytest.mark.parametrize(("text", "wrt", "where", "message", "place"), [m for m in MISTAKES if "\0" not in m[0]])
def test_the_command_line_ends_with_two(
    text: str,
    wrt: str | None,
    where: str,
    message: str,
    place: int | None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    option = ["--wrt", wrt] if wrt else []
    assert run("derive", text if len(text) < 10_000 else "-", *option, "--where", where) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert "Traceback" not in printed.err
    assert len(printed.err) < 1000


def run(*arguments: str) -> int:
    """The exit status of the command line."""
    try:
        main(list(arguments))
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["derive"],
        ["derive", "x", "--format", "odt"],
        ["dervie", "x"],
        ["code", "x", "--target", "cobol"],
        ["show", "tahn"],
    ],
)
def test_mistyped_commands(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.err
    assert "Traceback" not in printed.err


def test_a_large_power_of_a_sum_is_not_multiplied_out() -> None:
    start = time.perf_counter()
    found = dv.derive("(1+x+y+z)**1000000", "x").result
    assert str(found) == "1000000*(x + y + z + 1)**999999"
    assert time.perf_counter() - start < 2


@pytest.mark.slow
def test_a_sum_of_many_terms_works() -> None:
    assert str(dv.derive("+".join(f"x{i}" for i in range(100_000)), "x7").result) == "1"
    assert str(dv.derive("+".join(["sin(x)"] * 100_000), "x").result) == "100000*cos(x)"
    found = dv.derive("+".join(f"a{i}*x" for i in range(20_000)), "x").result
    assert str(found).startswith("a0 + a1 + a2 + ")


def test_odd_values() -> None:
    with pytest.raises(dv.DerivataError, match="x is NaN"):
        dv.evaluate("x**2", x=np.nan)
    with pytest.raises(dv.DerivataError, match="z"):
        dv.evaluate("sum(sigmoid(z))", "z[n]", z=[1.0, np.nan])
    with pytest.raises(dv.DerivataError, match="size zero"):
        dv.evaluate("sum(z)", "z[n]", z=np.zeros(0))
    with pytest.raises(dv.DerivataError, match="shape"):
        dv.evaluate("X@w", "X[n,d], w[d]", X=np.zeros((2, 3)), w=np.ones(2))
    with pytest.raises(dv.DerivataError, match="w"):
        dv.evaluate("X@w", "X[n,d], w[d]", X=np.zeros((2, 3)))


def test_the_order_of_a_derivative_has_a_limit() -> None:
    began = time.perf_counter()
    with pytest.raises(dv.DerivataError, match="up to order 12, not 1000000"):
        dv.derive("x**2", "x", order=10**6)
    assert time.perf_counter() - began < 1

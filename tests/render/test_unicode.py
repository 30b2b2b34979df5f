"""Formulas on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivata.expr.lower import read
from derivata.expr.node import Expr, differential
from derivata.render.boxes import Box, beside, bracketed, cells, over, raised, rooted, text_box, underlined
from derivata.render.curve import curve
from derivata.render.formula import fold
from derivata.render.setting import typeset
from derivata.render.terminal import Terminal
from derivata.render.unicode import unicode
from derivata.rules.book import book

WHERE = "X[n,d], y[n], w[d], k int, z[n], v[n], A[n,n], B[n,n]"


def of(text: str) -> Expr:
    return read(text, WHERE, book().vocabulary)


def drawing(text: str) -> str:
    """Lines between bars, so that this file shows them in place."""
    return "\n".join(line.strip()[1:].rstrip() for line in text.strip().splitlines())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2*x*y1", "2·x·y₁"),
        ("x**2 - x**(n - 1)", "x² - xⁿ⁻¹"),
        ("alpha*lam + x_hat", "α·λ + x̂"),
        ("-X.T@(y*(X@w))", "-Xᵀ (y ⊙ (X w))"),
        ("sum((X@w - y)**2)", "∑ᵢ (X w - y)ᵢ²"),
        ("sqrt(x)", "√x"),
        ("z@A@v", "zᵀ A v"),
        ("x >= 0", "𝟏[x ≥ 0]"),
        ("f''(x)", "f″(x)"),
        ("w_out", "wₒᵤₜ"),
        ("v_big", "v_big"),
        ("z[k] + A[0, 1]", "zₖ + A₀‚₁"),
    ],
)
def test_on_one_line(text: str, expected: str) -> None:
    assert unicode(of(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "1/x**2",
            """
            |1
            |──
            |x²
            """,
        ),
        (
            "sqrt(x**2 + 1)/(1 + x)",
            """
            | ______
            |√x² + 1
            |───────
            | 1 + x
            """,
        ),
        (
            "1/(1 + 1/(1 + 1/x))",
            """
            |    1
            |─────────
            |      1
            |1 + ─────
            |        1
            |    1 + ─
            |        x
            """,
        ),
        (
            "(1 + x/2)**3",
            """
            |⎛    x⎞³
            |⎜1 + ─⎟
            |⎝    2⎠
            """,
        ),
        (
            "where(x > 0, 1, -x**2)",
            """
            |⎧ 1    if x > 0
            |⎨
            |⎩ -x²  otherwise
            """,
        ),
        (
            "x**(a + b*c)",
            """
            | a + b·c
            |x
            """,
        ),
        (
            "x*y1 - sum(z)/n",
            """
            |x·y₁ - mean(z)
            """,
        ),
        (
            "X - sum(X, axis=1, keepdims=True)/d",
            """
            |⎛      1         ⎞
            |⎜Xᵢⱼ - ─ · ∑ₖ Xᵢₖ⎟
            |⎝      d         ⎠ᵢⱼ
            """,
        ),
    ],
)
def test_in_two_dimensions(text: str, expected: str) -> None:
    assert unicode(of(text)) == drawing(expected)


def test_ascii_is_ascii_and_textual() -> None:
    assert unicode(of("-X.T@(y*(X@w))"), ascii=True) == "-X.T @ (y * (X @ w))"
    assert unicode(of("x**2 + alpha1*sqrt(x)"), ascii=True) == "x**2 + alpha1*sqrt(x)"
    assert unicode(of("1/x"), ascii=True) == "1\n-\nx"
    for function in book().functions:
        if function.as_signature().elementwise and function.arguments:
            arguments = ", ".join(f"u{i}/ü" for i in range(len(function.arguments)))
            assert unicode(of(f"{function.name}({arguments})"), ascii=True).isascii()


def test_marked_parts_are_underlined() -> None:
    root = of("x*y1 + (1 + c)")
    assert unicode(root, marked=frozenset([of("x*y1")])) == "x·y₁ + (1 + c)\n‾‾‾‾"
    assert unicode(root, ascii=True, marked=frozenset([of("x*y1")])) == "x*y1 + (1 + c)\n^^^^"


def test_differential() -> None:
    assert unicode(differential(of("x"))) == "dx"
    assert unicode(differential(of("x*c"))) == "d(x·c)"


@pytest.mark.parametrize("width", [20, 40, 80])
def test_long_sums_are_broken_before_an_operator(width: int) -> None:
    shown = unicode(of("+".join(f"a{i}*x**{i}" for i in range(2, 40))), width=width)
    lines = shown.splitlines()
    assert len(lines) > 3
    assert max(map(cells, lines)) <= width
    assert all(line.startswith("  + ") for line in lines[1:])


def test_what_cannot_be_broken_is_wrapped_on_one_level() -> None:
    shown = unicode(of("sqrt(" + "+".join(f"a{i}/(1 + x**{i})" for i in range(2, 30)) + ")"), width=50)
    assert max(map(cells, shown.splitlines())) <= 50
    assert "a₂/(1 + x²)" in shown


def test_shared_parts_are_lines() -> None:
    lines = "; ".join(f"a{i + 1} = a{i}*a{i}/(1 + a{i}**2*x)" for i in range(6))
    shown = unicode(of(f"a0 = x*y1 + c*x; {lines}; a6"))
    assert "t₁ = " in shown
    assert "t₂ = " in shown


def test_boxes_are_rectangles() -> None:
    tall = over(text_box("x"), text_box("变量"), "─")
    for box in (
        tall,
        beside([tall, text_box(" + "), tall]),
        raised(text_box("x"), text_box("a+b")),
        raised(tall, text_box("a+b")),
        rooted(tall),
        bracketed(tall, "(", ")", ascii_only=False),
        underlined(tall, "‾"),
    ):
        assert is_rectangle(box)


def is_rectangle(box: Box) -> bool:
    return {cells(line) for line in box.lines} == {box.width} and 0 <= box.base < box.height


def test_widths_of_characters() -> None:
    assert cells("x̂") == 1
    assert cells("变量") == 4
    assert cells("∑ᵢ") == 2


LEAVES = st.sampled_from(["x", "变量", "x_hat", "2", "1/2", "(-3)", "z[k]", "z@v", "sum(y/z)", "tr(A)"])
PATTERNS = ["({0}) + ({1})", "({0})*({1})", "({0})/({1})", "({0})**2", "-({0})", "sqrt({0})", "({0})**({1})",
            "where({0} > {1}, {0}, {1})"]  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(
    st.recursive(
        LEAVES,
        lambda inner: st.builds(lambda p, a, b: p.format(a, b), st.sampled_from(PATTERNS), inner, inner),
        max_leaves=8,
    )
)
def test_every_formula_is_a_rectangle(text: str) -> None:
    body = typeset(of(text)).body
    for ascii_only in (False, True):
        for linear in (False, True):
            printer = Terminal(ascii_only, linear)
            box = fold(body, printer.parts, printer.build)
            assert is_rectangle(box)
            assert not linear or box.flat


def test_curve() -> None:
    xs = [i / 10 for i in range(-30, 31)]
    shown = curve(xs, [x * x for x in xs], width=20, height=5)
    lines = shown.splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("9 ┤")
    assert lines[4].startswith("0 ┤")
    assert "-3" in lines[6]
    assert curve(xs, [float("nan")] * len(xs)) == "(nothing to draw)"
    assert curve([0.0, 1.0, 2.0], [1.0, float("inf"), 1.0], ascii=True).isascii()
    assert curve([-1e308, 1e308], [-1e308, 1e308], width=5, height=3)

"""LaTeX: what a paper prints, and text that every renderer accepts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivata import derive
from derivata.expr.arrays import multiply
from derivata.expr.lower import read
from derivata.expr.node import Expr, differential
from derivata.expr.walk import topological
from derivata.render.latex import CHANGED, latex
from derivata.rules.book import book

WHERE = "X[n,d], y[n], w[d], k int, z[n], v[n], A[n,n], B[n,n]"


def of(text: str) -> Expr:
    return read(text, WHERE, book().vocabulary)


def is_balanced(text: str) -> bool:
    """Braces close in order, every \\left has its \\right, no script is doubled."""
    plain = re.sub(r"\\[{}]", "", text)
    depth = 0
    for character in plain:
        depth += (character == "{") - (character == "}")
        if depth < 0:
            return False
    sides = len(re.findall(r"\\left(?![a-z])", text)) == len(re.findall(r"\\right(?![a-z])", text))
    environments = text.count(r"\begin{") == text.count(r"\end{")
    return depth == 0 and sides and environments and not re.search(r"[_^]\{[^{}]*\}([_^])\{[^{}]*\}\1", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/x**2", r"\frac{1}{x^{2}}"),
        ("-x/2", r"-\frac{x}{2}"),
        ("2/3*x**2", r"\frac{2 x^{2}}{3}"),
        ("x*2", "2 x"),
        ("x/y1/c", r"\frac{x}{y_{1} c}"),
        ("0.044715*x**3", "0.044715 x^{3}"),
        ("x**(3/2)", "x^{3/2}"),
        ("(x**2)**3", "(x^{2})^{3}"),
        ("a - (b - c)", "a - (b - c)"),
        ("(a + b)*c", "(a + b) c"),
        ("sqrt(x**2 + 1)/(1 + x)", r"\frac{\sqrt{x^{2} + 1}}{1 + x}"),
        ("(f'(x)*g(x) - f(x)*g'(x))/g(x)**2", r"\frac{f'(x) \, g(x) - f(x) \, g'(x)}{g(x)^{2}}"),
        (
            "x_hat + w_out*alpha1 - loss*Gamma0",
            r"\hat{x} + w_{\text{out}} \alpha_{1} - \mathit{loss} \, \Gamma_{0}",
        ),
        ("x > 0", r"\mathbf{1}[x > 0]"),
        ("(z <= v)*y", r"\mathbf{1}[z \le v] \odot y"),
    ],
)
def test_scalars(text: str, expected: str) -> None:
    assert latex(of(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-X.T@(y*(X@w))", r"-X^\top (y \odot (X w))"),
        ("2*X.T@(X@w - y)/n", r"\frac{2}{n} X^\top (X w - y)"),
        ("z@A@v", r"z^\top A v"),
        ("v@A", r"A^\top v"),
        ("outer(z, v)@y", r"z v^\top y"),
        ("diag(z) - outer(z, z)", r"\operatorname{diag}(z) - z z^\top"),
        ("tr(A@B)", r"\operatorname{tr}(A B)"),
        ("eye(n) + A", "I + A"),
        ("outer(ones(n), y)", r"\mathbf{1} y^\top"),
        ("onehot(k, n) - y", "e_{k} - y"),
        ("X[k, :]@w", r"X_{k}^\top w"),
        ("(z + y)[k]", "z_{k} + y_{k}"),
    ],
)
def test_matrices(text: str, expected: str) -> None:
    assert latex(of(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum((X@w - y)**2)", r"\sum_{i} (X w - y)_{i}^{2}"),
        ("sum(y*(X@w))/(2*n)", r"\frac{1}{2 n} \sum_{i} y_{i} (X w)_{i}"),
        ("sum(A*B)", r"\sum_{i,j} A_{ij} B_{ij}"),
        ("sum(X, axis=1)", r"\left( \sum_{j} X_{ij} \right)_{i}"),
        ("X/sum(X, axis=0)", r"\left( \frac{X_{ij}}{\sum_{k} X_{kj}} \right)_{ij}"),
        ("einsum('ij,jk,k->i', A, B, z)", r"\left( \sum_{j,k} A_{ij} B_{jk} z_{k} \right)_{i}"),
        ("sum(z)*sum(v)", r"\left( \sum_{i} z_{i} \right) \sum_{i} v_{i}"),
        ("A + z", "(A_{ij} + z_{j})_{ij}"),
        ("sum(z*sum(y))", r"\sum_{i} z_{i} \sum_{j} y_{j}"),
    ],
)
def test_index_sums(text: str, expected: str) -> None:
    assert latex(of(text)) == expected


def test_records_say_how_functions_look() -> None:
    for function in book().functions:
        arguments = [a for a, _ in function.arguments]
        if function.as_signature().elementwise and arguments and "#" in function.latex:
            shown = latex(of(f"{function.name}({', '.join(f'1 + u{i}' for i in range(len(arguments)))})"))
            assert is_balanced(shown)
            assert "#" not in shown


def test_powers_of_odd_functions_stand_on_the_name() -> None:
    odd = next(f for f in book().functions if "odd" in f.traits and re.fullmatch(r"\\[a-z]+ #x", f.latex))
    head = odd.latex.partition(" ")[0]
    assert latex(of(f"{odd.name}(x)**2")) == f"{head}^{{2}} x"
    assert latex(of(f"{odd.name}(x)*y1")) == rf"{head}(x) \, y_{{1}}"
    assert latex(of(f"{odd.name}(x + 1)")) == f"{head}(x + 1)"


def test_cases_are_one_list() -> None:
    shown = latex(of("where(x < 0, -x, where(x < 1, x**2, 1))"))
    assert shown.count(r"\begin{cases}") == 1
    assert shown.count(r"\\") == 2


def test_differentials() -> None:
    assert latex(differential(of("x"))) == r"\mathrm{d}x"
    assert latex(multiply(differential(of("x*y1")), of("c"))) == r"\mathrm{d}\left(x y_{1}\right) \, c"


def test_changed_parts_are_coloured() -> None:
    root = of("x*(1 + c)**2")
    shown = latex(root, marked=frozenset([of("1 + c")]))
    assert shown == rf"x (\textcolor{{{CHANGED}}}{{1 + c}})^{{2}}"


def test_notes_in_a_notebook_are_lines_of_escaped_text() -> None:
    shown = derive("leaky_relu(x, a)", "x")._repr_mimebundle_()["text/latex"]
    assert r"\begin{aligned} & \text{kink: leaky\_relu(x, a) at x = 0: " in shown
    assert r"} \\ & \text{checked: " in shown
    assert is_balanced(shown)


def test_shared_parts_are_lines() -> None:
    lines = "; ".join(f"a{i + 1} = a{i}*a{i}/(1 + a{i}**2*x)" for i in range(6))
    shown = latex(of(f"a0 = x*y1 + c*x; {lines}; a6"))
    assert shown.startswith(r"\begin{aligned} t_{1} &= ")
    assert is_balanced(shown)


@pytest.mark.parametrize("name", ["über", "变量", "_x", "x__y", "ñ_ü", "a_b_c", "ﬁ", "α1"])
def test_any_identifier_is_escaped(name: str) -> None:
    shown = latex(of(f"{name}**2/(1 + {name})"))
    assert is_balanced(shown)
    assert not re.search(r"(?<!\\)_(?!\{)", shown)


def test_long_and_deep() -> None:
    assert latex(of("+".join(f"x{i}*c" for i in range(5_000)))).count("+") == 4_999
    deep = "x"
    for _ in range(150):
        deep = f"(1 + {deep}/2)**2"
    assert is_balanced(latex(of(deep)))


SCALARS = st.sampled_from(["x", "y1", "w_out", "2", "1/2", "(-3)", "alpha", "z[k]", "z@v", "sum(y)", "tr(A)"])
VECTORS = st.sampled_from(["z", "v", "y", "A@z", "sum(B, axis=1)", "ones(n)", "onehot(k, n)", "B[k]", "diag(A)"])
MATRICES = st.sampled_from(["A", "B.T", "A@B", "outer(z, v)", "eye(n)", "A + z", "diag(v)"])
PATTERNS = [
    "({0}) + ({1})", "({0}) - ({1})", "({0})*({1})", "({0})/({1})", "({0})**2", "-({0})", "sqrt({0})",
    "where({0} > {1}, {0}, {1})", "1/({0})**3", "({0})**({1})",
]  # fmt: skip


def expressions(leaves: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.recursive(
        leaves,
        lambda inner: st.builds(lambda p, a, b: p.format(a, b), st.sampled_from(PATTERNS), inner, inner),
        max_leaves=8,
    )


@settings(deadline=None, max_examples=150)
@given(st.one_of(expressions(SCALARS), expressions(VECTORS), expressions(MATRICES)), st.integers(0, 1_000))
def test_braces_always_close(text: str, chosen: int) -> None:
    node = of(text)
    nodes = topological(node)
    assert is_balanced(latex(node))
    assert is_balanced(latex(node, marked=frozenset([nodes[chosen % len(nodes)]])))

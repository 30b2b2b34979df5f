"""Index notation on request: entry by entry, products of matrices as sums."""

from __future__ import annotations

import pytest

import derivata as dv

WHERE = "X[n,d], y[n], w[d], A[n,n], x[n], z[n], W1[h,d], W2[c,h], u[d]"

GRADIENTS = [
    ("sum((X@w - y)**2)", "w", r"\left( 2 \sum_{j} X_{ji} \left( \sum_{k} X_{jk} w_{k} - y_{j} \right) \right)_{i}"),
    ("sum((X@w - y)**2)", "w[j]", r"2 \sum_{i} X_{ij} \left( \sum_{k} X_{ik} w_{k} - y_{i} \right)"),
    ("x@A@x", "x", r"\left( \sum_{j} (A_{ij} + A_{ji}) x_{j} \right)_{i}"),
    ("logdet(A)", "A", r"((A^{- 1})_{ji})_{ij}"),
    ("softmax(z)[k]", "z", None),
    ("W2@tanh(W1@u)", "u", None),
]


@pytest.mark.parametrize(("text", "wrt", "expected"), GRADIENTS, ids=[f"{t} by {w}" for t, w, _ in GRADIENTS])
def test_a_derivative_by_entries(text: str, wrt: str, expected: str | None) -> None:
    result = dv.derive(text, wrt, WHERE).result
    shown = result.latex(indices=True)
    assert expected is None or shown == expected
    assert r"\top" not in shown
    assert "@" not in result.unicode(indices=True)


def test_steps_by_entries_name_one_component() -> None:
    page = dv.derive("sum((X@w - y)**2)", "w[j]", WHERE).unicode(indices=True)
    assert "∑ᵢ 2 · (∑ⱼ Xᵢⱼ·wⱼ - yᵢ) · ∑ⱼ Xᵢⱼ·dwⱼ" in page
    assert "derivative = 2 · ∑ᵢ Xᵢⱼ · (∑ₖ Xᵢₖ·wₖ - yᵢ)" in page

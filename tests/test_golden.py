"""Derivations as a person reads them, kept as pages. After a change that is meant: `python tests/test_golden.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

import derivata as dv

PAGES = Path(__file__).resolve().parent / "golden"
VECTORS = "X[n,d], y[n], w[d], z[n], k int"

# page, title, formula, variable, declarations
DERIVATIONS = [
    ("reciprocal", "The reciprocal", "1/x", "x", ""),
    ("product_rule", "The product rule", "f(x)*g(x)", "x", ""),
    ("quotient_rule", "The quotient rule", "f(x)/g(x)", "x", ""),
    ("chain_rule", "The chain rule", "f(g(x))", "x", ""),
    ("power", "A power with any exponent", "x**n", "x", ""),
    ("sigmoid", "The sigmoid, written out", "1/(1+exp(-x))", "x", ""),
    ("leaky_relu", "Leaky ReLU and its kink", "leaky_relu(x, a)", "x", ""),
    ("mish", "Mish", "x*tanh(softplus(x))", "x", ""),
    ("cross_entropy", "Binary cross-entropy", "-y*log(sigmoid(w*x+b)) - (1-y)*log(1-sigmoid(w*x+b))", "w", ""),
    ("partial", "A partial derivative", "x**2*y + sin(x*y)", "y", ""),
    ("huber", "The Huber loss", "where(abs(r) <= delta, r**2/2, delta*(abs(r) - delta/2))", "r", ""),
    ("gaussian", "The log-likelihood of a Gaussian", "-log(s) - (x-mu)**2/(2*s**2)", "s", "s > 0"),
    ("least_squares", "Least squares", "sum((X@w - y)**2)", "w", VECTORS),
    ("logistic_regression", "Logistic regression", "sum(log(1 + exp(-y*(X@w))))", "w", VECTORS),
    ("softmax", "The Jacobian of softmax", "softmax(z)", "z", VECTORS),
    ("softmax_cross_entropy", "Softmax with cross-entropy", "-sum(y*log(softmax(z)))", "z", "z[n], y[n] sums to 1"),
    ("log_likelihood_of_a_class", "The loss of one class", "-log(softmax(z)[k])", "z", VECTORS),
    ("quadratic_form", "A quadratic form", "w@S@w", "w", "w[d], S[d,d] symmetric"),
]


def page(title: str, text: str, wrt: str, where: str) -> str:
    derivation = dv.derive(text, wrt, where=where)
    declared = f", where `{where}`" if where else ""
    steps = "\n".join(
        f"{number}. {line.rule}\n\n   $$= {line.after.latex()}$$\n" for number, line in enumerate(derivation.lines, 1)
    )
    notes = "\n".join(f"- {note}" for note in derivation.notes())
    held = f" Held constant: {', '.join(derivation.held)}." if derivation.held else ""
    return (
        f"# {title}\n\n`{text}` by `{wrt}`{declared}.{held}\n\n$${derivation.of.latex()}$$\n\n{steps}\n"
        f"The {derivation.kind} is `{derivation.result}`.\n\n{notes}\n\n## As printed\n\n```text\n{derivation}\n```\n"
    )


@pytest.mark.parametrize(("name", "title", "text", "wrt", "where"), DERIVATIONS)
def test_the_page_is_as_it_was(name: str, title: str, text: str, wrt: str, where: str) -> None:
    assert (PAGES / f"{name}.md").read_text("utf-8") == page(title, text, wrt, where)


def test_no_page_is_left_over() -> None:
    assert {p.stem for p in PAGES.glob("*.md")} == {name for name, *_ in DERIVATIONS}


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for name, *rest in DERIVATIONS:
        (PAGES / f"{name}.md").write_text(page(*rest), "utf-8")

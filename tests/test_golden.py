"""Derivations as a person reads them, kept as pages. After a change that is meant: `python tests/test_golden.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

import derivata as dv

PAGES = Path(__file__).resolve().parent / "golden"
VECTORS = "X[n,d], y[n], w[d], z[n], k int"
NETWORK, LAYERS = "norm(W2@tanh(W1@x) - y)**2/2", "W1[h,d], W2[k,h], x[d], y[k]"
ATTENTION, HEADS = "sum(G*(softmax(Q@K.T/sqrt(d))@V))", "Q[n,d], K[m,d], V[m,p], G[n,p]"
LAYER_NORM = "sum(g*(gamma*(x - mean(x))/sqrt(var(x) + eps) + beta))"
BATCH_NORM = "sum(G*(X - mean(X, axis=0))/sqrt(var(X, axis=0) + eps))"
GAUSSIAN = "-n/2*logdet(S) - sum((X - mu)@inv(S)*(X - mu))/2"
GAUSSIAN_WHERE = "X[n,d], mu[d], S[d,d] positive definite"
PROCESS = "-y@inv(K)@y/2 - logdet(K)/2"
FACTORS = "T[n,m], U[n,k], V[m,k], M[n,m]"
MIXTURE = "sum(logsumexp(log(p) - (outer(x, ones(k)) - mu)**2/2, axis=1))"
LSTM = "sum(g*(sigmoid(Wo@x)*tanh(sigmoid(Wf@x)*c + sigmoid(Wi@x)*tanh(Wc@x))))"
CONVOLUTION = "x[n], w[m], y[n-m+1]"
FEATURES = "X[n,d], Z[n,k], w[d+k], y[n]"
CELL = "Wo[h,d], Wf[h,d], Wi[h,d], Wc[h,d], x[d], c[h], g[h]"

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
    ("huber", "The Huber loss", "where(abs(r) <= delta, r**2/2, delta*(abs(r) - delta/2))", "r", "delta > 0"),
    ("gaussian", "The log-likelihood of a Gaussian", "-log(s) - (x-mu)**2/(2*s**2)", "s", "s > 0"),
    ("least_squares", "Least squares", "sum((X@w - y)**2)", "w", VECTORS),
    ("logistic_regression", "Logistic regression", "sum(log(1 + exp(-y*(X@w))))", "w", VECTORS),
    ("softmax", "The Jacobian of softmax", "softmax(z)", "z", VECTORS),
    ("softmax_cross_entropy", "Softmax with cross-entropy", "-sum(y*log(softmax(z)))", "z", "z[n], y[n] sums to 1"),
    ("log_likelihood_of_a_class", "The loss of one class", "-log(softmax(z)[k])", "z", VECTORS),
    ("quadratic_form", "A quadratic form", "w@S@w", "w", "w[d], S[d,d] symmetric"),
    ("ridge", "Ridge regression", "sum((X@w - y)**2) + lam*w@w", "w", VECTORS),
    ("softmax_regression", "Softmax regression", "-sum(Y*log(softmax(X@W)))", "W", "X[n,d], Y[n,k], W[d,k]"),
    ("trace_of_a_power", "The trace of a power", "tr(matrix_power(X, 10))", "X", "X[n,n]"),
    ("inverse", "The trace of an inverse", "tr(inv(X)@A)", "X", "X[n,n], A[n,n]"),
    ("log_determinant", "The log-determinant", "logdet(A + X.T@X)", "X", "A[n,n] symmetric, X[m,n]"),
    ("network_outer", "A two-layer network by its outer weights", NETWORK, "W2", LAYERS),
    ("network_inner", "A two-layer network by its inner weights", NETWORK, "W1", LAYERS),
    ("attention_queries", "Attention by the queries", ATTENTION, "Q", HEADS),
    ("attention_keys", "Attention by the keys", ATTENTION, "K", HEADS),
    ("attention_values", "Attention by the values", ATTENTION, "V", HEADS),
    ("layer_norm", "Layer norm", LAYER_NORM, "x", "x[n], g[n], gamma[n], beta[n], eps > 0"),
    ("layer_norm_scale", "Layer norm by its scale", LAYER_NORM, "gamma", "x[n], g[n], gamma[n], beta[n], eps > 0"),
    ("batch_norm", "Batch norm", BATCH_NORM, "X", "X[n,d], G[n,d], eps > 0"),
    ("gaussian_mean", "Gaussian likelihood by the mean", GAUSSIAN, "mu", GAUSSIAN_WHERE),
    ("gaussian_covariance", "Gaussian likelihood by the covariance", GAUSSIAN, "S", GAUSSIAN_WHERE),
    ("gaussian_process", "The likelihood of a Gaussian process", PROCESS, "K", "K[n,n] positive definite, y[n]"),
    ("factorisation", "Matrix factorisation with a mask", "sum(M*(T - U@V.T)**2)", "U", FACTORS),
    ("mixture", "A Gaussian mixture by its means", MIXTURE, "mu", "x[n], mu[k], p[k] > 0"),
    ("first_differences", "Squared first differences", "sum((x[1:] - x[:-1])**2)", "x", "x[n]"),
    ("convolution", "A 1-D convolution by its weights", "sum((correlate(x, w) - y)**2)", "w", CONVOLUTION),
    ("features", "Concatenated features", "sum((concatenate(X, tanh(Z), axis=1)@w - y)**2)", "Z", FEATURES),
    ("lstm", "An LSTM cell by the weights of its forget gate", LSTM, "Wf", CELL),
]

# The same with the second derivative.
HESSIANS = [
    ("logistic_hessian", "The Hessian of logistic regression", "sum(log(1 + exp(-y*(X@w))))", "w", VECTORS),
    ("softmax_hessian", "The Hessian of the cross-entropy by the logits", "-sum(y*log(softmax(z)))", "z", VECTORS),
    ("logsumexp_hessian", "The Hessian of logsumexp", "logsumexp(A@x + b)", "x", "A[n,m], x[m], b[n]"),
]


def page(title: str, text: str, wrt: str, where: str, order: int = 1) -> str:
    derivation = dv.derive(text, wrt, where=where, order=order)
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


PAGE = [(*row, 1) for row in DERIVATIONS] + [(*row, 2) for row in HESSIANS]


@pytest.mark.parametrize(("name", "title", "text", "wrt", "where", "order"), PAGE)
def test_the_page_is_as_it_was(name: str, title: str, text: str, wrt: str, where: str, order: int) -> None:
    assert (PAGES / f"{name}.md").read_text("utf-8") == page(title, text, wrt, where, order)


def test_no_page_is_left_over() -> None:
    assert {p.stem for p in PAGES.glob("*.md")} == {name for name, *_ in PAGE}


if __name__ == "__main__":
    PAGES.mkdir(exist_ok=True)
    for name, *rest in PAGE:
        (PAGES / f"{name}.md").write_text(page(*rest), "utf-8")

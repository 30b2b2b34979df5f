"""Convexity is claimed only where it is proved, and no random Hessian contradicts a claim."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import derivata as dv
from derivata.errors import DerivataError
from derivata.expr.node import Expr
from derivata.expr.symbol import Symbol
from derivata.expr.walk import symbols

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import random_expressions

SIZE = {"n": 3, "d": 2, "k": 3, "m": 4}
DECIDED = [
    ("sum((X@w - y)**2)", "w", "X[n,d], y[n], w[d]", "convex"),
    ("sum((X@w - y)**2) + lam*sum(w**2)", "w", "X[n,d], y[n], w[d], lam > 0", "convex"),
    ("sum(softplus(-y*(X@w)))", "w", "X[n,d], y[n], w[d]", "convex"),
    ("log(1 + exp(x))", "x", "", "convex"),
    ("logsumexp(z) - z@y", "z", "z[k], y[k]", "convex"),
    ("logsumexp(W@x) - y@(W@x)", "W", "W[k,d], x[d], y[k]", "convex"),
    ("-sum(Y*log_softmax(X@W))", "W", "X[n,d], W[d,k], Y[n,k] >= 0", "convex"),
    ("-log_softmax(z)[j]", "z", "z[n], j int", "convex"),
    ("logsumexp(A@x + b)", "x", "A[k,d], x[d], b[k]", "convex"),
    ("norm(A@x)", "x", "A[k,d], x[d]", "convex"),
    ("sum(x*log(x)) + norm(x)", "x", "x[d] > 0", "convex"),
    ("exp(x)", "x", "", "convex"),
    ("sum(relu(X@w))", "w", "X[n,d], w[d]", "convex"),
    ("sum(max(0, 1 - y*(X@w)))", "w", "X[n,d], y[n], w[d]", "convex"),
    ("sum((M - U@V.T)**2)", "U", "M[n,m], U[n,k], V[m,k]", "convex"),
    ("x@A@x", "x", "x[n], A[n,n] positive definite", "convex"),
    ("x@B.T@B@x", "x", "x[n], B[m,n]", "convex"),
    ("(x - c)@inv(S)@(x - c)", "x", "x[n], c[n], S[n,n] positive definite", "convex"),
    ("exp(x@A@x)", "x", "x[n], A[n,n] positive definite", "convex"),
    ("sqrt(1 + x**2)", "x", "", "convex"),
    ("1/x", "x", "x > 0", "convex"),
    ("x**3", "x", "x > 0", "convex"),
    ("x**3", "x", "x < 0", "concave"),
    ("log(x)", "x", "x > 0", "concave"),
    ("sqrt(x)", "x", "x > 0", "concave"),
    ("-x@x", "x", "x[n]", "concave"),
    ("-x@A@x", "x", "x[n], A[n,n] positive definite", "concave"),
    ("x*y", "x", "", "affine"),
    ("sum(X@w)", "w", "X[n,d], w[d]", "affine"),
]
NOT_DECIDED = [
    ("sin(x)", "x", ""),
    ("tanh(x)", "x", ""),
    ("1/x", "x", ""),
    ("1/x**2", "x", ""),  # its second derivative is positive, its domain has a hole
    ("where(x > 0, 1, 0)", "x", ""),  # so is that of a jump never negative
    ("step(x)", "x", ""),
    ("relu(x) - 2*relu(x)", "x", ""),
    ("exp(-x**2)", "x", ""),
    ("x@A@x", "x", "x[n], A[n,n]"),
    ("x@A@x", "x", "x[n], A[n,n] symmetric"),
    ("x@u*(x@v)", "x", "x[n], u[n], v[n]"),
    ("sum((y - tanh(X@W)@a)**2)", "W", "X[n,d], W[d,k], a[k], y[n]"),
    ("-sum(Y*log_softmax(X@W))", "W", "X[n,d], W[d,k], Y[n,k]"),
    ("sum(softmax(z)*c)", "z", "z[n], c[n]"),
    ("k*y", "k", "k int, y"),
]


def at_random(symbol: Symbol, chance: np.random.Generator) -> np.ndarray:
    """A value that keeps to what is declared."""
    shape = tuple(s if isinstance(s, int) else SIZE.get(s, 3) for s in symbol.shape)
    value = chance.normal(size=shape) * 2
    if symbol.integer:
        return np.asarray(1)
    if "positive definite" in symbol.traits:
        return value @ value.T + np.eye(shape[0])
    if "diagonal" in symbol.traits:
        return np.diag(np.diag(value))
    if "symmetric" in symbol.traits:
        return value + value.T
    if "sums to 1" in symbol.traits:
        return value / value.sum()
    if symbol.low is not None:
        return np.abs(value) + 0.1
    return -np.abs(value) - 0.1 if symbol.high is not None else np.asarray(value)


def eigenvalues(f: Expr, hessian: Expr, wrt: str, seed: int) -> np.ndarray | None:
    chance = np.random.default_rng(seed)
    values = {name: at_random(s, chance) for name, s in symbols(f, hessian).items() if "size" not in s.traits}
    matrix = np.asarray(dv.evaluate(hessian, **{**SIZE, **values}))
    if not np.isfinite(dv.evaluate(f, **{**SIZE, **values})).all() or not np.isfinite(matrix).all():
        return None
    side = int(np.prod(values[wrt].shape, dtype=int)) if wrt in values else 1
    matrix = matrix.reshape(side, side)
    return np.linalg.eigvalsh((matrix + matrix.T) / 2) / max(1.0, float(np.abs(matrix).max()))


def contradicted(f: Expr, wrt: str, kind: str, points: int = 3) -> bool:
    hessian = dv.hessian(f, wrt)
    for seed in range(points):
        found = eigenvalues(f, hessian, wrt, seed)
        if found is None:
            continue
        if (kind in ("convex", "affine") and found.min() < -1e-8) or (
            kind in ("concave", "affine") and found.max() > 1e-8
        ):
            return True
    return False


@pytest.mark.parametrize(("text", "wrt", "where", "kind"), DECIDED)
def test_decided(text: str, wrt: str, where: str, kind: str) -> None:
    found = dv.convexity(text, wrt, where or None)
    assert found.kind == kind, str(found)
    assert found.reason or kind == "affine"
    assert not contradicted(dv.read(text, where or None), wrt, kind)


@pytest.mark.parametrize(("text", "wrt", "where"), NOT_DECIDED)
def test_not_decided(text: str, wrt: str, where: str) -> None:
    assert dv.convexity(text, wrt, where or None).kind == "not decided"


def test_a_wrong_claim_would_be_seen() -> None:
    assert contradicted(dv.read("sin(x)"), "x", "convex", 20)
    assert contradicted(dv.read("x@x", "x[n]"), "x", "concave")


def claim(seed: int) -> tuple[str, str, str, str]:
    """A random text, its declarations, a variable in it, and what is claimed of them."""
    maker = random_expressions.Maker(seed)
    text = str(maker.make((), maker.chance.choice((1, 2, 2, 3))))
    where = maker.where(text)
    try:
        names = [n for n, s in symbols(dv.read(text, where)).items() if not s.integer]
        wrt = maker.chance.choice(names) if names else ""
        return text, where, wrt, dv.convexity(text, wrt, where).kind
    except DerivataError:
        return text, where, "", "not decided"


def test_no_random_claim_is_contradicted() -> None:
    wrong, decided = [], 0
    for seed in range(200):
        text, where, wrt, kind = claim(seed)
        if kind == "not decided":
            continue
        decided += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # overflow at a random point says nothing
                if contradicted(dv.read(text, where), wrt, kind):
                    wrong.append(f"{kind}: {text} by {wrt}")
        except DerivataError:
            continue
    assert not wrong, "\n".join(wrong)
    assert decided > 40

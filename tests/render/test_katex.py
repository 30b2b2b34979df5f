"""What we print renders in KaTeX without an error or a warning, its strict mode included."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from test_golden import DERIVATIONS

import derivata as dv
from derivata.render.derivation import Derivation
from derivata.render.latex import latex
from derivata.rules.book import book
from derivata.rules.record import Function

KATEX = Path(__file__).resolve().parent.parent / "katex"
NODE = shutil.which("node")
SQUARES = "X[n,n], S[n,n], y[n]"
TALL = "X[n,d], A[d,d], B[n,d], w[d], y[n]"

# formula, variable, declarations, order
MATRICES = [
    ("logdet(A + X.T@X)", "X", TALL, 1),
    ("logdet(A + X.T@X)", "X", "X[n,d], A[d,d] symmetric", 1),
    ("logdet(X)", "X", "X[n,n] symmetric", 1),
    ("tr(inv(X)@S)", "X", SQUARES, 1),
    ("y@inv(X)@y", "X", SQUARES, 1),
    ("det(X)", "X", SQUARES, 2),
    ("X@X", "X", SQUARES, 1),
    ("inv(X)**2", "X", SQUARES, 1),
    ("tr(expm(X))", "X", SQUARES, 1),
    ("expm(t*X)", "t", SQUARES, 1),
    ("expm(X)", "X", SQUARES, 1),
    ("kron(X, S)", "X", "X[n,n], S[p,p]", 1),
    ("vec(S@X@S)", "X", SQUARES, 1),
    ("softmax(X)", "X", TALL, 1),
    ("softmax(X, axis=0)", "X", TALL, 1),
    ("sum(B*softmax(X))", "X", TALL, 1),
    ("sum(B*X/sum(X, axis=1, keepdims=True))", "X", TALL, 1),
    ("sum(logsumexp(X))", "X", TALL, 1),
    ("norm(X@w - y)", "w", TALL, 1),
    ("einsum('ij,jk,kl->il', S, X, S)", "X", SQUARES, 1),
    ("sum(w[1:-1]*w[2:]*w[-3:2])", "w", "w[4]", 1),
    ("sum(abs(X[1:, :-1] - concatenate(A, B[1:-2, 1:])))", "X", "X[n,d], A[2,d-1], B[n,d]", 1),
    ("correlate(y, w)*y[d-1:]", "w", TALL, 1),
    ("norm(convolve(y, w))", "y", TALL, 1),
]
PIECES = [
    ("where(x > 0, max(x, y), relu(x*y))", "x", "", 1),
    ("max(x, y)", "x", "", 1),
    ("relu(x)**2", "x", "", 2),
    ("clip(x, a, b)", "x", "", 1),
    ("abs(x/y)**3", "x", "", 1),
    ("sum(where(w > 0, max(w, 0), relu(w)/2))", "w", TALL, 1),
    ("leaky_relu(my_var_x, out_slope)", "my_var_x", "", 1),
]
VEC = [
    ("X@X", SQUARES),
    ("S@X@S", SQUARES),
    ("inv(X)", SQUARES),
    ("X.T", TALL),
    ("kron(X, S)", "X[n,n], S[p,p]"),
]
NAMES = ["über", "变量", "_x", "x__y", "ñ_ü", "a_b_c", "α1", "x_hat", "w_out", "lam", "loss"]


def complaints(formulas: Sequence[str]) -> list[str]:
    """What KaTeX has against each of the formulas; the empty string is nothing."""
    if NODE is None:
        pytest.skip("KaTeX runs in node, which is not installed")
    if not (KATEX / "node_modules" / "katex").is_dir():
        pytest.skip("KaTeX is not installed; `python3 dev.py test` does that where there is npm")
    command = [NODE, str(KATEX / "render.mjs")]
    done = subprocess.run(command, input=json.dumps(formulas), capture_output=True, encoding="utf-8", check=True)
    found: list[str] = json.loads(done.stdout)
    return found


def displayed(derivation: Derivation) -> Iterator[str]:
    """All that is shown of a derivation: what is derived, each step with its change in colour, the whole block."""
    yield derivation.of.latex()
    for line in derivation.lines:
        yield latex(line.before, marked=frozenset({line.changed}))
        yield line.after.latex()
    yield derivation.result.latex()
    yield from (line.after.latex(indices=True) for line in derivation.lines)
    yield derivation.result.latex(indices=True)
    notebook = derivation._repr_mimebundle_()["text/latex"]
    yield from re.findall(r"\$\$(.*?)\$\$", notebook, re.DOTALL)


def derivations() -> Iterator[str]:
    for _, _, text, wrt, where in DERIVATIONS:
        yield from displayed(dv.derive(text, wrt, where=where))
    for text, wrt, where, order in MATRICES + PIECES:
        yield from displayed(dv.derive(text, wrt, where=where, order=order))
    for text, where in VEC:
        yield dv.jacobian(text, "X", where=where, layout="vec").latex()


def instances() -> Iterator[str]:
    """Worked instances: relations, names for parts, arrays of more than two axes, powers of ten."""
    for text, wrt, where in (
        ("norm(W2@tanh(W1@x) - y)**2/2", "W1", "W1[h,d], W2[k,h], x[d], y[k]"),
        ("inv(A)@relu(x)", "A", "A[n,n] symmetric, x[n]"),
        ("my_var**20*relu(x)", "my_var", ""),
    ):
        worked = dv.worked(dv.derive(text, wrt, where=where))
        yield from worked.latex().split("\n\n")
        yield from re.findall(r"\$\$(.*?)\$\$", worked.markdown(), re.DOTALL)


def sample_call(record: Function) -> dv.Expr:
    """The function at arguments that need brackets if anything does."""
    names = [name for name, _ in record.arguments]
    core = record.as_signature().core
    shapes = [f"{name}[{','.join(axes)}]" for name, axes in zip(names, core, strict=False) if axes]
    arguments = ", ".join(f"1 + {name}" for name in names)
    return dv.read(f"{record.name}({arguments})" if names else record.name, ", ".join(shapes))


def calls() -> Iterator[str]:
    for record in book().functions:
        call = sample_call(record)
        yield call.latex()
        yield (1 - call**2).latex()


def names() -> Iterator[str]:
    for name in NAMES:
        yield dv.read(f"{name}**2/(1 + {name})").latex()
        yield dv.read(f"{name}[k]", f"{name}[n], k int").latex()


def test_katex_renders_what_we_print() -> None:
    formulas = sorted({*derivations(), *instances(), *calls(), *names()})
    found = [f"{formula}\n  {why}" for formula, why in zip(formulas, complaints(formulas), strict=True) if why]
    assert not found, "\n".join(found)


def test_katex_is_strict() -> None:
    refused = [r"\frac{1}", r"\nosuchcommand", "x_{1}_{2}", r"\left( x", "é", r"\text{a_b}", r"\text{⟚}"]
    assert [formula for formula, why in zip(refused, complaints(refused), strict=True) if not why] == []

"""Evaluating Hessians: ours against jax.jit(jax.hessian(f)) and torch.func.hessian(f), in double precision.

`python benchmarks/hessians.py [--source] [NAME]` prints a Markdown table: milliseconds of `dv.evaluate(h, **values)`,
of the compiled function behind it, and of the frameworks that are installed; how many times faster than the better
of them each of ours is; the largest relative difference between any two results. With --source also the code that
was run. Numbers are medians after warm-up, in one process in which the contestants take turns.

The cases are those of Laue, Mitterreiter, Giesen: Computing Higher Order Derivatives of Matrix and Tensor Expressions
(2018) and its successor of 2020: a quadratic form, logistic regression with m = 2n rows, a matrix factorisation by U,
and a network of ten fully connected layers by its first weights. The network here has nine ReLU layers and one that
gives the logits, all of width n without biases; its loss is the softmax cross-entropy with targets Y whose rows sum to
one, written sum(logsumexp(z, axis=1)) - sum(Y*z), over a batch of 32; weights are normal with variance 2/n. The
frameworks get the sum of squares for norm(...)**2, which spares them a square root.
"""

from __future__ import annotations

import importlib
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import derivata as dv
from derivata.emit.numpy_source import numpy_function
from derivata.run.evaluate import compile_numpy

Values = dict[str, np.ndarray[Any, Any]]
Contestant = Callable[[], Any]
LAYERS = 10
TOLERANCE = 1e-10
ROUNDS = 5
WARM_UP = 3  # calls before each round
LEAST, MOST = 5, 100  # repeats of one contestant in one round
SECONDS = 0.3  # of repeats in one round, where their number allows it


@dataclass(frozen=True)
class Case:
    """A function in our language and in that of a framework `m` (jax.numpy or torch), and what is aimed at."""

    name: str
    text: str
    wrt: str
    where: str
    target: float
    values: Callable[[np.random.Generator], Values]
    written: Callable[[Any, dict[str, Any]], Any]


def quadratic(chance: np.random.Generator, n: int = 1000) -> Values:
    return {"A": chance.normal(size=(n, n)), "x": chance.normal(size=n)}


def logistic(chance: np.random.Generator, n: int = 500) -> Values:
    return {
        "X": chance.normal(size=(2 * n, n)),
        "y": np.sign(chance.normal(size=2 * n)),
        "w": chance.normal(size=n) / n**0.5,
    }


def factors(chance: np.random.Generator, n: int = 100, k: int = 5) -> Values:
    return {"T": chance.normal(size=(n, n)), "U": chance.normal(size=(n, k)), "V": chance.normal(size=(n, k))}


def network(chance: np.random.Generator, n: int = 16, batch: int = 32) -> Values:
    targets = np.eye(n)[chance.integers(n, size=batch)]
    weights = {f"W{i}": chance.normal(size=(n, n)) * (2 / n) ** 0.5 for i in range(1, LAYERS + 1)}
    return {"X": chance.normal(size=(batch, n)), "Y": targets, **weights}


def network_text() -> str:
    lines = ["h1 = relu(X@W1)", *(f"h{i} = relu(h{i - 1}@W{i})" for i in range(2, LAYERS))]
    return "; ".join([*lines, f"z = h{LAYERS - 1}@W{LAYERS}", "sum(logsumexp(z, axis=1)) - sum(Y*z)"])


def network_loss(m: Any, v: dict[str, Any]) -> Any:
    h = v["X"]
    for i in range(1, LAYERS):
        h = h @ v[f"W{i}"]
        h = m.relu(h)
    z = h @ v[f"W{LAYERS}"]
    return m.sum(m.logsumexp(z, 1)) - m.sum(v["Y"] * z)


CASES = (
    Case("quadratic", "x@A@x", "x", "x[n], A[n,n]", 10, quadratic, lambda m, v: v["x"] @ v["A"] @ v["x"]),
    Case(
        "logistic",
        "sum(log(1 + exp(-y*(X@w))))",
        "w",
        "X[m,n], y[m], w[n]",
        2.5,
        logistic,
        lambda m, v: m.sum(m.log(1 + m.exp(-v["y"] * (v["X"] @ v["w"])))),
    ),
    Case(
        "factorisation",
        "norm(T - U@V.T)**2",
        "U",
        "T[n,n], U[n,k], V[n,k]",
        50,
        factors,
        lambda m, v: m.sum((v["T"] - v["U"] @ v["V"].T) ** 2),
    ),
    Case(
        "network",
        network_text(),
        "W1",
        "X[b,n], Y[b,n], " + ", ".join(f"W{i}[n,n]" for i in range(1, LAYERS + 1)),
        5,
        network,
        network_loss,
    ),
)


class Functions:
    """The few functions that the cases use, under one name in both frameworks."""

    def __init__(self, arrays: Any, relu: Any, logsumexp: Any) -> None:
        self.sum, self.log, self.exp, self.relu, self.logsumexp = arrays.sum, arrays.log, arrays.exp, relu, logsumexp


def with_jax(case: Case, values: Values) -> Contestant:
    """The compiled Hessian, waited for; its arguments are on the device before the clock starts."""
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    functions = Functions(jax.numpy, jax.nn.relu, jax.nn.logsumexp)

    def loss(by: Any, others: dict[str, Any]) -> Any:
        return case.written(functions, {**others, case.wrt: by})

    hessian = jax.jit(jax.hessian(loss))
    given = {name: jax.numpy.asarray(value) for name, value in values.items()}
    by = given.pop(case.wrt)
    return lambda: hessian(by, given).block_until_ready()


def with_torch(case: Case, values: Values) -> Contestant:
    torch = importlib.import_module("torch")
    functions = Functions(torch, torch.relu, torch.logsumexp)
    given = {name: torch.from_numpy(value) for name, value in values.items()}
    by = given.pop(case.wrt)
    hessian = torch.func.hessian(lambda v: case.written(functions, {**given, case.wrt: v}))
    return lambda: hessian(by)


FRAMEWORKS = {"jax": with_jax, "torch": with_torch}


def milliseconds(calls: Mapping[str, Contestant]) -> dict[str, float]:
    """The median time of each call; the contestants take turns, so that a busy machine slows all of them."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            for _ in range(WARM_UP):
                call()
            mine: list[float] = []
            while len(mine) < LEAST or (sum(mine) < SECONDS and len(mine) < MOST):
                start = time.perf_counter()
                call()
                mine.append(time.perf_counter() - start)
            times[name] += mine
    return {name: 1000 * statistics.median(mine) for name, mine in times.items()}


def difference(found: Sequence[np.ndarray[Any, Any]]) -> float:
    """The largest difference from the first, relative to its largest entry."""
    first = found[0]
    assert all(other.shape == first.shape for other in found), [other.shape for other in found]
    scale = float(np.max(np.abs(first)))
    return max((float(np.max(np.abs(other - first))) / scale for other in found[1:]), default=0.0)


def measured(case: Case, installed: Sequence[str], *, show: bool) -> tuple[str, float]:
    """One line of the table, and the largest difference."""
    values = case.values(np.random.default_rng(1))
    start = time.perf_counter()
    h = dv.hessian(case.text, case.wrt, case.where)
    compiled = compile_numpy(h)
    derived = time.perf_counter() - start
    given = {p.python: values[p.name] for p in compiled.parameters}
    calls: dict[str, Contestant] = {
        "evaluate": lambda: dv.evaluate(h, **values),
        "function": lambda: compiled.function(**given),
        **{name: FRAMEWORKS[name](case, values) for name in installed},
    }
    worst = difference([np.asarray(call()) for call in calls.values()])
    if show:
        print(f"\n{case.name}: {h}\n\n```python\n{numpy_function('hessian', None, {'value': h}).text}```\n")
    ms = milliseconds(calls)
    best = min((ms[name] for name in installed), default=float("nan"))
    ratios = [f"{best / ms[name]:.1f}" for name in ("evaluate", "function")]
    cells = [f"{ms[name]:.2f}" if name in ms else "" for name in ("evaluate", "function", *FRAMEWORKS)]
    row = [case.name, f"{derived:.2f}", *cells, *ratios, f"{case.target:g}", f"{worst:.0e}"]
    return f"| {' | '.join(row)} |", worst


def main() -> int:
    asked = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    installed = [name for name in FRAMEWORKS if importlib.util.find_spec(name)]
    rows, wrong = [], []
    for case in CASES:
        if asked and case.name not in asked:
            continue
        row, worst = measured(case, installed, show="--source" in sys.argv)
        rows.append(row)
        if not worst < TOLERANCE:
            wrong.append(case.name)
    print("| Hessian | s to derive | evaluate, ms | function, ms | JAX, ms | PyTorch, ms ", end="")
    print("| evaluate: times faster | function: times faster | target | largest difference |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    print("\n".join(rows))
    versions = [f"{name} {importlib.import_module(name).__version__}" for name in ("numpy", *installed)]
    missing = [name for name in FRAMEWORKS if name not in installed]
    print(f"\n{', '.join(versions)}{'; not installed: ' + ', '.join(missing) if missing else ''}.", end=" ")
    print(f"Relative differences above {TOLERANCE:g}: {', '.join(wrong) or 'none'}.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

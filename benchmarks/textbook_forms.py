"""How long a derivation takes, check included, beside SymPy's diff and simplify; and the command line and the import.

Every derivation is timed in a warm process, the two libraries in turn, and the median is printed. SymPy checks nothing
and explains nothing; it is timed on the scalar formulas.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import sympy

import derivata as dv

VECTORS = "X[n,d], y[n], w[d], z[n], k int"
# formula, variable, declarations, the same for SymPy ("" where it has no such thing)
CROSS_ENTROPY = "-y*log(1/(1+exp(-w*x-b))) - (1-y)*log(1-1/(1+exp(-w*x-b)))"
LOGISTIC = "sum(log(1 + exp(-y*(X@w))))"
FORMS = [
    ("1/x", "x", "", "1/x"),
    ("log(x)", "x", "", "log(x)"),
    ("exp(x)", "x", "", "exp(x)"),
    ("f(x)*g(x)", "x", "", "Function('f')(x)*Function('g')(x)"),
    ("f(x)/g(x)", "x", "", "Function('f')(x)/Function('g')(x)"),
    ("x**n", "x", "", "x**n"),
    ("sigmoid(x)", "x", "", "1/(1+exp(-x))"),
    ("1/(1+exp(-x))", "x", "", "1/(1+exp(-x))"),
    ("tanh(x)", "x", "", "tanh(x)"),
    ("relu(x)", "x", "", "Max(x, 0)"),
    ("leaky_relu(x, a)", "x", "", "Piecewise((x, x > 0), (a*x, True))"),
    ("log(sigmoid(x))", "x", "", "log(1/(1+exp(-x)))"),
    ("log(1+exp(x))", "x", "", "log(1+exp(x))"),
    ("x*sigmoid(x)", "x", "", "x/(1+exp(-x))"),
    ("log(cosh(x))", "x", "", "log(cosh(x))"),
    ("-y*log(sigmoid(w*x+b)) - (1-y)*log(1-sigmoid(w*x+b))", "w", "", CROSS_ENTROPY),
    ("-y*log(sigmoid(w*x+b)) - (1-y)*log(1-sigmoid(w*x+b))", "b", "", CROSS_ENTROPY),
    ("-y*log(sigmoid(w*x+b)) - (1-y)*log(1-sigmoid(w*x+b))", "x", "", CROSS_ENTROPY),
    ("x**2*y + sin(x*y)", "x", "", "x**2*y + sin(x*y)"),
    ("x**2*y + sin(x*y)", "y", "", "x**2*y + sin(x*y)"),
    ("sum((X@w - y)**2)", "w", VECTORS, ""),
    (LOGISTIC, "w", VECTORS, ""),
    ("softmax(z)", "z", VECTORS, ""),
    ("-sum(y*log(softmax(z)))", "z", VECTORS, ""),
    ("-sum(y*log(softmax(z)))", "z", "z[n], y[n] sums to 1", ""),
    ("-log(softmax(z)[k])", "z", VECTORS, ""),
    ("x*tanh(log(1+exp(x)))", "x", "", "x*tanh(log(1+exp(x)))"),
    ("x*tanh(softplus(x))", "x", "", "x*tanh(log(1+exp(x)))"),
    ("gelu(x)", "x", "", "x*(1+erf(x/sqrt(2)))/2"),
    ("log(sigmoid(tanh(x)**2))", "x", "", "log(1/(1+exp(-tanh(x)**2)))"),
]


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def row(text: str, wrt: str, where: str, other: str, repeats: int) -> str:
    ours, theirs = [], []
    result = dv.derive(text, wrt, where=where).result
    of = sympy.sympify(other, locals={"n": sympy.Symbol("n")}) if other else None
    for _ in range(repeats):
        ours.append(milliseconds(lambda: dv.derive(text, wrt, where=where)))
        if of is not None and len(theirs) < 5:
            sympy.core.cache.clear_cache()
            theirs.append(milliseconds(lambda: sympy.simplify(sympy.diff(of, sympy.Symbol(wrt)))))
    mine = statistics.median(ours)
    his = statistics.median(theirs) if theirs else None
    shown = str(result) if len(str(result)) < 60 else "..."
    cells = [f"`{text}` by {wrt}", f"`{shown}`", f"{mine:.1f}"]
    cells += ["", ""] if his is None else [f"{his:.0f}", f"{his / mine:.0f}"]
    return "| " + " | ".join(cells) + " |"


def wall(*command: str) -> float:
    """Median seconds of a process, from start to end."""
    times = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1"})
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=25, help="runs of which the median counts (default 25)")
    repeats = parser.parse_args().repeats
    print("### Derivation and check, warm (target: 30 ms, compositions 60 ms)\n")
    print("| formula | result | ms | SymPy diff + simplify, ms | ratio |")
    print("|---|---|--:|--:|--:|")
    for form in FORMS:
        print(row(*form, repeats), flush=True)
    python = sys.executable
    empty = wall(python, "-c", "pass")
    print("\n### Processes\n\n| process | seconds | less an empty Python | target |\n|---|--:|--:|--:|")
    for name, target, command in (
        ("`import derivata`", 0.15, (python, "-c", "import derivata")),
        ("`derivata derive 'log(sigmoid(x))'`", 0.6, (python, "-m", "derivata.apps.cli", "derive", "log(sigmoid(x))")),
        (
            "`derivata derive` of the logistic objective",
            *(0.6, (python, "-m", "derivata.apps.cli", "derive", LOGISTIC, "--wrt", "w", "--where", VECTORS)),
        ),
    ):
        took = wall(*command)
        print(f"| {name} | {took:.2f} | {took - empty:.2f} | {target} |", flush=True)


if __name__ == "__main__":
    main()

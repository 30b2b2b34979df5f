"""How the cost of a derivative grows with the size of the expression.

Two graphs: a chain `h = tanh(a*h + b)`, three nodes a link, and a shared one `h = h*tanh(h)`, two nodes a
link, whose written-out tree doubles with every link. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable

import derivata as dv
from derivata.calculus.derive import derivative, linearise
from derivata.expr.arrays import elementwise
from derivata.expr.node import Expr
from derivata.expr.walk import topological
from derivata.rules.book import book

Graph = Callable[[int], Expr]
SIZES = (100, 1_000, 10_000, 50_000)
PRINTED = (125, 250, 500, 1_000)


def chain(nodes: int) -> Expr:
    """tanh(a*tanh(a*... + b) + b): every link is a product, a sum and a function."""
    h, a, b = (dv.read(name) for name in ("x", "a", "b"))
    for _ in range(nodes // 3):
        h = elementwise("tanh", a * h + b)
    return h


def shared(nodes: int) -> Expr:
    """Every link uses the one before it twice."""
    h = dv.read("x")
    for _ in range(nodes // 2):
        h = h * elementwise("tanh", h)
    return h


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The median wall time; each result is dropped before the next run, so no node is found ready-made."""
    times = []
    for _ in range(repeats):
        gc.collect()
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
        del result
    return statistics.median(times)


def calculus(name: str, graph: Graph, repeats: int) -> None:
    """One row per size: the calculus pass alone (linearise and transpose), and what its steps keep."""
    by, first = dv.read("x"), 0.0
    for wanted in SIZES:
        of = graph(wanted)
        nodes = len(topological(of))
        each = seconds(lambda of=of: derivative(of, by, book()), repeats) / nodes  # type: ignore[misc]
        first = first or each
        kept = stored(of, by) / nodes
        print(
            f"| {name} | {nodes} | {each * nodes:.3f} | {each * 1e6:.1f} | {each / first:.2f} | {kept:.0f} |",
            flush=True,
        )


def stored(of: Expr, by: Expr) -> int:
    """The bytes that the steps of a derivation hold on to."""
    gc.collect()
    tracemalloc.start()
    try:
        steps = linearise(of, by, book()).steps
        gc.collect()
        return tracemalloc.get_traced_memory()[0] if steps else 0
    finally:
        tracemalloc.stop()


def whole(repeats: int) -> None:
    """The public verb: calculus, simplification, checks; and the length of what it prints."""
    for wanted in PRINTED:
        of = shared(wanted)
        nodes = len(topological(of))
        took = seconds(lambda of=of: dv.derive(of, "x"), repeats)  # type: ignore[misc]
        length = len(str(dv.derive(of, "x").result))
        print(f"| {nodes} | {took:.2f} | {length} | {length / nodes:.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs of which the median counts (default 5)")
    repeats = parser.parse_args().repeats
    calculus_warm_up = derivative(chain(30), dv.read("x"), book())
    del calculus_warm_up
    print("### The calculus pass alone (target: µs per node within 3× from the first to the last size)\n")
    print("| graph | nodes | seconds | µs per node | ratio to first | bytes of steps per node |")
    print("|---|--:|--:|--:|--:|--:|")
    calculus("chain `h = tanh(a*h + b)`", chain, repeats)
    calculus("shared `h = h*tanh(h)`", shared, repeats)
    print("\n### The whole of `derive` on the shared graph (target: 5 s at 1 000 nodes, length linear)\n")
    print("| nodes | seconds | characters printed | characters per node |")
    print("|--:|--:|--:|--:|")
    whole(min(repeats, 3))


if __name__ == "__main__":
    main()

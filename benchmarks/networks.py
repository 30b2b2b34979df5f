"""Gradients of deep networks by all weights in one sweep: seconds to derive, simplify and verify, and length.

`python benchmarks/networks.py` prints a Markdown table.
"""

from __future__ import annotations

import time

import derivata as dv

ACTIVATIONS = ("tanh", "relu", "softplus", "sigmoid")
DEPTHS = (25, 50, 100, 200)


def network(depth: int, activation: str) -> tuple[str, str]:
    """The squared error of layers h = f(W@h + b), and the declarations."""
    inputs = ["x", *(f"h{i}" for i in range(1, depth))]
    layers = [f"h{i} = {activation}(W{i}@{below} + b{i})" for i, below in enumerate(inputs, 1)]
    declared = [f"W{i}[n,n], b{i}[n]" for i in range(1, depth + 1)]
    return "; ".join([*layers, f"sum((h{depth} - y)**2)"]), ", ".join([*declared, "x[n], y[n]"])


def main() -> None:
    """Print the table."""
    dv.derive("tanh(x)")
    print("| activation | layers | seconds | ms per layer | characters per layer |")
    print("|---|--:|--:|--:|--:|")
    for activation in ACTIVATIONS:
        for depth in DEPTHS:
            f = dv.read(*network(depth, activation))
            start = time.perf_counter()
            found = dv.gradients(f, [f"W{i}" for i in range(1, depth + 1)])
            seconds = time.perf_counter() - start
            length = len(found.text())
            print(f"| {activation} | {depth} | {seconds:.2f} | {1000 * seconds / depth:.0f} | {length / depth:.0f} |")


if __name__ == "__main__":
    main()

"""Costs grow with the size of an expression and no faster."""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Callable

import pytest

import derivata as dv
from derivata.calculus.derive import derivative, linearise
from derivata.expr.arrays import elementwise
from derivata.expr.node import Expr
from derivata.expr.walk import topological
from derivata.rules.book import book

SIZES = (100, 1_000, 10_000, 50_000)
TIMES = 3.0  # what a node may cost more at the last size than at the first


def chain(nodes: int) -> Expr:
    h, a, b = (dv.read(name) for name in ("x", "a", "b"))
    for _ in range(nodes // 3):
        h = elementwise("tanh", a * h + b)
    return h


def shared(nodes: int) -> Expr:
    """Every link uses the one before it twice: written out it is 2**(nodes/2) long."""
    h = dv.read("x")
    for _ in range(nodes // 2):
        h = h * elementwise("tanh", h)
    return h


def seconds_per_node(graph: Callable[[int], Expr], nodes: int) -> float:
    of, by = graph(nodes), dv.read("x")
    times = []
    for _ in range(2 if nodes > 5_000 else 15):
        gc.collect()
        start = time.perf_counter()
        result = derivative(of, by, book())
        times.append(time.perf_counter() - start)
        del result
    return statistics.median(times) / len(topological(of))


@pytest.mark.slow
@pytest.mark.parametrize("graph", [chain, shared])
def test_the_calculus_pass_is_linear(graph: Callable[[int], Expr]) -> None:
    seconds_per_node(graph, 100)
    for attempt in range(3):  # the machines that run this are shared and noisy
        costs = [seconds_per_node(graph, nodes) for nodes in SIZES]
        if max(costs) < TIMES * costs[0]:
            return
        assert attempt < 2, costs


def test_steps_are_stored_in_linear_space() -> None:
    by, kept = dv.read("x"), []
    for nodes in (500, 3_000):
        of, sizes = shared(nodes), []
        for _ in range(3):  # the table of all nodes may grow meanwhile: that is not in the smallest
            linearise(of, by, book())
            gc.collect()
            tracemalloc.start()
            steps = linearise(of, by, book()).steps
            sizes.append(tracemalloc.get_traced_memory()[0] / nodes)
            tracemalloc.stop()
            assert len(steps) == len(topological(of)) - 1
        kept.append(min(sizes))
    assert kept[1] < 1.5 * kept[0]


@pytest.mark.slow
def test_a_shared_graph_of_a_thousand_nodes() -> None:
    lengths, seconds = [], []  # per node; how many seconds is for benchmarks/scaling.py to say
    for nodes in (250, 500, 1_000):
        start = time.process_time()
        found = dv.derive(shared(nodes), "x")
        seconds.append((time.process_time() - start) / nodes)
        lengths.append(len(str(found.result)) / nodes)
    assert seconds[-1] < TIMES * seconds[0], seconds
    assert "one by one" in str(found)
    assert max(lengths) < 1.5 * min(lengths), lengths
    assert dv.read(str(found.result)).shape == ()


def test_a_wrong_part_of_a_large_result_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One simplified part, one rule and one pullback falsified in turn: each must be refused."""
    from derivata.run import parts

    of = shared(600)
    by = dv.read("x")
    raw, found = derivative(of, by, book())
    from derivata.simplify.textbook import present

    pairs = list(present(raw, of, book()).parts)
    parts.verify_parts(pairs)
    before, after = pairs[len(pairs) // 2]
    pairs[len(pairs) // 2] = (before, 2 * after)
    with pytest.raises(dv.DerivataError, match="simplification"):
        parts.verify_parts(pairs)
    pullbacks = list(found.pullbacks)
    parts.verify_pullbacks(pullbacks)
    wrong = pullbacks[100]
    position, given = wrong.given[0]
    pullbacks[100] = type(wrong)(wrong.node, wrong.adjoint, ((position, given + 1), *wrong.given[1:]))
    with pytest.raises(dv.DerivataError, match="reverse sweep"):
        parts.verify_pullbacks(pullbacks)

"""Deep networks: right, and as long as the number of layers."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import derivata as dv
from derivata.expr.node import ADD, call, contraction
from derivata.render.gradients import Gradients
from derivata.simplify.content import monomial_content

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
from networks import ACTIVATIONS, network


def gradients(depth: int, activation: str) -> Gradients:
    return dv.gradients(dv.read(*network(depth, activation)), [f"W{i}" for i in range(1, depth + 1)])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_length_grows_with_the_number_of_layers(activation: str) -> None:
    shorter, longer = (len(gradients(depth, activation).text().splitlines()) for depth in (20, 40))
    assert longer <= 2.1 * shorter


def test_every_layer_is_as_a_paper_prints_it() -> None:
    lines = gradients(20, "tanh").text().splitlines()
    assert "t20 = (t19 - y)*(1 - t19**2);" in lines
    assert "t21 = (W20.T@t20)*(1 - t18**2);" in lines
    assert lines[-1] == "d/dW20 = 2*outer(t20, t18)"


def test_very_deep_networks_are_checked_part_by_part() -> None:
    """Balls would grow too wide from the first layer to the last."""
    assert "one by one" in str(gradients(110, "tanh").check)


def test_a_term_with_a_power_and_its_base_keeps_both() -> None:
    """Large parts are atoms, so that h**2 and h may stand side by side in a term."""
    h, y = dv.read("h"), dv.read("y")
    square = dv.read("h**2")
    scale, common, (rest, _) = monomial_content(_sum(_product(square, h), _product(y, h)))
    value = dv.evaluate(rest, h=3, y=5) * float(scale)
    for part, _ in common:
        value = value * dv.evaluate(part, h=3, y=5)
    assert float(value) == 3**3 + 15


def _product(left: dv.Expr, right: dv.Expr) -> dv.Expr:
    return contraction([(left, ()), (right, ())], ())


def _sum(left: dv.Expr, right: dv.Expr) -> dv.Expr:
    return call(ADD, [(left, ()), (right, ())])

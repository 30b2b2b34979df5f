"""Where a derivative does not exist: which kinks are stated, and that what is said of them is so."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

import derivata as dv

SMOOTH = [
    ("x*abs(x)", "", "x"),
    ("abs(x)**3", "", "x"),
    ("softsign(x)", "", "x"),
    ("relu(x)**2", "", "x"),
    ("where(x > 0, x, sin(x))", "", "x"),
    ("where(x > 0, x, x**2) + where(x > 0, 0, x)", "", "x"),
    ("max(x, 1) + min(x, 1)", "", "x"),
    ("max(x, x)", "", "x"),
    ("sqrt(x**4)", "", "x"),
    ("elu(x)", "", "x"),
    ("sum(where(z > 0, z, sin(z)))", "z[n]", "z"),
    ("sum(abs(w)*w) + mean((X@w - y)**2)", "X[n,d], w[d], y[n]", "w"),
    ("sum(max(0, 1 - y*(X@w))**2)", "X[n,d], w[d], y[n]", "w"),
    ("where(abs(r) <= d, r**2/2, d*(abs(r) - d/2))", "d > 0", "r"),
    ("where(abs(x) <= 1, x**2/2, abs(x) - 1/2)", "", "x"),
    ("relu(x**3) + abs(x**2)", "", "x"),
    ("abs(-x - (-x))*x", "", "x"),
    ("norm(x)**2", "x[n]", "x"),
    ("abs(x**2 - 4)*(x**2 - 4)", "", "x"),
    ("abs(x**2 + 1)", "", "x"),
    ("sum(where(abs(r) <= d, r**2/2, d*(abs(r) - d/2)))", "d > 0, r[n]", "r"),
]

KINKED = [
    ("relu(x)", "", "x", ("relu(x) at x = 0: slope 0 from the left, 1 from the right, chosen 0",)),
    (
        "where(x>0, x, x**2)",
        "",
        "x",
        ("where(x > 0, x, x**2) at x = 0: slope 0 from the left, 1 from the right, chosen 0",),
    ),
    ("3*relu(2*x - 1)", "", "x", ("3*relu(2*x - 1) at x = 1/2: slope 0 from the left, 6 from the right, chosen 0",)),
    (
        "relu(x) - relu(-x)",
        "",
        "x",
        ("relu(x) - relu(-x) at x = 0: slope 1 from the left, 1 from the right, chosen 0",),
    ),
    ("where(x > 0, 1, 0)", "", "x", ("where(x > 0, 1, 0) jumps at x = 0 from 0 to 1; its slope is 0 on both sides",)),
    (
        "where((x > 0)*(x < 1), x, 2*x)",
        "",
        "x",
        (
            "where((x > 0)*(x < 1), x, 2*x) at x = 0: slope 2 from the left, 1 from the right, chosen 2",
            "where((x > 0)*(x < 1), x, 2*x) jumps at x = 1 from 1 to 2; "
            "slope 1 from the left, 2 from the right, chosen 2",
        ),
    ),
    (
        "where(x**2 > 1, x, x**2)",
        "",
        "x",
        (
            "where(x**2 > 1, x, x**2) jumps at x = -1 from -1 to 1; "
            "slope 1 from the left, -2 from the right, chosen -2",
            "where(x**2 > 1, x, x**2) at x = 1: slope 2 from the left, 1 from the right, chosen 2",
        ),
    ),
    (
        "where(w*x + b > 0, w*x + b, exp(x))",
        "",
        "w",
        (
            "where(w*x + b > 0, w*x + b, exp(x)) jumps at w*x + b = 0 from exp(x) to 0; "
            "slope 0 where w*x + b < 0, x where w*x + b > 0, chosen 0",
        ),
    ),
    (
        "sum(max(0, 1 - y*(X@w)))",
        "X[n,d], w[d], y[n]",
        "w",
        ("max(0, 1 - y*(X@w)) at 1 - y*(X@w) = 0: slope 0 from the left, 1 from the right, chosen 1/2",),
    ),
    (
        "sum(abs(X@w - y))",
        "X[n,d], w[d], y[n]",
        "w",
        ("abs(X@w - y) at X@w - y = 0: slope -1 from the left, 1 from the right, chosen 0 (by X@w - y)",),
    ),
    ("where(x, x**2, x)", "", "x", ("the cases of where(x, x**2, x) meet at x = 0",)),
    ("min(x, 1 - x)", "", "x", ("min(x, 1 - x) at x = 1/2: slope 1 from the left, -1 from the right, chosen 0",)),
    ("max(x, 2*x)", "", "x", ("max(x, 2*x) at x = 0: slope 1 from the left, 2 from the right, chosen 3/2",)),
    ("relu(abs(x))", "", "x", ("relu(abs(x)) at x = 0: slope -1 from the left, 1 from the right, chosen 0",)),
    (
        "clip(x**2, 1, 4)",
        "",
        "x",
        (
            "clip(x**2, 1, 4) at x = -1: slope -2 from the left, 0 from the right, chosen 0",
            "clip(x**2, 1, 4) at x = 1: slope 0 from the left, 2 from the right, chosen 0",
            "clip(x**2, 1, 4) at x = -2: slope 0 from the left, -4 from the right, chosen 0",
            "clip(x**2, 1, 4) at x = 2: slope 4 from the left, 0 from the right, chosen 0",
        ),
    ),
    (
        "where(relu(x)*(y > 0), x + 3, 5)",
        "",
        "x",
        (
            "relu(x) at x = 0: slope 0 from the left, 1 from the right, chosen 0",
            "the cases of where(relu(x)*(y > 0), x + 3, 5) meet at relu(x)*(y > 0) = 0",
        ),
    ),
    (
        "abs(x**2 - 2)",
        "",
        "x",
        ("abs(x**2 - 2) at x**2 - 2 = 0: slope -2*x where x**2 - 2 < 0, 2*x where x**2 - 2 > 0, chosen 0",),
    ),
    (
        "abs((3*x - 1)*(5*x - 2))",
        "",
        "x",
        (
            "abs((3*x - 1)*(5*x - 2)) at x = 1/3: slope -1 from the left, 1 from the right, chosen 0",
            "abs((3*x - 1)*(5*x - 2)) at x = 2/5: slope -1 from the left, 1 from the right, chosen 0",
        ),
    ),
    (
        "sign(x**2 - 3)",
        "",
        "x",
        (
            "sign(x**2 - 3) at x**2 - 3 = 0: value -1 where x**2 - 3 < 0, 1 where x**2 - 3 > 0; "
            "its slope is 0 on both sides",
        ),
    ),
    ("floor(x)*x", "", "x", ("floor(x) jumps at x = floor(x); its slope is 0 on both sides",)),
    ("floor(x)", "", "x", ("floor(x) jumps at x = floor(x); its slope is 0 on both sides",)),
]


@pytest.mark.parametrize(("text", "where", "by"), SMOOTH)
def test_what_the_rest_makes_up_for_is_no_kink(text: str, where: str, by: str) -> None:
    assert dv.derive(text, by, where=where, allow_kinks=False).kinks == ()


@pytest.mark.parametrize(("text", "where", "by", "kinks"), KINKED)
def test_kinks_are_stated(text: str, where: str, by: str, kinks: tuple[str, ...]) -> None:
    assert dv.derive(text, by, where=where).kinks == kinks
    with pytest.raises(dv.DerivataError, match="does not exist everywhere"):
        dv.derive(text, by, where=where, allow_kinks=False)


SAID = re.compile(r"at x = (\S+?)(?:: | from .*; )slope (\S+) from the left, (\S+) from the right, chosen (\S+)")
ONE_VARIABLE = [
    "relu(x)",
    "where(x > 0, x, x**2)",
    "3*relu(2*x - 1)",
    "relu(x) - relu(-x)",
    "relu(3 - 2*x)*x",
    "abs(x - 1)*exp(x)",
    "where(2 > x, x**2, 6 - x)",
    "where((x > 0)*(x < 1), x, 2*x)",
    "max(2*x, 3 - x)",
    "x**2 + clip(2*x, 0, 1)",
    "hardtanh(x/2)*x",
    "leaky_relu(-x, 1/4)",
    "sign(x)*x",
    "abs(x**3 - x)",
    "max(x, x**2)",
]


@pytest.mark.parametrize("text", ONE_VARIABLE)
def test_the_slopes_are_those_of_the_function(text: str) -> None:
    derivation = dv.derive(text, "x")
    found = [SAID.search(kink) for kink in derivation.kinks]
    assert found
    for said in found:
        assert said is not None, derivation.kinks
        at, left, right, chosen = (float(dv.evaluate(part)) for part in said.groups())
        for slope, side in ((left, -1), (right, 1)):
            near, far = (float(dv.evaluate(text, x=at + side * step)) for step in (1e-6, 3e-6))
            assert (far - near) / (side * 2e-6) == pytest.approx(slope, abs=1e-4)
        assert float(dv.evaluate(derivation.result, x=at)) == pytest.approx(chosen, abs=1e-12)


def random_pieces(chance: random.Random, depth: int) -> str:
    """A continuous function of x put together from polynomials, with kinks at odd places."""
    if depth == 0:
        a, b, c = (chance.choice(("0", "1", "-1", "2", "1/3", "-3/2", "5", "-2/7")) for _ in range(3))
        return f"({a}*x**2 + {b}*x + {c})"
    first, second = random_pieces(chance, depth - 1), random_pieces(chance, depth - 1)
    form = chance.choice(
        ("abs({0})", "relu({0})", "max({0}, {1})", "min({0}, {1})", "{0}*abs({1})", "clip({0}, -1, 2)")
    )
    return form.format(first, second)


@pytest.mark.parametrize("seed", range(40))
def test_no_kink_is_left_out(seed: int) -> None:
    """Where second differences are as large as first ones, there is a kink; somewhere it is stated."""
    chance = random.Random(seed)
    text = random_pieces(chance, chance.choice((1, 1, 2)))
    step = 1e-4
    x = np.arange(-4, 4, step) + 0.37e-4
    values = dv.evaluate(text, "x[n]", x=x)
    spikes = np.abs(np.diff(values, 2)) / step > 0.3
    if spikes.any():
        assert dv.derive(text, "x").kinks, text

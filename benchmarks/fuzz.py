"""Random well-shaped expressions: is every derivative right, or refused with a reason?

`python benchmarks/fuzz.py --count 20000 --seed 0 --jobs 2` prints how many were derived, refused, wrong, slow or
crashed, and every failure with the text that shows it. A derivative is compared with a central difference of step
2**-90 in 500 bits, in which no rule of ours takes part; jvp and what is printed are compared as well.
"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import random
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from flint import arb

import derivata as dv
from derivata.errors import UndefinedError, VariableError, VerificationError
from derivata.expr.node import Expr
from derivata.expr.walk import symbols
from derivata.run.balls import Array, ball, is_finite, precision
from derivata.run.precise import Program
from derivata.run.sample import direction, points, sizes_for

WHERE = (
    "x, t > 0, u[n], v[n], w[m], p[n] > 0, y[n] sums to 1, A[n,n], S[n,n] symmetric, P[n,n] positive definite, "
    "D[n,n] diagonal, B[n,m], C[m,n], one[1], R[n,1], k int"
)
VARIABLES = ("x", "t", "u", "v", "w", "p", "y", "A", "S", "P", "D", "B", "C", "one", "R")
SMOOTH = ("exp", "sin", "cos", "tanh", "sigmoid", "softplus", "erf", "atan", "sinh", "silu", "gelu", "log1p", "expm1")
KINKED = ("relu", "abs", "elu", "leaky_relu", "hardtanh", "sign")
BITS = 500
STEP = Fraction(1, 2**90)
SECONDS = 1.0


class Maker:
    """Texts of expressions by shape: s scalar, v[n], w[m], q[n,n], b[n,m]."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def __call__(self, depth: int = 3) -> str:
        return getattr(self, self.chance.choice(("s", "s", "s", "v", "q", "b")))(depth)

    def pick(self, *options: Callable[[], str]) -> str:
        return self.chance.choice(options)()

    def s(self, d: int) -> str:
        if d <= 0:
            return self.chance.choice(("x", "t", "x", "2", "u[k]", "A[0,k]", "3/2", "0*x"))
        d -= 1
        return self.pick(
            lambda: f"sum({self.v(d)})", lambda: f"({self.v(d)})@({self.v(d)})", lambda: f"tr({self.q(d)})",
            lambda: f"norm({self.v(d)})", lambda: f"sum({self.b(d)})", lambda: f"norm({self.b(d)})**2",
            lambda: f"({self.s(d)} + {self.s(d)})", lambda: f"({self.s(d)} - {self.s(d)})",
            lambda: f"({self.s(d)})*({self.s(d)})", lambda: f"({self.s(d)})/(1 + ({self.s(d)})**2)",
            lambda: f"{self.chance.choice(SMOOTH[:11])}({self.s(d)})", lambda: f"({self.s(d)})**2",
            lambda: f"sqrt(1 + ({self.s(d)})**2)", lambda: f"log(1 + ({self.s(d)})**2)", lambda: f"t**({self.s(d)})",
            lambda: f"logsumexp({self.v(d)})", lambda: f"var({self.v(d)})", lambda: f"mean({self.b(d)})",
            lambda: f"logdet({self.square(d)})", lambda: f"det({self.square(d)})", lambda: f"tr(inv({self.square(d)}))",
            lambda: f"dot({self.v(d)}, {self.v(d)})", lambda: "sum(A[i,j]*u[i]*v[j], i, j)", lambda: "u@inv(P)@v",
            lambda: f"amax({self.v(d)})", lambda: f"norm1({self.v(d)})", lambda: f"({self.v(d)})[k]",
            lambda: f"max({self.s(d)}, {self.s(d)})", lambda: f"where({self.s(d)} > 0, {self.s(d)}, {self.s(d)})",
            lambda: f"sqrt(({self.s(d)})**2)", lambda: f"{self.chance.choice(KINKED)}({self.s(d)})",
            lambda: f"sum(one*{self.v(d)})", lambda: f"einsum('ij,ij->', {self.b(d)}, {self.b(d)})",
        )  # fmt: skip

    def v(self, d: int) -> str:
        if d <= 0:
            return self.chance.choice(("u", "v", "p", "y", "ones(n)", "u", "v", "onehot(k, n)", "(u - u)"))
        d -= 1
        return self.pick(
            lambda: f"({self.q(d)})@({self.v(d)})", lambda: f"({self.b(d)})@({self.w(d)})",
            lambda: f"({self.v(d)} + {self.v(d)})", lambda: f"({self.v(d)} - {self.s(d)})",
            lambda: f"({self.v(d)})*({self.v(d)})", lambda: f"({self.s(d)})*({self.v(d)})",
            lambda: f"{self.chance.choice(SMOOTH[:11])}({self.v(d)})", lambda: f"({self.v(d)})**2",
            lambda: f"softmax({self.v(d)})", lambda: f"log_softmax({self.v(d)})", lambda: f"diag({self.q(d)})",
            lambda: f"sum({self.b(d)}, axis=1)", lambda: f"mean({self.q(d)}, axis=0)", lambda: "p**x",
            lambda: "inv(P)@u",
            lambda: f"({self.v(d)})/(1 + ({self.v(d)})**2)", lambda: f"{self.chance.choice(KINKED)}({self.v(d)})",
            lambda: f"where({self.v(d)} > 0, {self.v(d)}, {self.v(d)})", lambda: "log(p)", lambda: "sqrt(p)",
            lambda: f"norm({self.b(d)}, axis=1)", lambda: "sum(R, axis=1)",
            lambda: f"({self.v(d)} - mean({self.v(d)}))",
        )  # fmt: skip

    def w(self, d: int) -> str:
        if d <= 0:
            return self.chance.choice(("w", "w", "ones(m)"))
        d -= 1
        return self.pick(
            lambda: f"({self.b(d)}).T@({self.v(d)})", lambda: f"C@({self.v(d)})", lambda: f"tanh({self.w(d)})",
            lambda: f"({self.w(d)} + w)", lambda: f"sum({self.b(d)}, axis=0)", lambda: f"({self.s(d)})*({self.w(d)})",
        )  # fmt: skip

    def q(self, d: int) -> str:
        if d <= 0:
            return self.chance.choice(("A", "A", "S", "P", "D", "eye(n)", "A", "B@C"))
        d -= 1
        return self.pick(
            lambda: f"({self.q(d)})@({self.q(d)})", lambda: f"({self.q(d)}).T", lambda: f"({self.q(d)} + {self.q(d)})",
            lambda: f"({self.q(d)})*({self.q(d)})", lambda: f"outer({self.v(d)}, {self.v(d)})",
            lambda: f"diag({self.v(d)})", lambda: f"inv({self.square(d)})", lambda: f"({self.b(d)})@({self.b(d)}).T",
            lambda: f"({self.s(d)})*({self.q(d)})", lambda: f"tanh({self.q(d)})",
            lambda: f"({self.q(d)} + {self.v(d)})",
            lambda: f"softmax({self.q(d)})", lambda: f"({self.q(d)} - sum({self.q(d)}, axis=1, keepdims=True))",
            lambda: f"({self.q(d)})**2", lambda: f"(R*({self.q(d)}))", lambda: "matrix_power(A, 3)",
        )  # fmt: skip

    def b(self, d: int) -> str:
        if d <= 0:
            return self.chance.choice(("B", "B", "C.T", "ones(n, m)"))
        d -= 1
        return self.pick(
            lambda: f"({self.q(d)})@({self.b(d)})", lambda: f"({self.b(d)} + {self.b(d)})",
            lambda: f"({self.b(d)} + w)",
            lambda: f"outer({self.v(d)}, {self.w(d)})", lambda: f"({self.b(d)})*({self.b(d)})", lambda: "softmax(B)",
            lambda: f"exp({self.b(d)}/4)", lambda: f"relu({self.b(d)})",
            lambda: f"({self.b(d)} - mean({self.b(d)}, axis=0))",
            lambda: f"(R*{self.b(d)})", lambda: f"softmax({self.b(d)}, axis=0)",
        )  # fmt: skip

    def square(self, d: int) -> str:
        """A square matrix that is invertible nearly everywhere."""
        return self.chance.choice(
            ("A", "P", "(P + B@B.T)", "(A@A.T + P)", "(S + 9*eye(n))", "A.T", "(t*P)", "D", "(A@P)")
        )


@dataclass(frozen=True)
class Outcome:
    """What became of one expression: `kind` is derived, refused, empty, wrong, slow or crashed."""

    kind: str
    text: str
    variable: str
    said: str = ""


def difference(f: Expr, variable: str, result: Expr) -> str:
    """The result along a random direction against a central difference at a few points; empty when they agree."""
    symbol = symbols(f)[variable]
    sizes = sizes_for((f, result))
    value, slope = Program([f], sizes), Program([result], sizes)
    chance = random.Random(7)
    agreed = 0
    for point in points(f, result, count=40, seed=5):
        at = point.values[variable]
        along = direction(symbol, at.shape, chance)
        with precision(BITS):
            values = {n: s.enclosed() for n, s in point.values.items()}
            ends = []
            for sign in (1, -1):
                moved = [ball(a) + ball(STEP) * ball(d) * sign for a, d in zip(at.entries, along, strict=True)]
                (found,) = value.run({**values, variable: Array(at.shape, moved)}, bits=BITS)
                ends.append(found.entries)
            (own,) = slope.run(values, bits=BITS)
            if not all(is_finite(e) for e in [*ends[0], *ends[1], *own.entries]):
                continue
            width = len(along)
            free = _free(along, at.shape, symbol.traits)
            for i, (high, low) in enumerate(zip(*ends, strict=True)):
                expected = (high - low) / (2 * ball(STEP))
                parts = own.entries[i * width : (i + 1) * width]
                ours = sum((a * ball(b) for a, b in zip(parts, free, strict=True)), arb(0))
                if abs(expected - ours) > (1 + abs(expected)) * arb(2) ** -80:
                    return f"difference {float(expected.mid()):.12g}, derivative {float(ours.mid()):.12g} at {point}"
        agreed += 1
        if agreed == 4:
            return ""
    return ""


def _free(along: tuple[Fraction, ...], shape: tuple[int, ...], traits: frozenset[str]) -> list[Fraction]:
    """Of a symmetric variable the entries on and above the diagonal count."""
    if "symmetric" not in traits or "diagonal" in traits:
        return list(along)
    return [d * (i // shape[1] <= i % shape[1]) for i, d in enumerate(along)]


def tried(text: str, variable: str) -> Outcome:
    """One expression, from its text to a verdict."""
    start = time.perf_counter()
    try:
        f = dv.read(text, WHERE)
        if len(f.shape) + len(symbols(f)[variable].shape) > 4:
            return Outcome("derived", text, variable)
        form = dv.normal(f)
        if dv.normal(form) is not form or dv.normal(dv.read(str(f), WHERE)) is not form:
            return Outcome("wrong", text, variable, f"the normal form is not final: {form}")
        found = dv.derive(f, variable)
        took = time.perf_counter() - start
        if problem := difference(f, variable, found.result):
            return Outcome("wrong", text, variable, problem)
        back = dv.normal(dv.read(str(found.result), WHERE))
        if back is not dv.normal(found.result):
            return Outcome("wrong", text, variable, f"does not read back: {found.result}")
        dv.jvp(f, variable)
        str(found), found.latex(), found.unicode(80)
    except UndefinedError as refusal:
        return Outcome("empty", text, variable, str(refusal))
    except VariableError as refusal:
        return Outcome("empty", text, variable, str(refusal))
    except VerificationError as refusal:
        said = str(refusal)
        return Outcome("empty" if "in the domain" in said else "wrong", text, variable, said)
    except dv.DerivataError as refusal:
        return Outcome("refused", text, variable, f"{type(refusal).__name__}: {refusal}")
    except Exception:
        return Outcome("crashed", text, variable, traceback.format_exc(limit=-3))
    return Outcome("slow" if took > SECONDS else "derived", text, variable, f"{took:.2f} s")


def expression(seed: int) -> tuple[str, str]:
    """A text and one of its variables."""
    for attempt in range(100):
        maker = Maker(seed * 100 + attempt)
        text = maker(maker.chance.choice((1, 2, 2, 3)))
        found = [name for name in symbols(dv.read(text, WHERE)) if name in VARIABLES]
        if found and len(text) < 400:
            return text, maker.chance.choice(found)
    raise AssertionError("no expression with a variable")


def one(seed: int) -> Outcome:
    outcome = tried(*expression(seed))
    return tried(outcome.text, outcome.variable) if outcome.kind == "slow" else outcome


def outcomes(count: int, seed: int, jobs: int) -> Iterator[Outcome]:
    seeds = range(seed, seed + count)
    if jobs == 1:
        yield from map(one, seeds)
        return
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap_unordered(one, seeds, chunksize=20)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    for outcome in outcomes(chosen.count, chosen.seed, chosen.jobs):
        counts[outcome.kind] += 1
        if outcome.kind not in ("derived", "empty"):
            print(f"{outcome.kind}: {outcome.text}   by {outcome.variable}\n    {outcome.said}", flush=True)
    print(", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())))
    return 1 if counts["wrong"] or counts["crashed"] else 0


if __name__ == "__main__":
    sys.exit(main())

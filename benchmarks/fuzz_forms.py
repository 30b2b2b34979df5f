"""Random well-shaped expressions: is every derivative right, or refused with a reason?

`python benchmarks/fuzz.py --count 20000 --seed 0 --jobs 2` prints what became of them and every failure, made small.

An expression is made from the rulebook's own signatures, so a new function is tried as soon as it has a record. Its
derivative, its jvp and every shown step are compared with central differences of step 2**-100 in 500 bits, in which no
rule of ours takes part; forms must be final, and what is printed must read back.
"""

from __future__ import annotations

import argparse
import collections
import functools
import multiprocessing
import random
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb

import derivata as dv
from derivata.errors import EvaluationError, VerificationError
from derivata.expr.node import CALL, Expr
from derivata.expr.walk import symbols, topological
from derivata.render.derivation import Line
from derivata.rules.book import book
from derivata.rules.record import Function
from derivata.run.balls import Array, Entry, ball, constant, moving, precision
from derivata.run.precise import Program
from derivata.run.sample import Point, Sample, direction, points, sizes_for

BITS = 500
STEP = Fraction(1, 2**100)
TOLERANCE = arb(2) ** -80
POINTS = 2  # of the domain at which a derivative is compared
SECONDS = 1.0  # of processor time that one verb may take
SHOWN = 2  # failures of a kind with the same functions
PATIENCE = 60  # seconds after which an expression counts as hung

Shape = tuple[str, ...]
# Name, declaration, shape by N and M; which sizes those are is drawn for every expression.
DECLARATIONS: tuple[tuple[str, str, Shape], ...] = (
    ("x", "", ()), ("z", "", ()), ("t", "> 0", ()), ("r", "in (0, 1)", ()), ("s", "< 0", ()), ("c", ">= 0", ()),
    ("k", "int", ()), ("u", "", ("N",)), ("v", "", ("N",)), ("p", "> 0", ("N",)), ("y", "sums to 1", ("N",)),
    ("w", "", ("M",)), ("a", "", ("M",)), ("b", "positive", ("M",)), ("A", "", ("N", "N")), ("K", "", ("N", "N")),
    ("S", "symmetric", ("N", "N")), ("P", "positive definite", ("N", "N")), ("D", "diagonal", ("N", "N")),
    ("Q", "orthogonal", ("N", "N")), ("G", "symmetric and positive definite", ("N", "N")),
    ("B", "", ("N", "M")), ("X", "", ("N", "M")), ("C", "", ("M", "N")), ("W", "", ("M", "M")),
    ("one", "", ("1",)), ("R", "", ("N", "1")), ("L", "", ("1", "M")), ("T", "", ("M", "N", "N")),
)  # fmt: skip
SHAPES = {name: shape for name, _, shape in DECLARATIONS}
POSITIVE = {"t", "r", "p", "y", "b"}
UNIT = {"r", "y"}
SQUARE = ("A", "P", "S", "D", "G", "A.T", "(A@A.T + P)", "(S + 9*eye({N}))", "(t*P)", "(A@P)", "(A + K)", "Q", "inv(A)",
          "(eye({N}) + outer(u, v))", "diag(p)", "(2*S)", "(B@B.T + eye({N}))", "expm(A)", "(S@S)", "(-A)",
          "(A*K)")  # fmt: skip
RESULTS: tuple[Shape, ...] = (
    (),
    (),
    (),
    (),
    ("N",),
    ("N",),
    ("M",),
    ("N", "N"),
    ("N", "M"),
    ("M", "N"),
    ("1",),
    ("N", "1"),
)
# What a condition of a record asks of the argument.
KINDS = {
    "x > 0": "positive", "x > -1": "positive", "x > 0, x < 1": "unit", "x >= -1, x <= 1": "small",
    "x > -1, x < 1": "small", "x >= 1": "above one", "alpha > 0": "positive",
}  # fmt: skip


@dataclass(frozen=True)
class Term:
    """A piece of an expression: its text with places for its parts, and its shape by size letters."""

    shape: Shape
    text: str
    parts: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return self.text.format(*self.parts) if self.parts else self.text

    def inside(self) -> Iterator[Term]:
        for part in self.parts:
            yield part
            yield from part.inside()


class Maker:
    """One random expression with declarations; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.sizes = {
            "N": self.chance.choice(("n",) * 14 + ("3", "3", "2", "1")),
            "M": self.chance.choice(("m",) * 14 + ("2", "4", "1")),
            "1": "1",
        }
        self.made: dict[tuple[Shape, str], list[Term]] = {}
        functions = [f for f in book().functions if f.arguments and f.name != "expm_frechet"]
        self.entrywise = [f for f in functions if not f.signature]
        self.whole = [f for f in functions if f.signature]

    def expression(self) -> Term:
        shape = self.chance.choice(RESULTS)
        depth = self.chance.choice((1, 2, 2, 3, 3, 4))
        if self.chance.random() < 0.08 and depth > 1:
            inner = self.make(self.chance.choice(((), ("N",), ("N", "N"))), depth - 1)
            self.made.setdefault((inner.shape, "any"), []).extend([Term(inner.shape, "h")] * 4)
            return Term(shape, "h = {}; {}", (inner, self.make(shape, depth - 1)))
        return self.make(shape, depth)

    def where(self, text: str) -> str:
        """The declarations of the names in the text."""
        names = set(re.findall(r"[A-Za-z_]+", text))
        declared = []
        for name, said, shape in DECLARATIONS:
            sized = name in "uB" and self.sizes["NM"[name == "B"]] in names
            if (name in names and (shape or said)) or sized:
                axes = f"[{','.join(self.sizes[s] for s in shape)}]" if shape else ""
                declared.append(f"{name}{axes} {said}".strip())
        return ", ".join(declared)

    def make(self, shape: Shape, depth: int, kind: str = "any") -> Term:
        """A random expression of this shape; `kind` says in which interval its values are to lie."""
        old = self.made.get((shape, kind), [])
        if old and self.chance.random() < 0.15:
            return self.chance.choice(old)
        if kind != "any" and self.chance.random() < 0.02:
            kind = "any"
        if depth <= 0 or (depth == 1 and self.chance.random() < 0.15):
            found = self.leaf(shape, kind)
        elif kind == "any":
            found = self.chance.choice(self.ways(shape))(shape, depth - 1)
        else:
            found = self.bounded(shape, depth - 1, kind)
        self.made.setdefault((shape, kind), []).append(found)
        return found

    def leaf(self, shape: Shape, kind: str) -> Term:
        wanted = {"any": set(SHAPES) - {"k"}, "positive": POSITIVE, "unit": UNIT, "small": UNIT}.get(kind, set[str]())
        names = [n for n, s in SHAPES.items() if s == shape and n in wanted]
        if names and self.chance.random() < 0.9:
            return Term(shape, self.chance.choice(names))
        if kind != "any":
            return self.bounded(shape, 0, kind)
        written = self.written(shape)
        if not shape:
            more = ["2", "1/2", "3", "-1", "pi", "e", "u[k]", "A[k,k]", "A[0,k]", "u[0]", "0*x", "x", written["N"]]
            return Term(shape, self.chance.choice(more))
        if self.chance.random() < 0.12:
            return Term(shape, self.constant(shape))
        if names:
            return Term(shape, self.chance.choice(names))
        if len(shape) == 3:
            return Term(shape, "einsum('ij,k->ijk', {}, {})", (self.leaf(shape[:2], kind), self.leaf(shape[2:], kind)))
        if shape[::-1] in SHAPES.values():
            return Term(shape, "{}.T", (self.leaf(shape[::-1], kind),))
        return Term(shape, "outer({}, {})", (self.leaf(shape[:1], kind), self.leaf(shape[1:], kind)))

    def constant(self, shape: Shape) -> str:
        size, written = self.sizes[shape[-1]], self.written(shape)["all"]
        options = [f"ones({written})", f"zeros({written})"]
        options += [f"onehot(k, {size})"] * 2 if shape == ("N",) else []
        options += [f"eye({size})"] * 2 if len(shape) == 2 and shape[0] == shape[1] else []
        return self.chance.choice(options)

    def written(self, shape: Shape) -> dict[str, str]:
        return {**self.sizes, "all": ", ".join(self.sizes[s] for s in shape)}

    def bounded(self, shape: Shape, depth: int, kind: str) -> Term:
        """Values in an interval: positive, unit (0, 1), small [-1, 1], above one."""
        free = self.make(shape, depth)
        if kind == "above one":
            return Term(shape, "(1 + {})", (self.make(shape, depth, "positive"),))
        if kind == "unit":
            options = ["sigmoid({})", "ndtr({})", "1/(1 + ({})**2)", *(["softmax({})"] if shape else [])]
        elif kind == "small":
            options = ["sin({})", "tanh({})", "cos({})", "erf({})", "sigmoid({})", "hardtanh({})"]
        else:
            options = [
                "exp({})",
                "(1 + ({})**2)",
                "softplus({})",
                "sigmoid({})",
                "cosh({})",
                "({})**2",
                "(1 + abs({}))",
            ]
            if depth and self.chance.random() < 0.5:
                pair = (self.make(shape, depth, kind), self.make(shape, depth, kind))
                return Term(shape, self.chance.choice(("({} + {})", "({})*({})", "({})/({})", "({})**({})")), pair)
            if depth and not shape and self.chance.random() < 0.4:
                return self.chance.choice((
                    Term(shape, "sum({})", (self.make(("N",), depth, kind),)),
                    Term(shape, "(1 + norm({}))", (self.make(("N",), depth),)),
                    Term(shape, "({0})@P@({0})", (self.make(("N",), depth),)),
                    Term(shape, "tr(P)"), Term(shape, "det(P)"), Term(shape, "u@inv(P)@u"),
                ))  # fmt: skip
        return Term(shape, self.chance.choice(options), (free,))

    def ways(self, shape: Shape) -> list[Callable[[Shape, int], Term]]:
        often = ((self.entry, 4), (self.arithmetic, 6), (self.power, 2), (self.reduced, 2), (self.array_function, 3))
        found: list[Callable[[Shape, int], Term]] = [way for way, times in often for _ in range(times)]
        found += [self.choice, self.negative, self.twice]
        found += [self.vanishing] if self.chance.random() < 0.3 else []
        special = {0: self.number, 1: self.vector, 2: self.matrix}.get(len(shape))
        return found + [special] * 8 if special else found

    def _smaller(self, shape: Shape) -> Shape:
        """A shape that broadcasts to this one."""
        if self.chance.random() < 0.6:
            return shape
        cut = shape[self.chance.randint(0, len(shape)) :]
        return tuple("1" if self.chance.random() < 0.25 else s for s in cut)

    def pair(self, shape: Shape, d: int, kinds: Sequence[str] = ("any", "any")) -> tuple[Term, ...]:
        shapes = [shape, self._smaller(shape)]
        self.chance.shuffle(shapes)
        return tuple(self.make(s, d, kind) for s, kind in zip(shapes, kinds, strict=True))

    def arithmetic(self, shape: Shape, d: int) -> Term:
        form = self.chance.choice(("({} + {})", "({} - {})", "({})*({})", "({})*({})", "({})/({})", "({} + 2*{})"))
        return Term(
            shape,
            form,
            self.pair(shape, d, ("any", "positive" if "/" in form and self.chance.random() < 0.85 else "any")),
        )

    def twice(self, shape: Shape, d: int) -> Term:
        form = self.chance.choice(("({0})*({0})", "({0} + {0})", "{0}*tanh({0})", "({0} - {0}/2)", "max({0}, -{0})"))
        return Term(shape, form, (self.make(shape, d),))

    def vanishing(self, shape: Shape, d: int) -> Term:
        form = self.chance.choice(("0*({0})", "({0} - {0})", "({0} + 0*{0})", "({0} - {0})*{0}"))
        return Term(shape, form, (self.make(shape, d),))

    def negative(self, shape: Shape, d: int) -> Term:
        return Term(shape, "(-{})", (self.make(shape, d),))

    def power(self, shape: Shape, d: int) -> Term:
        any_form = ("({})**2", "({})**3", "sqrt(1 + ({})**2)", "sqrt(({})**2)", "(({})**2)**(3/2)", "({})**(-1)",
                    "({})**(-2)", "sqrt(-(-({})**2))", "({})**4", "({})**k", "1/({})")  # fmt: skip
        positive = (
            "sqrt({})",
            "({})**(1/3)",
            "({})**(-1/2)",
            "({})**(3/2)",
            "sqrt(-(-{}))",
            "({})**x",
            "2**({})",
            "({})**t",
        )
        if self.chance.random() < 0.1:
            return Term(
                shape,
                self.chance.choice(("sqrt(-({}))", "(-({}))**(3/2)")),
                (Term(shape, "(-{})", (self.make(shape, d, "positive"),)),),
            )
        if self.chance.random() < 0.15:
            return Term(shape, "({})**({})", self.pair(shape, d, ("positive", "any")))
        kind = self.chance.choice(("any", "positive"))
        return Term(shape, self.chance.choice(any_form if kind == "any" else positive), (self.make(shape, d, kind),))

    def choice(self, shape: Shape, d: int) -> Term:
        sign = self.chance.choice(("<", "<=", ">", ">=", "==", "!="))
        first, second = self.pair(shape, d)
        tested, bound = self.pair(shape, d - 1)
        return Term(shape, f"where({{}} {sign} {{}}, {{}}, {{}})", (tested, bound, first, second))

    def entry(self, shape: Shape, d: int) -> Term:
        """A function of the rulebook applied to entries."""
        function = self.chance.choice(self.entrywise)
        if function.name == "where":
            return self.choice(shape, d)
        if function.name == "clip":
            return Term(shape, "clip({0}, {1}, {1} + 1)", (self.make(shape, d), self.make((), 0)))
        names = [name for name, default in function.arguments if default is None or self.chance.random() < 0.3]
        parts = [
            self.make(shape if i == 0 else self._smaller(shape), d, self._kind(function, n))
            for i, n in enumerate(names)
        ]
        if function.name == "step" and len(parts) > 1:
            parts[1] = Term((), "1/2")
        name = self.chance.choice((function.name, function.name, *function.aliases))
        if self.chance.random() < 0.05 and len(parts) == 1:
            name = self.chance.choice("fg")
        return Term(shape, f"{name}({', '.join('{}' for _ in parts)})", tuple(parts))

    def _kind(self, function: Function, argument: str) -> str:
        if function.name == "pow":
            return "positive" if argument == "x" else "any"
        kind = KINDS.get(function.domain, "any")
        return kind if argument in function.domain.split() else "any"

    def array_function(self, shape: Shape, d: int) -> Term:
        """A function of the rulebook applied to whole arrays, mapped over what axes are left."""
        function = self.chance.choice(self.whole)
        signature = function.as_signature()
        (core, *_), out = signature.core, signature.out
        mapped = len(shape) - len(out)
        square = len(core) == 2
        if mapped < 0 or mapped + len(core) > 3 or (square and mapped and self.chance.random() < 0.7):
            return self.arithmetic(shape, d)
        if square and (shape[mapped:] not in ((), ("N", "N"), ("M", "M")) or shape[:mapped] not in ((), ("M",))):
            return self.entry(shape, d)
        name = self.chance.choice((function.name, *function.aliases))
        if square and not mapped:
            size = shape[-1] if out else "N"
            return Term(shape, f"{name}({{}})", (self.square(size, d),))
        if square:
            return (
                Term(shape, f"{name}({{}})", (Term(("M", "N", "N"), "T"),))
                if shape == ("M", *(("N",) * len(out)))
                else self.entry(shape, d)
            )
        last = shape[mapped:] or (self.chance.choice("NM"),)
        if last == ("1",) and self.chance.random() < 0.9:
            return self.arithmetic(shape, d)
        inner = (*shape[:mapped], *last)
        if out and len(inner) == 2 and self.chance.random() < 0.4:
            return Term(shape, f"{name}({{}}, axis=0)", (self.make(inner, d),))
        if mapped == 1 and not out and self.chance.random() < 0.5:
            return Term(shape, f"{name}({{}}, axis=0)", (self.make(inner[::-1], d),))
        axis = f", axis={self.chance.choice((-1, mapped))}" if mapped and not out else ""
        if not shape and "nests" in function.traits and self.chance.random() < 0.3:
            return Term(shape, f"{name}({{}})", (self.make(("N", "M"), d),))
        return Term(shape, f"{name}({{}}{axis})", (self.make(inner, d),))

    def square(self, size: str, d: int) -> Term:
        """A square matrix that is invertible nearly everywhere."""
        if size != "N":
            return Term((size, size), f"(W + 5*eye({self.sizes[size]}))" if self.chance.random() < 0.5 else "W")
        if self.chance.random() < 0.2 and d > 0:
            return Term(("N", "N"), f"({{}} + 7*eye({self.sizes['N']}))", (self.make(("N", "N"), d - 1),))
        return Term(("N", "N"), self.chance.choice(SQUARE).format(**self.sizes))

    def reduced(self, shape: Shape, d: int) -> Term:
        """A sum or mean over an axis."""
        name = self.chance.choice(("sum", "mean"))
        if len(shape) > 2:
            return self.arithmetic(shape, d)
        if "1" in shape and len(shape) == 2:
            axis = shape.index("1")
            inner = tuple(("M" if axis else "N") if i == axis else size for i, size in enumerate(shape))
            return Term(shape, f"{name}({{}}, axis={axis}, keepdims=True)", (self.make(inner, d),))
        if len(shape) == 2:
            return self.arithmetic(shape, d)
        size = self.chance.choice("NM")
        if not shape:
            whole = self.chance.choice(((size,), ("N", "M"), ("N", "N")))
            return Term(shape, f"{name}({{}})", (self.make(whole, d),))
        axis, inner = self.chance.choice(
            ((0, (size, *shape)), (1, (*shape, size)), (-1, (*shape, size)), (-2, (size, *shape)))
        )
        return Term(shape, f"{name}({{}}, axis={axis})", (self.make(inner, d),))

    def number(self, shape: Shape, d: int) -> Term:
        """What gives a scalar and is no function of the rulebook."""
        n = self.chance.choice("NM")
        m = "M" if n == "N" else "N"
        v, q, b, sq = ((n,), (n, n), (n, m), ("N", "N"))
        options: tuple[tuple[Any, ...], ...] = (
            ("({})@({})", v, v), ("({0})@({0})", v), ("dot({}, {})", v, v), ("tr({})", q), ("trace(({}).T@({}))", b, b),
            ("tr(({0}).T@({0}))", b), ("({0})@({1})@({0})", v, q), ("({})@({})@({})", v, b, (m,)),
            ("einsum('ij,ij->', {}, {})", b, b), ("einsum('i,ij,j->', {}, {}, {})", v, b, (m,)),
            ("einsum('ii->', {})", q), ("sum(A[i,j]*u[i]*v[j], i, j)",), ("sum(A[i,j]*A[j,i], i, j)",),
            ("sum(u[i]**2*({}), i)", ()), ("sum(exp(B[i,j])*w[j], i, j)",), ("mean(u[i]*p[i], i)",),
            ("sum(A[i,i], i)",), ("sum(S[i,j]*u[j]*u[i], i, j)",), ("sum(sqrt(p[i])*log(p[i]), i)",),
            ("({})[k]", ("N",)),
            ("({})[0]", ("M",)), ("({})[k, 0]", ("N", "M")), ("({})[k,k]", sq), ("sum(({})[:,0])", b),
            ("sum(kron({}, {}))", q, b), ("tr(kron({}, {}))", q, q), ("vec({})@vec({})", b, b),
            ("norm(kron({}, {}))", (*v, "1"), b), ("sum(matrix_power({}, 3))", q), ("tr(matrix_power({}, 2))", q),
            ("logdet({})", "square"), ("det({})", "square"), ("tr(inv({})@({}))", "square", sq),
            ("({})@inv({})@({})", ("N",), "square", ("N",)), ("sum(sum({}, axis=0, keepdims=True))", b),
            ("sum(outer({}, {}))", v, (m,)), ("tr(expm({}))", q), ("sum(commutation({N}, {M})@vec({}))", ("N", "M")),
            ("vec({})@kron({}, {})@vec({})", b[::-1], q, (m, m), b[::-1]),
        )  # fmt: skip
        text, *inner = self.chance.choice(options)
        text = text.replace("{N}", self.sizes["N"]).replace("{M}", self.sizes["M"])
        return Term(shape, text, tuple(self.square("N", d) if s == "square" else self.make(s, d) for s in inner))

    def vector(self, shape: Shape, d: int) -> Term:
        n = shape[0]
        m = "M" if n == "N" else "N"
        options: list[tuple[Any, ...]] = [
            ("({})@({})", (n, n), (n,)), ("({})@({})", (n, m), (m,)), ("({}).T@({})", (m, n), (m,)),
            ("({})@({})", (m,), (m, n)), ("diag({})", (n, n)), ("einsum('ij,j->i', {}, {})", (n, m), (m,)),
            ("({} - mean({}))", (n,), (n,)), ("({})*({})", (), (n,)), ("({0} - mean({0}))/sqrt(var({0}) + 1)", (n,)),
            ("einsum('ij,ij->i', {}, {})", (n, m), (n, m)), ("({})[:,0]", (n, m)), ("({})[k,:]", ("N", n)),
            ("einsum('ii->i', {})", (n, n)),
        ]  # fmt: skip
        if n == "N":
            options += [
                ("inv({})@({})", "square", (n,)), ("array(sum(A[i,j]*u[j], j)*({}), i)", ()),
                ("array(u[i]**2*v[i], i)",), ("array(A[i,i]*p[i], i)",),
                ("inv({})@inv({})@({})", "square", "square", (n,)), (f"onehot(k, {self.sizes['N']})*({{}})", (n,)),
                ("array(sum(A[j,i]*({}), j), i)", ()),
            ]  # fmt: skip
        text, *inner = self.chance.choice(options)
        return Term(shape, text, tuple(self.square("N", d) if s == "square" else self.make(s, d) for s in inner))

    def matrix(self, shape: Shape, d: int) -> Term:
        n, m = shape
        k = self.chance.choice("NM")
        options: list[tuple[Any, ...]] = [
            ("({})@({})", (n, k), (k, m)), ("({}).T", (m, n)), ("outer({}, {})", (n,), (m,)),
            ("einsum('ij,jk->ik', {}, {})", (n, k), (k, m)), ("({})*({})", (), shape), ("({} + {})", shape, (m,)),
            ("diag({})@({})", (n,), shape), ("({})@diag({})", shape, (m,)), ("(({0})@({0}).T)@({1})", (n, k), shape),
            ("({0} - mean({0}, axis=0))", shape), ("({0} - sum({0}, axis=1, keepdims=True))", shape),
            ("einsum('i,j->ij', {}, {})", (n,), (m,)), ("transpose({})", (m, n)),
        ]  # fmt: skip
        if n == m:
            options += [
                ("({0})@({0})", shape), ("({})@({})", shape, shape), ("diag({})", (n,)), ("({0} + ({0}).T)", shape),
                ("({0}).T@({0})", (k, n)), ("matrix_power({}, 2)", shape), ("outer({0}, {0})", (n,)),
                (f"({{}} + {{}}*eye({self.sizes[n]}))", shape, ()),
            ]  # fmt: skip
        if n == m == "N":
            options += [
                ("inv({})", "square"), ("inv({})@({})", "square", shape), ("array(A[j,i]*u[i], i, j)",),
                ("({})@inv({})", shape, "square"), ("inv({}).T", "square"),
            ]  # fmt: skip
        if n == "N":
            options += [("inv({})@({})", "square", shape)]
        text, *inner = self.chance.choice(options)
        return Term(shape, text, tuple(self.square("N", d) if s == "square" else self.make(s, d) for s in inner))


@dataclass(frozen=True)
class Case:
    """What is tried: an expression, its declarations and the variable."""

    term: Term
    where: str
    variable: str

    @property
    def text(self) -> str:
        return str(self.term)

    def __str__(self) -> str:
        return f'dv.derive("{self.text}", "{self.variable}", where="{self.where}")'


@dataclass(frozen=True)
class Outcome:
    """What became of a case. `kind`: right, unchecked, refused, wrong, crashed, slow; `mark` groups failures."""

    kind: str
    case: Case
    mark: str = ""
    said: str = ""
    compared: int = 0


class WrongError(Exception):
    """A disagreement: what kind, and the details."""


@dataclass
class Clock:
    """Processor seconds of the slowest verb, and the verb at work."""

    slowest: float = 0.0
    name: str = ""
    now: str = ""

    def __call__(self, name: str, work: Callable[[], Any]) -> Any:
        self.now, start = name, time.process_time()
        try:
            return work()
        finally:
            took = time.process_time() - start
            if took > self.slowest:
                self.slowest, self.name = took, name


def tried(case: Case) -> Outcome:
    """One expression, from its text to a verdict; what was slow must be slow twice."""
    outcome, clock = _tried(case)
    if clock.slowest > SECONDS and outcome.kind in ("right", "unchecked", "refused"):
        again, second = _tried(case)
        if second.slowest > SECONDS:
            return replace(
                again, kind="slow", mark=f"slow {second.name}", said=f"{second.slowest:.1f} s in {second.name}"
            )
    return outcome


def _hung(*_: object) -> None:
    raise TimeoutError(f"over {PATIENCE} s")


def _tried(case: Case) -> tuple[Outcome, Clock]:
    clock = Clock()
    signal.signal(signal.SIGALRM, _hung)
    signal.alarm(PATIENCE)
    try:
        return Outcome(*judged(case, clock)), clock
    except WrongError as wrong:
        return Outcome("wrong", case, *wrong.args), clock
    except VerificationError as refusal:
        said = str(refusal)
        if "bug" in said or "report" in said:
            return Outcome("wrong", case, f"{clock.now}: self-check, {_pattern(said)}", said), clock
        return Outcome("refused", case, f"{clock.now}: VerificationError: {_pattern(said)}", said), clock
    except dv.DerivataError as refusal:
        mark = f"{clock.now}: {type(refusal).__name__}: {_pattern(refusal.message)}"
        return Outcome("refused", case, mark, str(refusal)), clock
    except TimeoutError:
        return Outcome("slow", case, "hung", traceback.format_exc(limit=-4)), clock
    except RecursionError:
        return Outcome("crashed", case, "RecursionError", traceback.format_exc(limit=-4)), clock
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        mark = f"{clock.now}: {type(error).__name__} in {place.name}"
        return Outcome("crashed", case, mark, traceback.format_exc(limit=-4)), clock
    finally:
        signal.alarm(0)


def _pattern(said: str) -> str:
    """A message without what is particular to the expression."""
    for text in ("could not be checked", "disagrees with exact arithmetic", "please report"):
        if text in said:
            return said.split(" of ", 1)[0][:20] + "... " + text
    return re.sub(r"\d+", "#", re.sub(r"'[^']*'", "'...'", said))[:70]


def judged(case: Case, clock: Clock) -> tuple[str, Case, str, str, int]:
    f = clock("read", lambda: dv.read(case.text, case.where))
    form = clock("normal", lambda: dv.normal(f))
    _same_value("normal form has another value", f, form)
    _same("normal form is not final", form, dv.normal(form))
    _same("printed expression has another form", form, _read_back(f, case.where))
    found = clock("derive", lambda: dv.derive(f, case.variable))
    along = clock("jvp", lambda: dv.jvp(f, case.variable))
    clock("show", lambda: (str(found), found.latex(), found.unicode(80), found.as_json()))
    compared = compare(f, case.variable, found.result, along, found.lines, found.label)
    evaluated(f, found.result)
    form = clock("normal", lambda: dv.normal(found.result))
    _same_value("normal form of the result has another value", found.result, form)
    _same("normal form of the result is not final", form, dv.normal(form))
    _same("printed result has another form", form, _read_back(found.result, _where_of(f, case.where)))
    return ("right" if compared else "unchecked"), case, "", "", compared


def _same_value(what: str, f: Expr, form: Expr) -> None:
    """A form has the value of what it is the form of, wherever that has one."""
    program = Program([f, form], sizes_for((f, form)))
    agreed = 0
    for point in points(f, form, count=20, seed=9):
        with precision(BITS):
            values = {n: s.enclosed() for n, s in point.values.items()}
            before, after = ([constant(e) for e in r.entries] for r in program.run(values, bits=BITS))
            if all(e.is_finite() for e in before):
                agreed += _agree(what, before, after, f"{form}; {point}")
        if agreed == POINTS:
            break


def _read_back(printed: Expr, where: str) -> Expr:
    """The normal form of what is printed."""
    try:
        return dv.normal(dv.read(str(printed), where))
    except dv.DerivataError as refusal:
        message = f"what is printed does not read: {type(refusal).__name__}: {_pattern(refusal.message)}"
        raise WrongError(message, f"{printed}\n{refusal}") from None


def _where_of(f: Expr, where: str) -> str:
    """What the result needs declared: also a subscript that was nowhere declared is a whole number."""
    extra = [f"{s.name} int" for s in symbols(f).values() if s.integer and not s.shape and "size" not in s.traits]
    return ", ".join(filter(None, (where, *(e for e in extra if e not in where))))


def _same(what: str, expected: Expr, found: Expr) -> None:
    if expected is not found:
        raise WrongError(what, f"{expected}\n    then {found}")


def compare(f: Expr, variable: str, result: Expr, along: Expr, lines: Sequence[Line], label: str) -> int:
    """Raise WrongError unless result, jvp and steps say what differences say; at how many points they did."""
    symbol = symbols(f)[variable]
    equations = [x for x in lines if "read the" not in x.rule]
    change = next((n for n in symbols(along) if n not in symbols(f) and n.startswith("d" + variable)), "")
    roots = (f, result, along, *(e for x in equations for e in (x.before, x.after)))
    sizes = sizes_for(roots)
    program, value = Program(roots, sizes), Program([f], sizes)
    chance = random.Random(7)
    agreed = 0
    for point in points(f, result, count=60, seed=5):
        at = point.values[variable]
        v = direction(symbol, at.shape, chance) if at.shape else (Fraction(1),)
        with precision(BITS):
            values = {n: s.enclosed() for n, s in point.values.items()}
            moved = {**values, change: Array(at.shape, [ball(d) for d in v])}
            moved[variable] = Array(at.shape, [moving(ball(a), ball(d)) for a, d in zip(at.entries, v, strict=True)])
            middle, own, jvp, *sides = ([constant(e) for e in r.entries] for r in program.run(moved, bits=BITS))
            ends = [value.run({**values, variable: _beside(at, v, h)}, bits=BITS)[0].entries for h in (STEP, -STEP)]
            if not all(e.is_finite() for e in (*middle, *ends[0], *ends[1])):
                continue
            if any(_apart(a - m, m - b, arb(2) ** -150) for a, m, b in zip(ends[0], middle, ends[1], strict=True)):
                continue  # a kink
            expected = [(a - b) / (2 * ball(STEP)) for a, b in zip(*ends, strict=True)]
            free = _free(v, at.shape, symbol.traits)
            width = len(free)
            ours = [
                sum((a * ball(b) for a, b in zip(own[i * width :], free, strict=False)), arb(0))
                for i in range(len(middle))
            ]
            decided = _agree("derivative", expected, ours, point)
            decided &= not change or _agree("jvp", expected, jvp, point)
            for i, line in enumerate(equations):
                before, after = sides[2 * i : 2 * i + 2]
                if all(e.is_finite() for e in before):
                    _agree(f"step '{line.rule}'", before, after, f"{line.before} -> {line.after}; {point}")
        agreed += decided
        if agreed == POINTS:
            break
    return agreed


def _beside(at: Sample, along: Sequence[Any], step: Fraction) -> Array:
    """A point a step along a direction away."""
    return Array(at.shape, [ball(a) + ball(step) * ball(d) for a, d in zip(at.entries, along, strict=True)])


def _apart(a: Entry, b: Entry, tolerance: Entry) -> bool:
    return not abs(a - b) < tolerance * (1 + abs(a))


def _agree(what: str, expected: Sequence[Entry], found: Sequence[Entry], point: Point | str) -> bool:
    """Whether the lists agree; WrongError if they surely do not, False where balls cannot tell."""
    decided = True
    for a, b in zip(expected, found, strict=True):
        limit = TOLERANCE * (1 + abs(a))
        if b.is_nan() or abs(a - b) > limit:
            raise WrongError(
                what, f"{a.str(15, radius=False)} was expected, {b.str(15, radius=False)} given, at {point}"
            )
        decided &= bool(abs(a - b) < limit)
    return decided


def _free(along: Sequence[Any], shape: tuple[int, ...], traits: frozenset[str]) -> list[Any]:
    """Of a symmetric variable the entries on and above the diagonal count."""
    if "symmetric" not in traits or "diagonal" in traits:
        return list(along)
    return [d * (i // shape[1] <= i % shape[1]) for i, d in enumerate(along)]


def evaluated(f: Expr, result: Expr) -> None:
    """NumPy and exact arithmetic agree on the values where those are moderate."""
    if any(n.head == CALL and book().get(n.data) is None for n in topological(f)):
        return  # unspecified functions have no values
    sizes = sizes_for((f, result))
    program = Program([f, result], sizes)
    seen: list[str] = []  # at every point: what is wrong there
    for point in points(f, result, count=4, seed=3):
        with precision(BITS):
            values = {n: s.enclosed() for n, s in point.values.items()}
            exact = [[constant(e) for e in r.entries] for r in program.run(values, bits=BITS)]
        if all(e.is_finite() and abs(e) < 1e4 for part in exact for e in part):
            seen.append(_evaluated_at(point, ((f, exact[0]), (result, exact[1]))))
    if seen and all(seen):  # a single point may be one where numbers of 53 bits say nothing
        raise WrongError("NumPy", seen[0])


def _evaluated_at(point: Point, sides: Sequence[tuple[Expr, Sequence[Entry]]]) -> str:
    """How NumPy's values differ from the exact ones; nan where there is a value is never right."""
    for node, part in sides:
        given = {n: _floats(s) for n, s in point.values.items() if n in symbols(node)}
        wanted = np.array([float(e) for e in part])
        try:
            got = dv.evaluate(node, **given).ravel()
        except EvaluationError as refusal:
            if "no value for" not in str(refusal):
                raise WrongError(f"evaluate refuses: {_pattern(str(refusal))}", str(refusal)) from None
            got = dv.evaluate(node, **given, **{n: k for n, k in point.sizes.items() if n not in given}).ravel()
        said = f"{node}: {wanted} was expected, {got} given, at {point}"
        if np.any(np.isnan(got)):
            raise WrongError("NumPy gives nan", said)
        scale = 1 + float(np.max(np.abs(wanted), initial=0))
        if got.shape != wanted.shape or not np.all(np.abs(got - wanted) < 1e-4 * scale):
            return said
    return ""


def _floats(value: Sample) -> np.ndarray[Any, Any]:
    return np.array([float(Fraction(int(e.p), int(e.q))) for e in value.entries]).reshape(value.shape)


def made(seed: int) -> Case:
    """The expression of a seed and one of its variables."""
    for attempt in range(1000):
        maker = Maker(seed * 1000 + attempt)
        term = maker.expression()
        text = str(term)
        if len(text) > 300:
            continue
        where = maker.where(text)
        try:
            f = dv.read(text, where)
        except dv.DerivataError:
            return Case(term, where, "")  # counted as refused
        expected = tuple(maker.sizes[s] for s in term.shape)
        if tuple(map(str, f.shape)) != expected:
            raise AssertionError(f"{text} has shape {f.shape}, not {expected}, where {where}")
        found = [n for n, s in symbols(f).items() if not s.integer and len(f.shape) + len(s.shape) <= 4]
        if found:
            return Case(term, where, maker.chance.choice(found))
    raise AssertionError("no expression with a variable")


def smaller(outcome: Outcome, tries: int) -> Outcome:
    """The same failure in fewer words."""
    best, left = outcome, tries
    progress = True
    while progress and left > 0:
        progress = False
        for case in sorted(_simpler(best.case), key=lambda c: len(c.text) + len(c.where)):
            left -= 1
            if left < 0:
                break
            if len(str(case)) >= len(str(best.case)):
                continue
            again = tried(case)
            if (again.kind, again.mark) == (outcome.kind, outcome.mark):
                best, progress = again, True
                break
    return best


def _simpler(case: Case) -> Iterator[Case]:
    for term in _cut(case.term):
        yield replace(case, term=term)
    for part in case.term.inside():
        yield replace(case, term=part)
    said = re.split(r", (?![^\[(]*[\])])", case.where)
    for i, declaration in enumerate(said):
        yield replace(case, where=", ".join(said[:i] + said[i + 1 :]))
        if (name := declaration.split(" ")[0]) != declaration:
            yield replace(case, where=", ".join([*said[:i], name, *said[i + 1 :]]))


def _cut(term: Term) -> Iterator[Term]:
    """The term with one part replaced by a simpler one of its shape."""
    for inner in term.inside():
        if inner.shape == term.shape:
            yield inner
    leaves = {(): ("x", "2"), ("N",): ("u", "v"), ("M",): ("w",), ("N", "N"): ("A", "S"), ("N", "M"): ("B",)}
    for leaf in leaves.get(term.shape, ()):
        yield Term(term.shape, leaf)
    for i, part in enumerate(term.parts):
        for cut in _cut(part):
            yield replace(term, parts=(*term.parts[:i], cut, *term.parts[i + 1 :]))


def one(seed: int, small: bool = True) -> Outcome:
    """What became of the expression of a seed; a failure is made small."""
    outcome = tried(made(seed))
    if not small or outcome.kind not in ("wrong", "crashed", "slow"):
        return outcome
    return smaller(outcome, 15 if outcome.kind == "slow" else 150)


def outcomes(count: int, seed: int, jobs: int, small: bool = True) -> Iterator[Outcome]:
    seeds = range(seed, seed + count)
    if jobs == 1:
        yield from (one(s, small) for s in seeds)
        return
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap_unordered(functools.partial(one, small=small), seeds, chunksize=5)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--whole", action="store_true", help="do not make failures smaller")
    chosen = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    marks: collections.Counter[tuple[str, str]] = collections.Counter()
    shown: collections.Counter[tuple[str, ...]] = collections.Counter()
    start = time.perf_counter()
    for outcome in outcomes(chosen.count, chosen.seed, chosen.jobs, not chosen.whole):
        counts[outcome.kind] += 1
        if outcome.kind in ("right", "unchecked"):
            continue
        names = sorted(set(re.findall(r"[a-z_]+\d?(?=\()", outcome.case.text))) if outcome.kind != "refused" else []
        marks[outcome.kind, outcome.mark] += 1
        shown[outcome.mark, *names] += 1
        if shown[outcome.mark, *names] <= SHOWN:
            print(f"{outcome.kind}, {outcome.mark}:\n    {outcome.case}\n    {outcome.said}", flush=True)
    took = time.perf_counter() - start
    print(f"{chosen.count} in {took:.0f} s:", ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items())))
    for (kind, mark), n in marks.most_common():
        print(f"{n:6} {kind}: {mark}")
    return 1 if counts["wrong"] or counts["crashed"] or counts["slow"] else 0


if __name__ == "__main__":
    sys.exit(main())

"""Random well-shaped expressions with their declarations, made from the rulebook's own signatures.

A new function is tried as soon as it has a record. The same seed gives the same expression.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import derivata as dv
from derivata.expr.walk import symbols
from derivata.rules.book import book
from derivata.rules.record import Function

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

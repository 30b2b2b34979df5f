"""What SymPy's matrix expressions make of a verified derivative; benchmarks/identities.py prints it beside ours.

A formula has several spellings in SymPy (a scalar as a 1×1 matrix, as a trace or as an entry; sums and powers in two
ways each), and which of them `diff` can do differs. All are tried, and the best outcome counts.
"""

from __future__ import annotations

import ast
import functools
import itertools
import operator
import signal
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.hadamard import hadamard_power

Array = np.ndarray[Any, Any]
Values = dict[str, Array]

NAME = f"SymPy {'.'.join(sp.__version__.split('.')[:2])}"
SECONDS = 10
CLOSE = 1e-9
# Best first. Of a case that no spelling gets right, an outcome that the user sees counts before one that misleads.
OUTCOMES = ("right", "left undone", "raised", "out of time", "wrong", "silent zero", "not expressible")
MISLEADING = ("wrong", "silent zero")
ELEMENTWISE = ("exp", "log", "sqrt", "tanh", "cosh")


class InexpressibleError(Exception):
    """Matrix expressions have no such thing."""


class UndoneError(Exception):
    """The result still has a derivative in it."""


class TooLongError(BaseException):
    """The time is over; not an Exception, so that SymPy does not catch it."""


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    def over(_signal: int, _frame: types.FrameType | None) -> None:
        raise TooLongError

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@dataclass(frozen=True)
class Spelling:
    scalar: str  # what a product of two vectors is: "matrix" (1×1), "trace" or "entry"
    dot: bool  # the sum of a product's entries is P.T*Q or its trace, not a product with ones;
    # else also ** for 1×1 matrices
    power: bool  # a power of entries is hadamard_power, not applyfunc, nor a multiple of a 1×1 matrix
    left: bool  # the sum of a vector is ones.T*v, not v.T*ones


SPELLINGS = [
    Spelling(scalar, dot, power, left)
    for scalar in ("matrix", "trace", "entry")
    for dot, power, left in itertools.product((True, False), repeat=3)
]


@dataclass(frozen=True)
class Term:
    """An expression of SymPy and NumPy's number of axes: a vector is n×1, a scalar is 1×1 or no matrix."""

    of: Any
    axes: int

    @property
    def is_matrix(self) -> bool:
        return bool(self.of.is_Matrix)


class Translator:
    """From NumPy-like text to a matrix expression, in one spelling."""

    def __init__(self, case: dict[str, Any], spelling: Spelling) -> None:
        self.spelling = spelling
        self.symbols = {name: symbol(name, shape) for name, shape in case["shapes"].items()}
        self.axes = {name: len(shape) for name, shape in case["shapes"].items()}
        self.wrt = self.symbols[case["wrt"]]

    def __call__(self, text: str) -> Any:
        return self.term(ast.parse(text, mode="eval").body).of

    def term(self, node: ast.expr) -> Term:
        match node:
            case ast.Constant(value=int() | float() as number):
                return Term(sp.Rational(repr(number)), 0)
            case ast.Name(id=name):
                return Term(self.symbols[name], self.axes[name])
            case ast.Attribute(value=inner, attr="T"):
                term = self.term(inner)
                return Term(term.of.T, 2) if term.axes == 2 else term
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return self.times(Term(sp.Integer(-1), 0), self.term(inner))
            case ast.BinOp(left=ast.Call(func=ast.Name(id="norm2"), args=[inner]), op=ast.Pow(), right=ast.Constant(2)):
                return self.inner(self.term(inner), self.term(inner))
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(op, self.term(left), self.term(right))
            case ast.Call(
                func=ast.Name(id="sum"), args=[ast.BinOp(left=left, op=ast.Mult(), right=right)], keywords=[]
            ):
                return self.sum_of_product(self.term(left), self.term(right))
            case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]):
                return self.call(name, self.term(inner))
        raise InexpressibleError(ast.unparse(node))

    def binary(self, op: ast.operator, a: Term, b: Term) -> Term:
        match op:
            case ast.Add():
                return self.plus(a, b)
            case ast.Sub():
                return self.plus(a, self.times(Term(sp.Integer(-1), 0), b))
            case ast.Mult():
                return self.times(a, b)
            case ast.Div():
                return self.times(a, self.power(b, sp.Integer(-1)))
            case ast.Pow() if b.axes == 0:
                return self.power(a, self.plain(b))
            case ast.MatMult():
                return self.product(a, b)
        raise InexpressibleError(type(op).__name__)

    def scalar(self, one_by_one: Any) -> Term:
        """A 1×1 matrix as this spelling has its scalars."""
        match self.spelling.scalar:
            case "trace":
                return Term(sp.Trace(one_by_one), 0)
            case "entry":
                return Term(one_by_one[0, 0], 0)
        return Term(one_by_one, 0)

    def plain(self, scalar: Term) -> Any:
        """A scalar that is no matrix, which alone multiplies a matrix of any shape."""
        return sp.Trace(scalar.of) if scalar.is_matrix else scalar.of

    def product(self, a: Term, b: Term) -> Term:
        match a.axes, b.axes:
            case 1, 1:
                return self.scalar(a.of.T * b.of)
            case 1, 2:
                return Term(b.of.T * a.of, 1)
        return Term(a.of * b.of, b.axes)

    def inner(self, a: Term, b: Term) -> Term:
        return self.product(a, b) if a.axes < 2 else Term(sp.Trace(a.of.T * b.of), 0)

    def sum(self, term: Term) -> Term:
        rows, columns = term.of.shape
        if term.axes < 2 and not self.spelling.left:
            return self.scalar(term.of.T * sp.OneMatrix(rows, 1))
        total = sp.OneMatrix(1, rows) * term.of
        return self.scalar(total if term.axes < 2 else total * sp.OneMatrix(columns, 1))

    def sum_of_product(self, a: Term, b: Term) -> Term:
        if self.spelling.dot and a.axes == b.axes > 0:
            return self.inner(a, b)
        if self.spelling.dot and a.axes == 0:
            return self.times(a, self.sum(b))
        return self.sum(self.times(a, b))

    def plus(self, a: Term, b: Term) -> Term:
        if a.axes == b.axes == 0 and a.is_matrix != b.is_matrix:
            number, matrix = (b, a) if a.is_matrix else (a, b)
            if number.of.has(self.wrt):
                return Term(self.plain(a) + self.plain(b), 0)
            return Term(number.of * sp.Identity(1) + matrix.of, 0)
        if a.axes == b.axes:
            return Term(a.of + b.of, a.axes)
        if b.axes == 0:
            a, b = b, a
        if a.axes:
            raise InexpressibleError("sums of a vector and a matrix")
        added = self.plain(a)
        if not added.has(self.wrt) and isinstance(b.of, ElementwiseApplyFunction):
            return self.each(lambda entry: added + entry, b)
        return Term(added * sp.OneMatrix(*b.of.shape) + b.of, b.axes)

    def times(self, a: Term, b: Term) -> Term:
        if a.axes == b.axes == 0:
            number, matrix = (b.of, a) if a.is_matrix else (a.of, b)
            if self.spelling.power or number.is_Matrix or number.has(self.wrt) or not matrix.is_matrix:
                return Term(a.of * b.of, 0)
            return self.each(lambda entry: number * entry, matrix)
        if a.axes == b.axes:
            return Term(sp.HadamardProduct(a.of, b.of), a.axes)
        if b.axes == 0:
            a, b = b, a
        if a.axes:
            raise InexpressibleError("products of a vector's and a matrix's entries")
        if a.is_matrix and b.axes == 1:
            return Term(b.of * a.of, 1)
        factor = self.plain(a)
        if not factor.has(self.wrt) and isinstance(b.of, ElementwiseApplyFunction):
            return self.each(lambda entry: factor * entry, b)
        return Term(factor * b.of, b.axes)

    def power(self, base: Term, exponent: Any) -> Term:
        if not base.is_matrix:
            return Term(base.of**exponent, 0)
        hidden = isinstance(base.of, ElementwiseApplyFunction) or not self.spelling.power
        if hidden and not exponent.has(self.wrt):  # diff does not look into the function of applyfunc
            return self.each(lambda entry: entry**exponent, base)
        if base.axes == 0 and not self.spelling.dot:
            return Term(base.of**exponent, 0)
        return Term(hadamard_power(base.of, exponent), base.axes)

    def each(self, function: Callable[[Any], Any], term: Term) -> Term:
        """A function of all entries; of a function of entries, their composition, which SymPy does better."""
        if not term.is_matrix:
            return Term(function(term.of), 0)
        entry = sp.Dummy("entry")
        if isinstance(term.of, ElementwiseApplyFunction):
            return Term(term.of.expr.applyfunc(sp.Lambda(entry, function(term.of.function(entry)))), term.axes)
        return Term(term.of.applyfunc(sp.Lambda(entry, function(entry))), term.axes)

    def call(self, name: str, term: Term) -> Term:
        if name in ELEMENTWISE:
            return self.each(getattr(sp, name), term)
        match name:
            case "sum":
                return self.sum(term)
            case "norm2":
                return self.power(self.inner(term, term), sp.Rational(1, 2))
            case "tr":
                return Term(sp.Trace(term.of), 0)
            case "det":
                return Term(sp.Determinant(term.of), 0)
            case "logdet":
                return Term(sp.log(sp.Determinant(term.of)), 0)
            case "inv":
                return Term(sp.Inverse(term.of), 2)
            case "diag":
                return Term(sp.DiagMatrix(term.of), 2) if term.axes == 1 else Term(sp.DiagonalOf(term.of), 1)
            case "softmax" if term.axes == 1:
                exp = self.each(sp.exp, term)
                return self.times(exp, self.power(self.sum(exp), sp.Integer(-1)))
            case "softmax":
                exp = self.each(sp.exp, term)
                columns = term.of.shape[1]
                totals = exp.of * sp.OneMatrix(columns, columns)
                return self.times(exp, self.power(Term(totals, 2), sp.Integer(-1)))
        raise InexpressibleError(name)


def symbol(name: str, shape: list[int]) -> Any:
    if not shape:
        return sp.Symbol(name)
    return sp.MatrixSymbol(name, shape[0], shape[1] if len(shape) == 2 else 1)


# ---- numbers ----


def matrix_product(factors: list[Array]) -> Array:
    """Of scalars and matrices."""
    return functools.reduce(lambda a, b: a @ b if a.ndim and b.ndim else np.asarray(a * b), factors)


def matrix_power(base: Array, exponent: Array) -> Array:
    if base.shape == (1, 1) or base.ndim == 0:
        return base**exponent
    return np.linalg.matrix_power(base, int(exponent))


def contracted(array: Array, groups: Any, keep: bool) -> Array:
    """Axes of each group set equal, and summed, or kept in the order of the groups after all others."""
    axes = list(range(array.ndim))
    for group in groups:
        for axis in group:
            axes[int(axis)] = int(group[0])
    joined = {int(axis) for group in groups for axis in group}
    out = [axis for axis in range(array.ndim) if axis not in joined]
    return np.asarray(np.einsum(array, axes, out + [int(group[0]) for group in groups if keep]))


def shape_of(e: Any) -> list[int]:
    return [int(n) for n in e.shape]


# By the name of the class: of the expression and of its arguments' values.
RULES: dict[str, Callable[..., Any]] = {
    "Identity": lambda e: np.eye(int(e.rows)),
    "OneMatrix": lambda e: np.ones(shape_of(e)),
    "ZeroMatrix": lambda e: np.zeros(shape_of(e)),
    "ZeroArray": lambda e: np.zeros(shape_of(e)),
    "Add": lambda e, *v: sum(v),
    "MatAdd": lambda e, *v: sum(v),
    "ArrayAdd": lambda e, *v: sum(v),
    "Mul": lambda e, *v: functools.reduce(operator.mul, v),  # of scalars, or of entries inside applyfunc
    "MatMul": lambda e, *v: matrix_product(list(v)),
    "Pow": lambda e, a, b: a**b,
    "MatPow": lambda e, a, b: matrix_power(a, b),
    "HadamardProduct": lambda e, *v: functools.reduce(operator.mul, v),
    "HadamardPower": lambda e, a, b: a**b,
    "KroneckerProduct": lambda e, *v: functools.reduce(np.kron, v),
    "Transpose": lambda e, a: a.T,
    "Inverse": lambda e, a, *_: np.linalg.inv(a),
    "Trace": lambda e, a: np.trace(a),
    "Determinant": lambda e, a: np.linalg.det(a),
    "DiagMatrix": lambda e, a: np.diag(a.ravel()),
    "DiagonalMatrix": lambda e, a: np.diag(np.diag(a)),
    "DiagonalOf": lambda e, a: np.diag(a)[:, None],
    "ArrayTensorProduct": lambda e, *v: functools.reduce(np.multiply.outer, v),
    "MatrixElement": lambda e, a, i, j: a[int(i), int(j)],
}
ARRAYS: dict[str, Callable[..., Array]] = {  # rules whose other arguments are axes
    "PermuteDims": lambda e, a: np.transpose(a, e.permutation.array_form),
    "ArrayContraction": lambda e, a: contracted(a, e.contraction_indices, keep=False),
    "ArrayDiagonal": lambda e, a: contracted(a, e.diagonal_indices, keep=True),
    "Reshape": lambda e, a: a.reshape(shape_of(e)),
}


def evaluated(e: Any, values: dict[Any, Any]) -> Array:
    """The value of an expression of SymPy by NumPy; `values` by name, and of a function's argument by itself."""
    kind = type(e).__name__
    if kind == "Mul" and any(a.is_Matrix for a in e.args):
        kind = "MatMul"
    if e in values:
        return np.asarray(values[e])
    if isinstance(e, sp.MatrixSymbol | sp.Symbol):
        value = np.asarray(values[e.name], dtype=float)
        return value[:, None] if value.ndim == 1 else value
    if kind in ARRAYS:
        return np.asarray(ARRAYS[kind](e, evaluated(e.args[0], values)))
    if kind in ("ElementwiseApplyFunction", "ArrayElementwiseApplyFunc"):
        inner = evaluated(e.expr, values)
        (entry,) = e.function.variables
        return np.asarray(evaluated(e.function.expr, {**values, entry: inner}) * np.ones_like(inner))
    if kind in ("Derivative", "ArrayDerivative") and isinstance(e.expr, sp.ZeroMatrix):  # of a silent zero
        return np.zeros(())
    if kind in ("Derivative", "ArrayDerivative", "Subs"):
        raise UndoneError
    if e.is_Number or e.is_NumberSymbol:
        return np.asarray(float(e))
    if kind in ("Identity", "OneMatrix", "ZeroMatrix", "ZeroArray"):
        return np.asarray(RULES[kind](e))
    below = [evaluated(argument, values) for argument in e.args]
    if kind in RULES:
        return np.asarray(RULES[kind](e, *below))
    return np.asarray(getattr(np, kind)(*below))  # exp, log, tanh


# ---- outcomes ----


def in_layout(value: Array, kind: str) -> Array:
    """SymPy has the variable's axes first, and axes of size 1, which no case has."""
    value = value.squeeze()
    if kind == "jacobian":
        return value.T
    if kind in ("jac4", "jacvec") and value.ndim == 4:
        value = value.transpose(2, 3, 0, 1)
        if kind == "jacvec":
            i, j, k, m = value.shape
            value = value.transpose(1, 0, 3, 2).reshape(i * j, k * m)
    return value


def compared(result: Any, kind: str, points: list[tuple[Values, Array]]) -> str:
    zero = True
    right = True
    for values, answer in points:
        try:
            value = in_layout(evaluated(result, dict(values)), kind)
        except UndoneError:
            return "left undone"
        except ValueError:  # a product whose shapes do not fit
            return "wrong"
        scale = float(np.max(np.abs(answer)))
        zero = zero and not np.any(value) and scale > 0
        right = right and value.shape == answer.shape and float(np.max(np.abs(value - answer))) < CLOSE * scale
    return "right" if right else "silent zero" if zero else "wrong"


def outcome(case: dict[str, Any], spelling: Spelling, points: list[tuple[Values, Array]]) -> tuple[str, str]:
    """The outcome in one spelling, and what it is about."""
    translator = Translator(case, spelling)
    try:
        f = translator(case["expr"])
    except Exception as error:  # SymPy's constructors refuse with many kinds
        return "not expressible", str(error)
    try:
        result = f.diff(translator.wrt)
        if case["kind"] == "hessian":
            result = result.diff(translator.wrt)
    except Exception as error:  # and so does diff
        return "raised", type(error).__name__
    return compared(result, case["kind"], points), str(result)


def best(case: dict[str, Any], points: list[tuple[Values, Array]]) -> tuple[str, set[str]]:
    """The best outcome of all spellings within the time, and every outcome; `points` are values with the answer."""
    if case["kind"] in ("gradient_sym", "gradient_diag"):  # a variable has no structure that diff heeds
        return "not expressible", {"not expressible"}
    found: set[str] = set()
    try:
        with time_limit(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for spelling in SPELLINGS:
                found.add(outcome(case, spelling, points)[0])
                if "right" in found:
                    break
    except TooLongError:
        found.add("out of time")
    return min(found, key=OUTCOMES.index), found


def summary(outcomes: list[tuple[str, set[str]]]) -> str:
    """One line on all cases."""
    count = {kind: sum(o == kind for o, _ in outcomes) for kind in OUTCOMES}
    wrong = count["wrong"] + count["silent zero"]
    misled = sum(o not in ("right", *MISLEADING) and not found.isdisjoint(MISLEADING) for o, found in outcomes)
    others = ", ".join(f"{count[kind]} {kind}" for kind in ("left undone", "raised", "out of time", "not expressible"))
    return (
        f"{NAME}: {count['right']} right, {wrong} wrong of which {count['silent zero']} silent zeros, {others}; "
        f"of those, {misled} are wrong in another spelling"
    )

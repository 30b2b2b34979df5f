"""The public verbs. Calculus, algebra and the check put together; nothing lower knows it will be verified."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from derivata.calculus.convexity import Above, Convexity, convexity_of
from derivata.calculus.derive import derivatives, linearise
from derivata.calculus.domain import domain_of
from derivata.calculus.kinks import kinks_of
from derivata.derivations import GLOBAL_NODES, differentiated
from derivata.derivations import normal as normal
from derivata.errors import DerivataError, DisagreementError, KinkError, LimitError, ReadError, VariableError
from derivata.expr import lower
from derivata.expr.node import Edge, Expr, bundle, contraction, shape_text, variable
from derivata.expr.selectors import ravel
from derivata.expr.symbol import Symbol, declare
from derivata.expr.walk import collector_paused, replace, symbols, topological
from derivata.render.derivation import Derivation
from derivata.render.gradients import Gradients
from derivata.rules.book import book
from derivata.run.parts import verify_identities, verify_parts, verify_pullbacks
from derivata.run.verify import verify_equal, verify_gradients, verify_rules
from derivata.simplify.recognise import recognise
from derivata.simplify.textbook import present, textbook

if TYPE_CHECKING:
    import numpy as np

    from derivata.render.worked import Worked

HIGHEST_ORDER = 12


def read(text: str, where: str | None = None) -> Expr:
    """The expression that `text` writes; `where` declares what is not a real scalar.

    >>> read("sum((X@w - y)**2)", where="X[n,d], y[n], w[d]")
    Expr('sum((X@w - y)**2)')
    """
    return lower.read(text, where, book().vocabulary)


def _expression(f: Expr | str, where: str | None) -> Expr:
    if isinstance(f, Expr):
        return f
    if isinstance(f, str):
        if where is not None and not isinstance(where, str):
            raise ReadError(f'where is text such as "X[n,d], y[n]", not {type(where).__name__}')
        return read(f, where)
    raise ReadError(f"expected an expression or its text, found {type(f).__name__}")


def _variable(f: Expr, wrt: str | Expr | None) -> Symbol:
    """The symbol to differentiate by; the only real one when none is named."""
    found = symbols(f)
    real = [s for s in found.values() if not s.integer]
    if wrt is None:
        if len(real) == 1:
            return real[0]
        listed = ", ".join(s.name for s in real) or "none"
        raise VariableError(f"say which variable to differentiate by; the expression has: {listed}")
    name = wrt.data.name if isinstance(wrt, Expr) and wrt.head == "symbol" else wrt
    if not isinstance(name, str):
        raise VariableError("expected the name of a variable")
    symbol = found.get(name.strip())
    if symbol is None:
        listed = ", ".join(s.name for s in real) or "none"
        raise VariableError(f"{name[:60]!r} does not occur in the expression; its variables are: {listed}")
    return symbol


def derive(
    f: Expr | str,
    wrt: str | Expr | None = None,
    where: str | None = None,
    *,
    order: int = 1,
    allow_kinks: bool = True,
) -> Derivation:
    """The derivative of `f` by `wrt`, with its steps, kinks, and the check it passed.

    The result has the shape of f followed by that of the variable, `order` times; the steps are those of the
    last time. Raises VerificationError rather than return what exact arithmetic does not confirm, and KinkError
    at kinks when they are not allowed.
    """
    if not isinstance(order, int) or isinstance(order, bool) or order < 1:
        raise ReadError(f"order must be a whole number from 1 on, not {order!r}"[:80])
    if order > HIGHEST_ORDER:
        raise LimitError(f"derivatives are worked out up to order {HIGHEST_ORDER}, not {order}"[:80])
    of = _expression(f, where)
    component = None
    if isinstance(wrt, str) and "[" in wrt:
        wrt, component = wrt.split("[", 1)
    symbol = _variable(of, wrt)
    with collector_paused():
        inner = replace(of, {variable(symbol): variable(symbol.free)})
        for _ in range(order - 1):
            inner = differentiated(inner, symbol.free, symbol.free, of, component, allow_kinks).result
        found = differentiated(inner, symbol.free, symbol, of, component, allow_kinks)
        return dataclasses.replace(found, given=of, order=order)


def gradient(
    f: Expr | str, wrt: str | Expr | None = None, where: str | None = None, *, allow_kinks: bool = True
) -> Expr:
    """The gradient of a scalar expression: an expression of the variable's shape."""
    return derive(_scalar(f, where), wrt, allow_kinks=allow_kinks).result


def gradients(
    f: Expr | str, wrt: Sequence[str | Expr], where: str | None = None, *, allow_kinks: bool = True
) -> Gradients:
    """The gradients of a scalar expression by several variables, by name, from one sweep; they share their parts.

    >>> print(gradients("sum((X@w + b - y)**2)", ["w", "b"], where="X[n,d], y[n], w[d]")["b"])
    2*sum(b + X@w - y)
    """
    of = _scalar(f, where)
    chosen = [_variable(of, name) for name in wrt]
    if not chosen or len(set(chosen)) < len(chosen):
        raise VariableError("name the variables to differentiate by, each once")
    bys, free = [variable(s) for s in chosen], [variable(s.free) for s in chosen]
    back = dict(zip(free, bys, strict=True))
    with collector_paused():
        named = recognise(replace(of, dict(zip(bys, free, strict=True))), book())
        raw, steps, pullbacks = derivatives(named.result, free, book())
        raw = tuple(replace(r, back) for r in raw)
        presented = present(bundle(raw), recognise(of, book()).result, book())
        shown = [part for part, _ in presented.result.args]
        if len(topological(of)) <= GLOBAL_NODES:
            check = verify_gradients(of, bys, shown)
        else:
            verify_identities((s.before, s.after) for s in named.steps)
            check = verify_rules(((s.before, s.after) for s in steps), wrt=free)
            verify_pullbacks(pullbacks)
            verify_parts([*presented.parts[:-1], *zip(raw, shown, strict=True)])
        kinks = kinks_of(of, bys, book(), normal, shown)
        if kinks and not allow_kinks:
            raise KinkError("the derivative does not exist everywhere: " + "; ".join(kinks))
    return Gradients(of, dict(zip((s.name for s in chosen), shown, strict=True)), check, kinks, domain_of(of, book()))


def _scalar(f: Expr | str, where: str | None) -> Expr:
    of = _expression(f, where)
    if of.shape:
        raise VariableError(
            f"the gradient is of a scalar; this expression has shape {shape_text(of.shape)}: use jacobian"
        )
    return of


def jacobian(
    f: Expr | str,
    wrt: str | Expr | None = None,
    where: str | None = None,
    *,
    layout: str = "array",
    allow_kinks: bool = True,
) -> Expr:
    """The Jacobian: shape of the expression, then that of the variable.

    With `layout="vec"` matrices on both sides are taken as vec(F) and vec(X), column below column, so that
    the result is one matrix.
    """
    if layout not in ("array", "vec"):
        raise ReadError(f"unknown layout {layout[:30]!r}; expected 'array' or 'vec'")
    of = _expression(f, where)
    found = derive(of, wrt, allow_kinks=allow_kinks)
    if layout == "array":
        return found.result
    shape = (of.shape, found.by.shape)
    if max(map(len, shape)) > 2:
        raise VariableError("the vec layout is of scalars, vectors and matrices")
    labels: list[int] = []
    out: list[int] = []
    places: list[Edge] = []
    for sizes in shape:
        own = [len(labels) + i for i in range(len(sizes))]
        labels += own
        out.append(100 + len(out))
        if len(sizes) == 2:
            places.append((ravel(*sizes[::-1]), (out[-1], own[1], own[0])))
        else:
            out[-1:] = own
    flat = contraction([(found.result, tuple(labels)), *places], tuple(out))
    shown = textbook(flat, of, book())
    verify_equal(flat, shown)
    return shown


def hessian(
    f: Expr | str, wrt: str | Expr | None = None, where: str | None = None, *, allow_kinks: bool = True
) -> Expr:
    """The Hessian of a scalar expression: the variable's shape twice."""
    of = _expression(f, where)
    if of.shape:
        raise VariableError(f"the Hessian is of a scalar; this expression has shape {shape_text(of.shape)}")
    return derive(of, wrt, order=2, allow_kinks=allow_kinks).result


def convexity(f: Expr | str, wrt: str | Expr | None = None, where: str | None = None) -> Convexity:
    """Whether a scalar expression is convex, concave or affine in a variable, with the reason, or not decided.

    >>> print(convexity("x@x", where="x[n]").kind)
    convex
    """
    of = _scalar(f, where)
    by = variable(_variable(of, wrt))

    def second(part: Expr) -> Expr | None:
        try:
            return hessian(part, by)
        except DerivataError:  # nothing is proved by what is refused
            return None

    return convexity_of(of, by, book(), Above(second, lambda part: recognise(part, book()).result, normal))


def jvp(f: Expr | str, wrt: str, where: str | None = None) -> Expr:
    """The derivative along a direction: linear in the new symbol `d<wrt>`, of the expression's shape."""
    of = _expression(f, where)
    found = linearise(of, variable(_variable(of, wrt)), book())
    shown = textbook(found.form, of, book())
    verify_rules(((s.before, s.after) for s in found.steps), wrt=(found.by,))
    try:
        verify_equal(found.form, shown, of=of)
    except DisagreementError:  # it has another value where a factor is 0; the form that the rules gave is right there
        return found.form
    return shown


def hvp(f: Expr | str, wrt: str, where: str | None = None) -> Expr:
    """The Hessian of a scalar expression times a direction, linear in the new symbol `d<wrt>`; no Hessian is made."""
    return jvp(gradient(f, wrt, where), wrt)


def gauss_newton(loss: Expr | str, model: Expr | str, wrt: str, where: str | None = None, *, output: str = "z") -> Expr:
    """The Gauss-Newton matrix J.T@H@J of a loss of `output`, which `model` computes from the variable `wrt`.

    J is the Jacobian of the model, H the Hessian of the loss by the output. Where the loss is a negative
    log-likelihood of an exponential family by its natural parameter, as in least squares and in regressions on
    classes, this is the Fisher information.
    """
    inner = _expression(model, where)
    shape = f"[{','.join(map(str, inner.shape))}]" if inner.shape else ""
    outer = _expression(loss, ", ".join(filter(None, (where, output + shape))))
    if outer.shape or len(inner.shape) > 1:
        raise VariableError("the Gauss-Newton matrix takes a scalar loss of a model's scalar or vector output")
    curvature = replace(hessian(outer, output), {variable(_variable(outer, output)): inner})
    slope = jacobian(inner, wrt)
    rank = len(slope.shape) - len(inner.shape)
    left, right = tuple(range(rank)), tuple(range(rank, 2 * rank))
    rows, columns = (100,) * len(inner.shape), (101,) * len(inner.shape)
    raw = contraction(
        [(slope, (*rows, *left)), (curvature, (*rows, *columns)), (slope, (*columns, *right))], (*left, *right)
    )
    shown = textbook(raw, inner, book())
    verify_equal(raw, shown)
    return shown


def vjp(f: Expr | str, wrt: str, where: str | None = None) -> Expr:
    """The transposed Jacobian applied to the new symbol `g` (named `g_out` if taken): of the variable's shape."""
    of = _expression(f, where)
    name = "g_out" if "g" in symbols(of) else "g"
    weight = variable(Symbol(name, of.shape))
    whole = tuple(range(len(of.shape)))
    weighted = contraction([(of, whole), (weight, whole)], ())
    return derive(weighted, wrt).result


def evaluate(e: Expr | str, where: str | None = None, /, **values: Any) -> np.ndarray[Any, Any]:
    """The value as a NumPy array, from keyword arguments, one per symbol.

    Sizes are read off the arrays: those in the expression, and those declared in `where` that a simpler form of
    it does not hold any more.

    >>> evaluate(derive("sum(sign(B))", "B", "B[n,m]").result, "B[n,m]", B=[[1, 2], [3, 4]]).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    from derivata.run.evaluate import evaluate as run

    return run(_expression(e, where), values, declare(where).symbols.values())


def worked(derivation: Derivation, /, **given: Any) -> Worked:
    """The derivation with small numbers put in, each step computed, and central differences beside the outcome.

    Keywords set sizes and scalars by name; the rest is chosen, the same every time.

    >>> worked(derive("sum((X@w - y)**2)", "w", where="X[n,d], y[n], w[d]"), n=2, d=3).derivative
    (26.0, -22.0, 12.0)
    """
    from derivata.run.worked import worked as run

    return run(derivation, given)


def code(
    f: Expr | str,
    wrt: str | Expr | None = None,
    where: str | None = None,
    *,
    target: str = "numpy",
    name: str = "",
) -> str:
    """Source of a function that returns value and gradient, needing only the target's library."""
    from derivata.emit.function import function_of

    if target != "numpy":
        raise ReadError(f"unknown target {target[:30]!r}; this version writes numpy")
    of = _expression(f, where)
    derivation = derive(of, wrt)
    return function_of(of, derivation.by, derivation.result, derivation.notes(), name)

"""One derivation put together: calculus, algebra and the check; nothing lower knows that it will be verified."""

from __future__ import annotations

from collections.abc import Sequence

from derivata.calculus.derive import Differential, derivative
from derivata.calculus.domain import domain_of
from derivata.calculus.kinks import is_smooth, kinks_of
from derivata.errors import DerivataError, DisagreementError, KinkError, VariableError
from derivata.expr import lower
from derivata.expr.arrays import zeros
from derivata.expr.node import ADD, CALL, Expr, axes, contraction, variable
from derivata.expr.selectors import is_onehot, onehot
from derivata.expr.symbol import Declarations, Symbol
from derivata.expr.walk import depends, replace, symbols, topological
from derivata.render.derivation import Derivation
from derivata.rewrite.fold import spread
from derivata.rewrite.step import Step
from derivata.rules.book import book
from derivata.run.parts import verify_identities, verify_parts, verify_pullbacks
from derivata.run.verify import Check, verify_derivative, verify_equal, verify_rules
from derivata.simplify import normal as _normal
from derivata.simplify.cost import cost
from derivata.simplify.recognise import recognise
from derivata.simplify.selection import selected
from derivata.simplify.textbook import Presented, present, textbook

READ_BACK = 40  # cost from which on a result is read back
MOST_TERMS = 8  # of a sum whose terms are also differentiated one by one
GLOBAL_NODES = 500  # above this many nodes every rule application and every simplified part is checked alone


def differentiated(
    of: Expr, free: Symbol, symbol: Symbol, given: Expr, component: str | None, allow_kinks: bool
) -> Derivation:
    """One derivative by `free`, shown with what is assumed of `symbol` and in the order of names in `given`."""
    inner, of = of, replace(of, {variable(free): variable(symbol)})
    by = variable(symbol)
    picked = {} if component is None else _picked(by, component)
    if symbol.name not in symbols(of):
        check = verify_derivative(of, by, zeros((*of.shape, *by.shape)))
        nothing = zeros((*of.shape, *(size for axis, size in enumerate(by.shape) if axis not in picked)))
        return Derivation(of, symbol, nothing, (), check, picked=tuple(picked.items()))
    named = recognise(inner, book())
    raw, found = derivative(named.result, variable(free), book())
    terms = _term_derivatives(named.result, variable(free))
    raw, *terms = (replace(e, {variable(free): by}) for e in (raw, *terms))
    presented = present(raw, recognise(given, book()).result, book(), terms)
    shown = presented.result
    if len(topological(of)) <= GLOBAL_NODES:
        form = _as_read(shown, of)
        shown, check = _verified(of, by, form, raw, smooth=is_smooth(of, book()))
        simplified = shown is form
    else:
        check, simplified = _checked_alone(named.steps, found, presented), True
    kinks = kinks_of(of, [by], book(), normal, [shown])
    if kinks and not allow_kinks:
        raise KinkError("the derivative does not exist everywhere: " + "; ".join(kinks))
    if picked:
        shown = _component(shown, of, {len(of.shape) + axis: place for axis, place in picked.items()})
    steps = (*named.steps, *found.steps)
    domain, places = domain_of(of, book()), tuple(picked.items())
    return Derivation(
        of, symbol, shown, steps, check, kinks, domain, raw, start=inner, simplified=simplified, picked=places
    )


def _as_read(shown: Expr, of: Expr) -> Expr:
    """The expression that the text of a long result reads as: the same, though put together in another way.

    What is printed, read and simplified again is then what this is simplified to.
    """
    if shown.cost <= READ_BACK:
        return shown
    declared = {**symbols(of), **symbols(shown)}
    called = {str(node.data).rstrip("'") for node in topological(shown) if node.head == CALL}
    unspecified = frozenset(name for name in called if book().get(name) is None)
    try:
        return lower.read(str(shown), Declarations(declared, unspecified), book().vocabulary)
    except DerivataError:  # too long to be read
        return shown


def _verified(of: Expr, by: Expr, shown: Expr, raw: Expr, *, smooth: bool) -> tuple[Expr, Check]:
    """The form to show and its check.

    That is the form the rules gave where the simplified one has another value or none at some points, and the
    derivation says so: over one denominator, a term that a condition makes 0 can turn into 0/0.
    """
    try:
        return shown, verify_derivative(of, by, shown, smooth=smooth)
    except DisagreementError:
        return raw, verify_derivative(of, by, raw, smooth=smooth)


def _term_derivatives(of: Expr, by: Expr) -> list[Expr]:
    """The derivatives of the terms of a short sum."""
    if of.head != CALL or of.data != ADD or len(of.args) > MOST_TERMS:
        return []
    terms = [spread(edge, of.shape) for edge in of.args]
    return [derivative(term, by, book())[0] for term in terms if by in depends(term, by)]


def _picked(by: Expr, text: str) -> dict[int, Expr]:
    """The axes of the variable on which one entry is meant, and the places of it."""
    symbol = by.data
    places = text.strip().removesuffix("]").split(",")
    if len(places) != len(by.shape):
        raise VariableError(f"{symbol.name} has {len(by.shape)} axes, {len(places)} subscripts were given")
    free = [f"{p.strip()} int" for p in places if p.strip().isidentifier()]
    declared = ", ".join([f"{symbol.name}[{','.join(map(str, by.shape))}]", *free])
    entry = lower.read(f"{symbol.name}[{text.strip()}", declared, book().vocabulary)
    return {label: node.args[0][0] for node, (label, *_) in entry.args if is_onehot(node)}


def _component(result: Expr, of: Expr, picks: dict[int, Expr]) -> Expr:
    """One entry of the variable: the part of the derivative that belongs to it."""
    whole = axes(result)
    selectors = [(onehot(place, result.shape[axis]), (axis,)) for axis, place in picks.items()]
    kept = tuple(axis for axis in whole if axis not in picks)
    shown = selected(result, picks)
    shown = min(shown, textbook(shown, of, book()), key=cost)
    verify_equal(contraction([(result, whole), *selectors], kept), shown)
    return shown


def _checked_alone(named: Sequence[Step], found: Differential, presented: Presented) -> Check:
    """Every rule application, every step of the reverse sweep and every simplified part of a large graph."""
    verify_identities((s.before, s.after) for s in named)
    check = verify_rules(((s.before, s.after) for s in found.steps), wrt=(found.by,))
    verify_pullbacks(found.pullbacks)
    verify_parts(presented.parts)
    return check


def normal(e: Expr) -> Expr:
    """The canonical form: equal expressions that algebra can bring together become one node."""
    return _normal.normal(e, book())

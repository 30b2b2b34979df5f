"""The derivative of any expression by a symbol: linearise, then transpose."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from derivata.calculus.rules import differentiate_node
from derivata.errors import UnsupportedError, VariableError
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    MINUS_ONE,
    ONE,
    Edge,
    Expr,
    Size,
    axes,
    contraction,
    differential,
    label_sizes,
    variable,
)
from derivata.expr.symbol import Symbol
from derivata.expr.walk import collector_paused, depends, rebuild, symbols, topological
from derivata.expr.walk import replace as replace_nodes
from derivata.rewrite.fold import fold, product, total
from derivata.rewrite.instantiate import argument_edges, instantiate, record_of
from derivata.rewrite.step import Step
from derivata.rules.book import Book


@dataclass(frozen=True)
class Differential:
    """`form` is d(of), linear in the symbol `change`; `steps` say how it came about, outermost first."""

    of: Expr
    by: Expr
    change: Expr
    form: Expr
    steps: tuple[Step, ...]
    pullbacks: tuple[Pullback, ...] = ()


def linearise(of: Expr, by: Expr, book: Book) -> Differential:
    """Push the differential inwards, one rule application per node that depends on `by`."""
    form, (change,), steps = linearise_by_all(of, (by,), book)
    return Differential(of, by, change, form, steps)


def linearise_by_all(of: Expr, bys: Sequence[Expr], book: Book) -> tuple[Expr, tuple[Expr, ...], tuple[Step, ...]]:
    """The differential of `of` when several variables change together, their changes, and the steps."""
    names, active = symbols(of), depends(of, *bys)
    forms: dict[Expr, Expr] = {}
    for by in bys:
        if by.data.integer:
            raise VariableError(f"{by.data.name} is a whole number; derivatives are taken by real variables")
        if names.get(by.data.name) != by.data:
            raise VariableError(
                f"{by.data.name} does not occur in the expression, so there is nothing to differentiate by it"
            )
        forms[by] = _change(by, names)
    steps: list[Step] = []
    for node in topological(of):
        if node in active and node not in forms:
            applied = differentiate_node(node, forms.get, book)
            forms[node] = applied.result
            steps.append(_step(applied.rule, node, active, book))
    return forms[of], tuple(forms[by] for by in bys), tuple(reversed(steps))


def _change(by: Expr, taken: Collection[str]) -> Expr:
    """The symbol dx of a variable x."""
    name = "d" + by.data.name
    while name in taken:
        name += "_"
    return variable(Symbol(name, by.shape, frozenset({"differential"})))


def _step(rule: str, node: Expr, active: set[Expr], book: Book) -> Step:
    """The same rule once more, in terms of d(child), when somebody wants to see or check it."""

    def replacement() -> Expr:
        return differentiate_node(node, lambda c: differential(c) if c in active else None, book).result

    return Step(rule, differential(node), replacement)


@dataclass(frozen=True, slots=True)
class Pullback:
    """One node of the reverse sweep: what its adjoint gives to each active operand.

    It is right when sum(adjoint*node) == sum over operands of sum(given*operand), for any values of the
    operands and of the adjoint.
    """

    node: Expr
    adjoint: Expr
    given: tuple[tuple[int, Expr], ...]  # position of the operand, contribution


def transpose_with_pullbacks(
    form: Expr, changes: Sequence[Expr], book: Book
) -> tuple[tuple[Expr, ...], tuple[Pullback, ...]]:
    """The arrays G with form = sum(G * change) over the changes, of the shape of the form, then of the change.

    One reverse sweep; the adjoint of a node has the axes of the form and then the node's own.
    """
    rank = len(form.shape)
    outer = tuple(range(rank))
    active = depends(form, *changes)
    pending: dict[Expr, list[Expr]] = {form: [_seed(form)]}
    pullbacks: list[Pullback] = []
    for node in reversed(topological(form)):
        if node not in active or node in changes:
            continue
        contributions = pending.pop(node)
        shape = (*form.shape, *node.shape)
        adjoint = total([(c, tuple(range(len(shape)))) for c in contributions], shape)
        given = []
        for position, (child, _) in enumerate(node.args):
            if child in active:
                given.append((position, _pulled_back(node, position, adjoint, outer, form, book)))
                pending.setdefault(child, []).append(given[-1][1])
        pullbacks.append(Pullback(node, adjoint, tuple(given)))
    found = []
    for change in changes:
        shape = (*form.shape, *change.shape)
        found.append(total([(c, tuple(range(len(shape)))) for c in pending.get(change, ())], shape))
    return tuple(found), tuple(pullbacks)


def _seed(form: Expr) -> Expr:
    """The identity: d(form)/d(form)."""
    if not form.shape:
        return ONE
    twice = (*axes(form), *axes(form))
    return contraction([], twice, dict(enumerate(form.shape)))


def _pulled_back(node: Expr, position: int, adjoint: Expr, outer: tuple[int, ...], form: Expr, book: Book) -> Expr:
    """What one operand of a linear node receives."""
    rank = len(outer)
    labels = node.args[position][1]
    if node.head == CALL and node.data == ADD:
        out = axes(node)
        others: list[Edge] = []
        sizes: dict[int, Size] = dict(enumerate(node.shape))
    elif node.head == CONTRACTION:
        out, others, sizes = (
            node.data,
            [e for i, e in enumerate(node.args) if i != position],
            label_sizes(node),
        )
    else:
        return _transposed(node, position, adjoint, outer, book)
    shifted: dict[int, Size] = {rank + label: size for label, size in sizes.items()}
    shifted.update(enumerate(form.shape))
    edges = [
        (adjoint, (*outer, *(rank + label for label in out))),
        *((other, tuple(rank + label for label in where)) for other, where in others),
    ]
    wanted = (*outer, *(rank + label for label in labels))
    return _drop_ones(edges, wanted, shifted)


def _transposed(node: Expr, position: int, adjoint: Expr, outer: tuple[int, ...], book: Book) -> Expr:
    """What the last argument of a linear function receives, by the function's own record."""
    record = record_of(node, book)
    if record is None or not record.transposed or position != len(node.args) - 1:
        raise UnsupportedError(f"the rule of {node.data} is not linear in the differential")
    bound, sizes, mapped = argument_edges(node, record)
    rank = len(outer)
    shifted = {name: (child, tuple(rank + i for i in labels)) for name, (child, labels) in bound.items()}
    shifted["g"] = (adjoint, axes(adjoint))
    formula = book.formula(record, record.transposed)
    own = tuple(sizes.get(str(s), s) for s in formula.shape)
    given = instantiate(formula, shifted, adjoint.shape[: rank + mapped], sizes, own)
    return contraction([(given, axes(given))], (*outer, *(rank + label for label in node.args[position][1])))


def _drop_ones(edges: list[Edge], out: tuple[int, ...], sizes: dict[int, Size]) -> Expr:
    """A product in which the number 1 does not appear, unless it alone is summed."""
    kept = [edge for edge in edges if edge[0] is not ONE]
    return product(kept, out, sizes)


def derivative(of: Expr, by: Expr, book: Book) -> tuple[Expr, Differential]:
    """The raw derivative, of shape of.shape + by.shape, and the differential it was read off from."""
    with collector_paused():
        found = linearise(of, by, book)
        if form_is_enough(of, by):
            return rebuild(replace_nodes(found.form, {found.change: ONE}), fold), found
        (result,), pullbacks = transpose_with_pullbacks(found.form, (found.change,), book)
        return _by_free_entries(result, by), replace(found, pullbacks=pullbacks)


def form_is_enough(of: Expr, by: Expr) -> bool:
    """An array by one number: the differential with dx = 1 is the derivative."""
    return bool(of.shape) and not by.shape


def derivatives(
    of: Expr, bys: Sequence[Expr], book: Book
) -> tuple[tuple[Expr, ...], tuple[Step, ...], tuple[Pullback, ...]]:
    """The raw derivatives by several variables in one sweep, with what a check of every rule needs."""
    with collector_paused():
        form, changes, steps = linearise_by_all(of, bys, book)
        results, pullbacks = transpose_with_pullbacks(form, changes, book)
        return tuple(_by_free_entries(r, by) for r, by in zip(results, bys, strict=True)), steps, pullbacks


def _by_free_entries(result: Expr, by: Expr) -> Expr:
    """The derivative by the entries that may be chosen: those of a symmetric matrix on and above its diagonal.

    An entry off the diagonal stands at two places, so both places count; of a diagonal matrix the rest is 0.
    """
    if not by.data.traits & {"symmetric", "diagonal"}:
        return result
    whole = axes(result)
    row, column = whole[-2:]
    eye = contraction([], (0, 0), {0: by.shape[0]})
    sizes: dict[int, Size] = dict(enumerate(result.shape))
    on_diagonal = product([(result, whole), (eye, (row, column))], whole, sizes)
    if "diagonal" in by.data.traits:
        return on_diagonal
    turned = (*whole[:-2], column, row)
    minus = product([(MINUS_ONE, ()), (on_diagonal, whole)], whole, sizes)
    return total([(result, whole), (result, turned), (minus, whole)], result.shape)

"""The value of any expression in ball arithmetic, with its slope along a direction where an input has one.

The series formulas are FLINT's, so a derivative is judged by something that knows none of our rules: a
function FLINT does not have is first replaced by its definition in the rulebook.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import TypeAlias

from flint import arb, fmpq

from derivata.errors import EvaluationError, UnsupportedError
from derivata.expr.node import (
    ADD,
    CONTRACTION,
    DIFFERENTIAL,
    NUMBER,
    POWER,
    PRIMITIVE,
    SYMBOL,
    Expr,
    Labels,
    Shape,
    Size,
    axes,
    with_args,
)
from derivata.expr.notation import COMPARISONS
from derivata.expr.selectors import is_lower, is_onehot, is_ravel, is_slide
from derivata.expr.sizes import size_in_numbers
from derivata.expr.walk import topological
from derivata.rewrite.instantiate import argument_edges, instantiate, record_of
from derivata.rules.book import Book, book
from derivata.rules.record import Function
from derivata.run import balls
from derivata.run.balls import Array, Entry, coefficient, constant, precision
from derivata.run.contract import Contraction, offsets
from derivata.run.matrices import ARRAY_FUNCTIONS, array_function

Slots: TypeAlias = "list[list[Entry]]"
Work: TypeAlias = "Callable[[Slots], list[Entry]]"

_LEAF_WORK, _STEP_WORK = 10, 10  # a random entry, and a node of any size, cost about ten operations
_COMPARES = {name: balls.comparison(symbol) for symbol, name in COMPARISONS.items()}
_CHOICES: dict[str, Callable[..., Entry]] = {"where": balls.choose, "floor": balls.round_down}


def evaluate(
    roots: Sequence[Expr],
    values: Mapping[str, Array],
    sizes: Mapping[str, int],
    *,
    bits: int,
    bound: Mapping[Expr, Array] | None = None,
) -> list[Array]:
    """Enclosures of the roots. Entries without a value come out as not finite.

    `values` are those of symbols by name; the nodes of `bound` are taken as given and not looked into.
    """
    given = bound or {}
    return Program(roots, sizes, given.keys()).run(values, bits=bits, bound=given)


class Program:
    """A graph made ready for given sizes, to be run at many points."""

    def __init__(self, roots: Sequence[Expr], sizes: Mapping[str, int], bound: Collection[Expr] = ()) -> None:
        self.roots = tuple(roots)
        self.work = 0  # about how many operations on entries one run takes
        self._sizes = sizes
        self._leaves: list[tuple[int, Expr]] = []
        self._steps: list[tuple[int, Work]] = []
        self._plans: dict[object, Contraction] = {}
        self._places: dict[object, list[int]] = {}
        rulebook = book()
        native = natives(self.roots, bound, rulebook)
        self._slot: dict[Expr, int] = {}
        stops = set(bound)
        for node in topological(*(native[root] for root in self.roots), is_end=stops.__contains__):
            slot = self._slot[node] = len(self._slot)
            if node in stops or node.head == SYMBOL:
                self._leaves.append((slot, node))
                self.work += _LEAF_WORK * _extent(self._shape(node.shape))
            else:
                self._steps.append((slot, self._compile(node, rulebook)))
                self.work += _STEP_WORK
        self._outputs = [self._slot[native[root]] for root in self.roots]

    def run(self, values: Mapping[str, Array], *, bits: int, bound: Mapping[Expr, Array] | None = None) -> list[Array]:
        """The roots at one point."""
        given = bound or {}
        with precision(bits):
            slots: Slots = [[]] * len(self._slot)
            for slot, node in self._leaves:
                slots[slot] = self._leaf(node, values, given)
            for slot, work in self._steps:
                slots[slot] = work(slots)
        return [
            Array(self._shape(root.shape), slots[slot]) for root, slot in zip(self.roots, self._outputs, strict=True)
        ]

    def _leaf(self, node: Expr, values: Mapping[str, Array], bound: Mapping[Expr, Array]) -> list[Entry]:
        if node in bound:
            return bound[node].entries
        name = node.data.name
        if name not in values:
            if name in self._sizes and not node.shape:
                return [arb(self._sizes[name])]
            raise EvaluationError(f"no value was given for {name}")
        value = values[name]
        if value.shape != self._shape(node.shape):
            raise EvaluationError(f"{name} has shape {self._shape(node.shape)}, its value {value.shape}")
        return value.entries

    def size(self, size: Size) -> int:
        """A size as a number."""
        try:
            return size_in_numbers(size, self._sizes)
        except KeyError:
            raise EvaluationError(f"no value was given for the size {size}") from None

    def _shape(self, shape: Shape) -> tuple[int, ...]:
        return tuple(self.size(s) for s in shape)

    def _compile(self, node: Expr, rulebook: Book) -> Work:
        if node.head == NUMBER:
            exact = fmpq(node.data.numerator, node.data.denominator)
            return lambda slots: [arb(exact)]
        if node.head == CONTRACTION:
            return self._contraction(node)
        if node.head == DIFFERENTIAL:
            child = self._slot[node.args[0][0]]
            return lambda slots: [coefficient(entry) for entry in slots[child]]
        if node.head == PRIMITIVE:
            if is_onehot(node):
                return self._onehot(node)
            if is_lower(node):
                return self._lower(node)
            if is_ravel(node) or is_slide(node):
                return self._constant(node)
            return self._primitive(node, rulebook)
        if node.data == ADD:
            return self._sum(node)
        if node.data == POWER and (whole := _whole_exponent(node)) is not None:
            return self._elementwise(node, lambda base, exponent: balls.whole_power(base, whole))
        return self._elementwise(node, _entrywise(node.data, rulebook))

    def _columns(self, node: Expr) -> list[tuple[int, list[int] | None]]:
        """Where each argument's entries stand, one for every entry of the value; None: as they are."""
        sizes = dict(enumerate(self._shape(node.shape)))
        whole = axes(node)
        found: list[tuple[int, list[int] | None]] = []
        for child, labels in node.args:
            places = None if labels == whole else self._offsets(labels, whole, sizes)
            found.append((self._slot[child], places))
        self.work += len(node.args) * _extent(sizes.values())
        return found

    def _offsets(self, labels: Labels, order: Labels, sizes: dict[int, int]) -> list[int]:
        key = (labels, order, tuple(sizes.items()))
        if key not in self._places:
            self._places[key] = offsets(labels, order, sizes)
        return self._places[key]

    def _elementwise(self, node: Expr, function: Callable[..., Entry]) -> Work:
        columns = self._columns(node)
        if not columns:
            return lambda slots: [function()]
        return lambda slots: list(map(function, *(_taken(slots, column) for column in columns)))

    def _sum(self, node: Expr) -> Work:
        first, *others = self._columns(node)

        def work(slots: Slots) -> list[Entry]:
            total = _taken(slots, first)
            for column in others:
                total = [a + b for a, b in zip(total, _taken(slots, column), strict=True)]
            return total

        return work

    def _contraction(self, node: Expr) -> Work:
        sizes = dict(zip(node.data, self._shape(node.shape), strict=True))
        for child, labels in node.args:
            sizes.update(zip(labels, self._shape(child.shape), strict=True))
        operands = tuple(labels for _, labels in node.args)
        key = (operands, node.data, tuple(sorted(sizes.items())))
        if key not in self._plans:
            self._plans[key] = Contraction(operands, node.data, sizes)
        plan = self._plans[key]
        self.work += plan.work
        children = [self._slot[child] for child, _ in node.args]
        return lambda slots: plan([slots[i] for i in children])

    def _onehot(self, node: Expr) -> Work:
        child, size = self._slot[node.args[0][0]], self.size(node.shape[0])

        def work(slots: Slots) -> list[Entry]:
            position = constant(slots[child][0]).unique_fmpz()
            if position is None or not 0 <= int(position) < size:
                return [balls.undefined()] * size
            return [arb(int(i == int(position))) for i in range(size)]

        return work

    def _constant(self, node: Expr) -> Work:
        """Where entries of a flattened or of a sliding array stand."""
        first, second, third = (self.size(s) for s in node.shape)
        if is_slide(node):
            entries = [arb(int(j == i + k)) for i in range(first) for k in range(second) for j in range(third)]
        else:
            entries = [arb(int(place == pair)) for place in range(first) for pair in range(second * third)]
        return lambda slots: entries

    def _lower(self, node: Expr) -> Work:
        rows, columns = (self.size(s) for s in node.shape)
        entries = [arb(int(column <= row)) for row in range(rows) for column in range(columns)]
        return lambda slots: entries

    def _primitive(self, node: Expr, rulebook: Book) -> Work:
        name, mapped = node.data
        record = rulebook.get(name)
        function = array_function("" if record is None else record.code.get("flint", ""), name)
        lead = self._shape(node.shape[:mapped])
        arguments: list[tuple[int, list[int], tuple[int, ...]]] = []
        for child, labels in node.args:
            sizes = dict(enumerate(lead)) | dict(zip(labels, self._shape(child.shape), strict=True))
            core = tuple(sizes[label] for label in sorted(set(labels)) if label >= mapped)
            order = (*range(mapped), *sorted({label for label in labels if label >= mapped}))
            arguments.append((self._slot[child], self._offsets(labels, order, sizes), core))
        count = _extent(lead)
        self.work += sum(len(places) ** 2 for _, places, _ in arguments)
        cores = [core for _, _, core in arguments]

        def work(slots: Slots) -> list[Entry]:
            found: list[Entry] = []
            for index in range(count):
                parts = []
                for slot, places, core in arguments:
                    step = _extent(core)
                    parts.append([slots[slot][i] for i in places[index * step : (index + 1) * step]])
                found += function(parts, cores)
            return found

        return work


def _taken(slots: Slots, column: tuple[int, list[int] | None]) -> list[Entry]:
    slot, places = column
    entries = slots[slot]
    return entries if places is None else [entries[i] for i in places]


def _extent(sizes: Collection[int]) -> int:
    count = 1
    for size in sizes:
        count *= size
    return count


def _whole_exponent(node: Expr) -> int | None:
    exponent = node.args[1][0]
    if exponent.head == NUMBER and exponent.data.denominator == 1:
        return int(exponent.data)
    return None


def _entrywise(name: str, rulebook: Book) -> Callable[..., Entry]:
    """What an elementwise call does to entries."""
    if name == POWER:
        return balls.power
    if name in _COMPARES:
        return _COMPARES[name]
    record = rulebook.get(name)
    if record is None:
        return balls.stand_in(name)
    code = record.code.get("flint", "")
    if code in _CHOICES:
        return _CHOICES[code]
    if not record.arguments:
        return lambda: balls.named_constant(code)
    function = balls.method(code)
    if function is None:
        raise UnsupportedError(f"{name} cannot be evaluated exactly, so its derivatives cannot be checked")
    return function


def natives(roots: Sequence[Expr], bound: Collection[Expr], rulebook: Book) -> dict[Expr, Expr]:
    """Each node with every function that ball arithmetic does not have replaced by its definition."""
    memo: dict[Expr, Expr] = {}
    stops = set(bound)
    for node in topological(*roots, is_end=stops.__contains__):
        if node in stops:
            memo[node] = node
            continue
        args = tuple((memo[child], labels) for child, labels in node.args)
        memo[node] = _defined(with_args(node, args), rulebook)
    return memo


def _defined(node: Expr, rulebook: Book) -> Expr:
    record = record_of(node, rulebook)
    if record is None or not record.value or record.name in _COMPARES or _is_native(node, record):
        return node
    bound, sizes, mapped = argument_edges(node, record)
    definition = _definition(rulebook, record.name)
    return instantiate(definition, bound, node.shape[:mapped], sizes, node.shape[mapped:])


def _is_native(node: Expr, record: Function) -> bool:
    """Whether FLINT, or this package over it, has the function itself."""
    code = record.code.get("flint", "")
    if node.head == PRIMITIVE:
        return code in ARRAY_FUNCTIONS
    return bool(code) and (code in _CHOICES or not record.arguments or balls.method(code) is not None)


@cache
def _definition(rulebook: Book, name: str) -> Expr:
    """A record's value with its own functions defined in turn. Definitions go down to simpler functions."""
    record = rulebook.by_name[name]
    formula = rulebook.formula(record, record.value)
    return natives([formula], (), rulebook)[formula]


__all__ = ["Array", "Program", "coefficient", "constant", "evaluate", "natives"]

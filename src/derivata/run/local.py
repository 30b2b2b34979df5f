"""The check of one statement at a time: d(u) in terms of its operands, whatever those are.

On large graphs balls grow too wide to say anything, so every application is checked alone: the operands of u
become independent random values with random slopes. A statement may hold for its own operands only, as where a
factor is literally 0 and was left out: then it is tried once more with what its operands are made of.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction

from derivata.errors import DerivataError, VerificationError
from derivata.expr.node import CALL, DIFFERENTIAL, SYMBOL, Expr
from derivata.expr.notation import SIGNS
from derivata.expr.symbol import Symbol
from derivata.expr.walk import topological
from derivata.run.agree import Check, all_finite, decide, disagreement
from derivata.run.balls import Array, Entry, ball, moving, precision
from derivata.run.precise import Program
from derivata.run.sample import MOODS, Sample, concrete, direction, is_fixed, sample, sizes_for

_TRIES = 30
_MANY = 1000  # operands: one random point already says as much as many of fewer
_ROUNDS = 4
_TRUTH = (Fraction(0), Fraction(1))
_SIDES = ("the value is", "the rule gives")


@dataclass(frozen=True)
class Statement:
    """`left` equals `right` wherever `guard` has a value, whatever the operands are.

    `operands` are nodes that are replaced by random values; those in `moving` also get random slopes, which
    is for what depends on the variables: `active`.
    """

    what: str
    left: Expr
    right: Expr
    guard: Expr
    operands: tuple[Expr, ...]
    moving: frozenset[Expr] = frozenset()
    active: Collection[Expr] = frozenset()

    def opened(self) -> Statement:
        """The statement with the operands of its operands in their places."""
        inner: dict[Expr, None] = {}
        for operand in self.operands:
            children = [child for child, _ in operand.args if not is_fixed(child)]
            inner.update(dict.fromkeys(children if operand.args else [operand]))
        moving = frozenset(o for o in inner if o in self.active or o in self.moving)
        return replace(self, operands=tuple(inner), moving=moving)


def verify_rules(
    steps: Iterable[tuple[Expr, Expr]], *, wrt: Collection[Expr] = (), points: int = 3, digits: int = 30
) -> Check:
    """Check every rule application (d(u), what it became) of one derivation by the variables `wrt`.

    Applications of the same structure are the same statement and are checked once.
    """
    pairs = list(steps)
    active = {before.args[0][0] for before, _ in pairs} | set(wrt)
    verify_statements((_application(before, after, active) for before, after in pairs), points, digits)
    return Check(points, digits, local=len(pairs))


def verify_statements(statements: Iterable[Statement], points: int = 3, digits: int = 30) -> int:
    """Check every statement, those of the same structure once; how many there were."""
    seen: set[object] = set()
    count = 0
    for statement in statements:
        key = _structure(statement)
        if key not in seen and _holds_for_all(statement, points, digits):
            seen.add(key)
        count += 1
    return count


def _application(before: Expr, after: Expr, active: set[Expr]) -> Statement:
    """Choose the operands: the children of u, or theirs where the rule looks further in."""
    whole = before.args[0][0]
    operands = dict.fromkeys(child for child, _ in whole.args if not is_fixed(child))
    limit = 300 + 20 * len(whole.args)
    for _ in range(_ROUNDS):
        reached = _reached(after, {whole, *operands}, limit)
        opened = [c for c in operands if any(g in reached for g, _ in c.args)]
        if not opened:
            break
        for child in opened:
            del operands[child]
            operands.update(dict.fromkeys(g for g, _ in child.args if not is_fixed(g)))
    changed = {n.args[0][0] for n in _reached(after, {whole, *operands}, limit) if n.head == DIFFERENTIAL}
    moving = frozenset(o for o in operands if o in active or o in changed)
    return Statement("a step of the derivation", before, after, whole, tuple(operands), moving, active)


def _reached(after: Expr, stops: set[Expr], limit: int) -> dict[Expr, None]:
    """The nodes of `after` above the stops, nearest first, at most `limit`."""
    found: dict[Expr, None] = {}
    layer = [after]
    while layer and len(found) < limit:
        fresh = [n for n in dict.fromkeys(layer) if n not in stops and n not in found]
        found.update(dict.fromkeys(fresh))
        layer = [child for node in fresh for child, _ in node.args]
    return found


def _structure(statement: Statement) -> object:
    """The statement with its operands numbered: equal for equal statements."""
    operands = set(statement.operands)
    place: dict[Expr, int] = {}
    parts: list[object] = []
    for node in topological(statement.left, statement.right, is_end=operands.__contains__):
        place[node] = len(place)
        if node in operands:
            condition = node.head == CALL and node.data in SIGNS
            symbol = node.data if isinstance(node.data, Symbol) else None
            facts = None if symbol is None else (symbol.traits, symbol.low, symbol.high)
            parts.append((node.shape, node in statement.moving, condition, facts))
        else:
            edges = tuple((place[child], labels) for child, labels in node.args)
            parts.append((node.head, node.data, node.shape, edges))
    return place[statement.left], place[statement.right], tuple(parts)


def _holds_for_all(statement: Statement, points: int, digits: int) -> bool:
    """Whether the statement holds whatever its operands are; VerificationError if not even for its own."""
    try:
        _verify(statement, points, digits)
    except VerificationError:
        for _ in range(_ROUNDS):
            deeper = statement.opened()
            if deeper.operands == statement.operands:
                break
            statement = deeper
            with suppress(DerivataError):
                _verify(statement, points, digits)
                return False
        raise
    return True


def _verify(statement: Statement, points: int, digits: int) -> None:
    operands = statement.operands
    points = points if len(operands) < _MANY else 1
    sizes = sizes_for((statement.left, statement.right), is_end=set(operands).__contains__)
    program = Program([statement.guard, statement.left, statement.right], sizes, operands)
    fixed = _fixed_symbols(statement)
    chance = random.Random(2)
    agreed = 0
    for attempt in range(_TRIES * points):
        mood = MOODS[attempt % len(MOODS)]
        values = [_value(o, sizes, chance, mood) for o in operands]
        whole_numbers = {s.name: sample(s, sizes, chance, mood) for s in fixed}
        slopes = [
            direction(_free(o), v.shape, chance) if _moves(o, statement) else None
            for o, v in zip(operands, values, strict=True)
        ]

        def compare(
            bits: int,
            values: Sequence[Sample] = values,
            slopes: Sequence[object] = slopes,
            whole_numbers: Mapping[str, Sample] = whole_numbers,
        ) -> tuple[list[Entry], list[Entry]] | None:
            with precision(bits):
                bound = {o: _array(v, s) for o, v, s in zip(operands, values, slopes, strict=True)}
                given = {n: v.enclosed() for n, v in whole_numbers.items()}
                guard, true, found = program.run(given, bits=bits, bound=bound)
                return (true.entries, found.entries) if all_finite(guard.entries) else None

        verdict, expected, found = decide(compare, digits)
        if verdict in ("different", "undefined"):
            where = ", ".join(f"operand {i} = {v}" for i, v in enumerate(values, 1))
            disagreement(statement.what, statement.left, where, expected, found, _SIDES)
        agreed += verdict == "equal"
        if agreed == points:
            return
    if agreed == 0:
        raise VerificationError(
            f"{statement.what} could not be checked: no values of its operands were found for which "
            f"{statement.guard.data} is differentiable"
        )


def _fixed_symbols(statement: Statement) -> list[Symbol]:
    """Sizes and whole numbers: they have values but no slopes."""
    operands = set(statement.operands)
    nodes = topological(statement.left, statement.right, is_end=operands.__contains__)
    return [n.data for n in nodes if n.head == SYMBOL and n not in operands]


def _moves(operand: Expr, statement: Statement) -> bool:
    return operand in statement.moving and not (operand.head == CALL and operand.data in SIGNS)


def _free(operand: Expr) -> Symbol:
    """What may change of an operand: everything but the entries that are declared to be 0."""
    traits = operand.data.traits if isinstance(operand.data, Symbol) else frozenset[str]()
    return Symbol("", (), traits & {"diagonal"})


def _value(operand: Expr, sizes: dict[str, int], chance: random.Random, mood: str) -> Sample:
    """A random value an operand could have: a symbol's lies in its domain, a condition's is 0 or 1."""
    if isinstance(operand.data, Symbol):
        return sample(operand.data, sizes, chance, mood)
    shape = concrete(operand.shape, sizes)
    if operand.head == CALL and operand.data in SIGNS:
        return sample(Symbol("", shape, frozenset({"int"}), *_TRUTH), sizes, chance, mood)
    square = len(shape) == 2 and shape[0] == shape[1] and mood == "within one"
    traits = frozenset({"symmetric", "positive definite"}) if square else frozenset[str]()
    return sample(Symbol("", shape, traits), sizes, chance, mood)


def _array(value: Sample, slope: object) -> Array:
    array = value.enclosed()
    if slope is None:
        return array
    assert isinstance(slope, tuple)
    return Array(array.shape, [moving(x, ball(s)) for x, s in zip(array.entries, slope, strict=True)])

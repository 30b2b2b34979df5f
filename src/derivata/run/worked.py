"""A derivation put into numbers: which numbers, what is shown of the way, and differences beside the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

from derivata.errors import EvaluationError, LimitError, UnsupportedError
from derivata.expr.node import ADD, CALL, CONTRACTION, MINUS_ONE, POWER, SYMBOL, Expr, axes, variable
from derivata.expr.symbol import Symbol
from derivata.expr.walk import replace, symbols, topological
from derivata.expr.write import write
from derivata.render.derivation import Derivation
from derivata.render.values import Values, decimal
from derivata.render.worked import Compared, Part, Worked
from derivata.rewrite.instantiate import record_of
from derivata.rules.book import book
from derivata.run.balls import precision
from derivata.run.differences import BITS, STEP, Differences, Place, as_float, as_floats, places
from derivata.run.pencil import Given, checked, pencil_points, small_sizes
from derivata.run.precise import Program
from derivata.run.sample import Point
from derivata.simplify.normal import normal

MOST_PARTS = 100
_LONGEST = 40  # letters; a longer part gets a name where later ones use it
_PLAIN_TRIES = 10  # points tried for one that leaves nothing to be desired
_AGREES = 1e-4
_TINY, _HUGE = 1e-3, 1e3  # beyond these a saturated function hides what is going on
_BENT = 0.05  # one-sided quotients that differ by more, relatively, are two slopes
_JUMP = 0.01  # a value that moves by more within a step jumps
_BEST = 7


@dataclass(frozen=True)
class Trial:
    """What came of one point."""

    point: Point
    values: Mapping[Expr, Values]
    compared: tuple[Compared, ...]

    @property
    def merit(self) -> int:
        """How well a reader can follow: no kink is met, nothing lacks a value, something moves, nothing saturates."""
        smooth = all(not row.kink and _agree(row.derivative, row.difference) for row in self.compared)
        entries = [e for value in self.values.values() for e in value.entries]
        plain = any(row.derivative for row in self.compared) and all(_TINY < abs(e) < _HUGE for e in entries if e)
        return 4 * smooth + 2 * (None not in entries) + plain


def worked(derivation: Derivation, given: Mapping[str, object]) -> Worked:
    """The derivation with small numbers put in; `given` sets sizes and scalars by name."""
    of = derivation.of if derivation.given is None else derivation.given
    result, by = derivation.result, derivation.by
    roots = (of, variable(by), result, *(place for _, place in derivation.picked))
    _refuse_unspecified(roots)
    fixed = checked(roots, given)
    first, second = shown_parts(of), shown_parts(result)
    if len(first) + len(second) > MOST_PARTS:
        raise LimitError(f"{len(first) + len(second)} parts are too many for a worked instance, which is to be read")
    variables = [node for node in topological(*roots) if node.head == SYMBOL]
    sizes = small_sizes(roots, [*variables, *first, *second], fixed)
    trial = _plainest(derivation, roots, [*first, *second], sizes, fixed)
    taken = {*symbols(*roots), *sizes}
    parts = _parts((first, second), trial.values, taken)
    inputs = {s.name: trial.values[variable(s)] for s in symbols(*roots).values() if s.name not in sizes}
    return Worked(
        of,
        by,
        derivation.kind,
        MappingProxyType(sizes),
        tuple(name for name in sizes if name not in given),
        MappingProxyType(inputs),
        *parts,
        trial.compared,
        float(STEP),
        derivation.order,
    )


def _refuse_unspecified(roots: Sequence[Expr]) -> None:
    for node in topological(*roots):
        if node.head == CALL and node.data not in (ADD, POWER) and record_of(node, book()) is None:
            raise UnsupportedError(f"{node.data} is an unspecified function: there are no numbers to put in for it")


def shown_parts(root: Expr) -> list[Expr]:
    """What is computed on the way to the root, the root last; no constants, and nothing that is read at a glance."""
    order = topological(root)
    varies: set[Expr] = set()
    for node in order:
        if (node.head == SYMBOL and "size" not in node.data.traits) or any(child in varies for child, _ in node.args):
            varies.add(node)
    same = root.args[-1][0] if _turned(root) else root  # not shown first without and then with its sign
    inner = [n for n in order if n not in (root, same) and n.args and n in varies and not _at_a_glance(n)]
    return [*inner, root]


def _at_a_glance(node: Expr) -> bool:
    """A reciprocal, a transpose, or something with its sign turned."""
    return (node.head == CALL and node.data == POWER and node.args[1][0] is MINUS_ONE) or _turned(node)


def _turned(node: Expr) -> bool:
    """A transpose or something with its sign turned."""
    if node.head != CONTRACTION:
        return False
    operands = [(child, labels) for child, labels in node.args if child is not MINUS_ONE]
    return len(operands) == 1 and sorted(operands[0][1]) == sorted(node.data) == list(axes(node))


def _plainest(
    derivation: Derivation,
    roots: Sequence[Expr],
    shown: Sequence[Expr],
    sizes: Mapping[str, int],
    fixed: Given,
) -> Trial:
    """The trial at the first point that leaves nothing to be desired; else the best of the first few."""
    nodes = tuple(dict.fromkeys([*(n for n in topological(*roots) if n.head == SYMBOL), *shown]))
    placed = [place for _, place in derivation.picked]
    program = Program([*nodes, *placed], sizes)
    best: Trial | None = None
    for attempt, point in enumerate(pencil_points(roots, sizes, fixed)):
        trial = _trial(derivation, program, nodes, point)
        if trial is not None and (best is None or trial.merit > best.merit):
            best = trial
        if best is not None and (best.merit == _BEST or attempt >= _PLAIN_TRIES):
            break
    if best is None:
        raise EvaluationError(_nowhere(fixed, choice=any(s not in fixed and s not in sizes for s in symbols(*roots))))
    return best


def _nowhere(fixed: Given, *, choice: bool) -> str:
    where = ", ".join(f"{name} = {decimal(float(value))}" for name, value in fixed.items())
    if choice:
        found = "no small numbers were found at which the expression and its derivative have a value"
        return f"{found}{where and ' with '}{where}; set scalars to numbers that lie in its domain"
    return (
        f"with {where} the expression or its derivative has no value to print: "
        "it is not defined there, is too large, or meets a kink that rounding hides"
    )


def _trial(derivation: Derivation, program: Program, nodes: Sequence[Expr], point: Point) -> Trial | None:
    """The values at one point; None where the expression, its derivative or a difference has none."""
    with precision(BITS):
        enclosed = {name: value.enclosed() for name, value in point.values.items()}
    arrays = program.run(enclosed, bits=BITS)
    found = [Values(array.shape, tuple(as_floats(array))) for array in arrays]
    values = dict(zip(nodes, found, strict=False))
    of = derivation.of if derivation.given is None else derivation.given
    if None in (*values[of].entries, *values[derivation.result].entries):
        return None
    picked = {}
    for (axis, _), place in zip(derivation.picked, found[len(nodes) :], strict=True):
        if place.nested is None:
            return None
        picked[axis] = int(place.nested)
    return Trial(point, values, tuple(_compared(derivation, of, values, point, picked)))


def _compared(
    derivation: Derivation, of: Expr, values: Mapping[Expr, Values], point: Point, picked: Mapping[int, int]
) -> list[Compared]:
    """Every entry of the derivative that may move by itself, beside its difference quotient."""
    by, derivative = derivation.by, values[derivation.result].entries
    differences = Differences(of, by, point)
    moves = [p for p in places(point.values[by.name].shape) if all(p[axis] == place for axis, place in picked.items())]
    turns = list(product(moves, repeat=derivation.order))
    rows = []
    for row, out in enumerate(places(values[of].shape)):
        for column, turn in enumerate(turns):
            if not all(_is_free(by, place) for place in turn):
                continue
            ours = derivative[row * len(turns) + column]
            assert ours is not None
            central = as_float(differences.central(turn)[row])
            kink = ""
            if derivation.kinks and derivation.order == 1:
                kink = _kink(differences, turn[0], row, smooth=_agree(ours, central))
            rows.append(Compared(_entry_name(by, out, turn), ours, central, kink))
    return rows


def _kink(differences: Differences, place: Place, row: int, *, smooth: bool) -> str:
    """What happens at a kink, if the point lies on one."""
    left, right = (as_float(side[row]) for side in differences.one_sided(place))
    if left is None or right is None or (smooth and _alike(left, right)):
        return ""
    if max(abs(left), abs(right)) > _JUMP / float(STEP):
        return "the value jumps"
    return f"slope {decimal(left)} from the left, {decimal(right)} from the right"


def _alike(left: float, right: float) -> bool:
    """Whether one-sided quotients, which lie a step times the curvature apart, are of one slope."""
    return abs(left - right) <= _BENT * max(1.0, abs(left), abs(right))


def _is_free(by: Symbol, place: Place) -> bool:
    """Of what moves together only one entry is shown."""
    if not by.by_free_entries:
        return True
    return place[0] == place[1] if "diagonal" in by.traits else place[0] <= place[1]


def _entry_name(by: Symbol, out: Place, turn: Sequence[Place]) -> str:
    moved = [f"{by.name}[{','.join(map(str, place))}]" if place else by.name for place in turn]
    inner = ", ".join(moved) if by.shape else by.name
    return f"[{','.join(map(str, out))}] by {inner}" if out else inner


def _agree(first: float, second: float | None) -> bool:
    if second is None:
        return False
    return abs(first - second) <= _AGREES * max(1.0, abs(first), abs(second))


def _parts(
    lists: tuple[Sequence[Expr], Sequence[Expr]], values: Mapping[Expr, Values], taken: set[str]
) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    """The lines for the expression and for the derivative. What is long and used later is written by name."""
    result = lists[1][-1]
    used = {child for node in topological(*(nodes[-1] for nodes in lists)) for child, _ in node.args}
    names: dict[Expr, Expr] = {}
    told: dict[Values, list[Expr]] = {}
    found: list[tuple[Part, ...]] = []
    for nodes in lists:
        parts = []
        for node in nodes:
            before = _told_before(node, told.setdefault(values[node], []))
            if before is not None and node is not result:
                names.update({node: names[before]} if before in names else {})
                continue
            told[values[node]].append(node)
            written, name = replace(node, names), ""
            if node in used and len(write(written)) > _LONGEST:
                name = _fresh(taken)
                names[node] = variable(Symbol(name, node.shape))
            parts.append(Part(name, written, values[node]))
        found.append(tuple(parts))
    return found[0], found[1]


def _told_before(node: Expr, told: Sequence[Expr]) -> Expr | None:
    """One of the nodes that is the same but for the order of its terms and factors."""
    if node in told or not told:
        return node if told else None
    return next((other for other in told if normal(other, book()) is normal(node, book())), None)


def _fresh(taken: set[str]) -> str:
    number = 1
    while f"t{number}" in taken:
        number += 1
    taken.add(f"t{number}")
    return f"t{number}"

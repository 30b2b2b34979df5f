"""What a record must satisfy. Each check takes a book and a record and yields what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from rules import samples
from rules.floats import floats, run_code, run_formula
from rules.kinks import breaks, check_kinks, kink_at
from rules.oracle import (
    BITS,
    Point,
    Undefined,
    Values,
    agree,
    declared,
    frozen,
    moving,
    native,
    parsed,
    run,
    slopes,
    still,
    truth,
    value_at,
)
from rules.ranges import check_range, in_range
from rules.traits import check_traits

from derivata.errors import DerivataError
from derivata.expr.node import CALL, SYMBOL
from derivata.expr.walk import topological
from derivata.rules.book import Book
from derivata.rules.record import Function
from derivata.run.balls import Array, precision

_SIZES = (2.0**-60, 2.0**-30, 1e-3, 0.5, 1, 6, 10, 30, 100, 700, 720, 10**4)
Check = Callable[[Book, Function], Iterator[str]]


def check_forms(book: Book, record: Function) -> Iterator[str]:
    """Every text reads, mentions only what it may, and has the shape it should."""
    names = {name for name, _ in record.arguments}
    changes = {f"d{name}" for name in names}
    out = record.as_signature().out
    texts: list[tuple[str, set[str], Any]] = [(record.d, names | changes | {"out"}, out)]
    texts += [(text, names, out) for text in (record.value, record.stable) if text]
    texts += [(record.transposed, names | {"g"}, None)] if record.transposed else []
    texts += [(fact, names | {"out"}, None) for fact in record.facts]
    texts += [(condition, names, ()) for condition in samples.conditions(record)]
    for kink in record.kinks:
        texts += [(kink.at, names | {"out"}, None)]
        texts += [(text, names | {"out"}, None) for text in (kink.left, kink.right, kink.ours)]
    for text, allowed, shape in texts:
        try:
            node = book.formula(record, text)
        except DerivataError as error:
            yield f"{text!r} does not read: {error}"
            continue
        found = {n.data.name for n in topological(node) if n.head == SYMBOL and "size" not in n.data.traits}
        if found - allowed:
            yield f"{text!r} mentions {sorted(found - allowed)}"
        if shape is not None and node.shape != shape and text not in ("0", "0*dx"):
            yield f"{text!r} has shape {node.shape}, not {shape}"
    if not all((record.doc, record.d, record.rule, record.latex, record.notes, record.refs)):
        yield "a field is empty"
    shown = {word for word in names if f"#{word}" in record.latex}
    if {name for name, default in record.arguments if default is None} - shown:
        yield "latex does not show an argument"


def check_differential(book: Book, record: Function) -> Iterator[str]:
    """`d` is linear, and is the slope of the function along every direction."""
    tried = 0
    for point in samples.points(record):
        if not record.arguments:
            if run(record.d, "out", {"out": truth(record, {})})[0] != 0:
                yield "a constant changes"
            return
        at_kink = any(kink_at(record, kink, point) for kink in record.kinks)
        for direction in samples.along_kinks(point) if at_kink else samples.directions(point):
            problem = differential_problem(record, point, direction)
            if problem is None:
                continue
            tried += 1
            if problem:
                yield problem
                return
    if tried < 3:
        yield "d could not be tried"


def differential_problem(record: Function, point: Point, direction: Point) -> str | None:
    """What is wrong with `d` here; empty when it is right, None when nothing can be said."""
    if record.name == "pow" and not _movable_power(point):
        direction = {**direction, "y": Fraction(0)}
    at_rest = {name: type(d)(0 * e for e in d) if isinstance(d, tuple) else 0 * d for name, d in direction.items()}
    direction = {**direction, **{name: at_rest[name] for name in record.held}}
    try:
        value = truth(record, moving(point, direction))
    except Undefined:
        return None
    where, here = declared(record), still(point)
    here["out"] = frozen(value)
    try:
        first, double, nothing = (run(record.d, where, here | _changes(direction, factor)) for factor in (1, 2, 0))
    except Undefined:
        return f"d is not defined at {_show(point)}"
    if not agree(_full(first, value), slopes(value)):
        return f"d is not the slope at {_show(point)}"
    if not agree([2 * e for e in first], double) or not all(e.contains(0) for e in nothing):
        return f"d is not linear at {_show(point)}"
    return ""


def _movable_power(point: Point) -> bool:
    """A varying exponent needs a positive base."""
    return bool(point["x"] > 0)  # type: ignore[operator]


def _full(entries: list[Any], like: Array) -> list[Any]:
    return entries * len(like.entries) if len(entries) == 1 else entries


def _changes(direction: Point, factor: int) -> Values:
    changed: dict[str, Any] = {
        f"d{name}": type(d)(factor * e for e in d) if isinstance(d, tuple) else factor * d
        for name, d in direction.items()
    }
    return still(changed)


def _show(point: Point) -> str:
    return ", ".join(f"{name} = {value}" for name, value in point.items()) or "the constant"


def with_out(record: Function, point: Point) -> Values:
    """The arguments and the value."""
    return still(point) | {"out": value_at(record, point)}


def check_value(book: Book, record: Function) -> Iterator[str]:
    """The value exists in the whole domain; FLINT's own function, where it has one, agrees."""
    for point in samples.points(record):
        try:
            values = with_out(record, point)
        except Undefined:
            yield f"no value at {_show(point)}"
            return
        if "flint" in record.code and record.value:
            try:
                if not agree(native(record, still(point)), values["out"].entries):
                    yield f"flint disagrees at {_show(point)}"
                    return
            except Undefined:
                yield f"flint has no value at {_show(point)}"
                return


def check_facts(book: Book, record: Function) -> Iterator[str]:
    """Every fact holds wherever both sides are defined, which is nearly everywhere."""
    for fact in record.facts:
        if (problem := _uninformative(record, fact)) is not None:
            yield problem
            continue
        tried, told = 0, False
        everywhere = samples.points(record)
        for point in everywhere:
            try:
                values = with_out(record, point)
                holds = _equation_holds(record, fact, values)
            except Undefined:
                continue
            tried += 1
            if not holds:
                yield f"{fact!r} does not hold at {_show(point)}"
                break
            told = told or not _holds_for_another(record, fact, values)
        if not told:
            yield f"{fact!r} says nothing about the value"
        if 2 * tried < len(everywhere):
            yield f"{fact!r} could not be tried"


def _uninformative(record: Function, fact: str) -> str | None:
    node = parsed(fact, declared(record))
    if node.head != CALL or node.data != "eq":
        return f"{fact!r} is no equation"
    names = {n.data.name for n in topological(node) if n.head == SYMBOL}
    if "out" not in names or (record.arguments and not record.signature and not names - {"out"}):
        return f"{fact!r} does not tie the value to the argument"
    return None


def _equation_holds(record: Function, fact: str, values: Values) -> bool:
    left, right = (run(side, declared(record), values) for side in sides(fact))
    longest = max(len(left), len(right))
    return agree(left * (longest // len(left)), right * (longest // len(right)))


def _holds_for_another(record: Function, fact: str, values: Values) -> bool:
    """Whether the equation would be satisfied by a wrong value too."""
    out = values["out"]
    for shift in (0.375, -0.375):
        wrong = Array(out.shape, [e * 1.25 + shift * (i + 1) for i, e in enumerate(out.entries)])
        try:
            if not _equation_holds(record, fact, values | {"out": wrong}):
                return False
        except Undefined:
            return False
    return True


def sides(equation: str) -> tuple[str, str]:
    """Left and right of the `==` that stands outside of parentheses."""
    depth = 0
    for place, character in enumerate(equation):
        depth += (character == "(") - (character == ")")
        if depth == 0 and equation.startswith("==", place):
            return equation[:place], equation[place + 2 :]
    raise ValueError(f"{equation!r} is no equation")


def check_domain(book: Book, record: Function) -> Iterator[str]:
    """Outside of the domain, just beside its border and far from it, something the record says is false."""
    if len(samples.points(record)) < min(5, len(samples.candidates(record))):
        yield "the domain is empty"
    for condition in samples.conditions(record):
        left, _, right = condition.replace("<=", "<").replace(">=", ">").replace("<", ">").partition(">")
        arguments = [name for name, _ in record.arguments]
        if left.strip() in arguments and right:
            yield from _sharp(record, condition, left.strip(), right.strip())
        else:
            yield from _nothing_beyond(record)


def _sharp(record: Function, condition: str, name: str, border: str) -> Iterator[str]:
    """For every distance beside the border (0 too, where it is left out) some claim fails beyond it."""
    outward = 1 if "<" in condition else -1
    steps = [Fraction(0)] if "=" not in condition else []
    for step in [*steps, samples.EPSILON, Fraction(1, 8)]:
        beyond = []
        for point in samples.candidates(record)[:80]:
            edge = run(border, declared(record), still(point))[0].mid().man_exp()
            place = Fraction(int(edge[0])) * Fraction(2) ** int(edge[1])
            beyond.append({**point, name: place + outward * step})
        if not any(claim_fails(record, point) for point in beyond):
            yield f"{condition} is stricter than it need be"


def _nothing_beyond(record: Function) -> Iterator[str]:
    # Where a condition has no value, as of an eigenvalue that is not simple, it is not too strict.
    outside = [p for p in samples.candidates(record) if samples.outside(record, p)]
    if not all(claim_fails(record, point) for point in outside):
        yield f"{record.domain} is stricter than it need be"


def claim_fails(record: Function, point: Point) -> bool:
    """Whether the value, the differential or the range is wrong here, or a kink is not declared."""
    try:
        values = with_out(record, point)
    except Undefined:
        return True
    if not in_range(record, values, values["out"]):
        return True
    at_kink = any(kink_at(record, kink, point) for kink in record.kinks)
    if not at_kink and not record.signature and breaks(record, point):
        return True
    directions = samples.along_kinks(point) if at_kink else samples.directions(point)
    return any(bool(differential_problem(record, point, d)) for d in directions)


def check_stable(book: Book, record: Function) -> Iterator[str]:
    """`stable` equals `value`, keeps its digits in floats, and is needed."""
    if not record.stable:
        return
    for point in samples.points(record):
        values = with_out(record, point)
        try:
            if not agree(run(record.stable, declared(record), values), values["out"].entries):
                yield f"stable is not the value at {_show(point)}"
                return
        except Undefined:
            yield f"stable has no value at {_show(point)}"
            return
    worst = dict.fromkeys((record.stable, record.value), 0.0)
    for point in _wide(record):
        out = with_out(record, point)["out"]
        for text in worst:
            with np.errstate(all="ignore"):
                found = np.atleast_1d(run_formula(book, record, text, floats(point)))
            worst[text] = max(worst[text], _relative_error(found, out))
    if worst[record.stable] > 1e-13:
        yield f"stable is off by {worst[record.stable]:.1e}"
    if worst[record.value] < 1e-9:
        yield "stable is not needed"


def _wide(record: Function) -> list[Point]:
    """Points far out and close to 0."""
    xs = [Fraction(s * sign) for s in _SIZES for sign in (1, -1)]
    offsets = [Fraction(n, 2**k) for n, k in ((1, 50), (3, 29), (5, 30), (7, 31))]
    xs += [p + s * o for p in (Fraction(1, 2), Fraction(1)) for o in offsets for s in (1, -1)]
    if record.signature:
        vectors = [(800, 0, -800), (1, 2, 3), (-900, -901), (0, 710)]
        return [{"x": tuple(map(Fraction, v))} for v in vectors]
    first, *others = record.arguments
    wide: list[Point] = []
    for x in xs:
        rest = {name: default if default is not None else Fraction(3, 4) for name, default in others}
        wide.append({first[0]: x, **rest})
    return [p for p in wide if samples.inside(record, p)]


def _relative_error(found: Any, out: Array) -> float:
    """The worst error in units of the value; what underflows is let go, what overflows must overflow."""
    worst = 0.0
    for number, entry in zip(found, out.entries, strict=True):
        size = abs(float(entry.mid()))
        least = 1e-315 if len(out.shape) == 0 else 1e-300
        if least < size < 1e300 and entry.rad() < abs(entry.mid()) * 1e-20:
            gap = abs(float((entry - float(number)).mid())) - 1e-323 if np.isfinite(number) else np.inf
            gap /= size
            worst = max(worst, gap)
    return worst


def check_numpy(book: Book, record: Function) -> Iterator[str]:
    """NumPy's code computes the value; where FLINT's function is the definition, this checks it."""
    if "numpy" not in record.code:
        return
    for point in samples.points(record):
        out = with_out(record, point)["out"]
        try:
            with np.errstate(all="ignore"):
                found = np.ravel(run_code(record, floats(point)))
        except (LookupError, NameError, AttributeError, TypeError, ValueError, SyntaxError, ArithmeticError) as error:
            yield f"numpy: {error}"
            return
        for number, entry in zip(found, out.entries, strict=True):
            if not abs(float(number) - float(entry.mid())) <= 1e-11 * abs(float(entry.mid())) + 1e-14:
                yield f"numpy gives {number} at {_show(point)}"
                return


def check_transposed(book: Book, record: Function) -> Iterator[str]:
    """<g, f(x, v)> == <transposed(x, g), v>; what is held is an argument, not the last."""
    names = [name for name, _ in record.arguments]
    if set(record.held) - set(names[:-1]):
        yield "what is held is no argument before the last"
    if not record.transposed:
        return
    for point in samples.points(record):
        values = with_out(record, point)
        along = values["out"].entries
        weights = Array(values["out"].shape, [e * 0 + i + 1 for i, e in enumerate(along)])
        given = run(record.transposed, declared(record), values | {"g": weights})
        last = values[names[-1]].entries
        left, right = (
            sum(a * b for a, b in zip(*pair, strict=True)) for pair in ((weights.entries, along), (given, last))
        )
        if not agree([left], [right]):
            yield f"transposed is not the transpose at {_show(point)}"
            return


CHECKS: tuple[Check, ...] = (
    check_forms,
    check_value,
    check_differential,
    check_facts,
    check_range,
    check_kinks,
    check_numpy,
    check_traits,
    check_domain,
    check_stable,
    check_transposed,
)


def problems(book: Book, record: Function, checks: tuple[Check, ...] = CHECKS) -> Iterator[str]:
    """Everything that is wrong with a record, found lazily."""
    with precision(BITS):
        for check in checks:
            try:
                yield from (f"{check.__name__}: {problem}" for problem in check(book, record))
            except (Undefined, DerivataError, ValueError, KeyError) as error:
                yield f"{check.__name__}: {type(error).__name__}: {error}"
                return

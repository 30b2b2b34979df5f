"""Random well-shaped expressions: is every derivative right, or refused with a reason?

`python benchmarks/fuzz.py --count 20000 --seed 0 --jobs 2` prints what became of them and every failure, made small.

The derivative, its jvp and every shown step are compared with central differences of step 2**-100 in 500 bits, in
which no rule of ours takes part. With `--forms` normal forms must be final and have the same value, what is printed
must read back to the same form, and NumPy's values must be the exact ones.
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
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb
from random_expressions import Case, Term, made

import derivata as dv
from derivata.errors import EvaluationError, VerificationError
from derivata.expr.node import CALL, Expr
from derivata.expr.walk import symbols, topological
from derivata.render.derivation import Line
from derivata.rules.book import book
from derivata.run.balls import Array, Entry, ball, constant, moving, precision
from derivata.run.precise import Program
from derivata.run.sample import Point, Sample, direction, points, sizes_for

BITS = 500
STEP = Fraction(1, 2**100)
SMALLEST = arb(2) ** (-BITS // 2)
TOLERANCE = arb(2) ** -80
POINTS = 2  # of the domain at which a derivative is compared
SECONDS = 1.0  # of processor time that one verb may take
SHOWN = 2  # failures of a kind with the same functions
PATIENCE = 60  # seconds after which an expression counts as hung


@dataclass(frozen=True)
class Outcome:
    """What became of a case; `mark` groups failures.

    `kind`: right, unchecked, unsimplified (right as the rules gave it, not simplified), refused, wrong, crashed, slow.
    """

    kind: str
    case: Case
    mark: str = ""
    said: str = ""


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


def tried(case: Case, forms: bool = False) -> Outcome:
    """One expression, from its text to a verdict; what was slow must be slow twice."""
    outcome, clock = _tried(case, forms)
    if clock.slowest > SECONDS and outcome.kind in ("right", "unchecked", "refused"):
        again, second = _tried(case, forms)
        if second.slowest > SECONDS:
            return replace(
                again, kind="slow", mark=f"slow {second.name}", said=f"{second.slowest:.1f} s in {second.name}"
            )
    return outcome


def _hung(*_: object) -> None:
    raise TimeoutError(f"over {PATIENCE} s")


def _tried(case: Case, forms: bool) -> tuple[Outcome, Clock]:
    clock = Clock()
    signal.signal(signal.SIGALRM, _hung)
    signal.alarm(PATIENCE)
    try:
        return judged(case, clock, forms), clock
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


def judged(case: Case, clock: Clock, forms: bool) -> Outcome:
    """Raise WrongError where something disagrees."""
    f = clock("read", lambda: dv.read(case.text, case.where))
    if forms:
        _check_forms("expression", f, case.where, clock)
    found = clock("derive", lambda: dv.derive(f, case.variable))
    along = clock("jvp", lambda: dv.jvp(f, case.variable))
    clock("show", lambda: (str(found), found.latex(), found.unicode(80), found.as_json()))
    compared = compare(f, case.variable, found.result, along, found.lines)
    if forms:
        evaluated(f, found.result)
        _check_forms("result", found.result, _where_of(f, case.where), clock)
    if not found.simplified:
        return Outcome("unsimplified", case, "the simplified form has another value somewhere", str(found.result))
    return Outcome("right" if compared else "unchecked", case)


def _check_forms(what: str, f: Expr, where: str, clock: Clock) -> None:
    """The normal form has the same value, is final, and is that of what is printed."""
    form = clock("normal", lambda: dv.normal(f))
    _same_value(f"normal form of the {what} has another value", f, form)
    _same(f"normal form of the {what} is not final", form, dv.normal(form))
    _same(f"printed {what} has another form", form, _read_back(f, where))


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


def compare(f: Expr, variable: str, result: Expr, along: Expr, lines: Sequence[Line]) -> int:
    """Raise WrongError unless result, jvp and steps say what differences say; at how many points they did."""
    symbol = symbols(f)[variable]
    equations = [x for x in lines if x.relation == "="]
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
            if any(abs(e) < SMALLEST and not e.is_zero() for e in middle):
                continue  # what is divided by such values balls do not tell from 0
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


def smaller(outcome: Outcome, tries: int, forms: bool) -> Outcome:
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
            again = tried(case, forms)
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


def one(seed: int, forms: bool = False) -> Outcome:
    """What became of the expression of a seed; a failure is made small."""
    outcome = tried(made(seed), forms)
    if outcome.kind not in ("wrong", "crashed", "slow"):
        return outcome
    return smaller(outcome, 15 if outcome.kind == "slow" else 150, forms)


def outcomes(seeds: Iterable[int], jobs: int, forms: bool) -> Iterator[Outcome]:
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap_unordered(functools.partial(one, forms=forms), seeds, chunksize=5)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--forms", action="store_true", help="also check normal forms, read-back and NumPy's values")
    chosen = parser.parse_args()
    counts: collections.Counter[str] = collections.Counter()
    marks: collections.Counter[tuple[str, str]] = collections.Counter()
    shown: collections.Counter[tuple[str, ...]] = collections.Counter()
    start = time.perf_counter()
    for outcome in outcomes(range(chosen.seed, chosen.seed + chosen.count), chosen.jobs, chosen.forms):
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

"""A derivation as a person reads it: each rule's name, the whole expression, the part that changes marked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from derivata.expr.arrays import transpose
from derivata.expr.node import DIFFERENTIAL, ONE, Expr, axes, contraction, differential, variable, with_args
from derivata.expr.symbol import Symbol
from derivata.expr.walk import replace, symbols, topological
from derivata.expr.write import write
from derivata.render.latex import latex
from derivata.render.names import latex_text
from derivata.render.unicode import unicode
from derivata.rewrite.fold import fold
from derivata.rewrite.step import Step

Show = Callable[[str, Expr, "Expr | None"], str]  # lead, expression, the part that changes
SHOWN_STEPS = 40
SHOWN_NODES = 600
MOST_HELD = 20  # names listed as held constant
_ORDINALS = {1: "first", 2: "second", 3: "third"}
EQUAL, FOLLOWS = "=", "=>"
OPEN, CLOSE = "\u2039", "\u203a"


@dataclass(frozen=True)
class Line:
    """One line of a derivation: by `rule`, `before` became `after`; `changed` is the part of `before` that did.

    Both are equal, but where a derivative is read off a differential: that follows from it.
    """

    rule: str
    before: Expr
    after: Expr
    changed: Expr
    relation: str = EQUAL


@dataclass(frozen=True)
class Derivation:
    """The derivative of `of` by `by`: `result`, the `steps` that lead to it and the `check` it passed.

    Steps are stored as rule applications (linear in the size of the expression); whole expressions are made
    when somebody looks.
    """

    of: Expr
    by: Symbol
    result: Expr
    steps: tuple[Step, ...]
    check: object
    kinks: tuple[str, ...] = ()
    domain: tuple[str, ...] = ()
    raw: Expr | None = None
    given: Expr | None = None  # what was to be differentiated `order` times; `of` is its last but one derivative
    order: int = 1
    start: Expr | None = None  # `of` without what is assumed of `by`: that does not bind how it may change
    simplified: bool = True  # else `result` is what the rules gave: shorter forms have another value somewhere
    picked: tuple[tuple[int, Expr], ...] = ()  # of a derivative by one entry of `by`: its axes and places on them

    @property
    def held(self) -> tuple[str, ...]:
        """The symbols held constant."""
        return tuple(n for n, s in symbols(self.of).items() if n != self.by.name and "size" not in s.traits)

    @property
    def label(self) -> str:
        """How the derivative is written while it is not worked out: `d/dx` or `∂/∂x`, `d` by an array."""
        sign = "∂" if any(not symbols(self.of)[name].integer for name in self.held) else "d"
        return "d" if self.by.shape else f"{sign}/{sign}{self.by.name}"

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The steps as whole expressions, outermost rule first; empty for very large expressions."""
        if len(topological(self.of)) > SHOWN_NODES:
            return ()
        return tuple(self._lines())

    def _lines(self) -> Iterator[Line]:
        recognised = [s for s in self.steps if s.rule.startswith("recognise")]
        start = self.of if self.start is None else self.start
        for step in recognised:
            after = replace(start, {step.before: step.after})
            if after is not start:
                yield Line(step.rule, self._whole(start), self._whole(after), step.before)
                start = after
        current = self._whole(start)
        shown = 0
        for step in self.steps:
            if step.rule.startswith("recognise"):
                continue
            before = self._labelled(step.before)
            if before not in set(topological(current)):
                continue
            after = _tidy(replace(current, {before: self._labelled(step.after)}))
            yield Line(step.rule, current, after, before)
            current = after
            shown += 1
            if shown == SHOWN_STEPS:
                break
        if current is self.result or (not self.by.shape and write(current) == write(self.result)):
            return
        if self.by.shape and not self.of.shape and self.result.shape == self.by.shape and not self.by.by_free_entries:
            collected = _against_change(self.result, differential(variable(self.by), self.label))
            yield Line("collect the change", current, collected, current)
            yield Line("read the gradient off", collected, self.result, collected, FOLLOWS)
            return
        rule = "read the derivative off, simplify" if self.by.shape else "simplify"
        rule = "read the derivative by the free entries off" if self.by.by_free_entries else rule
        yield Line(rule, current, self.result, current, FOLLOWS if self.by.shape else EQUAL)

    def _whole(self, of: Expr) -> Expr:
        return differential(of, self.label)

    def _labelled(self, node: Expr) -> Expr:
        """The differential in this derivation's own writing; d/dx of x itself is 1."""
        changes = {}
        for found in topological(node):
            if found.head == DIFFERENTIAL and found.data != self.label:
                inner = found.args[0][0]
                itself = inner.head == "symbol" and inner.data.name == self.by.name and not self.by.shape
                changes[found] = ONE if itself else differential(inner, self.label)
        return replace(node, changes)

    def __str__(self) -> str:
        return self.text()

    def text(self, *, marks: tuple[str, str] = (OPEN, CLOSE), steps: bool = True) -> str:
        """Plain text; the part that changes stands between marks."""

        def show(lead: str, node: Expr, changed: Expr | None) -> str:
            rows = _marked_text(node, changed, marks).split("\n")
            return "\n".join([lead + rows[0], *(" " * len(lead) + row for row in rows[1:])])

        return "\n".join(self._body(show, steps))

    def unicode(
        self, width: int | None = None, *, ascii_only: bool = False, steps: bool = True, indices: bool = False
    ) -> str:
        """Two-dimensional maths for a terminal; with `indices` entry by entry, in index notation."""

        def show(lead: str, node: Expr, changed: Expr | None) -> str:
            marked = frozenset({changed}) if changed else None
            return unicode(node, width=width, ascii=ascii_only, marked=marked, lead=lead, indices=indices)

        return "\n".join(self._body(show, steps))

    def _body(self, show: Show, steps: bool) -> Iterator[str]:
        yield from self._head(show)
        for line in self.lines if steps else ():
            yield ""
            yield f"{line.rule}:"
            yield show("    ", line.before, line.changed)
            yield show(f"{line.relation:>3} ", line.after, None)
        yield ""
        yield show(f"{self.kind} = ", self.result, None)
        yield from self.notes()

    def _head(self, show: Show) -> Iterator[str]:
        kind = self.kind[0].upper() + self.kind[1:]
        yield f"{kind} by {self._by_whom()} of"
        yield show("    ", self.of if self.given is None else self.given, None)
        if self.order > 1:
            yield f"{_ORDINALS.get(self.order - 1, f'{self.order - 1}th')} derivative:"
            yield show("    ", self.of, None)
        if self.held:
            more = f" and {len(self.held) - MOST_HELD} more" if len(self.held) > MOST_HELD else ""
            yield f"held constant: {', '.join(self.held[:MOST_HELD])}{more}"

    @property
    def kind(self) -> str:
        """What one calls it: derivative, gradient, Jacobian or Hessian."""
        if self.order > 1:
            given = self.of if self.given is None else self.given
            if self.order == 2 and self.by.shape and not given.shape:
                return "Hessian"
            return f"{_ORDINALS.get(self.order, f'{self.order}th')} derivative"
        if self.picked and len(self.picked) == len(self.by.shape):
            return "derivative"
        return "Jacobian" if self.of.shape else "gradient" if self.by.shape else "derivative"

    def _by_whom(self) -> str:
        """The variable, or the entry of it: w[j]."""
        if not self.picked:
            return self.by.name
        places = dict(self.picked)
        shown = [str(places[axis]) if axis in places else ":" for axis in range(max(places) + 1)]
        return f"{self.by.name}[{', '.join(shown)}]"

    def notes(self) -> tuple[str, ...]:
        """Domain, kinks and the check, one line each."""
        return (
            *(f"domain: {d}" for d in self.domain),
            *(f"kink: {k}" for k in self.kinks),
            *(() if self.simplified else ("not simplified: shorter forms have another value where a factor is 0",)),
            str(self.check),
        )

    def latex(self, *, indices: bool = False) -> str:
        """The derivation as an aligned block; with `indices` entry by entry, in index notation."""
        rows = [rf"& {latex(self._whole(self.of), indices=indices)} \\"]
        for line in self.lines:
            sign = "=" if line.relation == EQUAL else r"\Rightarrow"
            rows.append(rf"&{sign} {latex(line.after, indices=indices)} && \text{{{latex_text(line.rule)}}} \\")
        if not self.lines:
            rows.append(rf"&= {latex(self.result, indices=indices)} \\")
        return "\\begin{aligned}\n" + "\n".join(rows) + "\n\\end{aligned}"

    def as_json(self) -> str:
        """Everything, for programs."""
        return json.dumps(
            {
                "of": str(self.of),
                "by": self.by.name,
                "held_constant": list(self.held),
                "result": str(self.result),
                "latex": latex(self.result),
                "shape": list(self.result.shape),
                "steps": [
                    {
                        "rule": x.rule,
                        "relation": x.relation,
                        "before": str(x.before),
                        "after": str(x.after),
                        "changed": str(x.changed),
                    }
                    for x in self.lines
                ],
                "domain": list(self.domain),
                "kinks": list(self.kinks),
                "simplified": self.simplified,
                "check": str(self.check),
            },
            indent=2,
            ensure_ascii=False,
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        # Lines break in an environment only: between $$ alone, KaTeX and LaTeX drop the breaks.
        rows = r" \\ ".join(rf"& \text{{{latex_text(note)}}}" for note in self.notes())
        notes = rf"\begin{{aligned}} {rows} \end{{aligned}}"
        return {"text/plain": str(self), "text/latex": f"$$\n{self.latex()}\n$$\n\n$${notes}$$"}


def _against_change(gradient: Expr, change: Expr) -> Expr:
    """What a gradient says: df = tr(G.T@dX) for a matrix, G@dx for a vector, the sum of products for more axes."""
    whole = axes(gradient)
    if len(whole) == 2:
        matrix = contraction([(transpose(gradient), (0, 1)), (change, (1, 2))], (0, 2))
        return contraction([(matrix, (0, 0))], ())
    return contraction([(gradient, whole), (change, whole)], ())


def _tidy(root: Expr) -> Expr:
    """Ones and zeros left by the rules folded, nothing else moved; what is yet to be differentiated stays."""
    memo: dict[Expr, Expr] = {}
    for node in topological(root):
        if node.head == DIFFERENTIAL:
            memo[node] = node
            continue
        memo[node] = fold(with_args(node, tuple((memo[c], labels) for c, labels in node.args)))
    return memo[root]


def _marked_text(root: Expr, changed: Expr | None, marks: tuple[str, str]) -> str:
    text = write(root)
    if changed is None or changed is root:
        return text
    part = write(changed)
    whole = re.escape(part) if not part[0].isalnum() else rf"(?<![\w']){re.escape(part)}"
    return re.sub(whole, lambda found: f"{marks[0]}{found.group()}{marks[1]}", text)

"""One-token errors in records: what a slip of the pen, or of a model, would leave behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from derivata.expr.notation import NAMES
from derivata.rules.book import book
from derivata.rules.record import TRAITS, Function, Identity, Kink, Law

_TOKEN = re.compile(r"\d+\.\d+|\d+|[A-Za-z_]\w*|\*\*|[<>=!]=|[-+*/<>@]")
_OPERATORS = {
    "+": "-", "-": "+", "*": "/", "/": "*", "@": "*", "<": ">", ">": "<",
    "<=": ">=", ">=": "<=", "==": "!=", "!=": "==",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A record with one error, and where the error is."""

    record: Function | Identity | Law
    field: str
    was: str
    now: str

    @property
    def label(self) -> str:
        return f"{self.record.name}.{self.field}: {self.was!r} -> {self.now!r}"


def _sibling(name: str) -> str | None:
    """The next function of the book with as many arguments."""
    record = book().get(name)
    if record is None or not record.arguments:
        return None
    alike = [
        f.name
        for f in book().functions
        if len(f.arguments) == len(record.arguments) and f.signature == record.signature
    ]
    found = alike[(alike.index(record.name) + 1) % len(alike)]
    return None if found == record.name else found


def errors(text: str, names: tuple[str, ...]) -> Iterator[str]:
    """The text with one token changed. `names` are the variables that can be mistaken for each other."""
    for match in _TOKEN.finditer(text):
        token, start, end = match.group(), *match.span()
        for other in _changed(token, names):
            yield text[:start] + other + text[end:]
    if text and not re.fullmatch(r"0(\*\w+)?", text) and "==" not in text:
        yield f"-({text})"


def _changed(token: str, names: tuple[str, ...]) -> Iterator[str]:
    if token[0].isdigit():
        if "." in token:
            yield token[:-2] + str((int(token[-2]) + 1) % 10) + token[-1]
        else:
            yield str(int(token) + 1)
    elif token in _OPERATORS:
        yield _OPERATORS[token]
    elif token in names and len(names) > 1:
        yield names[(names.index(token) + 1) % len(names)]
    elif token not in NAMES and (other := _sibling(token)) is not None:
        yield other


def _texts(record: Function) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The formulas of a record, with the names that each may mention."""
    names = tuple(name for name, _ in record.arguments)
    changes = tuple(f"d{name}" for name in names)
    with_out = (*names, "out")
    yield "value", record.value, names if len(names) > 1 else ()
    yield "stable", record.stable, names if len(names) > 1 else ()
    yield "d", record.d, (*names, *changes, "out")
    yield "transposed", record.transposed, names
    yield "domain", record.domain, names if len(names) > 1 else ()
    for index, fact in enumerate(record.facts):
        yield f"facts.{index}", fact, with_out


def function_mutants(record: Function) -> Iterator[Mutant]:
    """Every error we know to plant in a function's record."""
    for field, text, names in _texts(record):
        for wrong in errors(text, names):
            yield Mutant(_put(record, field, wrong), field, text, wrong)
    if record.domain:
        yield Mutant(replace(record, domain=""), "domain", record.domain, "")
    for wrong in _intervals(record.range):
        yield Mutant(replace(record, range=wrong), "range", record.range, wrong)
    for trait in sorted(TRAITS):
        kept = tuple(t for t in record.traits if t != trait)
        now = kept if trait in record.traits else (*record.traits, trait)
        yield Mutant(replace(record, traits=now), "traits", str(record.traits), str(now))
    for index, kink in enumerate(record.kinks):
        for what, wrong in _bent(kink, tuple(name for name, _ in record.arguments)):
            kinks = (*record.kinks[:index], *wrong, *record.kinks[index + 1 :])
            yield Mutant(replace(record, kinks=kinks), f"kinks.{index}", what, str(wrong))
    for backend in ("flint", "numpy"):
        for wrong in _codes(backend, record.code.get(backend, "")):
            code = {**record.code, backend: wrong}
            yield Mutant(replace(record, code=code), f"code.{backend}", record.code[backend], wrong)
    if record.signature:
        wrong = "(i)->()" if record.signature == "(i)->(i)" else "(i)->(i)"
        yield Mutant(replace(record, signature=wrong), "signature", record.signature, wrong)
    for shown in re.findall(r"#\w+", record.latex):
        yield Mutant(replace(record, latex=record.latex.replace(shown, "")), "latex", record.latex, f"no {shown}")


def _put(record: Function, field: str, text: str) -> Function:
    name, _, index = field.partition(".")
    if not index:
        return replace(record, **{name: text})  # type: ignore[arg-type]
    facts = list(record.facts)
    facts[int(index)] = text
    return replace(record, facts=tuple(facts))


def _intervals(text: str) -> Iterator[str]:
    """Brackets exchanged; ends moved, taken away or put in."""
    low, high = text[1:-1].split(",")
    yield {"(": "[", "[": "("}[text[0]] + text[1:]
    yield text[:-1] + {")": "]", "]": ")"}[text[-1]]
    for end, far in ((low, "-inf"), (high, " inf")):
        moved = (far,) if end.strip() != far.strip() else ("0", " 1")
        more = () if "inf" in end else (f"{end}+1", f"{end}-1/8")
        for other in (*moved, *more):
            yield text[0] + (f"{other},{high}" if end is low else f"{low},{other}") + text[-1]


def _bent(kink: Kink, names: tuple[str, ...]) -> Iterator[tuple[str, tuple[Kink, ...]]]:
    yield "dropped", ()
    if kink.left != kink.right:
        yield "sides", (replace(kink, left=kink.right, right=kink.left),)
    for field in ("at", "left", "right", "ours"):
        text = getattr(kink, field)
        for wrong in errors(text, names if len(names) > 1 else ()):
            yield field, (replace(kink, **{field: wrong}),)
        if text == "0":
            yield field, (replace(kink, **{field: "-1"}),)


def _codes(backend: str, text: str) -> Iterator[str]:
    """Another function of the same backend; signs and numbers in expressions."""
    known = list(dict.fromkeys(f.code[backend] for f in book().functions if _like(f.code.get(backend, ""), text)))
    if text and len(known) > 1:
        yield known[(known.index(text) + 1) % len(known)]
    if "(" in text:
        yield from _edited(text)


def _like(other: str, text: str) -> bool:
    return bool(other) and ("(" in other) == ("(" in text)


def _edited(text: str) -> Iterator[str]:
    for match in re.finditer(r"(?<![\w.=])(\d+|[-+*/]|[<>]=?|[=!]=)(?![\w=])", text):
        token, start, end = match.group(), *match.span()
        other = str(int(token) + 1) if token.isdigit() else _OPERATORS[token]
        yield text[:start] + other + text[end:]


def identity_mutants(identity: Identity) -> Iterator[Mutant]:
    """Errors in the two sides and in the condition."""
    for field in ("left", "right", "when"):
        text = getattr(identity, field)
        for wrong in errors(text, ()):
            if identity.right != "0" or not wrong.startswith("-("):  # -0 is 0
                yield Mutant(replace(identity, **{field: wrong}), field, text, wrong)  # type: ignore[arg-type]
    if identity.when:
        yield Mutant(replace(identity, when=""), "when", identity.when, "")
    yield Mutant(replace(identity, purpose="nicer"), "purpose", identity.purpose, "nicer")


def law_mutants(law: Law) -> Iterator[Mutant]:
    """Errors on the right of the example."""
    left, _, right = law.example.partition(" = ")
    right, where, rest = right.partition(" where ")
    for wrong in errors(right, ()):
        example = f"{left} = {wrong}{where}{rest}"
        yield Mutant(replace(law, example=example), "example", law.example, example)

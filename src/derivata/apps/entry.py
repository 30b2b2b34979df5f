"""One entry of the rulebook as a page: what it is, its derivative as the engine computes it, what to watch."""

from __future__ import annotations

import json
from dataclasses import dataclass

from derivata import verbs
from derivata.errors import DerivataError, UnknownNameError
from derivata.render.derivation import Derivation
from derivata.rules.book import book
from derivata.rules.record import Abbreviation, Function, Identity, Law


@dataclass(frozen=True)
class Entry:
    """A record with the derivatives computed and verified for it."""

    title: str
    lines: tuple[tuple[str, str], ...]
    derivations: tuple[Derivation, ...] = ()

    def text(self, *, two_dimensional: bool = False, ascii_only: bool = False) -> str:
        """The page for a terminal."""
        wide = max((len(k) for k, _ in self.lines), default=0) + 2
        body = [f"{key + ':':{wide}}{value}" for key, value in self.lines if value]
        for derivation in self.derivations:
            head = f"derivative by {derivation.by.name}:"
            if two_dimensional:
                body += ["", head, derivation.result.unicode() if not ascii_only else str(derivation.result)]
            else:
                body += ["", head, f"    {derivation.result}"]
            body += derivation.notes()
        return "\n".join([self.title, "=" * len(self.title), *body])

    def latex(self) -> str:
        """The derivatives as LaTeX."""
        return "\n".join(d.latex() for d in self.derivations) or self.title

    def as_json(self) -> str:
        """The page for programs."""
        found = {"name": self.title, **{k: v for k, v in self.lines if v}}
        found["derivatives"] = json.dumps([json.loads(d.as_json()) for d in self.derivations])
        return json.dumps({**found, "derivatives": json.loads(found["derivatives"])}, indent=2, ensure_ascii=False)


def entry(name: str) -> Entry:
    """The entry called `name`, an alias included."""
    rulebook = book()
    wanted = name.strip()
    function = rulebook.get(wanted) or rulebook.get(wanted.lower())
    if function is not None:
        return _function(function)
    for abbreviation in rulebook.abbreviations:
        if abbreviation.name == wanted:
            return _abbreviation(abbreviation)
    for law in rulebook.laws:
        if law.name.lower() == wanted.lower():
            return _law(law)
    for identity in rulebook.identities:
        if identity.name.lower() == wanted.lower():
            return _identity(identity)
    names = (*(law.name for law in rulebook.laws), *(identity.name for identity in rulebook.identities))
    raise UnknownNameError(f"no entry is called {wanted[:40]!r}{rulebook.vocabulary.suggestion(wanted, names)}")


def _function(record: Function) -> Entry:
    arguments = [n for n, _ in record.arguments]
    signature = record.as_signature()
    shapes = {n: f"[{','.join(core)}]" if core else "" for n, core in zip(arguments, signature.core, strict=True)}
    where = ", ".join(f"{n}{s}" for n, s in shapes.items() if s)
    lines = [
        ("function", f"{record.name}({record.args})"),
        ("is", record.doc),
        ("aliases", ", ".join(record.aliases)),
        ("definition", record.value),
        ("domain", record.domain),
        ("range", record.range),
        ("is also", ", ".join(record.traits)),
        ("facts", ";  ".join(record.facts)),
        ("in terms of its value", record.d),
        ("stable form", record.stable),
        *(("at " + k.at, "; ".join(f"{f} {v}" for f, v in k.frameworks.items())) for k in record.kinks),
        *((f"in {library}", spelled) for library, spelled in record.code.items()),
        ("note", record.notes),
        ("source", "; ".join(record.refs)),
    ]
    derivations = []
    for argument in arguments:
        try:
            derivations.append(verbs.derive(f"{record.name}({', '.join(arguments)})", argument, where))
        except DerivataError:
            continue  # an argument that is a condition, or one the value does not move with
    return Entry(record.name, tuple(lines), tuple(derivations))


def _abbreviation(record: Abbreviation) -> Entry:
    written = f"{record.name}({record.args})"
    lines = (
        ("abbreviation", written),
        ("is", record.doc),
        ("means", record.means),
        ("in numpy", f"np.{record.numpy}"),
        ("where", record.where),
        ("source", "; ".join(record.refs)),
    )
    return Entry(record.name, lines, tuple(verbs.derive(written, name, record.where) for name in record.arguments))


def _law(record: Law) -> Entry:
    lines = (
        ("law", record.equation),
        ("is", record.doc),
        ("example", record.example),
        ("source", "; ".join(record.refs)),
    )
    return Entry(record.name, lines)


def _identity(record: Identity) -> Entry:
    lines = (
        ("identity", f"{record.left} = {record.right}"),
        ("when", record.when),
        ("where", record.where),
        ("is", record.doc),
        ("source", "; ".join(record.refs)),
    )
    return Entry(record.name, lines)

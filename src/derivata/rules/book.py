"""The rulebook: every record by name, gathered in order, once; formulas read on demand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property

from derivata.expr.lower import read
from derivata.expr.node import Expr
from derivata.expr.vocabulary import NESTING, Signature, Vocabulary
from derivata.rules.record import Abbreviation, Function, Identity, Law


@dataclass(frozen=True)
class Book:
    """Functions, laws and identities in one id space."""

    functions: tuple[Function, ...]
    laws: tuple[Law, ...]
    identities: tuple[Identity, ...]
    abbreviations: tuple[Abbreviation, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Function]:
        return {name: f for f in self.functions for name in (f.name, *f.aliases)}

    @cached_property
    def vocabulary(self) -> Vocabulary:
        signatures: dict[str, Signature] = {}
        for function in self.functions:
            signature = function.as_signature()
            letter = [function.unicode] if function.unicode and not signature.arguments else []
            for name in (function.name, *function.aliases, *letter):
                signatures[name] = signature
        NESTING.update(name for name, signature in signatures.items() if signature.nests)
        letters = {f.unicode: f.name for f in self.functions if f.unicode and f.args}
        return Vocabulary(signatures, {a.name: (a.arguments, a.means) for a in self.abbreviations}, letters)

    def get(self, name: str) -> Function | None:
        return self.by_name.get(name)

    def law(self, name: str) -> Law:
        return next(law for law in self.laws if law.name == name)

    def formula(self, function: Function, text: str) -> Expr:
        """A field of a record as an expression: arguments have their core axes, dx and out likewise."""
        return _formula(self, function.name, text)

    def identity_side(self, identity: Identity, text: str) -> Expr:
        """One side of an identity."""
        return _identity_side(self, identity.where, text)

    def sides(self, purpose: str) -> tuple[tuple[Identity, Expr, Expr], ...]:
        """The identities of one purpose with both sides read."""
        return _sides(self, purpose)

    # One book is one object, so formulas can be remembered by it.
    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other


@cache
def _formula(book: Book, name: str, text: str) -> Expr:
    function = book.by_name[name]
    signature = function.as_signature()
    declared = []
    for argument, axes in zip(signature.arguments, signature.core, strict=True):
        shape = f"[{','.join(axes)}]" if axes else ""
        declared += [f"{argument}{shape}", f"d{argument}{shape}"]
    whole = f"[{','.join(signature.out)}]" if signature.out else ""
    declared += [f"out{whole}", f"g{whole}"]
    return read(text, ", ".join(declared), book.vocabulary)


@cache
def _identity_side(book: Book, where: str, text: str) -> Expr:
    return read(text, where, book.vocabulary)


@cache
def _sides(book: Book, purpose: str) -> tuple[tuple[Identity, Expr, Expr], ...]:
    found = []
    for identity in book.identities:
        if identity.purpose == purpose:
            # A condition such as x > 0 is a declaration: the pattern then asks for it. Others hold where the left side
            # has a value.
            asked = "" if "!=" in identity.when or "(" in identity.when else identity.when
            declared = ", ".join(filter(None, (identity.where, asked)))
            left, right = (_identity_side(book, declared, side) for side in (identity.left, identity.right))
            found.append((identity, left, right))
    return tuple(found)


@cache
def book() -> Book:
    """Our rulebook."""
    from derivata.rules.abbreviations import ABBREVIATIONS
    from derivata.rules.activations import ACTIVATIONS
    from derivata.rules.arithmetic import ARITHMETIC
    from derivata.rules.elementary import ELEMENTARY
    from derivata.rules.identities import IDENTITIES
    from derivata.rules.laws import LAWS
    from derivata.rules.matrices import MATRICES
    from derivata.rules.piecewise import PIECEWISE
    from derivata.rules.spectral import SPECTRAL
    from derivata.rules.vectors import VECTORS

    functions = (*ARITHMETIC, *ELEMENTARY, *PIECEWISE, *ACTIVATIONS, *VECTORS, *MATRICES, *SPECTRAL)
    return make_book(functions, LAWS, IDENTITIES, ABBREVIATIONS)


def make_book(
    functions: Iterable[Function],
    laws: Iterable[Law] = (),
    identities: Iterable[Identity] = (),
    abbreviations: Iterable[Abbreviation] = (),
) -> Book:
    """A book of these records; two records may not share a name."""
    made = Book(tuple(functions), tuple(laws), tuple(identities), tuple(abbreviations))
    names = [n for f in made.functions for n in (f.name, *f.aliases)]
    names += [record.name for records in (made.laws, made.identities, made.abbreviations) for record in records]
    if twice := {n for n in names if names.count(n) > 1}:
        raise ValueError(f"declared twice: {', '.join(sorted(twice))}")
    return made

"""The kinds of record the rulebook is made of. A field that no check can falsify is a comment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from derivata.expr.vocabulary import Signature, parse_signature


@dataclass(frozen=True)
class Kink:
    """Where a derivative by the first argument jumps.

    `at` is a condition such as `x == 0`; `left` and `right` are the one-sided slopes, `ours` the value we
    give (what frameworks agree on, else the subgradient of smallest norm), all in our own language;
    `frameworks` says what others return at the kink.
    """

    at: str
    left: str
    right: str
    ours: str
    frameworks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Function:
    """A primitive function, declared once.

    `args` are names with optional defaults (`"x, slope=1/100"`); `value` defines it by simpler functions
    (empty for the few that define the others); `d` is its differential, linear in `dx` (`out` is the value
    itself); `signature` names the axes of whole-array functions (`"(i)->(i)"`), leading axes are mapped
    over; `domain` is a condition on the arguments; `range` an interval such as `(-1, 1)`; `traits` are words
    from TRAITS; `facts` are equations in `x` and `out`; `code` gives its name per backend (`flint` is the
    method of ball arithmetic); `stable` is a form for machines where `value` loses digits; `rule` is what a
    derivation calls its differentiation. `held` are arguments by which there is no derivative; a function
    linear in its last argument says as `transposed` what an incoming gradient `g` becomes.
    """

    name: str
    args: str
    doc: str
    value: str
    d: str
    rule: str
    latex: str
    domain: str = ""
    range: str = "(-inf, inf)"
    traits: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    kinks: tuple[Kink, ...] = ()
    aliases: tuple[str, ...] = ()
    signature: str = ""
    stable: str = ""
    code: Mapping[str, str] = field(default_factory=dict)
    unicode: str = ""
    held: tuple[str, ...] = ()
    transposed: str = ""
    notes: str = ""
    refs: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[tuple[str, Fraction | None], ...]:
        """Each argument with its default."""
        found = []
        for piece in filter(None, (p.strip() for p in self.args.split(","))):
            name, _, default = piece.partition("=")
            found.append((name.strip(), Fraction(default.strip()) if default else None))
        return tuple(found)

    def as_signature(self) -> Signature:
        """What the reader needs to know."""
        arguments = self.arguments
        core, out = parse_signature(self.signature, len(arguments))
        names, defaults = tuple(n for n, _ in arguments), tuple(d for _, d in arguments)
        return Signature(self.name, names, defaults, core, out, nests="nests" in self.traits)


@dataclass(frozen=True)
class Abbreviation:
    """A name for a longer expression: reading writes it out, for arguments of every shape that `means` fits.

    `where` declares arguments of one kind that fits; `numpy` is NumPy's function for the same.
    """

    name: str
    args: str
    means: str
    doc: str
    where: str
    numpy: str
    refs: tuple[str, ...] = ()

    @property
    def arguments(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.args.split(","))


@dataclass(frozen=True)
class Law:
    """How differentiation goes through an operation; `equation` is what a derivation prints."""

    name: str
    doc: str
    equation: str
    example: str
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """`left == right` wherever `when` holds.

    `purpose` is `recognise` (applied to the input and to the result), `shorter` (applied where it makes a
    result shorter), `outward` (what stands inside a function comes out), `product` (a function of a product
    of matrices A@B by those of A and B), `stable` (for machines), `value` (an exact value) or `power` (the
    left side is a function that turns multiples into powers).
    """

    name: str
    left: str
    right: str
    purpose: str
    doc: str
    when: str = ""
    where: str = ""
    refs: tuple[str, ...] = ()


TRAITS = frozenset(
    {"increasing", "decreasing", "nondecreasing", "odd", "even", "convex", "concave"}
    | {"piecewise", "constant", "choice", "nests"}
)

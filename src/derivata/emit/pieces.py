"""Pieces of Python source: a text, how tightly it binds, and what kind of value it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from derivata.errors import EvaluationError
from derivata.expr.node import Expr, Labels

COMPARE, SUM, PRODUCT, UNARY, POWER, ATOM = 1, 2, 3, 4, 5, 9
LITERAL, TRUTH, ARRAY = "literal", "truth", "array"  # Python numbers; booleans; NumPy values
EXACT = 2**53


@dataclass(frozen=True)
class Piece:
    """`literal` pieces are Python numbers, which NumPy lets take the type of what they meet."""

    text: str
    level: int
    kind: str = ARRAY
    summed: tuple[Expr, tuple[int, ...], str] | None = None  # a sum that keepdims=True may still be put into

    def at(self, least: int) -> str:
        """The text, in parentheses where it binds too loosely."""
        return self.text if self.level >= least else f"({self.text})"


def literal(value: Fraction) -> Piece:
    """An exact rational as Python writes it: 2, 0.5, 1/3; a float where Python's integers would be long."""
    if max(abs(value.numerator), value.denominator) > EXACT:
        try:
            text = repr(float(value))
        except OverflowError:
            raise EvaluationError("a number in the expression is larger than any float") from None
    elif value.denominator == 1:
        text = str(value)
    else:
        decimal = repr(float(value))
        short = len(decimal) <= 8 and "e" not in decimal and Fraction(decimal) == value
        text = decimal if short else str(value)
    level = PRODUCT if "/" in text else UNARY if text.startswith("-") else ATOM
    return Piece(text, level, LITERAL)


def nesting(text: str) -> int:
    """How deep brackets stand in brackets."""
    depth = deepest = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        deepest = max(deepest, depth)
    return deepest


def is_matmul(text: str) -> bool:
    """Whether @ stands outside all brackets."""
    depth = 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == "@" and not depth:
            return True
    return False


def to_the(base: Piece, exponent: Fraction) -> Piece:
    """A power with a positive exponent."""
    if exponent == 1:
        return base
    if exponent == Fraction(1, 2) and base.kind != LITERAL:
        return Piece(f"np.sqrt({base.text})", ATOM)
    return Piece(f"{base.at(ATOM)}**{literal(exponent).at(POWER)}", POWER, base.kind)


def first_factor(piece: Piece) -> str:
    """The first factor of a product. One next to @ is right in Python and misread by people."""
    loose = piece.level < PRODUCT or (piece.level == PRODUCT and is_matmul(piece.text))
    return f"({piece.text})" if loose else piece.text


def joined_sum(terms: Sequence[Piece]) -> str:
    """a + b - c"""
    text = terms[0].at(SUM)
    for term in terms[1:]:
        if term.text.startswith("-") and PRODUCT <= term.level <= UNARY:
            text += f" - {term.text[1:]}"
        else:
            text += f" + {term.at(PRODUCT)}"
    return text


def indexed(text: str, present: Labels, rank: int) -> str:
    """`v[:, None]`: axes that an operand lacks, from its first one on."""
    if not present or present == tuple(range(rank - len(present), rank)):
        return text
    places = [":" if axis in present else "None" for axis in range(min(present), rank)]
    return f"{text}[{', '.join(places)}]"

"""Symbols, what is assumed about them, and the `where` declarations that say so."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from derivata.errors import ReadError
from derivata.expr.node import Shape, Size
from derivata.expr.sizes import read_size, size_names

_NAME = re.compile(r"[^\W\d]\w*")
_PHRASES = {
    "symmetric": 2,
    "diagonal": 2,
    "orthogonal": 2,
    "positive definite": 2,
    "sums to 1": 1,
    "sum to 1": 1,
    "int": 0,
    "integer": 0,
    "real": 0,
    "positive": 0,
    "nonnegative": 0,
    "negative": 0,
    "function": 0,
}
_SUM = re.compile(r"sum\(\s*([^\W\d]\w*)\s*\)\s*==?\s*1")
_BOUND = re.compile(r"(>=|<=|>|<|in\b)\s*(.+)")
LONGEST_DECLARATION = 20_000


@dataclass(frozen=True)
class Symbol:
    """A name with its shape, its known facts (such as `symmetric`) and the interval its entries lie in."""

    name: str
    shape: Shape = ()
    traits: frozenset[str] = frozenset()
    low: Fraction | None = None
    high: Fraction | None = None
    low_open: bool = False
    high_open: bool = False

    @property
    def integer(self) -> bool:
        return "int" in self.traits

    @property
    def by_free_entries(self) -> bool:
        """Whether its derivative is by the entries that may be chosen: those off the diagonal move two at a time."""
        return bool(self.traits & {"symmetric", "diagonal"})

    @property
    def free(self) -> Symbol:
        """The symbol to differentiate by: what is assumed of its values does not bind how they may change.

        Only a matrix declared symmetric or diagonal changes as one.
        """
        if not self.traits - {"int", "size"} or self.by_free_entries:
            return self
        return replace(self, traits=self.traits & {"int", "size"})

    @property
    def symmetric(self) -> bool:
        """Whether it equals its transpose."""
        return bool(self.traits & {"symmetric", "positive definite", "diagonal"})

    @property
    def positive(self) -> bool:
        return self.low is not None and (self.low > 0 or (self.low == 0 and self.low_open))

    @property
    def nonnegative(self) -> bool:
        return self.low is not None and self.low >= 0

    def __repr__(self) -> str:
        return f"{self.name}{self.shape}{sorted(self.traits)}{self.low}{self.high}{self.low_open}{self.high_open}"


@dataclass(frozen=True)
class Declarations:
    """What `where` said: symbols by name, and names that stand for unspecified functions."""

    symbols: dict[str, Symbol] = field(default_factory=dict)
    functions: frozenset[str] = frozenset()

    def lookup(self, name: str) -> Symbol | None:
        return self.symbols.get(name)

    def sizes(self) -> frozenset[str]:
        """Names used as sizes: whole positive numbers when they stand in an expression."""
        return frozenset(size_names(*(size for symbol in self.symbols.values() for size in symbol.shape)))


def size_symbol(name: str) -> Symbol:
    """A size used as a scalar: a positive whole number."""
    return Symbol(name, (), frozenset({"int", "size"}), Fraction(0), None, True)


def declare(where: str | Declarations | None) -> Declarations:
    """Read `"X[n,d], y[n] sums to 1, k int, lam > 0, A[n,n] symmetric"`."""
    if isinstance(where, Declarations):
        return where
    symbols: dict[str, Symbol] = {}
    functions: set[str] = set()
    summed: set[str] = set()
    text = where or ""
    if len(text) > LONGEST_DECLARATION:
        raise ReadError("where: the declarations are too long")
    for start, part in _parts(text):
        symbol = _declaration(text, start, part)
        summed.update({symbol.name} if _SUM.fullmatch(part) else ())
        if "function" in symbol.traits:
            functions.add(symbol.name)
            continue
        if symbol.name in symbols:
            symbol = _merged(symbols[symbol.name], symbol, text, start)
        symbols[symbol.name] = symbol
    for symbol in symbols.values():
        if "sums to 1" in symbol.traits and not symbol.shape:
            raise ReadError(f"where: {symbol.name} sums to 1, so it has a size: declare {symbol.name}[n] as well")
        if symbol.name in summed and len(symbol.shape) > 1:
            raise ReadError(f"where: of a matrix each row sums to 1: write {symbol.name}[n,m] sums to 1")
    return Declarations(symbols, frozenset(functions))


def _parts(text: str) -> Iterator[tuple[int, str]]:
    depth, start = 0, 0
    for position, character in enumerate(text + ","):
        depth += (character in "[(") - (character in "])")
        if character == "," and depth <= 0:
            part = text[start:position]
            if part.strip():
                yield start + len(part) - len(part.lstrip()), part.strip()
            start = position + 1
    if text[start:].strip():  # a bracket was left open; the declaration itself will say so
        yield start, text[start:].strip()


def _declaration(text: str, start: int, part: str) -> Symbol:
    if summed := _SUM.fullmatch(part):
        return _with_trait(Symbol(summed.group(1)), "sums to 1")
    match = _NAME.match(part)
    if match is None:
        expected = "where: expected a name first, as in X[n,d], x > 3 or x in (0, 1)"
        raise ReadError(expected, text=text, position=start)
    name, rest = match.group(), part[match.end() :].strip()
    shape: Shape = ()
    if rest.startswith("["):
        close = rest.find("]")
        if close < 0:
            raise ReadError("where: this [ is never closed", text=text, position=start + match.end())
        shape = tuple(_size(text, start, piece.strip()) for piece in rest[1:close].split(",") if piece.strip())
        rest = rest[close + 1 :].strip()
    return _with_facts(Symbol(name, shape), rest, text, start)


def _size(text: str, start: int, piece: str) -> Size:
    size = read_size(piece)
    if size == 0:
        raise ReadError("where: an axis of size 0 holds nothing", text=text, position=start)
    if size is not None:
        return size
    if piece.isdigit():
        raise ReadError("where: a size may have at most 9 digits", text=text, position=start)
    raise ReadError(
        f"where: a size must be made of names and whole numbers, found {piece!r}", text=text, position=start
    )


def _with_facts(symbol: Symbol, rest: str, text: str, start: int) -> Symbol:
    for phrase in filter(None, (p.strip().removeprefix("is ") for p in re.split(r"\band\b|;", rest))):
        bound = _BOUND.fullmatch(phrase)
        if bound:
            symbol = _bounded(symbol, bound.group(1), bound.group(2).strip(), text, start)
            continue
        words = " ".join(phrase.split())
        if words not in _PHRASES:
            place = text.find(phrase, start)
            raise ReadError(_unknown(symbol.name, words), text=text, position=start if place < 0 else place)
        if _PHRASES[words] == 2 and (len(symbol.shape) != 2 or symbol.shape[0] != symbol.shape[1]):
            said = f"where: only a square matrix can be {words}, as in {symbol.name}[n,n] {words}"
            raise ReadError(said, text=text, position=start)
        symbol = _with_trait(symbol, words)
    return symbol


def _unknown(name: str, words: str) -> str:
    """What may be said of a symbol, where something else was."""
    if words.startswith("="):
        return f"where: values are not put in here; write the number in the place of {name}"
    if close := difflib.get_close_matches(words, _PHRASES, 1, 0.6):
        return f"where: {words!r} is not known; did you mean {close[0]}?"
    known = ", ".join(phrase for phrase in _PHRASES if phrase not in ("sum to 1", "integer"))
    return f"where: {words!r} is not known; expected one of {known}, or x > 0, x in (0, 1)"


def _with_trait(symbol: Symbol, words: str) -> Symbol:
    zero = Fraction(0)
    if words == "positive":
        return Symbol(symbol.name, symbol.shape, symbol.traits, zero, symbol.high, True, symbol.high_open)
    if words == "nonnegative":
        return Symbol(symbol.name, symbol.shape, symbol.traits, zero, symbol.high, False, symbol.high_open)
    if words == "negative":
        return Symbol(symbol.name, symbol.shape, symbol.traits, symbol.low, zero, symbol.low_open, True)
    if words == "real":
        return symbol
    words = {"integer": "int", "sum to 1": "sums to 1"}.get(words, words)
    return Symbol(
        symbol.name,
        symbol.shape,
        symbol.traits | {words},
        symbol.low,
        symbol.high,
        symbol.low_open,
        symbol.high_open,
    )


def _bounded(symbol: Symbol, sign: str, value: str, text: str, start: int) -> Symbol:
    low, high, low_open, high_open = symbol.low, symbol.high, symbol.low_open, symbol.high_open
    if sign == "in":
        match = re.fullmatch(r"([\[(])\s*([^,]+),\s*([^,]+)([\])])", value)
        if match is None:
            raise ReadError("where: expected an interval such as (0, 1)", text=text, position=start)
        low, high = _rational(match.group(2), text, start), _rational(match.group(3), text, start)
        low_open, high_open = match.group(1) == "(", match.group(4) == ")"
    elif sign in (">", ">="):
        low, low_open = _rational(value, text, start), sign == ">"
    else:
        high, high_open = _rational(value, text, start), sign == "<"
    bounded = Symbol(symbol.name, symbol.shape, symbol.traits, low, high, low_open, high_open)
    _check_interval(bounded, text, start)
    return bounded


def _check_interval(symbol: Symbol, text: str, start: int) -> None:
    low, high = symbol.low, symbol.high
    if low is None or high is None or low < high or (low == high and not symbol.low_open and not symbol.high_open):
        return
    raise ReadError(f"where: no number is above {low} and below {high}", text=text, position=start)


def _rational(value: str, text: str, start: int) -> Fraction:
    value = value.strip()
    if len(value) > 40 or not re.fullmatch(r"[-+]?(\d+(\.\d*)?|\.\d+)(/\d+|[eE][-+]?\d{1,2})?", value):
        raise ReadError(f"where: expected a number, found {value!r}", text=text, position=start)
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise ReadError(f"where: expected a number, found {value!r}", text=text, position=start) from None


def _merged(old: Symbol, new: Symbol, text: str, start: int) -> Symbol:
    if new.shape and old.shape and new.shape != old.shape:
        raise ReadError(f"where: {old.name} is declared twice with different shapes", text=text, position=start)
    merged = Symbol(
        old.name,
        new.shape or old.shape,
        old.traits | new.traits,
        new.low if new.low is not None else old.low,
        new.high if new.high is not None else old.high,
        new.low_open if new.low is not None else old.low_open,
        new.high_open if new.high is not None else old.high_open,
    )
    _check_interval(merged, text, start)
    return merged

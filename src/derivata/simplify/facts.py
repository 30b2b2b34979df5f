"""What the rulebook says that algebra can use, looked up by function: one reading of the records."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

from derivata.expr.node import ADD, CALL, CONTRACTION, NUMBER, POWER, PRIMITIVE, SYMBOL, ZERO, Expr, call, number
from derivata.expr.walk import topological
from derivata.rules.book import Book
from derivata.rules.record import Function


@dataclass(frozen=True)
class Generator:
    """A function through which base(multiple*x) is rational: base(multiple*x) == value, in `out`."""

    function: str
    multiple: Fraction
    value: Expr


@dataclass(frozen=True)
class Relation:
    """first(u)**2 * a + second(u)**2 * b == constant."""

    first: str
    second: str
    coefficients: tuple[Fraction, Fraction]
    constant: Fraction


@dataclass(frozen=True)
class Facts:
    """`bases` turn multiples into powers (base(a*x) == base(x)**a); the rest is keyed by function name."""

    bases: frozenset[str]
    choices: frozenset[str]  # functions of a condition and two cases
    pieces: frozenset[str]  # functions put together from others, case by case
    sizes: frozenset[str]  # functions whose square is that of their argument
    ratios: dict[str, Expr]  # a function that is the size of its argument x over x
    odd: frozenset[str]
    even: frozenset[str]
    reflections: dict[str, Expr]  # f(-x) in terms of out = f(x)
    inverses: frozenset[tuple[str, str]]  # (g, f) with g(f(x)) == x
    generators: tuple[Generator, ...]
    relations: tuple[Relation, ...]  # between the squares of two functions
    definitions: dict[str, Expr]  # value in terms of a base, for functions rational in it
    constants: dict[Expr, Expr]  # exact values, such as that of log at 1
    summing: frozenset[str]  # functions of arrays whose values along an axis have a sum that is told
    matrix_inverses: frozenset[str]  # out@x == eye(n)
    symmetric: frozenset[str]  # out.T == out
    transposing: frozenset[str]  # f(x.T) == out.T
    transpose_blind: frozenset[str]  # f(x.T) == out
    of_products: dict[str, Expr]  # f(A@B) in terms of f(A) and f(B)
    vanishing: frozenset[str]  # functions of one array that are 0 where all of it is


@cache
def facts(book: Book) -> Facts:
    """The facts of a book."""
    bases = frozenset(book.identity_side(i, i.left).data for i in book.identities if i.purpose == "power")
    reflections: dict[str, Expr] = {}
    inverses: set[tuple[str, str]] = set()
    generators: list[Generator] = []
    for function in book.functions:
        for fact in function.facts:
            _read_fact(book, function, fact, bases, reflections, inverses, generators)
    odd = frozenset(f.name for f in book.functions if "odd" in f.traits)
    constants = {left: right for _, left, right in book.sides("value")}
    sizes = _stating(book, "out**2 == x**2")
    return Facts(
        bases=bases,
        choices=frozenset(f.name for f in book.functions if "choice" in f.traits),
        pieces=frozenset(f.name for f in book.functions if "piecewise" in f.traits and f.value and not f.signature),
        sizes=sizes,
        ratios=dict(_ratios(book, sizes)),
        odd=odd,
        even=frozenset(f.name for f in book.functions if "even" in f.traits),
        reflections=reflections,
        inverses=frozenset(inverses),
        generators=tuple(generators),
        relations=tuple(_relations(book)),
        definitions=_definitions(book, bases),
        constants=constants,
        summing=frozenset(_summed(left) for _, left, _ in book.sides("shorter")) - {""},
        matrix_inverses=_stating(book, "out@x == eye(n)"),
        symmetric=_stating(book, "out.T == out"),
        transposing=_stating(book, "{name}(x.T) == out.T"),
        transpose_blind=_stating(book, "{name}(x.T) == out"),
        of_products={left.data[0]: right for _, left, right in book.sides("product")},
        vanishing=frozenset(f.name for f in book.functions if _vanishes(f, book, odd, constants)),
    )


def _vanishes(function: Function, book: Book, odd: frozenset[str], constants: dict[Expr, Expr]) -> bool:
    """Whether the definition of a function of one array is 0 where the array is, as far as simple rules show.

    Not where it has a kink: there the derivative, which may divide by it, is as the record chooses.
    """
    if not function.signature or not function.value or len(function.arguments) != 1 or function.kinks:
        return False
    formula = book.formula(function, function.value)
    zero: set[Expr] = set()
    for node in topological(formula):
        inside = [child in zero for child, _ in node.args]
        if node.head == SYMBOL:
            vanishes = node.data.name == function.arguments[0][0]
        elif node.head == CONTRACTION:
            vanishes = any(inside)
        elif node.head != CALL or not all(inside[:1]):
            vanishes = node is ZERO
        elif node.data == POWER:
            vanishes = node.args[1][0].head == NUMBER and node.args[1][0].data > 0
        else:
            at_zero = constants.get(call(node.data, [(ZERO, ())], ()))
            vanishes = all(inside) and (node.data == ADD or node.data in odd or at_zero is ZERO)
        if vanishes:
            zero.add(node)
    return formula in zero


def _stating(book: Book, fact: str) -> frozenset[str]:
    """The functions whose records say this."""
    return frozenset(f.name for f in book.functions if fact.format(name=f.name) in f.facts)


def _summed(left: Expr) -> str:
    """The function that is summed, or nothing."""
    inner = left.args[0][0] if left.head == CONTRACTION and len(left.args) == 1 and not left.shape else left
    return str(inner.data[0]) if inner is not left and inner.head == PRIMITIVE else ""


def _ratios(book: Book, sizes: frozenset[str]) -> Iterator[tuple[str, Expr]]:
    """Functions whose records say that they are a size over a number."""
    for function in book.functions:
        for size in sizes:
            if (fact := f"out == {size}(x)/x") in function.facts:
                yield function.name, book.formula(function, fact.removeprefix("out =="))


def _relations(book: Book) -> Iterator[Relation]:
    """Identities that say what two squares add up to."""
    for _, left, right in book.sides("shorter"):
        if left.head != CALL or left.data != ADD or right.head != NUMBER or len(left.args) != 2:
            continue
        found = [_square(term) for term, _ in left.args]
        (first, a), (second, b) = found
        if first and second:
            yield Relation(first, second, (a, b), Fraction(right.data))


def _square(term: Expr) -> tuple[str, Fraction]:
    """The function whose square the term is a multiple of, or nothing."""
    factor, rest = Fraction(1), term
    if term.head == CONTRACTION and len(term.args) == 2 and term.args[0][0].head == NUMBER:
        factor, rest = Fraction(term.args[0][0].data), term.args[1][0]
    if rest.head == CALL and rest.data == POWER and rest.args[1][0] is number(2) and rest.args[0][0].head == CALL:
        return str(rest.args[0][0].data), factor
    return "", factor


def _read_fact(
    book: Book,
    function: Function,
    fact: str,
    bases: frozenset[str],
    reflections: dict[str, Expr],
    inverses: set[tuple[str, str]],
    generators: list[Generator],
) -> None:
    left_text, _, right_text = fact.partition("==")
    if len(function.arguments) != 1 or function.signature or function.name in bases:
        return
    left, right = book.formula(function, left_text), book.formula(function, right_text)
    argument = function.arguments[0][0]
    if left.head != CALL or len(left.args) != 1:
        return
    inner = left.args[0][0]
    if left.data in bases and (multiple := _multiple_of(inner, argument)) is not None and _only(right, {"out"}):
        generators.append(Generator(function.name, multiple, right))
    elif left.data == function.name and _multiple_of(inner, argument) == -1 and _only(right, {"out"}):
        reflections[function.name] = right
    elif inner.head == SYMBOL and inner.data.name == "out" and right.head == SYMBOL and right.data.name == argument:
        inverses.add((left.data, function.name))


def _multiple_of(node: Expr, argument: str) -> Fraction | None:
    """c when the node is c*x."""
    if node.head == SYMBOL and node.data.name == argument:
        return Fraction(1)
    if node.head == CONTRACTION and len(node.args) == 2 and not node.shape:
        (first, _), (second, _) = node.args
        if first.head == NUMBER and second.head == SYMBOL and second.data.name == argument:
            return Fraction(first.data)
    return None


def _only(node: Expr, names: set[str]) -> bool:
    return {n.data.name for n in topological(node) if n.head == SYMBOL} <= names


def _definitions(book: Book, bases: frozenset[str]) -> dict[str, Expr]:
    """Values that are rational functions of base(c*x) alone."""
    found: dict[str, Expr] = {}
    for function in book.functions:
        if not function.value or function.signature or len(function.arguments) != 1 or function.kinks:
            continue
        value = book.formula(function, function.value)
        if _rational_in_base(value, bases, function.arguments[0][0]):
            found[function.name] = value
    return found


def _rational_in_base(root: Expr, bases: frozenset[str], argument: str) -> bool:
    stack, met = [root], False
    while stack:
        node = stack.pop()
        if node.head == CALL and node.data in bases:
            if _multiple_of(node.args[0][0], argument) is None:
                return False
            met = True
        elif (
            node.head == SYMBOL
            or (node.head == CALL and node.data not in (ADD, POWER))
            or (
                node.head == CALL
                and node.data == POWER
                and (node.args[1][0].head != NUMBER or node.args[1][0].data.denominator != 1)
            )
        ):
            return False
        else:
            stack.extend(child for child, _ in node.args)
    return met


__all__ = ["ZERO", "Facts", "Generator", "facts"]

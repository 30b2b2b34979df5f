"""Recognition as a change of generator: write a group of functions in base(u), reduce, name what is left."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from derivata.errors import UndefinedError
from derivata.expr.node import CALL, POWER, Edge, Expr, Labels, axes, call, number
from derivata.expr.walk import topological
from derivata.rewrite.fold import power_of
from derivata.rewrite.instantiate import instantiate
from derivata.simplify.canonical import canonical
from derivata.simplify.facts import Facts, Generator, Relation
from derivata.simplify.multiples import content, scaled
from derivata.simplify.normal import Normaliser
from derivata.simplify.radicals import powers_replaced
from derivata.simplify.rational import Family, Rational, rational, reduced, to_flint

MOST_GROUPS = 4
MOST_TERMS = 60


@dataclass(frozen=True)
class _Group:
    """Functions of multiples of one argument."""

    base: str
    argument: Expr
    labels: Labels
    members: tuple[Family, ...]


def variants(value: Rational, normaliser: Normaliser) -> Iterator[Rational]:
    """The same function in other generators; the caller keeps the one that reads best."""
    facts = normaliser.facts
    if len(value.numerator) + len(value.denominator) > MOST_TERMS:
        return
    for group in _groups(value, facts)[:MOST_GROUPS]:
        in_base = _in_base(value, group, normaliser)
        if in_base is None:
            continue
        if _mixed(value, group, facts):
            yield in_base
        for generator in facts.generators:
            found = _in_generator(in_base, group, generator, normaliser)
            if found is not None:
                yield found
    yield from _reflected(value, normaliser)
    yield from _as_ratio(value, normaliser)
    yield from _related(value, facts)
    yield from _in_numbers(value)


def _groups(value: Rational, facts: Facts) -> list[_Group]:
    """Groups worth changing: a base function below the fraction bar, or a mix of functions."""
    found: dict[tuple[Expr, Labels], list[Family]] = {}
    for family in value.families:
        node = family.node
        if node.head != CALL or len(node.args) != 1:
            continue
        if family.kind == "base" or node.data in facts.definitions:
            inner, where = node.args[0]
            unit = content(inner)[1]
            found.setdefault((unit, tuple(family.labels[i] for i in where)), []).append(family)
    base = next(iter(sorted(facts.bases)), "")
    groups = []
    for (unit, labels), members in found.items():
        group = _Group(base, unit, labels, tuple(members))
        if _mixed(value, group, facts) or _below(value, group):
            groups.append(group)
    return groups


def _mixed(value: Rational, group: _Group, facts: Facts) -> bool:
    return len({f.node.data for f in group.members}) > 1 or (
        any(f.kind != "base" for f in group.members) and _below(value, group)
    )


def _below(value: Rational, group: _Group) -> bool:
    degrees = value.denominator.degrees()
    return len(value.denominator) > 1 and any(
        degree and family in group.members for degree, family in zip(degrees, value.families, strict=True)
    )


def _in_base(value: Rational, group: _Group, normaliser: Normaliser) -> Rational | None:
    """Every function of the group written in the base function."""
    changes: dict[Expr, Expr] = {}
    for family in group.members:
        if family.kind == "base":
            continue
        node = family.node
        inner, where = node.args[0]
        definition = normaliser.facts.definitions[node.data]
        argument = normaliser.book.by_name[node.data].arguments[0][0]
        changes[node] = instantiate(definition, {argument: (inner, where)}, node.shape, {})
    return value if not changes else _substituted(value, changes, normaliser)


def _substituted(value: Rational, changes: dict[Expr, Expr], normaliser: Normaliser) -> Rational | None:
    """The same rational function after some atoms are replaced by expressions."""
    root = canonical(value)
    inside = {n for change in changes.values() for n in topological(change)}

    def opened(node: Expr) -> tuple[Expr, bool]:
        return (changes[node], False) if node in changes and node not in inside else (node, False)

    def leaf(node: Expr, labels: Labels) -> tuple[Fraction, tuple[tuple[Family, Fraction], ...]]:
        if node.head == CALL and node.data != POWER and len(node.args) == 1:
            inner, where = node.args[0]
            node = call(node.data, [(normaliser.cluster_again(inner), where)], node.shape)
        return normaliser.leaf(node, labels)

    if root in changes:
        root = changes[root]
    try:
        return rational(root, leaf, opened)
    except UndefinedError:
        return None


def _in_generator(value: Rational, group: _Group, generator: Generator, normaliser: Normaliser) -> Rational | None:
    """base(u)**k written by a function s with base(multiple*x) == value(s(x))."""
    for index, family in enumerate(value.families):
        if family.kind != "base" or family.node.data != group.base:
            continue
        inner, where = family.node.args[0]
        if content(inner)[1] is not group.argument or tuple(family.labels[i] for i in where) != group.labels:
            continue
        step = _common_step(value, index)
        if not step:
            return None
        unit = value.units[index]
        name_argument = scaled(inner, unit * step / generator.multiple)
        named = call(generator.function, [(name_argument, where)], family.node.shape)
        image = instantiate(generator.value, {"out": (named, axes(named))}, family.node.shape, {})
        changes: dict[Expr, Expr] = {}
        exponents = {int(e[index]) for p in (value.numerator, value.denominator) for e in p.monoms()}
        low = min(exponents)
        for count in {*exponents, *(e - low for e in exponents), *(-e for e in exponents)}:
            for signed in (count, -count):
                if signed:
                    node = family.power(unit * signed)
                    changes[node] = power_of((image, axes(image)), (number(Fraction(signed, step)), ()), image.shape)
        return _substituted(value, changes, normaliser)
    return None


def _common_step(value: Rational, index: int) -> int:
    """k when only powers of the k-th power occur, in numerator and denominator alike."""
    exponents = [int(e[index]) for p in (value.numerator, value.denominator) for e in p.monoms()]
    return math.gcd(*exponents)


def _reflected(value: Rational, normaliser: Normaliser) -> Iterator[Rational]:
    """f(u) written by f(-u), for functions with a reflection."""
    for family in value.families:
        node = family.node
        if family.kind != "plain" or node.head != CALL or node.data not in normaliser.facts.reflections:
            continue
        inner, where = node.args[0]
        other = call(node.data, [(scaled(inner, Fraction(-1)), where)], node.shape)
        bound: dict[str, Edge] = {"out": (other, axes(node))}
        image = instantiate(normaliser.facts.reflections[node.data], bound, node.shape, {})
        found = _substituted(value, {node: image}, normaliser)
        if found is not None:
            yield found


def _as_ratio(value: Rational, normaliser: Normaliser) -> Iterator[Rational]:
    """A sign written as size over number, which cancels against a factor that is the number or its size.

    Not a square of it: where the number is 0 that is 0, the quotient is not.
    """
    degrees = zip(value.numerator.degrees(), value.denominator.degrees(), strict=True)
    changes: dict[Expr, Expr] = {}
    for family, (above, below) in zip(value.families, degrees, strict=True):
        node = family.node
        if node.head == CALL and node.data in normaliser.facts.ratios and above == 1 and not below:
            changes[node] = instantiate(normaliser.facts.ratios[node.data], {"x": node.args[0]}, node.shape, {})
    found = _substituted(value, changes, normaliser) if changes else None
    if found is not None and _divisors(found) <= _divisors(value):  # by nothing that was no divisor before
        yield found


def _divisors(value: Rational) -> set[Family]:
    return {f for f, degree in zip(value.families, value.denominator.degrees(), strict=True) if degree}


def _related(value: Rational, facts: Facts) -> Iterator[Rational]:
    """Squares of one function written by those of another, as of sine by cosine."""
    for relation in facts.relations:
        pairs = _pairs(value, relation)
        for i, j, a, b in [*pairs, *((j, i, b, a) for i, j, a, b in pairs)]:
            image = (to_flint(relation.constant) - to_flint(b) * value.context.gen(j) ** 2) * to_flint(1 / a)
            top, bottom = (powers_replaced(p, i, 2, image) for p in (value.numerator, value.denominator))
            shorter = len(top) + len(bottom) < len(value.numerator) + len(value.denominator)
            if shorter and not bottom.is_zero():
                yield reduced(value.with_parts(top, bottom))


def _pairs(value: Rational, relation: Relation) -> list[tuple[int, int, Fraction, Fraction]]:
    """The places of both functions of one argument among the generators."""
    places: dict[object, int] = {}
    for i, family in enumerate(value.families):
        if family.kind == "plain" and family.node.head == CALL and value.units[i] == 1:
            places[family.node.data, family.node.args, family.labels] = i
    a, b = relation.coefficients
    found = []
    for i, family in enumerate(value.families):
        other = places.get((relation.second, family.node.args, family.labels))
        if family.node.head == CALL and family.node.data == relation.first and other is not None:
            found.append((i, other, a, b))
    return found


def _in_numbers(value: Rational) -> Iterator[Rational]:
    """Squares of a size written by the number it is of."""
    places = {(f.node, f.labels): i for i, f in enumerate(value.families) if value.units[i] == 1}
    for i, family in enumerate(value.families):
        number_of = places.get(family.under)
        if family.kind == "size" and number_of is not None and value.units[i] == 1:
            square = value.context.gen(number_of) ** 2
            top, bottom = (powers_replaced(p, i, 2, square) for p in (value.numerator, value.denominator))
            if not bottom.is_zero():
                yield reduced(value.with_parts(top, bottom))

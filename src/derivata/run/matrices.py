"""Functions of whole arrays in ball arithmetic, over flat lists; the rulebook names them as `flint` code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from flint import arb, arb_mat

from derivata.errors import EvaluationError, UnsupportedError
from derivata.run.balls import (
    Ball,
    Entry,
    coefficient,
    constant,
    is_finite,
    is_zero,
    moving,
    power,
    sign_of,
    times,
    undecided,
    undefined,
)

# The entries and the sizes of each argument, row by row, give the entries of the value.
ArrayFunction: TypeAlias = "Callable[[list[list[Entry]], list[tuple[int, ...]]], list[Entry]]"
_Rows: TypeAlias = "list[list[Entry]]"


def _rows(entries: list[Entry], sizes: tuple[int, ...]) -> _Rows:
    if len(sizes) != 2:
        raise EvaluationError(f"a matrix was expected, not an array of shape {sizes}")
    return [entries[i * sizes[1] : (i + 1) * sizes[1]] for i in range(sizes[0])]


def _pivot(rows: _Rows, column: int) -> int | None:
    """The row with the entry farthest from 0; None when no ball excludes 0."""
    best, found = -1.0, None
    for i in range(column, len(rows)):
        value = constant(rows[i][column])
        if value.is_finite() and sign_of(value):
            size = float(abs(value).mid())
            if size > best:
                best, found = size, i
    return found


def _eliminate(rows: _Rows, size: int) -> Entry:
    """Gauss-Jordan on the first `size` columns, in place; the determinant, not finite when no pivot is left."""
    determinant: Entry = arb(1)
    for column in range(size):
        place = _pivot(rows, column)
        if place is None:  # singular, or not known to be regular at this precision
            singular = all(is_zero(row[column]) for row in rows[column:])
            return undefined() if singular else undecided()
        if place != column:
            rows[place], rows[column] = rows[column], rows[place]
            determinant = -determinant
        head = rows[column][column]
        determinant = determinant * head
        inverse = power(head, -1)
        rows[column] = [times(entry, inverse) for entry in rows[column]]
        for i, row in enumerate(rows):
            if i != column:
                factor = row[column]
                rows[i] = [a - times(factor, b) for a, b in zip(row, rows[column], strict=True)]
    return determinant


def inverse(arguments: list[list[Entry]], sizes: list[tuple[int, ...]]) -> list[Entry]:
    """The inverse of a square matrix."""
    size = sizes[0][0]
    rows = [[*row, *(arb(int(i == j)) for j in range(size))] for i, row in enumerate(_rows(arguments[0], sizes[0]))]
    if not is_finite(found := _eliminate(rows, size)):
        return [found] * (size * size)
    return [entry for row in rows for entry in row[size:]]


def determinant(arguments: list[list[Entry]], sizes: list[tuple[int, ...]]) -> list[Entry]:
    """The determinant of a square matrix, by minors: no division, so singular matrices are fine."""
    size = sizes[0][0]
    rows = _rows(arguments[0], sizes[0])
    if size > 6:
        return [_eliminate(rows, size)]
    minors: dict[frozenset[int], Entry] = {frozenset(): arb(1)}
    for row in rows:
        larger: dict[frozenset[int], Entry] = {}
        for columns, minor in minors.items():
            for j in set(range(size)) - columns:
                term = times(row[j], minor)
                term = -term if sum(k > j for k in columns) % 2 else term
                key = columns | {j}
                larger[key] = larger[key] + term if key in larger else term
        minors = larger
    return [minors[frozenset(range(size))]]


def exponential(arguments: list[list[Entry]], sizes: list[tuple[int, ...]]) -> list[Entry]:
    """exp of a square matrix; its slope stands above the diagonal of exp([[A, V], [0, A]])."""
    entries, size = arguments[0], sizes[0][0]
    still = all(type(entry) is arb for entry in entries)
    wide = size if still else 2 * size
    block = arb_mat(wide, wide)
    for i in range(size):
        for j in range(size):
            entry = entries[i * size + j]
            block[i, j] = constant(entry)
            if not still:
                block[size + i, size + j] = constant(entry)
                block[i, size + j] = coefficient(entry)
    value = block.exp()
    places = [(i, j) for i in range(size) for j in range(size)]
    if still:
        return [value[i, j] for i, j in places]
    return [moving(value[i, j], value[i, size + j]) for i, j in places]


def exponential_change(arguments: list[list[Entry]], sizes: list[tuple[int, ...]]) -> list[Entry]:
    """The change of exp at a square matrix along another: it stands above the diagonal of exp([[A, V], [0, A]])."""
    (entries, along), size = arguments, sizes[0][0]
    nothing: list[Entry] = [arb(0)] * size
    scale = _magnitude(along)  # linear in the direction, and FLINT takes no exp of a matrix of huge numbers
    small = [entry / scale for entry in along]
    rows = [[*a, *v] for a, v in zip(_rows(entries, sizes[0]), _rows(small, sizes[1]), strict=True)]
    rows += [[*nothing, *a] for a in _rows(entries, sizes[0])]
    wide = exponential([[entry for row in rows for entry in row]], [(2 * size, 2 * size)])
    return [entry * scale for row in _rows(wide, (2 * size, 2 * size))[:size] for entry in row[size:]]


def _magnitude(entries: list[Entry]) -> Ball:
    """A power of 2 above the entries, and at least 1."""
    ends = [abs(value).upper().man_exp() for value in map(constant, entries) if value.is_finite()]
    return arb(2) ** max([0, *(int(mantissa).bit_length() + int(exponent) for mantissa, exponent in ends)])


def _extreme(wanted: int) -> ArrayFunction:
    def extreme(arguments: list[list[Entry]], sizes: list[tuple[int, ...]]) -> list[Entry]:
        best, *others = arguments[0]
        for entry in others:
            sign = sign_of(entry - best)
            if sign is None:
                return [undecided()]
            best = entry if sign == wanted else best
        return [best]

    return extreme


def product(arguments: list[list[Entry]], sizes: list[tuple[int, ...]]) -> list[Entry]:
    """The product of the entries."""
    found: Entry = arb(1)
    for entry in arguments[0]:
        found = times(found, entry)
    return [found]


ARRAY_FUNCTIONS: Mapping[str, ArrayFunction] = MappingProxyType(
    {
        "inv": inverse,
        "det": determinant,
        "expm": exponential,
        "expm_frechet": exponential_change,
        "amax": _extreme(1),
        "amin": _extreme(-1),
        "prod": product,
    }
)


def array_function(code: str, name: str) -> ArrayFunction:
    """The function a record's `flint` code names."""
    if code not in ARRAY_FUNCTIONS:
        raise UnsupportedError(f"{name} cannot be evaluated exactly, so its derivatives cannot be checked")
    return ARRAY_FUNCTIONS[code]


__all__ = ["ARRAY_FUNCTIONS", "ArrayFunction", "array_function"]

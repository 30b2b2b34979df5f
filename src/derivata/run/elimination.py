"""Determinants and inverses of matrices of balls, and of balls that move along a direction."""

from __future__ import annotations

from typing import TypeAlias

from flint import arb

from derivata.errors import EvaluationError
from derivata.run.balls import Entry, constant, is_finite, is_zero, power, sign_of, times, undecided, undefined

Rows: TypeAlias = "list[list[Entry]]"


def rows_of(entries: list[Entry], sizes: tuple[int, ...]) -> Rows:
    if len(sizes) != 2:
        raise EvaluationError(f"a matrix was expected, not an array of shape {sizes}")
    return [entries[i * sizes[1] : (i + 1) * sizes[1]] for i in range(sizes[0])]


def _pivot(rows: Rows, column: int) -> int | None:
    """The row with the entry farthest from 0; None when no ball excludes 0."""
    best, found = -1.0, None
    for i in range(column, len(rows)):
        value = constant(rows[i][column])
        if value.is_finite() and sign_of(value):
            size = float(abs(value).mid())
            if size > best:
                best, found = size, i
    return found


def _eliminate(rows: Rows, size: int) -> Entry:
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
    rows = [[*row, *(arb(int(i == j)) for j in range(size))] for i, row in enumerate(rows_of(arguments[0], sizes[0]))]
    if not is_finite(found := _eliminate(rows, size)):
        return [found] * (size * size)
    return [entry for row in rows for entry in row[size:]]


def determinant(arguments: list[list[Entry]], sizes: list[tuple[int, ...]]) -> list[Entry]:
    """The determinant of a square matrix, by minors: no division, so singular matrices are fine."""
    size = sizes[0][0]
    rows = rows_of(arguments[0], sizes[0])
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

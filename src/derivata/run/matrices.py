"""Functions of whole arrays in ball arithmetic, over flat lists; the rulebook names them as `flint` code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from flint import arb, arb_mat

from derivata.errors import UnsupportedError
from derivata.run.balls import (
    Ball,
    Entry,
    coefficient,
    constant,
    moving,
    sign_of,
    times,
    undecided,
)
from derivata.run.elimination import determinant, inverse, rows_of
from derivata.run.spectral import largest_eigenvalue, largest_projection, triangular_factor

# The entries and the sizes of each argument, row by row, give the entries of the value.
ArrayFunction: TypeAlias = "Callable[[list[list[Entry]], list[tuple[int, ...]]], list[Entry]]"


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
    rows = [[*a, *v] for a, v in zip(rows_of(entries, sizes[0]), rows_of(small, sizes[1]), strict=True)]
    rows += [[*nothing, *a] for a in rows_of(entries, sizes[0])]
    wide = exponential([[entry for row in rows for entry in row]], [(2 * size, 2 * size)])
    return [entry * scale for row in rows_of(wide, (2 * size, 2 * size))[:size] for entry in row[size:]]


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
        "eigmax": largest_eigenvalue,
        "eigmax_projection": largest_projection,
        "cholesky": triangular_factor,
    }
)


def array_function(code: str, name: str) -> ArrayFunction:
    """The function a record's `flint` code names."""
    if code not in ARRAY_FUNCTIONS:
        raise UnsupportedError(f"{name} cannot be evaluated exactly, so its derivatives cannot be checked")
    return ARRAY_FUNCTIONS[code]


__all__ = ["ARRAY_FUNCTIONS", "ArrayFunction", "array_function"]

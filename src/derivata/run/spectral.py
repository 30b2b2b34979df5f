"""Eigenvalues and Cholesky factors in ball arithmetic. Slopes come from determinants, not from the rules they judge."""

from __future__ import annotations

from flint import acb_mat, arb

from derivata.run.balls import (
    Ball,
    Entry,
    coefficient,
    constant,
    is_finite,
    moving,
    power,
    sign_of,
    times,
    undecided,
    undefined,
)
from derivata.run.elimination import Rows, determinant, rows_of

Sizes = list[tuple[int, ...]]


def largest_eigenvalue(arguments: list[list[Entry]], sizes: Sizes) -> list[Entry]:
    """The largest eigenvalue of the symmetric part of a matrix."""
    return [_largest(_symmetric(arguments[0], sizes[0]))]


def largest_projection(arguments: list[list[Entry]], sizes: Sizes) -> list[Entry]:
    """v*v.T for its unit eigenvector v: the adjugate of what is singular there, over its trace."""
    matrix = _symmetric(arguments[0], sizes[0])
    size = len(matrix)
    below = _less(_largest(matrix), matrix)
    places = range(size)
    minors = [[_minor(below, i, j) for j in places] for i in places]
    scale = power(sum((minors[i][i] for i in places[1:]), minors[0][0]), -1)
    if not is_finite(scale):
        return [scale] * size**2
    return [times(minors[i][j], scale) for i in places for j in places]


def triangular_factor(arguments: list[list[Entry]], sizes: Sizes) -> list[Entry]:
    """The lower triangular factor of the symmetric part of a matrix, by L*D*L.T: roots are taken last."""
    matrix = _symmetric(arguments[0], sizes[0])
    size = len(matrix)
    lower: Rows = [[arb(int(i == j)) for j in range(size)] for i in range(size)]
    roots: list[Entry] = []
    squares: list[Entry] = []
    for j in range(size):
        rest = [row[j] for row in matrix]
        for k in range(j):
            along = times(lower[j][k], squares[k])
            rest = [entry - times(lower[i][k], along) for i, entry in enumerate(rest)]
        sign = sign_of(constant(rest[j]))
        if sign is None or sign <= 0:
            return [undecided() if sign is None else undefined()] * size**2
        inverse = power(rest[j], -1)
        for i in range(j + 1, size):
            lower[i][j] = times(rest[i], inverse)
        squares.append(rest[j])
        roots.append(power(rest[j], arb(0.5)))
    return [times(lower[i][j], roots[j]) for i in range(size) for j in range(size)]


def _symmetric(entries: list[Entry], sizes: tuple[int, ...]) -> Rows:
    rows, half = rows_of(entries, sizes), arb(0.5)
    return [[(rows[i][j] + rows[j][i]) * half for j in range(len(rows))] for i in range(len(rows))]


def _less(value: Entry, matrix: Rows) -> Rows:
    """value*eye - matrix."""
    return [[(value if i == j else arb(0)) - entry for j, entry in enumerate(row)] for i, row in enumerate(matrix)]


def _minor(rows: Rows, i: int, j: int) -> Entry:
    left = [entry for k, row in enumerate(rows) if k != i for m, entry in enumerate(row) if m != j]
    size = len(rows) - 1
    found = determinant([left], [(size, size)])[0]
    return -found if (i + j) % 2 else found


def _largest(matrix: Rows) -> Entry:
    """The value, and by the characteristic polynomial p(value, t) = 0 its slope: -(dp/dt)/(dp/dvalue)."""
    size = len(matrix)
    still = [[constant(entry) for entry in row] for row in matrix]
    if (value := _largest_of(still)) is None:
        return undecided()
    if all(type(entry) is arb for row in matrix for entry in row):
        return value
    whole: Sizes = [(size, size)]
    along = determinant([[e for row in _less(value, matrix) for e in row]], whole)[0]
    beside = determinant([[e for row in _less(moving(value, arb(1)), still) for e in row]], whole)[0]
    return moving(value, -coefficient(along) / coefficient(beside))


def _largest_of(matrix: list[list[Ball]]) -> Ball | None:
    """The largest eigenvalue of a symmetric matrix of balls; None where this precision does not tell."""
    if not all(entry.is_finite() for row in matrix for entry in row):
        return undefined()
    try:
        *others, largest = sorted(_discs(acb_mat(matrix)), key=lambda disc: float(disc.mid()))
    except (ValueError, ZeroDivisionError):
        return None
    for disc in reversed(others):  # a multiple one is in some of the discs that meet
        largest = largest.union(disc) if largest.overlaps(disc) else largest
    return largest


def _discs(matrix: acb_mat) -> list[Ball]:
    """Gershgorin's discs, cut by the real line, of the matrix in the basis of its approximate eigenvectors."""
    vectors = matrix.eig(right=True, algorithm="approx")[1]
    similar = vectors.inv() * matrix * vectors
    places = range(matrix.nrows())
    spread = [sum((abs(similar[i, j]) for j in places if j != i), abs(similar[i, i].imag)) for i in places]
    return [similar[i, i].real + arb(0, spread[i].upper()) for i in places]

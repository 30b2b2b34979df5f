"""Names that reading writes out: what they mean has its own rules already."""

from __future__ import annotations

from derivata.rules.record import Abbreviation

ABBREVIATIONS = (
    Abbreviation(
        name="solve",
        args="A, b",
        means="inv(A)@b",
        doc="The x with A@x == b, for a vector b or the columns of a matrix; code solves and forms no inverse.",
        where="A[n,n], b[n]",
        numpy="linalg.solve",
        refs=("Golub, Van Loan: Matrix Computations, chapter 3",),
    ),
    Abbreviation(
        name="matmul",
        args="A, B",
        means="A@B",
        doc="The product of matrices as a function, as in NumPy.",
        where="A[n,m], B[m,k]",
        numpy="matmul",
    ),
)

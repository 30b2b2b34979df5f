"""Functions of square matrices; leading axes are mapped over."""

from __future__ import annotations

from derivata.rules.record import Function

_COOKBOOK = "Petersen, Pedersen: The Matrix Cookbook"
_MAGNUS = "Magnus, Neudecker: Matrix Differential Calculus, chapter 8"

MATRICES = (
    Function(
        name="inv",
        args="x",
        signature="(n,n)->(n,n)",
        doc="The inverse of a square matrix.",
        value="",
        d="-out@dx@out",
        rule="inverse",
        latex=r"{#x}^{-1}",
        domain="det(x) != 0",
        facts=("out@x == eye(n)", "x@out == eye(n)", "inv(out) == x", "inv(x.T) == out.T", "det(out) == 1/det(x)"),
        code={"flint": "inv", "numpy": "np.linalg.inv", "torch": "torch.linalg.inv", "jax": "jnp.linalg.inv"},
        notes="Code solves inv(A)@b as a linear system and never forms the inverse for it.",
        refs=(_COOKBOOK + ", 2.2", _MAGNUS),
    ),
    Function(
        name="det",
        args="x",
        signature="(n,n)->()",
        doc="The determinant of a square matrix.",
        value="",
        d="out*tr(inv(x)@dx)",
        rule="Jacobi's formula",
        latex=r"\det #x",
        domain="det(x) != 0",
        facts=("det(x.T) == out", "det(2*x) == 2**n*out", "det(x@x) == out**2"),
        code={"flint": "det", "numpy": "np.linalg.det", "torch": "torch.linalg.det", "jax": "jnp.linalg.det"},
        notes="Overflows early for large matrices; logdet does not. The derivative exists at singular matrices "
        "too (by the adjugate), this form of it does not.",
        refs=(_COOKBOOK + ", 2.1", _MAGNUS),
    ),
    Function(
        name="logdet",
        args="x",
        signature="(n,n)->()",
        doc="The logarithm of the absolute value of the determinant.",
        value="log(abs(det(x)))",
        d="tr(inv(x)@dx)",
        rule="log-determinant",
        latex=r"\log\lvert\det #x\rvert",
        domain="det(x) != 0",
        traits=("even", "piecewise"),
        facts=("exp(out) == abs(det(x))", "logdet(x.T) == out", "logdet(inv(x)) == -out"),
        code={
            "numpy": "np.linalg.slogdet(x)[1]",
            "torch": "torch.linalg.slogdet(x)[1]",
            "jax": "jnp.linalg.slogdet(x)[1]",
        },
        notes="Of a positive definite matrix it is twice the sum of the logarithms of its Cholesky factor's diagonal.",
        refs=(_COOKBOOK + ", 2.1.4", _MAGNUS),
    ),
    Function(
        name="expm",
        args="x",
        signature="(n,n)->(n,n)",
        doc="The exponential of a square matrix: the sum of its powers over factorials.",
        value="",
        d="expm_frechet(x, dx)",
        rule="matrix exponential",
        latex=r"\operatorname{expm}(#x)",
        facts=("expm(x.T) == out.T", "det(out) == exp(tr(x))", "expm(-x)@out == eye(n)"),
        code={
            "flint": "expm",
            "numpy": "scipy.linalg.expm",
            "torch": "torch.linalg.matrix_exp",
            "jax": "jax.scipy.linalg.expm",
        },
        notes="Not the exponential of the entries, which is exp.",
        refs=("Higham: Functions of Matrices, chapter 10",),
    ),
    Function(
        name="expm_frechet",
        args="x, v",
        signature="(n,n),(n,n)->(n,n)",
        doc="How the matrix exponential changes when its argument x changes along v.",
        value="",
        d="expm_frechet(x, dv)",
        rule="linear in its second argument",
        latex=r"L_{\operatorname{expm}}(#x, #v)",
        facts=("expm_frechet(x, 2*v) == 2*out", "tr(out) == tr(expm(x)@v)", "expm_frechet(x.T, v.T) == out.T"),
        held=("x",),
        transposed="expm_frechet(x.T, g)",
        code={
            "flint": "expm_frechet",
            "numpy": "scipy.linalg.expm_frechet(x, v, compute_expm=False)",
            "torch": "torch.func.jvp(torch.linalg.matrix_exp, (x,), (v,))[1]",
            "jax": "jax.scipy.linalg.expm_frechet(x, v, compute_expm=False)",
        },
        notes="The upper right block of expm of [[x, v], [0, x]].",
        refs=("Higham: Functions of Matrices, 10.6",),
    ),
)

"""The extreme eigenvalues of symmetric matrices, and Cholesky factors. Of any matrix the symmetric part is meant."""

from __future__ import annotations

from derivata.rules.record import Function

_MAGNUS = "Magnus, Neudecker: Matrix Differential Calculus, 8.8"
_GOLUB = "Golub, Pereyra: The Differentiation of Pseudo-Inverses, 1973"
_SIMPLE = "tr(eigmax_projection(x)) > 0"  # of a multiple eigenvalue the projection has no value
_OUTER = "(lambda v: v[..., :, None]*v[..., None, :])"
_SYMMETRIC = "(x + np.swapaxes(x, -1, -2))/2"

SPECTRAL = (
    Function(
        name="eigmax",
        args="x",
        aliases=("lambda_max",),
        signature="(n,n)->()",
        doc="The largest eigenvalue of a symmetric matrix.",
        value="",
        d="sum(eigmax_projection(x)*dx)",
        rule="largest eigenvalue",
        domain=_SIMPLE,
        latex=r"\lambda_{\max}(#x)",
        traits=("convex",),
        facts=("eigmin(-x) == -out", "eigmax(x + eye(n)) == out + 1", "eigmax(x.T) == out"),
        code={
            "flint": "eigmax",
            "numpy": f"np.linalg.eigvalsh({_SYMMETRIC})[..., -1]",
            "torch": "torch.linalg.eigvalsh((x + x.mT)/2)[..., -1]",
            "jax": "jnp.linalg.eigvalsh((x + x.mT)/2)[..., -1]",
        },
        notes="Where it is a multiple eigenvalue it has no derivative; the unit eigenvectors give its subgradients.",
        refs=(_MAGNUS,),
    ),
    Function(
        name="eigmin",
        args="x",
        aliases=("lambda_min",),
        signature="(n,n)->()",
        doc="The smallest eigenvalue of a symmetric matrix.",
        value="-eigmax(-x)",
        d="sum(eigmax_projection(-x)*dx)",
        rule="smallest eigenvalue",
        domain="tr(eigmax_projection(-x)) > 0",
        latex=r"\lambda_{\min}(#x)",
        traits=("concave",),
        facts=("eigmax(-x) == -out", "eigmin(x + eye(n)) == out + 1", "eigmin(x.T) == out"),
        code={
            "numpy": f"np.linalg.eigvalsh({_SYMMETRIC})[..., 0]",
            "torch": "torch.linalg.eigvalsh((x + x.mT)/2)[..., 0]",
            "jax": "jnp.linalg.eigvalsh((x + x.mT)/2)[..., 0]",
        },
        notes="Where it is a multiple eigenvalue it has no derivative.",
        refs=(_MAGNUS,),
    ),
    Function(
        name="eigmax_projection",
        args="x",
        signature="(n,n)->(n,n)",
        doc="outer(v, v) for the unit eigenvector v of the largest eigenvalue of a symmetric matrix.",
        value="",
        d="out@((dx + dx.T)/2)@eigmax_resolvent(x) + eigmax_resolvent(x)@((dx + dx.T)/2)@out",
        rule="projection on an eigenvector",
        domain=_SIMPLE,
        latex=r"P_{\lambda_{\max}}(#x)",
        range="[-1/2, 1]",
        facts=(
            "out.T == out",
            "out@out == out",
            "tr(out) == 1",
            "tr(out@x) == eigmax(x)",
            "eigmax_projection(x.T) == out",
        ),
        code={
            "flint": "eigmax_projection",
            "numpy": f"{_OUTER}(np.linalg.eigh(x + np.swapaxes(x, -1, -2))[1][..., -1])",
            "torch": f"{_OUTER}(torch.linalg.eigh(x + x.mT)[1][..., -1])",
            "jax": f"{_OUTER}(jnp.linalg.eigh(x + x.mT)[1][..., -1])",
        },
        notes="The eigenvector has a sign that is nobody's choice; its outer product has none.",
        refs=(_MAGNUS,),
    ),
    Function(
        name="eigmax_resolvent",
        args="x",
        signature="(n,n)->(n,n)",
        doc="The pseudo-inverse of eigmax(x)*eye(n) - x for a symmetric matrix x.",
        value="inv(eigmax(x)*eye(n) - (x + x.T)/2 + eigmax_projection(x)) - eigmax_projection(x)",
        d="out@((dx + dx.T)/2)@out - sum(eigmax_projection(x)*dx)*out@out"
        " - eigmax_projection(x)@((dx + dx.T)/2)@out@out - out@out@((dx + dx.T)/2)@eigmax_projection(x)",
        rule="pseudo-inverse beside an eigenvalue",
        domain=_SIMPLE,
        latex=r"{(\lambda_{\max} I - #x)}^{+}",
        facts=("out.T == out", "out@eigmax_projection(x) == zeros(n, n)", "eigmax_resolvent(x.T) == out"),
        notes="It says how an eigenvector turns: towards the other ones, the nearer their eigenvalues the more.",
        refs=(_GOLUB,),
    ),
    Function(
        name="cholesky",
        args="x",
        signature="(n,n)->(n,n)",
        doc="The lower triangular matrix with positive diagonal whose product with its transpose is x.",
        value="",
        d="out@(tril(inv(out)@(dx + dx.T)@inv(out).T) - (inv(out)@(dx + dx.T)@inv(out).T)*eye(n)/2)/2",
        rule="Cholesky factor",
        latex=r"\operatorname{chol}(#x)",
        domain="eigmin(x) > 0",
        facts=("out@out.T == (x + x.T)/2", "tril(out) == out", "2*sum(log(diag(out))) == logdet((x + x.T)/2)"),
        code={
            "flint": "cholesky",
            "numpy": f"np.linalg.cholesky({_SYMMETRIC})",
            "torch": "torch.linalg.cholesky((x + x.mT)/2)",
            "jax": "jnp.linalg.cholesky(x)",
        },
        notes="Sums of logarithms of its diagonal are read as log-determinants.",
        refs=("Murray: Differentiation of the Cholesky decomposition, 2016",),
    ),
)

"""The error function and its kin."""

from __future__ import annotations

from derivata.rules.record import Function

SPECIAL = (
    Function(
        name="erf",
        args="x",
        doc="The error function: the probability that a normal variable of variance 1/2 is within x of its mean.",
        value="",
        d="2/sqrt(pi)*exp(-x**2)*dx",
        rule="error function",
        latex=r"\operatorname{erf}(#x)",
        range="(-1, 1)",
        traits=("increasing", "odd"),
        facts=("out == 1 - erfc(x)", "out == 2*ndtr(sqrt(2)*x) - 1"),
        code={
            "flint": "erf",
            "numpy": "np.vectorize(math.erf, otypes=[float])(x)",
            "torch": "torch.erf",
            "jax": "jax.scipy.special.erf",
        },
        notes="1 - erf(x) rounds to 0 in float64 from about 6 on; erfc(x) keeps its digits.",
        refs=("DLMF 7.2",),
    ),
    Function(
        name="erfc",
        args="x",
        doc="The complementary error function, 1 - erf(x), with all its digits for a large x.",
        value="1 - erf(x)",
        d="-2/sqrt(pi)*exp(-x**2)*dx",
        rule="complementary error function",
        latex=r"\operatorname{erfc}(#x)",
        range="(0, 2)",
        traits=("decreasing",),
        facts=("erfc(-x) == 2 - out", "out == 2*ndtr(-sqrt(2)*x)"),
        code={
            "flint": "erfc",
            "numpy": "np.vectorize(math.erfc, otypes=[float])(x)",
            "torch": "torch.erfc",
            "jax": "jax.scipy.special.erfc",
        },
        notes="Underflows in float64 above about 26.5.",
        refs=("DLMF 7.2",),
    ),
    Function(
        name="ndtr",
        args="x",
        aliases=("normal_cdf",),
        doc="The distribution function of the standard normal: the probability of a value below x.",
        value="(1 + erf(x/sqrt(2)))/2",
        d="exp(-x**2/2)/sqrt(2*pi)*dx",
        rule="normal distribution function",
        latex=r"\Phi(#x)",
        unicode="Φ",
        range="(0, 1)",
        traits=("increasing",),
        facts=("ndtr(-x) == 1 - out", "2*out == erfc(-x/sqrt(2))"),
        stable="erfc(-x/sqrt(2))/2",
        code={"torch": "torch.special.ndtr", "jax": "jax.scipy.special.ndtr"},
        notes="Its derivative is the normal density. In the left tail 1 + erf cancels; erfc does not.",
        refs=("DLMF 7.18(i)", "Bishop: Pattern Recognition and Machine Learning, 4.3.5"),
    ),
)

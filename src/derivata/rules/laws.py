"""How differentiation goes through operations. An example is an equation that holds."""

from __future__ import annotations

from derivata.rules.record import Law

_MATRICES = "Magnus, Neudecker: Matrix Differential Calculus, chapter 8"
_CALCULUS = "Spivak: Calculus, chapter 10"

LAWS = (
    Law(
        name="component",
        doc="A component of a changing array changes as that component of the change.",
        equation="d(u[k]) = du[k]",
        example="d(z[k]) = dz[k] where z[n]",
        refs=(_MATRICES,),
    ),
    Law(
        name="constant",
        doc="What does not contain the variable does not change with it.",
        equation="d/dx[c] = 0",
        example="d/dx[a**2 + 3] = 0",
        refs=(_CALCULUS,),
    ),
    Law(
        name="variable",
        doc="A variable changes exactly as fast as itself.",
        equation="d/dx[x] = 1",
        example="d/dx[x] = 1",
        refs=(_CALCULUS,),
    ),
    Law(
        name="sum rule",
        doc="The change of a sum is the sum of the changes.",
        equation="d(u + v) = du + dv",
        example="d/dx[x**2 + sin(x)] = 2*x + cos(x)",
        refs=(_CALCULUS,),
    ),
    Law(
        name="constant multiple",
        doc="A factor that does not change stands outside.",
        equation="d(c*u) = c*du",
        example="d/dx[5*exp(x)] = 5*exp(x)",
        refs=(_CALCULUS,),
    ),
    Law(
        name="product rule",
        doc="Each factor changes in turn while the others are held.",
        equation="d(u*v) = v*du + u*dv",
        example="d/dx[x*exp(x)] = exp(x) + x*exp(x)",
        refs=(_CALCULUS,),
    ),
    Law(
        name="quotient rule",
        doc="A quotient rises with its numerator and falls with its denominator.",
        equation="d(u/v) = (v*du - u*dv)/v**2",
        example="d/dx[sin(x)/x] = (x*cos(x) - sin(x))/x**2",
        refs=(_CALCULUS,),
    ),
    Law(
        name="chain rule",
        doc="The change of an outer function is its slope at the inner value times the change of the inner one.",
        equation="d(f(u)) = f'(u)*du",
        example="d/dx[sin(x**2)] = cos(x**2)*2*x",
        refs=(_CALCULUS,),
    ),
    Law(
        name="power rule",
        doc="The exponent comes down as a factor and is lowered by 1.",
        equation="d(u**n) = n*u**(n - 1)*du",
        example="d/dx[x**5] = 5*x**4",
        refs=(_CALCULUS,),
    ),
    Law(
        name="sums",
        doc="A sum over an index or an axis is differentiated term by term.",
        equation="d(sum(u)) = sum(du)",
        example="d(sum(w**2)) = sum(2*w*dw) where w[n]",
        refs=(_MATRICES,),
    ),
    Law(
        name="transpose",
        doc="A transpose changes as its matrix does, on the other axes.",
        equation="d(A.T) = dA.T",
        example="d(A.T) = dA.T where A[n,k]",
        refs=(_MATRICES,),
    ),
    Law(
        name="trace and diagonal",
        doc="What picks or sums entries of a matrix does the same with its change.",
        equation="d(tr(A)) = tr(dA)",
        example="d(tr(A)) = tr(dA) where A[n,n]",
        refs=(_MATRICES,),
    ),
    Law(
        name="matrix product",
        doc="The product rule with the order of the factors kept.",
        equation="d(A@B) = dA@B + A@dB",
        example="d(X@w) = dX@w + X@dw where X[n,k], w[k]",
        refs=(_MATRICES,),
    ),
    Law(
        name="total derivative",
        doc="When several variables change together, the change is the sum of what each one causes.",
        equation="df = df/dx*dx + df/dy*dy",
        example="d(x**2*y) = 2*x*y*dx + x**2*dy",
        refs=("Spivak: Calculus on Manifolds, chapter 2",),
    ),
    Law(
        name="collect the change",
        doc="The differential is brought to one product with the change of the variable.",
        equation="df = tr(G.T@dX)",
        example="d(tr(X.T@X)) = tr((2*X).T@dX) where X[n,k]",
        refs=(_MATRICES,),
    ),
    Law(
        name="gradient",
        doc="What multiplies dX, entry by entry, under the sum is the gradient; it has the shape of X.",
        equation="df = sum(G*dX), so G is the gradient of f by X",
        example="d(x@x) = sum(2*x*dx) where x[n], so the gradient is 2*x",
        refs=(_MATRICES,),
    ),
    Law(
        name="partial derivative",
        doc="By one variable: every other one is held constant, so its change is 0.",
        equation="d/dx[f(x, y)] is what multiplies dx when dy = 0",
        example="d/dx[x**2*y + y**3] = 2*x*y",
        refs=("Spivak: Calculus on Manifolds, chapter 2",),
    ),
    Law(
        name="simplify",
        doc="Algebra only: the value stays the same, the form gets shorter.",
        equation="u = v wherever both are defined",
        example="x*exp(x) + exp(x) = (x + 1)*exp(x)",
        refs=("Graham, Knuth, Patashnik: Concrete Mathematics, chapter 2",),
    ),
    Law(
        name="recognise",
        doc="A known function is seen in the algebra and named.",
        equation="u = f(v) by the definition of f",
        example="1/(1 + exp(-x)) = sigmoid(x)",
        refs=("Goodfellow, Bengio, Courville: Deep Learning, 3.10",),
    ),
)

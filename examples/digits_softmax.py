"""Train softmax regression on scikit-learn's handwritten digits (1797 x 64) from its formula alone.

Derivata turns the objective into a derivation, a verified gradient and NumPy code; SciPy minimises it;
scikit-learn, given the same objective, has to find the same coefficients.
"""

import inspect
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import derivata as dv

OBJECTIVE = "-sum(Y*log(softmax(X@W, axis=1))) + lam/2*sum(W**2)"
SHAPES = "X[n,d], Y[n,k], W[d,k]"
LAM = 1.0
PICTURE = Path("digits_softmax.png")

# The data: brightness from 0 to 1, labels as rows of zeros with a single 1.
data = load_digits()
X = data.data / data.data.max()
Y = np.eye(10)[data.target]

# The model: one line of mathematics.
loss = dv.read(OBJECTIVE, where=SHAPES)
derivation = dv.derive(loss, "W")
source = dv.code(loss, wrt="W", target="numpy")
print(f"objective  {loss}\ngradient   {derivation.result}\n{derivation.check}\n\n{source}")

namespace: dict[str, object] = {}
exec(compile(source, "<derivata>", "exec"), namespace)
[loss_and_gradient] = filter(inspect.isfunction, namespace.values())

# The training.
latest = (np.inf, np.inf)  # loss and norm of the gradient where they were last computed
history: list[float] = []


def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
    global latest
    value, gradient = loss_and_gradient(X=X, Y=Y, W=flat.reshape(64, 10), lam=LAM)
    latest = (float(value), float(np.linalg.norm(gradient)))
    return latest[0], gradient.ravel()


def progress(intermediate_result: OptimizeResult) -> None:
    history.append(intermediate_result.fun)
    line = f"iteration {len(history):3d}   loss {latest[0]:15.10f}   |gradient| {latest[1]:.1e}"
    if sys.stdout.isatty():
        print(f"\r{line}", end="", flush=True)
    elif len(history) % 20 == 1:
        print(line)


start = np.zeros(64 * 10)
found = minimize(objective, start, jac=True, method="L-BFGS-B", callback=progress, options={"ftol": 0, "gtol": 1e-8})
W = found.x.reshape(64, 10)
accuracy = np.mean(np.argmax(X @ W, axis=1) == data.target)
print(f"\ntrained: loss {found.fun:.10f} after {found.nit} iterations, accuracy {accuracy:.1%}")

# The picture.
plt.switch_backend("Agg")
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.semilogy(range(1, len(history)), np.array(history[:-1]) - history[-1], nonpositive="mask")
axes.set(xlabel="iteration", ylabel="loss above its minimum")
axes.set_title(f"Softmax regression, digits\n{OBJECTIVE}")
figure.savefig(PICTURE, dpi=120)
print(f"loss curve: {PICTURE.resolve()}")

# The judge: the same objective (C is 1/lam).
judge = LogisticRegression(C=1 / LAM, fit_intercept=False, solver="newton-cholesky", tol=1e-12)
theirs = judge.fit(X, data.target).coef_.T
difference = np.linalg.norm(W - theirs) / np.linalg.norm(theirs)
print(f"coefficients against scikit-learn's: relative difference {difference:.1e}")
sys.exit(0 if difference < 1e-5 else "the coefficients differ by more than 1e-5")

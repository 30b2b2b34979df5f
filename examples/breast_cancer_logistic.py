"""Train logistic regression on the Wisconsin breast-cancer data (569 x 30) from its formula alone.

Derivata turns the objective into a derivation, a verified gradient and NumPy code; SciPy minimises it;
scikit-learn, given the same objective, has to find the same coefficients.
"""

import inspect
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import OptimizeResult, minimize
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

import derivata as dv

OBJECTIVE = "sum(log(1 + exp(-y*(X@w)))) + lam/2*sum(w**2)"
SHAPES = "X[n,d], y[n], w[d]"
LAM = 1.0
PICTURE = Path("breast_cancer_logistic.png")

# The data: standardised features and a column of ones for the intercept, labels -1 and 1.
data = load_breast_cancer()
features = (data.data - data.data.mean(axis=0)) / data.data.std(axis=0)
X = np.column_stack([features, np.ones(len(features))])
y = 2.0 * data.target - 1.0

# The model: one line of mathematics.
loss = dv.read(OBJECTIVE, where=SHAPES)
derivation = dv.derive(loss, "w")
source = dv.code(loss, wrt="w", target="numpy")
print(f"objective  {loss}\ngradient   {derivation.result}\n{derivation.check}\n\n{source}")

namespace: dict[str, object] = {}
exec(compile(source, "<derivata>", "exec"), namespace)
[loss_and_gradient] = filter(inspect.isfunction, namespace.values())

# The training.
latest = (np.inf, np.inf)  # loss and norm of the gradient where they were last computed
history: list[float] = []


def objective(w: np.ndarray) -> tuple[float, np.ndarray]:
    global latest
    value, gradient = loss_and_gradient(X=X, y=y, w=w, lam=LAM)
    latest = (float(value), float(np.linalg.norm(gradient)))
    return latest[0], gradient


def progress(intermediate_result: OptimizeResult) -> None:
    history.append(intermediate_result.fun)
    line = f"iteration {len(history):3d}   loss {latest[0]:15.10f}   |gradient| {latest[1]:.1e}"
    if sys.stdout.isatty():
        print(f"\r{line}", end="", flush=True)
    elif len(history) % 20 == 1:
        print(line)


start = np.zeros(X.shape[1])
found = minimize(objective, start, jac=True, method="L-BFGS-B", callback=progress, options={"ftol": 0, "gtol": 1e-8})
accuracy = np.mean(np.sign(X @ found.x) == y)
print(f"\ntrained: loss {found.fun:.10f} after {found.nit} iterations, accuracy {accuracy:.1%}")

# The picture.
plt.switch_backend("Agg")
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.semilogy(range(1, len(history)), np.array(history[:-1]) - history[-1], nonpositive="mask")
axes.set(xlabel="iteration", ylabel="loss above its minimum")
axes.set_title(f"Logistic regression, breast cancer\n{OBJECTIVE}")
figure.savefig(PICTURE, dpi=120)
print(f"loss curve: {PICTURE.resolve()}")

# The judge: the same objective (C is 1/lam; both sides penalise the column of ones like any other).
judge = LogisticRegression(C=1 / LAM, fit_intercept=False, solver="newton-cholesky", tol=1e-12)
theirs = judge.fit(X, y).coef_[0]
difference = np.linalg.norm(found.x - theirs) / np.linalg.norm(theirs)
print(f"coefficients against scikit-learn's: relative difference {difference:.1e}")
sys.exit(0 if difference < 1e-5 else "the coefficients differ by more than 1e-5")

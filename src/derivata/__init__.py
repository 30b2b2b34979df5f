"""Derivata: the calculus behind machine learning, derived, explained, verified, and ready to run."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from derivata.errors import DerivataError
from derivata.expr.node import Expr, set_face

if TYPE_CHECKING:
    from derivata.render.derivation import Derivation
    from derivata.verbs import (
        code,
        convexity,
        derive,
        evaluate,
        gauss_newton,
        gradient,
        gradients,
        hessian,
        hvp,
        jacobian,
        jvp,
        normal,
        read,
        vjp,
        worked,
    )

__version__ = "0.1.0"
_VERBS = (
    "code",
    "convexity",
    "derive",
    "evaluate",
    "gauss_newton",
    "gauss_newton",
    "gradient",
    "gradients",
    "hessian",
    "hvp",
    "hvp",
    "jacobian",
    "jvp",
    "normal",
    "read",
    "vjp",
    "worked",
)


def __getattr__(name: str) -> Any:
    # The engine is loaded when it is first asked for: `import derivata` itself stays light.
    if name in _VERBS:
        return getattr(importlib.import_module("derivata.verbs"), name)
    if name == "Derivation":
        return importlib.import_module("derivata.render.derivation").Derivation
    raise AttributeError(f"module 'derivata' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_VERBS, "Derivation"])


def _latex(node: Expr, **options: Any) -> str:
    return str(importlib.import_module("derivata.render.latex").latex(node, **options))


def _unicode(node: Expr, **options: Any) -> str:
    return str(importlib.import_module("derivata.render.unicode").unicode(node, **options))


set_face("latex", _latex)
set_face("unicode", _unicode)

__all__ = [
    "DerivataError",
    "Derivation",
    "Expr",
    "__version__",
    "code",
    "convexity",
    "derive",
    "evaluate",
    "gauss_newton",
    "gradient",
    "gradients",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "normal",
    "read",
    "vjp",
    "worked",
]

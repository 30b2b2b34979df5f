"""What was declared of a symbol, looked for in the values given: forms were simplified by it."""

from __future__ import annotations

from typing import Any

import numpy as np

from derivata.expr.symbol import Symbol

TOLERANCE = 1e-5  # relative: values may have been rounded to single precision


def broken_promise(symbol: Symbol, array: np.ndarray[Any, np.dtype[Any]]) -> str:
    """What of the declaration does not hold for this value, or nothing. Orthogonal and definite are not looked for."""
    name = symbol.name
    if symbol.integer and not (np.isfinite(array) & (array == np.floor(array))).all():
        return f"{name} was declared a whole number, {_shown(array)} was given"
    for bound, sign, wrong in (
        (symbol.low, ">" if symbol.low_open else ">=", np.less_equal if symbol.low_open else np.less),
        (symbol.high, "<" if symbol.high_open else "<=", np.greater_equal if symbol.high_open else np.greater),
    ):
        if bound is not None and (bad := wrong(array, float(bound))).any():
            return f"{name} was declared {sign} {bound}, {array[bad].flat[0]:.6g} was given"
    size = TOLERANCE * max(float(np.max(np.abs(array))), np.finfo(float).tiny)
    if "diagonal" in symbol.traits and np.any(np.abs(array[~np.eye(len(array), dtype=bool)]) > size):
        return f"{name} was declared diagonal, and is not"
    if symbol.symmetric and np.any(np.abs(array - array.T) > size):
        return f"{name} was declared symmetric, and is not"
    if "sums to 1" in symbol.traits and array.ndim:
        sums = array.sum(axis=-1)
        if np.any(np.abs(sums - 1) > TOLERANCE * (1 + array.shape[-1] / 100)):  # rounding of every entry adds up
            return f"{name} was declared to sum to 1, and sums to {sums.flat[0]:.6g}"
    return ""


def _shown(array: np.ndarray[Any, np.dtype[Any]]) -> str:
    return str(array) if array.size == 1 else f"an array of shape {array.shape}"

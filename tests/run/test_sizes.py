"""Sizes that an expression needs are read off arrays, also those it does not hold any more."""

from __future__ import annotations

import numpy as np
import pytest

import derivata as dv
from derivata.errors import EvaluationError


def test_sizes_are_read_off_declared_arrays() -> None:
    where = "B[n,m], w[m]"
    flat, steep = dv.derive("sum(sign(B))", "B", where).result, dv.derive("sum(B@w)", "B", where).result
    assert np.array_equal(dv.evaluate(flat, where, B=np.ones((3, 2))), np.zeros((3, 2)))
    assert np.array_equal(dv.evaluate(steep, where, B=np.ones((3, 2)), w=[1, 2]), [[1, 2]] * 3)
    assert dv.evaluate("n*m", where, B=np.ones((3, 2))) == 6
    with pytest.raises(EvaluationError, match="m is 5 in B and 2 in w"):
        dv.evaluate(steep, where, B=np.ones((3, 5)), w=[1, 2])
    with pytest.raises(EvaluationError, match="no value for n, m; the expression takes n, m, not B: what is declared"):
        dv.evaluate(flat, B=np.ones((3, 2)))
    assert np.array_equal(dv.evaluate(flat, n=3, m=2), np.zeros((3, 2)))

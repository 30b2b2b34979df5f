"""Random expressions over all primitives: every derivative is right, or refused with a reason."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import fuzz

COUNT = 500


@pytest.mark.slow
def test_random_expressions() -> None:
    """How long each takes is the benchmark's business: machines differ."""
    outcomes = [fuzz.one(seed) for seed in range(COUNT)]
    wrong = [f"{o.mark}: {o.case}\n{o.said}" for o in outcomes if o.kind in ("wrong", "crashed")]
    assert not wrong, "\n".join(wrong)
    counts = Counter(o.kind for o in outcomes)
    assert counts["refused"] <= COUNT // 100
    assert counts["unsimplified"] + counts["unchecked"] <= COUNT * 3 // 100
    assert counts["right"] >= COUNT * 95 // 100

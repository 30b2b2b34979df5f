"""Random expressions over all primitives: every derivative is right, or refused with a reason."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import fuzz

COUNT, PARTS = 500, 2


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_random_expressions(part: int) -> None:
    outcomes = [fuzz.one(seed) for seed in range(part * COUNT // PARTS, (part + 1) * COUNT // PARTS)]
    wrong = [f"{o.mark}: {o.case}\n{o.said}" for o in outcomes if o.kind in ("wrong", "crashed")]
    assert not wrong, "\n".join(wrong)
    counts = Counter(o.kind for o in outcomes)
    assert counts["refused"] <= len(outcomes) // 100
    assert counts["unsimplified"] + counts["unchecked"] + counts["slow"] <= len(outcomes) // 50
    assert counts["right"] >= 0.97 * len(outcomes)

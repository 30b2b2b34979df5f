"""Random well-shaped expressions: what the fuzzer in benchmarks/ finds wrong, crashed or slow is an error here."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

COUNT, PARTS, FIRST = 500, 4, 1_000_000
REFUSED = 0.02  # at most of each part; over many expressions it is below 1 %


def load() -> ModuleType:
    """The fuzzer, which stands outside of the package."""
    file = Path(__file__).resolve().parent.parent / "benchmarks" / "fuzz.py"
    spec = importlib.util.spec_from_file_location("fuzz", file)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["fuzz"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_random_expressions_are_right_or_refused(part: int) -> None:
    count = COUNT // PARTS
    found = list(load().outcomes(count, FIRST + part * count, jobs=1))
    failures = [f"{o.kind}, {o.mark}: {o.case}\n{o.said}" for o in found if o.kind in ("wrong", "crashed", "slow")]
    assert not failures, "\n".join(failures)
    assert sum(o.kind == "refused" for o in found) <= REFUSED * count

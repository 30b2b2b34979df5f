"""Matrix derivatives against a list of verified ones: equal in value, and no longer than stated.

`python benchmarks/identities.py [FILE]` reads ../shared/cases/identities.jsonl, or FILE of the same form, and
prints a Markdown table: nodes of Python's syntax tree of both texts, milliseconds to derive, simplify and verify (warm,
median of 5), and, where SymPy is installed, whether the derivative of its matrix expression is right.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import derivata as dv

if importlib.util.find_spec("sympy"):
    import sympy_matrices
else:
    sympy_matrices = None

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases" / "identities.jsonl"
ASSUMED = {
    "sym": "symmetric", "spd": "positive definite", "pos": "> 0", "gt1": "> 1", "unit": "in (0, 1)", "big": "> 8",
    "diagonal": "diagonal",
}  # fmt: skip
STRUCTURED = {"gradient_sym": "symmetric", "gradient_diag": "diagonal"}
REPEATS = 5


def where(case: dict[str, Any]) -> str:
    """The declarations of a case; of a matrix variable only a structured kind says anything."""
    found = []
    for name, shape in case["shapes"].items():
        text = name + (f"[{','.join(map(str, shape))}]" if shape else "")
        assumed = ASSUMED.get(case["assume"].get(name, ""), "")
        if name == case["wrt"] and len(shape) == 2:
            assumed = STRUCTURED.get(case["kind"], "")
        found.append(f"{text} {assumed}".strip())
    return ", ".join(found)


def derived(case: dict[str, Any], declared: str) -> dv.Expr:
    """The derivative that a case asks for."""
    f = dv.read(case["expr"], declared)
    kind, wrt = case["kind"], case["wrt"]
    if kind == "hessian":
        return dv.hessian(f, wrt)
    return dv.jacobian(f, wrt, layout="vec" if kind == "jacvec" else "array")


def point(case: dict[str, Any], seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """Random values that satisfy what the case assumes."""
    chance = np.random.default_rng(seed)
    values = {}
    for name, shape in case["shapes"].items():
        v = chance.normal(size=shape)
        kind = case["assume"].get(name, "")
        if kind == "sym":
            v = v + v.T
        elif kind == "spd":
            v = v @ v.T + np.eye(len(v))
        elif kind == "wellcond":
            v = v + 4 * np.eye(len(v))
        elif kind == "posdet":
            v = v @ v.T + 0.1 * v + np.eye(len(v))
        elif kind == "small":
            v = 0.1 * v
        elif kind == "pos":
            v = np.abs(v) + 0.1
        elif kind == "gt1":
            v = np.abs(v) + 1.1
        elif kind == "unit":
            v = 1 / (1 + np.exp(-v))
        elif kind == "big":
            v = np.abs(v) + 8
        elif kind == "01":
            v = (v > 0) * 1.0
        elif kind == "diagonal":
            v = np.diag(np.diag(v) + 3)
        values[name] = v
    if "_" in case["assume"]:  # det(A@X@B) > 0
        product = values["A"] @ values["X"] @ values["B"]
        if np.linalg.det(product) < 0:
            values["A"][0] *= -1
    return values


def nodes(text: str) -> int:
    """The size of a text as Python's own parser sees it."""
    return sum(1 for _ in ast.walk(ast.parse(text.replace(";\n", "\n"))))


def difference(case: dict[str, Any], declared: str, result: dv.Expr) -> float:
    """The largest relative difference from the stated answer at three points."""
    answer = dv.read(case["answer"], declared)
    worst = 0.0
    for seed in range(3):
        values = point(case, seed)
        ours, theirs = dv.evaluate(result, **values), dv.evaluate(answer, **values)
        assert ours.shape == theirs.shape, (case["id"], ours.shape, theirs.shape)
        worst = max(worst, float(np.max(np.abs(ours - theirs)) / (1e-300 + np.max(np.abs(theirs)))))
    return worst


def measured(case: dict[str, Any]) -> tuple[dv.Expr, float, float, float]:
    """The result, its difference from the answer, its length relative to the answer's, and milliseconds."""
    declared = where(case)
    result = derived(case, declared)
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        derived(case, declared)
        times.append(1000 * (time.perf_counter() - start))
    same = dv.normal(dv.read(str(result), declared)) is dv.normal(result)
    assert same, f"case {case['id']}: {result} does not read back"
    ratio = nodes(str(result)) / nodes(case["answer"])
    return result, difference(case, declared, result), ratio, statistics.median(times)


def of_sympy(case: dict[str, Any]) -> tuple[str, set[str]]:
    """SymPy's best outcome at three points, and all that its spellings have."""
    answer = dv.read(case["answer"], where(case))
    values = [point(case, seed) for seed in range(3)]
    return sympy_matrices.best(case, [(v, np.asarray(dv.evaluate(answer, **v))) for v in values])


def main() -> int:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else CASES
    if not path.exists():
        print(f"{path} is not there; give the file of cases as an argument")
        return 0
    cases = [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
    name = sympy_matrices.NAME if sympy_matrices else "SymPy"
    print(f"| case | by | result | nodes, ours/stated | ms | {name} |\n|---|---|---|--:|--:|---|")
    ratios, times, wrong, raised, theirs = [], [], [], [], []
    for case in cases:
        other = "not installed"
        if sympy_matrices:
            theirs.append(of_sympy(case))
            other = theirs[-1][0]
        shown = case["expr"].replace("|", "\\|")
        try:
            result, error, ratio, ms = measured(case)
        except dv.DerivataError as refusal:
            raised.append(case["id"])
            print(f"| `{shown}` | {case['wrt']} | raised: {str(refusal).splitlines()[0]} | | | {other} |")
            continue
        if not error < 1e-10:
            wrong.append((case["id"], error))
        ratios.append(ratio)
        times.append(ms)
        print(f"| `{shown}` | {case['wrt']} | `{result}` | {ratio:.2f} | {ms:.1f} | {other} |")
    longer = sum(r > 1 for r in ratios)
    print(
        f"\n{len(ratios)} of {len(cases)} derived, wrong: {wrong or 'none'}, raised: {raised or 'none'}; nodes: mean "
        f"{statistics.mean(ratios):.3f}, max {max(ratios):.2f}, not longer in {len(ratios) - longer}; "
        f"ms: median {statistics.median(times):.1f}, max {max(times):.0f}"
    )
    print("\n" + (sympy_matrices.summary(theirs) if sympy_matrices else "SymPy: not installed"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

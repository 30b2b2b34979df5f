"""X.T @ diag(v) @ X as Z.T @ Z with Z = sqrt(v)*X where v >= 0: BLAS computes half of a symmetric product."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from derivata.calculus.domain import Bounds, bounds_of
from derivata.expr.node import (
    CONTRACTION,
    POWER,
    Edge,
    Expr,
    call,
    contraction,
    number,
    with_args,
)
from derivata.expr.walk import topological
from derivata.rules.book import book

HALF = number(Fraction(1, 2))


def halved(roots: Sequence[Expr]) -> tuple[Expr, ...]:
    """Every product of a matrix, weights that are surely not negative, and the same matrix again."""
    order = topological(*roots)
    if not any(_pair(node) for node in order):
        return tuple(roots)
    bounds = {node: known for root in roots for node, known in bounds_of(root, book()).items()}
    memo: dict[Expr, Expr] = {}
    for node in order:
        changed = with_args(node, tuple((memo[child], labels) for child, labels in node.args))
        memo[node] = _as_square(node, changed, bounds)
    return tuple(memo[root] for root in roots)


def _pair(node: Expr) -> tuple[int, int] | None:
    """The places of the two equal matrices of X.T @ diag(v) @ X, as numbers and vectors v are all else."""
    if node.head != CONTRACTION or len(node.args) < 3 or len(set(node.data)) != 2 or len(node.data) != 2:
        return None
    matrices = [i for i, (_, labels) in enumerate(node.args) if len(labels) == 2]
    if len(matrices) != 2 or node.args[matrices[0]][0] is not node.args[matrices[1]][0]:
        return None
    (_, one), (_, other) = (node.args[i] for i in matrices)
    same = [axis for axis in (0, 1) if one[axis] == other[axis]]
    if len(same) != 1 or {one[1 - same[0]], other[1 - same[0]]} != set(node.data):
        return None
    summed = one[same[0]]
    rest = [labels for i, (_, labels) in enumerate(node.args) if i not in matrices]
    fits = all(labels in ((), (summed,)) for labels in rest) and (summed,) in rest and summed not in node.data
    return (matrices[0], matrices[1]) if fits else None


def _as_square(node: Expr, changed: Expr, bounds: dict[Expr, Bounds]) -> Expr:
    places = _pair(node)
    if places is None or _pair(changed) != places:
        return changed
    weights = [i for i, (_, labels) in enumerate(node.args) if len(labels) == 1]
    if not all(node.args[i][0] in bounds and bounds[node.args[i][0]].satisfies(">=", 0) for i in weights):
        return changed
    matrix, (first, _) = changed.args[places[0]]
    (summed,) = changed.args[weights[0]][1]
    together = contraction([(changed.args[i][0], (0,)) for i in weights], (0,))
    root = call(POWER, [(together, (0,)), (HALF, ())], together.shape)
    scaled = contraction([(matrix, (0, 1)), (root, (0 if first == summed else 1,))], (0, 1))
    others: list[Edge] = [changed.args[i] for i in range(len(node.args)) if i not in (*places, *weights)]
    return contraction([*others, *((scaled, changed.args[i][1]) for i in places)], changed.data)

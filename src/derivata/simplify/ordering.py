"""The order in which factors and terms are written: that of the input, as far as it has one."""

from __future__ import annotations

from collections.abc import Iterator

from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    POWER,
    PRIMITIVE,
    SYMBOL,
    Edge,
    Expr,
    Labels,
    is_elementwise,
)
from derivata.expr.walk import topological

LAST = 10**6
LARGEST_READ = 5000  # a larger input is not read from left to right
MOST_NAMES = 20


class Ordering:
    """A sort key of edges: numbers, then symbols, then functions, then sums; each as they appear in `given`."""

    def __init__(self, given: Expr) -> None:
        self._rank: dict[str, int] = {}
        for node in _left_to_right(given) if given.cost < LARGEST_READ else topological(given):
            name = _name(node)
            if name:
                self._rank.setdefault(name, len(self._rank))
        self._first: dict[Expr, int] = {}

    def __call__(self, edge: Edge) -> tuple[int, int, tuple[int, ...], bool, Labels, bytes]:
        node, labels = edge
        if node not in self._first:
            self._first[node] = min((self._rank.get(n, LAST) for n in _names(node)), default=LAST)
        return kind_of(node), self._first[node], _primes(node), _is_transpose(node), labels, node.digest


def kind_of(node: Expr, depth: int = 3) -> int:
    """0 numbers and scalars, 1 functions and arrays, 2 sums, 3 reciprocals, 4 the change dx; of a product the last."""
    if node.head == CALL and node.data == POWER:
        base, exponent = node.args[0][0], node.args[1][0]
        if exponent.head != NUMBER:
            return 1
        return 3 if exponent.data < 0 else kind_of(base, depth)
    if node.head == NUMBER or (node.head == CALL and not node.args):
        return 0
    if node.head == SYMBOL and "differential" in node.data.traits:
        return 4
    if node.head == SYMBOL:
        return 0 if not node.shape else 1
    if node.head == CALL and node.data == ADD:
        return 2
    if depth and node.head == CONTRACTION and is_elementwise(node) and node.args:
        return max(kind_of(c, depth - 1) for c, _ in node.args)
    return 1


def _is_transpose(node: Expr) -> bool:
    return node.head == CONTRACTION and len(node.args) == 1 and node.args[0][1] == node.data[::-1] != node.data


def _primes(node: Expr) -> tuple[int, ...]:
    """How often each factor is differentiated: f'(x)*g(x) stands before f(x)*g'(x)."""
    factors = [child for child, _ in node.args] if node.head == CONTRACTION else [node]
    counts = tuple(-factor.data.count("'") if factor.head == CALL else 0 for factor in factors)
    return counts if any(counts) else ()


def _name(node: Expr) -> str:
    if node.head == SYMBOL:
        return str(node.data.name)
    if node.head == CALL and node.data not in (ADD, POWER):
        return str(node.data).rstrip("'")
    return str(node.data[0]) if node.head == PRIMITIVE else ""


def _names(node: Expr) -> list[str]:
    own = _name(node)
    if own:
        return [own]
    found: list[str] = []
    stack = [node]
    while stack and len(found) < MOST_NAMES:
        current = stack.pop()
        name = _name(current)
        if name:
            found.append(name)
        else:
            stack.extend(c for c, _ in current.args)
    return found


def _left_to_right(root: Expr) -> Iterator[Expr]:
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        yield node
        for child, _ in reversed(node.args):
            if child not in seen:
                seen.add(child)
                stack.append(child)

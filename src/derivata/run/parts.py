"""The check of large results part by part: what each operand receives in the reverse sweep, and what each part
was simplified to. Parts meet at nodes that are replaced by random values, so no enclosure grows with the graph.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from derivata.calculus.derive import Pullback
from derivata.expr.node import ADD, Edge, Expr, Size, axes, call, contraction, is_multiple, with_args
from derivata.expr.walk import topological
from derivata.run.local import Statement, verify_statements
from derivata.run.sample import is_fixed


def verify_pullbacks(pullbacks: Sequence[Pullback]) -> int:
    """Check that <adjoint, node> = sum of <contribution, operand>, whatever adjoint and operands are."""
    return verify_statements(map(_pullback, pullbacks))


def _pullback(pullback: Pullback) -> Statement:
    node, adjoint = pullback.node, pullback.adjoint
    outer = adjoint.shape[: len(adjoint.shape) - len(node.shape)]
    left = _inner(adjoint, node, outer)
    terms = [_inner(given, node.args[position][0], outer) for position, given in pullback.given]
    right = terms[0] if len(terms) == 1 else call(ADD, [(t, axes(t)) for t in terms])
    operands = dict.fromkeys([adjoint, *(child for child, _ in node.args)])
    free = tuple(o for o in operands if o.args or not is_fixed(o))
    return Statement("a step of the reverse sweep", left, right, left, free)


def _inner(adjoint: Expr, node: Expr, outer: tuple[Size, ...]) -> Expr:
    """The sum of adjoint * node over the node's axes."""
    lead = tuple(range(len(outer)))
    own = tuple(range(len(outer), len(outer) + len(node.shape)))
    edges: list[Edge] = [(adjoint, (*lead, *own)), (node, own)]
    return contraction(edges, lead, dict(enumerate((*outer, *node.shape))))


def verify_identities(steps: Iterable[tuple[Expr, Expr]]) -> int:
    """Check every pair of a node and what an identity made of it, whatever stands inside both."""
    pairs = list(steps)
    height = _heights(pairs)
    return verify_statements(
        Statement("an identity", before, after, before, _shared(before, after, _near(before) & _near(after), height))
        for before, after in pairs
    )


def _heights(pairs: Sequence[tuple[Expr, Expr]]) -> dict[Expr, int]:
    """The nodes of all right sides, numbered from below."""
    return {node: place for place, node in enumerate(topological(*(after for _, after in pairs)))}


def _near(root: Expr) -> frozenset[Expr]:
    """The first nodes below the root."""
    found = dict.fromkeys(child for child, _ in root.args)
    for node in list(found):
        found.update(dict.fromkeys(child for child, _ in node.args))
    for node in list(found):
        found.update(dict.fromkeys(child for child, _ in node.args))
    return frozenset(n for n in found if n.args)


def verify_parts(parts: Sequence[tuple[Expr, Expr]]) -> int:
    """Check that every part became something equal, given that the parts inside it did."""
    return verify_statements(_parts(parts))


def _parts(parts: Sequence[tuple[Expr, Expr]]) -> Iterator[Statement]:
    became = dict(parts)
    ends = frozenset(rest for after in became.values() if (rest := _unsigned(after)).args)
    height = _heights(parts)
    for before, after in parts:
        left = _rebuilt(before, became)
        if left is not after:
            yield Statement("a simplification", left, after, left, _shared(left, after, ends, height))


def _unsigned(node: Expr) -> Expr:
    """A node without the number in front."""
    return node.args[1][0] if is_multiple(node) else node


def _rebuilt(root: Expr, became: Mapping[Expr, Expr]) -> Expr:
    """The node with every part inside it in its new form."""
    made: dict[Expr, Expr] = {}

    def is_part(node: Expr) -> bool:
        return node is not root and node in became

    for node in topological(root, is_end=is_part):
        args = () if is_part(node) else tuple((made[child], labels) for child, labels in node.args)
        made[node] = became[node] if is_part(node) else with_args(node, args)
    return made[root]


def _shared(left: Expr, right: Expr, ends: Collection[Expr], height: Mapping[Expr, int]) -> tuple[Expr, ...]:
    """The ends that stand on both sides; one that stands on one side only is looked into, the highest first."""
    opened = {left, right}

    def is_end(node: Expr) -> bool:
        return node in ends and node not in opened

    while True:
        sides = [{n for n in topological(root, is_end=is_end) if is_end(n)} for root in (left, right)]
        alone = sides[0] ^ sides[1]
        if not alone:
            return tuple(sides[0])
        opened.add(max(alone, key=height.__getitem__))

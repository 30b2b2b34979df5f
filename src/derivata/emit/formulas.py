"""Functions a backend has no name for: their records' formulas are put in their places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from derivata.errors import UnsupportedError
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
    Size,
    call,
    contraction,
    primitive,
    with_args,
)
from derivata.expr.notation import COMPARISONS
from derivata.expr.selectors import is_selector, size_node
from derivata.expr.walk import topological
from derivata.rules.book import book

SYNTAX = frozenset({ADD, POWER, *COMPARISONS.values()})  # calls that every backend writes as operators
DEEPEST = 20  # formulas that stand in formulas


def native(node: Expr, backend: str) -> str:
    """What the backend writes for this call or primitive; empty when its formula is to be written."""
    record = book().get(_name(node))
    return "" if record is None else record.code.get(backend, "")


def unspecified(node: Expr) -> bool:
    """Whether the node applies a function of which only the name is known: f(x), f'(x)."""
    return node.head == CALL and node.data not in SYNTAX and book().get(node.data) is None


def expand(roots: Sequence[Expr], backend: str, depth: int = 0) -> tuple[Expr, ...]:
    """The roots over functions that the backend has."""
    memo: dict[Expr, Expr] = {}
    for node in topological(*roots):
        changed = with_args(node, tuple((memo[child], labels) for child, labels in node.args))
        memo[node] = _written_out(changed, backend, depth) if _is_foreign(changed, backend) else changed
    return tuple(memo[root] for root in roots)


def _name(node: Expr) -> str:
    return str(node.data[0] if node.head == PRIMITIVE else node.data)


def _is_foreign(node: Expr, backend: str) -> bool:
    if node.head not in (CALL, PRIMITIVE) or is_selector(node):
        return False
    if node.head == CALL and (node.data in SYNTAX or unspecified(node)):
        return False
    return not native(node, backend)


def _written_out(node: Expr, backend: str, depth: int) -> Expr:
    name = _name(node)
    record = book().get(name)
    text = "" if record is None else record.stable or record.value
    if record is None or not text or depth > DEEPEST:
        raise UnsupportedError(f"there is no {backend} code for {name}, and no formula to write instead")
    mapped = node.data[1] if node.head == PRIMITIVE else len(node.shape)
    signature = record.as_signature()
    sizes: dict[str, Size] = {}
    for (child, labels), names in zip(node.args, signature.core, strict=True):
        for label, size in zip(labels, child.shape, strict=True):
            if label >= mapped:
                sizes.setdefault(names[label - mapped], size)
    arguments = dict(zip(signature.arguments, node.args, strict=True))
    return put_in(_formula(name, backend, depth), arguments, node.shape[:mapped], sizes)


@cache
def _formula(name: str, backend: str, depth: int) -> Expr:
    record = book().get(name)
    assert record is not None
    formula = book().formula(record, record.stable or record.value)
    return expand([formula], backend, depth + 1)[0]


def put_in(formula: Expr, arguments: Mapping[str, Edge], mapped: Sequence[Size], sizes: Mapping[str, Size]) -> Expr:
    """A record's formula over the arguments of a node, mapped over the node's leading axes.

    The labels of an argument below `len(mapped)` are those axes, the others its own. Every node of the
    formula has an image that holds only the leading axes it depends on, so nothing is stretched early.
    """
    count = len(mapped)
    images: dict[Expr, tuple[Expr, Labels]] = {}
    for node in topological(formula):
        if node.head == NUMBER:
            images[node] = node, ()
        elif node.head == SYMBOL:
            images[node] = _argument(node, arguments, count, sizes)
        else:
            images[node] = _image(node, images, mapped, sizes)
    image, held = images[formula]
    own = tuple(count + i for i in range(len(formula.shape)))
    if held == tuple(range(count)):
        return image
    return contraction([(image, (*held, *own))], (*range(count), *own), dict(enumerate(mapped)))


def _argument(node: Expr, arguments: Mapping[str, Edge], count: int, sizes: Mapping[str, Size]) -> tuple[Expr, Labels]:
    name = node.data.name
    if name not in arguments:
        return size_node(sizes.get(name, name)), ()
    child, labels = arguments[name]
    order = tuple(sorted(labels))
    held = tuple(label for label in order if label < count)
    return (child if labels == order else contraction([(child, labels)], order)), held


def _image(
    node: Expr, images: Mapping[Expr, tuple[Expr, Labels]], mapped: Sequence[Size], sizes: Mapping[str, Size]
) -> tuple[Expr, Labels]:
    held = tuple(sorted({label for child, _ in node.args for label in images[child][1]}))
    own = tuple(sizes.get(s, s) if isinstance(s, str) else s for s in node.shape)
    count = len(mapped)
    if node.head == CONTRACTION:
        edges = [(images[child][0], (*images[child][1], *(count + i for i in labels))) for child, labels in node.args]
        known = {count + label: size for label, size in zip(node.data, own, strict=True)}
        return contraction(edges, (*held, *(count + i for i in node.data)), known), held
    place = {label: i for i, label in enumerate(held)}
    moved = [
        (images[child][0], (*(place[i] for i in images[child][1]), *(len(held) + i for i in labels)))
        for child, labels in node.args
    ]
    shape = (*(mapped[i] for i in held), *own)
    if node.head == CALL:
        return call(node.data, moved, shape), held
    name, leading = node.data
    return primitive(name, len(held) + leading, moved, shape), held

"""Patterns of the rulebook found in an expression. A pattern's vectors may be rows of larger arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    NUMBER,
    PRIMITIVE,
    SYMBOL,
    Edge,
    Expr,
    Labels,
    Size,
    contraction,
)
from derivata.rewrite.fold import product, total
from derivata.rewrite.instantiate import instantiate

Wide = tuple[Expr, Labels]  # a node whose axes carry names that are unique within one match


@dataclass(frozen=True)
class _Match:
    """Pattern symbols bound so far; `core` maps labels of the pattern to axis names of the target."""

    bound: dict[str, Wide] = field(default_factory=dict)
    core: dict[int, int] = field(default_factory=dict)


def rewrite_root(node: Expr, left: Expr, right: Expr, fresh: Iterator[int] | None = None) -> Expr | None:
    """`right` in the place of `left` if the node (or some factors or terms of it) is an instance of it."""
    fresh = fresh or count(1000)
    axes = tuple(next(fresh) for _ in node.shape)
    sizes = dict(zip(axes, node.shape, strict=True))
    pattern_axes = tuple(-1 - i for i in range(len(left.shape)))
    for found, rest in _roots((left, pattern_axes), (node, axes), fresh):
        result = _build(found, right, pattern_axes, axes, sizes)
        if result is None:
            continue
        if rest is None:
            return result
        whole = tuple(range(len(axes)))
        place = {axis: i for i, axis in enumerate(axes)}
        edges = [(result, whole), *((c, tuple(place[i] for i in w)) for c, w in rest)]
        if node.head == CALL:
            return total(edges, node.shape)
        return product(edges, whole, dict(enumerate(node.shape)))
    return None


def _roots(pattern: Wide, target: Wide, fresh: Iterator[int]) -> Iterator[tuple[_Match, list[Wide] | None]]:
    left, node = pattern[0], target[0]
    if left.head == CONTRACTION and node.head == CONTRACTION and len(left.args) > 1:
        if node.data == tuple(range(len(node.shape))) and left.data == tuple(range(len(left.shape))):
            yield from _subsets(pattern, target, fresh)
        return
    if left.head == CALL and left.data == ADD and node.head == CALL and node.data == ADD:
        yield from _subsets(pattern, target, fresh)
        return
    for found in _match(pattern, target, _Match(), fresh):
        yield found, None


def _subsets(pattern: Wide, target: Wide, fresh: Iterator[int]) -> Iterator[tuple[_Match, list[Wide] | None]]:
    """Every way to find the pattern's operands among the target's."""
    wanted = _operands(pattern, fresh)
    offered = _operands(target, fresh)
    if len(wanted) > len(offered) or len(offered) > 60:
        return

    def choose(position: int, used: tuple[int, ...], state: _Match) -> Iterator[tuple[_Match, list[Wide]]]:
        if position == len(wanted):
            yield state, [o for i, o in enumerate(offered) if i not in used]
            return
        for i, operand in enumerate(offered):
            if i not in used:
                for found in _match(wanted[position], operand, state, fresh):
                    yield from choose(position + 1, (*used, i), found)

    for found, rest in choose(0, (), _Match()):
        yield found, rest or None


def _operands(wide: Wide, fresh: Iterator[int]) -> list[Wide]:
    """Children with the names of their axes; summed labels get fresh names."""
    node, axes = wide
    if node.head == CONTRACTION:
        names = dict(zip(node.data, axes, strict=True))
        found = []
        for child, labels in node.args:
            for label in labels:
                if label not in names:
                    names[label] = next(fresh)
            found.append((child, tuple(names[label] for label in labels)))
        return found
    return [(child, tuple(axes[i] for i in labels)) for child, labels in node.args]


def _match(pattern: Wide, target: Wide, state: _Match, fresh: Iterator[int]) -> Iterator[_Match]:
    left, node = pattern[0], target[0]
    if left.head == SYMBOL:
        yield from _bind(pattern, target, state)
        return
    if left.head == NUMBER:
        if left is node:
            yield state
        return
    if left.head != node.head or len(left.args) != len(node.args):
        return
    if left.head == CONTRACTION:
        yield from _match_contraction(pattern, target, state, fresh)
    elif left.head == PRIMITIVE:
        yield from _match_primitive(pattern, target, state, fresh)
    elif left.data == node.data:
        yield from _match_all(_operands(pattern, fresh), _operands(target, fresh), state, fresh)


def _match_primitive(pattern: Wide, target: Wide, state: _Match, fresh: Iterator[int]) -> Iterator[_Match]:
    """A function of whole arrays: its own axes are the pattern's, the mapped ones are left over."""
    (left, names), (node, axes) = pattern, target
    if left.data[0] != node.data[0]:
        return
    mapped = node.data[1]
    core = dict(state.core)
    for name, axis in zip(names, axes[mapped:], strict=True):
        if core.setdefault(name, axis) != axis:
            return
    wanted: list[Wide] = []
    offered: list[Wide] = []
    for (child, labels), (other, where) in zip(left.args, node.args, strict=True):
        inner = {label: (next(fresh), next(fresh)) for label in labels}
        core.update(inner.values())
        wanted.append((child, tuple(inner[label][0] for label in labels)))
        offered.append((other, tuple(axes[i] if i < mapped else inner[i - mapped][1] for i in where)))
    yield from _match_all(wanted, offered, _Match(state.bound, core), fresh)


def _match_contraction(pattern: Wide, target: Wide, state: _Match, fresh: Iterator[int]) -> Iterator[_Match]:
    """Same number of summed labels; which of the target's is which is decided by the operands."""
    wanted, offered = _operands(pattern, fresh), _operands(target, fresh)
    summed = {i for _, labels in wanted for i in labels} - set(pattern[1])
    summed_target = {i for _, labels in offered for i in labels} - set(target[1])
    if len(summed) != len(summed_target):
        return
    for found in _match_all(wanted, offered, state, fresh):
        if all(found.core.get(i) in summed_target for i in summed):
            yield found


def _match_all(wanted: list[Wide], offered: list[Wide], state: _Match, fresh: Iterator[int]) -> Iterator[_Match]:
    if not wanted:
        yield state
        return
    for found in _match(wanted[0], offered[0], state, fresh):
        yield from _match_all(wanted[1:], offered[1:], found, fresh)


def _bind(pattern: Wide, target: Wide, state: _Match) -> Iterator[_Match]:
    symbol, names = pattern[0].data, pattern[1]
    node, axes = target
    if symbol.traits and not (node.head == SYMBOL and symbol.traits <= node.data.traits):
        return
    if symbol.nonnegative and not _at_least_zero(node, strictly=symbol.positive):
        return
    options: list[dict[int, int]] = [dict(state.core)]
    for name in names:
        following = []
        for option in options:
            if name in option:
                if option[name] in axes:
                    following.append(option)
            else:
                following += [{**option, name: axis} for axis in axes if axis not in option.values()]
        options = following
    for option in options:
        inverse = {option[name]: -1000 - i for i, name in enumerate(names)}
        shown = (node, tuple(inverse.get(axis, axis) for axis in axes))
        known = state.bound.get(symbol.name)
        if known is None or known == shown:
            yield _Match({**state.bound, symbol.name: shown}, option)


def _at_least_zero(node: Expr, *, strictly: bool) -> bool:
    if node.head == NUMBER:
        return bool(node.data > 0 or (node.data == 0 and not strictly))
    return node.head == SYMBOL and bool(node.data.positive if strictly else node.data.nonnegative)


def _build(found: _Match, right: Expr, pattern_axes: Labels, axes: Labels, sizes: dict[int, Size]) -> Expr | None:
    """The right side over the bound nodes, with the axes of the target in order."""
    core = [found.core.get(a) for a in pattern_axes]
    mapped = [axis for axis in axes if axis not in core]
    place: dict[int, int] = {axis: i for i, axis in enumerate(mapped)}
    bound: dict[str, Edge] = {}
    core_sizes: dict[str, Size] = {}
    for name, (node, names) in found.bound.items():
        if any(n > -1000 and n not in place for n in names):
            return None
        bound[name] = (node, tuple(place[n] if n > -1000 else len(mapped) + (-1000 - n) for n in names))
        for n, size in zip(names, node.shape, strict=True):
            if n <= -1000:
                core_sizes.setdefault("n", size)
    own = tuple(sizes[a] for a in core if a is not None)
    if len(own) != len(right.shape):
        return None
    made = instantiate(right, bound, tuple(sizes[a] for a in mapped), core_sizes, own)
    order = [*mapped, *(a for a in core if a is not None)]
    if order == list(axes):
        return made
    position = {axis: i for i, axis in enumerate(order)}
    return contraction([(made, tuple(range(len(order))))], tuple(position[a] for a in axes))

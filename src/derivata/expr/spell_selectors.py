"""How contractions with constant selectors are written: slices, concatenate, correlate, vec, kron."""

from __future__ import annotations

from collections.abc import Mapping

from derivata.expr.node import ADD, CALL, CONTRACTION, Expr, Size, axes, number
from derivata.expr.notation import commutation, kron, vec
from derivata.expr.parse import Syntax
from derivata.expr.pieces import function, spell_number, spell_size
from derivata.expr.selectors import is_ravel, is_slide
from derivata.expr.sizes import size_difference, size_sum
from derivata.expr.windows import Window, matrix_of, pad_of, slice_of, sliding_of

Written = Mapping[Expr, Syntax]


def spell_selection(node: Expr, written: Written) -> Syntax | None:
    """A contraction with `ravel` or `slide` as the reader builds it; None for others."""
    if any(is_ravel(child) for child, _ in node.args):
        return _flattened(node, written)
    if not any(is_slide(child) for child, _ in node.args):
        return None
    if (taken := slice_of(node)) and taken.array is not None and (place := _slice(taken)):
        base, places = written[taken.array], [Syntax("slice", ":", 0) for _ in range(taken.axis)]
        if (inner := slice_of(taken.array)) and inner.axis < taken.axis and base.kind == "subscript":
            base, *others = base.children
            places[: len(others)] = others
        return Syntax("subscript", "[", 0, [base, *places, place])
    if (put := pad_of(node)) and put.begin is not None:
        return _joined([put], node.shape, written)
    if (part := matrix_of(node)) and (place := _slice(part)):
        text = Syntax("subscript", "[", 0, [function("eye", spell_size(part.total)), place])
        return Syntax("attribute", "T", 0, [text]) if part.axis else text
    return _sliding(node, written)


def _slice(part: Window) -> Syntax | None:
    """1:3, with bounds left out at the ends and counted from the end where that is shorter."""
    if (bounds := part.bounds) is None:
        return None
    shown = [Syntax("nothing", "", 0) if bound is None else spell_size(bound) for bound in bounds]
    return Syntax("slice", ":", 0, shown)


def _joined(parts: list[Window], shape: tuple[Size, ...], written: Written) -> Syntax | None:
    """Arrays one after another, zeros before and behind them."""
    axis = parts[0].axis
    arrays: list[Syntax] = []
    end: Size = 0
    for part in parts:
        if part.array is None or part.begin is None:
            return None
        arrays += _zeros(size_difference(part.begin, end), axis, shape)
        arrays.append(written[part.array])
        end = size_sum(part.begin, part.length)
    arrays += _zeros(size_difference(shape[axis], end), axis, shape)
    keywords = [Syntax("keyword", "axis", 0, [spell_number(number(axis))])] if axis else []
    return function("concatenate", *arrays, *keywords)


def _zeros(length: Size, axis: int, shape: tuple[Size, ...]) -> list[Syntax]:
    sizes = (*shape[:axis], length, *shape[axis + 1 :])
    return [] if length == 0 else [function("zeros", *map(spell_size, sizes))]


def spell_concatenations(node: Expr, written: Written) -> dict[int, Syntax]:
    """Terms of a sum that stand one behind the other: the text at the first one's place, and nothing at the others'.

    The places of the others hold a piece of kind `nothing`.
    """
    if node.head != CALL or node.data != ADD:
        return {}
    parts = {
        i: part
        for i, (child, labels) in enumerate(node.args)
        if labels == axes(node) and (part := pad_of(child)) and part.begin is not None
    }
    found: dict[int, Syntax] = {}
    while parts:
        chain = _chain(parts)
        text = _joined([parts[i] for i in chain], node.shape, written) if len(chain) > 1 else None
        for i in chain:
            del parts[i]
            if text is not None:
                found[i] = Syntax("nothing", "", 0)
        if text is not None:
            found[min(chain)] = text
    return found


def _chain(parts: dict[int, Window]) -> list[int]:
    """The first part, and those that lead up to it or follow on it."""
    first = next(iter(parts))
    chain = [first]
    while (after := _beside(parts, chain, first=False)) is not None:
        chain.append(after)
    while (before := _beside(parts, chain, first=True)) is not None:
        chain.insert(0, before)
    return chain


def _beside(parts: dict[int, Window], chain: list[int], *, first: bool) -> int | None:
    known = parts[chain[0 if first else -1]]
    for i, part in parts.items():
        left, right = (part, known) if first else (known, part)
        if i not in chain and part.axis == known.axis and _end(left) == right.begin:
            return i
    return None


def _end(part: Window) -> Size:
    return size_sum(0 if part.begin is None else part.begin, part.length)


def _sliding(node: Expr, written: Written) -> Syntax | None:
    """correlate(x, w) and convolve(x, w) of vectors."""
    if (found := sliding_of(node)) is None:
        return None
    vectors = (found.first, found.second)
    texts = [written[v] if isinstance(v, Expr) else function("ones", spell_size(v)) for v in vectors]
    return function("convolve" if found.full else "correlate", *texts)


def _flattened(node: Expr, written: Written) -> Syntax | None:
    """vec(X), kron(A, B) and commutation(n, m), as the reader builds them."""
    if node.head != CONTRACTION:
        return None
    arrays = [child for child, _ in node.args if not is_ravel(child)]
    if len(arrays) == 1 and len(arrays[0].shape) == 2 and vec(arrays[0]) is node:
        return function("vec", written[arrays[0]])
    if len(arrays) == 2 and all(len(a.shape) == 2 for a in arrays) and kron(*arrays) is node:
        return function("kron", *(written[a] for a in arrays))
    sizes = [child.shape[1:] for child, _ in node.args]
    if not arrays and len(sizes) == 2 and commutation(*sizes[0]) is node:
        return function("commutation", *map(spell_size, sizes[0]))
    return None

"""What a piece of syntax is before it is set: how many axes it has, and whether it acts entry by entry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from derivata.expr.notation import ELEMENTWISE, NAMES
from derivata.expr.parse import Syntax
from derivata.rules.book import book
from derivata.rules.record import Function

_ENTRYWISE = ("sum", "product", "unary", "reciprocal", "differential", "keyword")


def record_of(piece: Syntax) -> Function | None:
    """The record of a called function."""
    return book().get(piece.text)


def elementwise(piece: Syntax) -> bool:
    """Whether an entry of the piece needs only that entry of its operands."""
    if piece.kind == "call":
        record = record_of(piece)
        if record is None:
            return piece.text not in NAMES or piece.text in ELEMENTWISE
        return record.as_signature().elementwise
    return piece.kind in _ENTRYWISE or (piece.kind == "binary" and piece.text != "@")


def reduces_axis(piece: Syntax) -> bool:
    """f(X, axis=1): a function of vectors that stands for one number, along an axis."""
    record = record_of(piece)
    if record is None or record.as_signature().out or record.as_signature().elementwise:
        return False
    return any(child.kind == "keyword" and child.text == "axis" for child in piece.children)


def measured(roots: Sequence[Syntax]) -> tuple[dict[Syntax, int], dict[Syntax, bool]]:
    """The rank of every piece, and whether only index notation shows which axes meet."""
    ranks: dict[Syntax, int] = {}
    ragged: dict[Syntax, bool] = {}
    for root in roots:
        for piece in _pieces(root, ranks):
            ranks[piece] = rank = _rank(piece, ranks)
            ragged[piece] = rank > 0 and _ragged(piece, rank, ranks, ragged)
    return ranks, ragged


def _pieces(root: Syntax, seen: dict[Syntax, int]) -> Iterator[Syntax]:
    """Children before parents, each once."""
    stack = [(root, False)]
    while stack:
        piece, ready = stack.pop()
        if piece in seen:
            continue
        if ready:
            yield piece
        else:
            stack.append((piece, True))
            stack.extend((child, False) for child in piece.children)


def _rank(piece: Syntax, ranks: dict[Syntax, int]) -> int:
    if piece.node is not None:
        return len(piece.node.shape)
    below = [ranks[child] for child in piece.children if child.kind != "string"]
    if piece.kind == "binary" and piece.text == "@":
        left, right = below
        return max(left - 1, 0) + max(right - 1, 0) if min(left, right) < 3 else max(left, right)
    if piece.kind == "subscript":
        return below[0] - sum(child.kind != "slice" for child in piece.children[1:])
    if piece.kind == "call" and not elementwise(piece):
        return _called_rank(piece, below)
    return max(below, default=0)


def _called_rank(piece: Syntax, below: list[int]) -> int:
    """The rank of a notation that the speller put in between nodes."""
    options = {child.text for child in piece.children if child.kind == "keyword"}
    by_name = {"outer": 2, "eye": 2, "kron": 2, "matrix_power": 2, "onehot": 1, "tr": 0, "slide": 3}
    by_name |= {"ones": len(piece.children), "zeros": len(piece.children)}
    if piece.text in by_name:
        return by_name[piece.text]
    if piece.text == "diag":
        return 3 - below[0]
    if piece.text == "einsum":
        return len(piece.children[0].text.partition("->")[2])
    if piece.text in ("sum", "mean") and "keepdims" not in options:
        return below[0] - 1 if "axis" in options else 0
    return below[0] if below else 0


def _ragged(piece: Syntax, rank: int, ranks: dict[Syntax, int], ragged: dict[Syntax, bool]) -> bool:
    if piece.kind == "call" and (piece.text in ("sum", "einsum", "cumsum") or reduces_axis(piece)):
        return True
    if piece.kind == "call" and piece.text == "mean":
        return len(piece.children) > 1
    if piece.kind == "attribute":
        return ragged[piece.children[0]]
    return elementwise(piece) and any(0 < ranks[c] < rank or ragged[c] for c in piece.children)

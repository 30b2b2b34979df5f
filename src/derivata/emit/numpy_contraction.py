"""Contractions in NumPy's notation: `X @ w`, `np.sum(x, axis=1)`, `np.diag(v)`, at last `np.einsum`."""

from __future__ import annotations

from collections.abc import Callable

from derivata.emit.pieces import ATOM, PRODUCT, UNARY, is_matmul
from derivata.expr.node import Edge, Labels

LETTERS = "ijklmnopqrstuvwxyzabcdefghIJKLMNOPQRSTUVWXYZABCDEFGH"
Written = Callable[[Edge, int], str]  # the text of an operand that binds at least as tightly as asked


def transposed(text: str, order: Labels) -> str:
    """The axes in another order; `text` is an atom."""
    if order == tuple(range(len(order))):
        return text
    if order == tuple(range(len(order)))[::-1]:
        return f"{text}.T"
    if len(order) > 2 and order == (*range(len(order) - 2), len(order) - 1, len(order) - 2):
        return f"{text}.mT"
    return f"np.transpose({text}, {order})"


def single(edge: Edge, out: Labels, written: Written) -> tuple[str, int]:
    """A trace, a diagonal, or a sum over axes whose result may be transposed."""
    labels = edge[1]
    if len(set(labels)) < len(labels):
        if labels == (0, 0):
            return (f"np.trace({written(edge, 0)})" if not out else f"np.diag({written(edge, 0)})"), ATOM
        return einsum((edge,), out, written), ATOM
    summed = tuple(i for i, label in enumerate(labels) if label not in out)
    kept = tuple(label for label in labels if label in out)
    text = written(edge, ATOM if not summed else 0)
    if summed:
        text = sum_text(text, summed, len(labels))
    return transposed(text, tuple(kept.index(label) for label in out)), ATOM


def sum_text(text: str, summed: Labels, rank: int, keepdims: str = "") -> str:
    """np.sum over all axes, over one, or over several."""
    if len(summed) == rank:
        return f"np.sum({text}{keepdims})"
    axis = str(summed[0]) if len(summed) == 1 else str(summed)
    return f"np.sum({text}, axis={axis}{keepdims})"


def double(left: Edge, right: Edge, out: Labels, written: Written) -> tuple[str, int]:
    """Two operands summed over what they share."""
    a, b = left[1], right[1]
    if matched := _matmul(left, right, out) or _matmul(right, left, out):
        (first, order_first), (second, order_second) = matched
        left_text = _factor(first, order_first, written)
        return f"{left_text} @ {_factor(second, order_second, written, chained=False)}", PRODUCT
    if set(b) <= set(a) or set(a) <= set(b):
        big, small = (left, right) if set(b) <= set(a) else (right, left)
        order = tuple(label for label in big[1] if label in out)
        aligned = big[1][len(big[1]) - len(small[1]) :]
        if order == out and set(aligned) == set(small[1]):
            turned = tuple(small[1].index(label) for label in aligned)
            other = transposed(written(small, ATOM if turned != tuple(range(len(turned))) else UNARY), turned)
            summed = tuple(i for i, label in enumerate(big[1]) if label not in out)
            return sum_text(f"{written(big, UNARY)}*{other}", summed, len(big[1])), ATOM
    return einsum((left, right), out, written), ATOM


def _factor(edge: Edge, order: Labels, written: Written, *, chained: bool = True) -> str:
    """A factor of a matrix product; A @ B @ C is read from the left as it is."""
    if order != tuple(range(len(order))):
        return transposed(written(edge, ATOM), order)
    plain = written(edge, PRODUCT)
    return plain if chained and is_matmul(plain) and "*" not in plain and "/" not in plain else written(edge, UNARY)


def _matmul(left: Edge, right: Edge, out: Labels) -> tuple[tuple[Edge, Labels], tuple[Edge, Labels]] | None:
    """left @ right, each with its axes in the order that makes it so."""
    a, b = left[1], right[1]
    shared = [label for label in a if label in b and label not in out]
    if len(shared) != 1:
        return None
    inner = shared[0]
    rows, columns = tuple(i for i in a if i != inner), tuple(i for i in b if i != inner)
    batch = tuple(i for i in rows if i in columns)
    rows, columns = tuple(i for i in rows if i not in batch), tuple(i for i in columns if i not in batch)
    if batch:
        # Stacks of matrices: both lead with the batch and end in a row and a column.
        if len(rows) != 1 or len(columns) != 1 or out != (*batch, *rows, *columns):
            return None
        return (left, _order(a, (*batch, *rows, inner))), (right, _order(b, (*batch, inner, *columns)))
    if out != rows + columns:
        return None
    if len(columns) <= 1 and (len(rows) <= 1 or a[-1] == inner):
        return (left, _order(a, (*rows, inner))), (right, _order(b, (inner, *columns)))
    return None


def _order(labels: Labels, wanted: Labels) -> Labels:
    return tuple(labels.index(label) for label in wanted)


def einsum(edges: tuple[Edge, ...], out: Labels, written: Written) -> str:
    """What has no plainer spelling. With `optimize` NumPy uses BLAS where it can."""
    letters = {label: LETTERS[i] for i, label in enumerate(dict.fromkeys((*out, *(i for _, ls in edges for i in ls))))}
    groups = ",".join("".join(letters[i] for i in labels) for _, labels in edges)
    spec = f"{groups}->{''.join(letters[i] for i in out)}"
    inner = {label for _, labels in edges for label in labels} - set(out)
    fast = ", optimize=True" if len(edges) > 1 and inner else ""
    return f"np.einsum('{spec}', {', '.join(written(edge, 0) for edge in edges)}{fast})"

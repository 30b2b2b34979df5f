"""Nodes to syntax: which notation says each node. Text, LaTeX and Unicode are printed from the syntax."""

from __future__ import annotations

from collections.abc import Sequence

from derivata.expr.means import Mean, mean_among
from derivata.expr.node import (
    ADD,
    CALL,
    CONTRACTION,
    DIFFERENTIAL,
    NUMBER,
    POWER,
    PRIMITIVE,
    SYMBOL,
    ZERO,
    Edge,
    Expr,
    Labels,
    Size,
    axes,
    contraction,
    differential,
    number,
)
from derivata.expr.notation import HALF, SIGNS
from derivata.expr.parse import Syntax
from derivata.expr.pieces import (
    FEWEST_FACTORS,
    along_axis,
    chained,
    function,
    matrix_powers,
    reduced_whole,
    spell_name,
    spell_number,
    spell_size,
    spell_sum,
    subscript,
)
from derivata.expr.place import has_place, is_aligned, is_stretchable, kept_axes, stretched
from derivata.expr.selectors import is_lower, is_onehot, is_ravel, is_slide
from derivata.expr.spell_selectors import spell_concatenations, spell_selection
from derivata.expr.triangular import RunningSum, running_sum, triangle_of

_LETTERS = "ijklmnopqrstuvwxyzabcdefghIJKLMNOPQRSTUVWXYZABCDEFGH"


def spell_node(node: Expr, written: dict[Expr, Syntax]) -> Syntax:
    if node.head == NUMBER:
        return spell_number(node)
    if node.head == SYMBOL:
        return spell_name(node.data.name)
    if node.head == DIFFERENTIAL:
        return Syntax("differential", node.data, 0, [written[node.args[0][0]]])
    if node.head == CALL:
        return _call(node, written)
    if node.head == CONTRACTION:
        return _contraction(node, written)
    return _primitive(node, written)


def _operand(edge: Edge, shape: Sequence[Size], written: dict[Expr, Syntax]) -> Syntax:
    """An operand of an elementwise node, brought to NumPy's right-aligned axes."""
    child, labels = edge
    rank = len(shape)
    if is_aligned(edge, rank):
        return written[child]
    if kept := _keepdims(edge, rank, written):
        return kept
    if is_stretchable(edge, rank):
        return _product(stretched(edge, shape), written, whole=False)
    if sorted(labels) == list(range(rank)):
        return _contraction(contraction([(child, labels)], tuple(range(rank))), written)
    first = min(labels)
    needed = tuple(range(first, rank))
    ones = [contraction([], (0,), {0: shape[i]}) for i in needed if i not in labels]
    for node in ones:
        written.setdefault(node, _contraction(node, written))
    edges = [
        (child, labels),
        *((o, (i,)) for o, i in zip(ones, (i for i in needed if i not in labels), strict=True)),
    ]
    return _contraction(contraction(edges, needed), written)


def _is_outer(edge: Edge, rank: int) -> bool:
    """Whether an operand is written as outer(v, ones(m))."""
    labels = edge[1]
    return len(labels) == 1 and rank == labels[0] + 2 and not has_place(edge, rank)


def _keepdims(edge: Edge, rank: int, written: dict[Expr, Syntax]) -> Syntax | None:
    """A sum or another reduction that is stretched back over its axes: written with keepdims."""
    if (kept := kept_axes(edge, rank)) is None:
        return None
    inner, summed = kept
    if edge[0].head == PRIMITIVE:
        call = written[edge[0]]
        return function(call.text, *call.children, Syntax("keyword", "keepdims", 0, [spell_name("True")]))
    if all(inner.shape[i] == 1 for i in summed):
        return written[inner]
    return spell_sum(written[inner], summed, rank, keepdims=True)


def _call(node: Expr, written: dict[Expr, Syntax]) -> Syntax:
    args = [_operand(edge, node.shape, written) for edge in node.args]
    if node.args and all(len(labels) < len(node.shape) for _, labels in node.args):
        # Broadcasting beyond every operand has no spelling of its own.
        args[0] = Syntax("product", "*", 0, [args[0], function("ones", *map(spell_size, node.shape))])
    if node.data == ADD:
        joined = spell_concatenations(node, written)
        args = [a for i, a in ((i, joined.get(i, a)) for i, a in enumerate(args)) if a.kind != "nothing"]
        if len(args) == 1:
            return args[0]
        return Syntax("sum", "+", 0, [_grouped(a, "sum") if i == 0 else a for i, a in enumerate(args)])
    if node.data == POWER:
        if node.args[1][0] is HALF:
            return function("sqrt", args[0])
        if node.args[1][0].head == NUMBER and node.args[1][0].data < 0:
            return _reciprocal(node, written)
        return Syntax("binary", "**", 0, args)
    if node.data in SIGNS:
        return Syntax("binary", SIGNS[node.data], 0, args)
    return function(node.data, *args) if args else spell_name(node.data)


def _grouped(syntax: Syntax, kind: str) -> Syntax:
    """Keep parentheses where reading without them would make one flat chain."""
    if syntax.kind == kind and not syntax.grouped:
        return Syntax(kind, syntax.text, 0, syntax.children, node=syntax.node, grouped=True)
    return syntax


def _primitive(node: Expr, written: dict[Expr, Syntax]) -> Syntax:
    name, mapped = node.data
    if is_ravel(node) or is_slide(node):
        sizes = node.shape[1:] if is_ravel(node) else node.shape[:2]
        return function(name, *map(spell_size, sizes))
    if is_lower(node):
        return function("tril", function("ones", *map(spell_size, node.shape)))
    if not mapped and (inner := reduced_whole(node)) is not None:
        return function(name, written[inner])
    if mapped and len(node.args) == 1 and len(node.shape) == mapped == len(node.args[0][0].shape) - 1:
        return _reduction(name, node.args[0], mapped, written)
    args = []
    for child, labels in node.args:
        order = tuple(sorted(labels))
        args.append(written[child] if labels == order else _contraction(contraction([(child, labels)], order), written))
    if is_onehot(node):
        args.append(spell_size(node.shape[0]))
    return function(name, *args)


def _reduction(name: str, edge: Edge, mapped: int, written: dict[Expr, Syntax]) -> Syntax:
    """f(X, axis=0): one axis reduced, the others mapped over."""
    child, labels = edge
    axis = labels.index(mapped)
    text = written[child]
    if tuple(label for label in labels if label != mapped) != tuple(range(mapped)):
        axis, text = mapped, _contraction(contraction([edge], tuple(range(mapped + 1))), written)
    return function(name, text, Syntax("keyword", "axis", 0, [spell_number(number(axis))]))


def _contraction(node: Expr, written: dict[Expr, Syntax]) -> Syntax:
    args, out = node.args, node.data
    if len(args) == 1 and args[0][0] is ZERO and len(set(out)) == len(out):
        return function("zeros", *map(spell_size, node.shape))
    if masked := triangle_of(node):
        name, inner = masked
        return function(name, written[inner] if inner in written else _contraction(inner, written))
    if scaled := _scaled_triangle(node, written):
        return scaled
    if (summed := running_sum(node)) and not summed.from_the_end:
        return _cumulative(summed, written)
    if _is_broadcast(node):
        return _product(node, written)
    if selected := spell_selection(node, written) or subscript(node, written):
        return selected
    if not args:
        return _constant(node, written)
    if len(args) == 1 and (single := _single(node, written)):
        return single
    if (powers := matrix_powers(node)) is not None:
        return chained([_matrix_power(base, count, written) for base, count in powers])
    if len(args) == 2 and (double := _double(args, out, written)):
        return double
    return _einsum(node, written)


def _scaled_triangle(node: Expr, written: dict[Expr, Syntax]) -> Syntax | None:
    """2*tril(A): the scalars stand outside."""
    scalars: list[Edge] = [edge for edge in node.args if not edge[1]]
    if not scalars or node.data != (0, 1):
        return None
    triangle = contraction([edge for edge in node.args if edge[1]], (0, 1), dict(enumerate(node.shape)))
    if triangle_of(triangle) is None:
        return None
    shown = {**written, triangle: _contraction(triangle, written)}
    return _product(contraction([*scalars, (triangle, (0, 1))], (0, 1)), shown)


def _cumulative(summed: RunningSum, written: dict[Expr, Syntax]) -> Syntax:
    along = [Syntax("keyword", "axis", 0, [spell_number(number(summed.axis))])] if len(summed.of.shape) > 1 else []
    return function("cumsum", written[summed.of], *along)


def _is_broadcast(node: Expr) -> bool:
    rank = len(node.shape)
    return node.data == tuple(range(rank)) and len(node.args) > 1 and all(has_place(edge, rank) for edge in node.args)


def _product(node: Expr, written: dict[Expr, Syntax], *, whole: bool = True) -> Syntax:
    """An elementwise product; `whole`: where no factor has all its axes, ones do."""
    missing = set(axes(node)) - {label for _, labels in node.args for label in labels}
    if any(not is_aligned(edge, len(node.shape)) for edge in node.args):
        missing -= {i for i in missing if node.shape[i] == 1}  # what is written with keepdims has these
    missing -= {
        i for edge in node.args if _is_outer(edge, len(node.shape)) for i in range(min(edge[1]), len(node.shape))
    }
    ones = [function("ones", *map(spell_size, node.shape))] if whole and missing else []
    if mean := mean_among(node.args):
        return _with_mean(node, mean, ones, written)
    factors: list[Syntax] = []
    args = [child for child, _ in node.args]
    if args[0].head == NUMBER and args[0].data == -1:
        rest = contraction(node.args[1:], node.data, dict(zip(node.data, node.shape, strict=True)))
        if len(args) > 2 or ones:
            inner = _product(rest, written, whole=whole)
        elif _is_reciprocal(args[1]):
            inner = _reciprocal(args[1], written)
        else:
            inner = _grouped(_operand(node.args[1], node.shape, written), "product")
        return Syntax("unary", "-", 0, [inner])
    for edge in node.args:
        child = edge[0]
        if child.head == NUMBER and factors and child.data.numerator == 1 and child.data.denominator > 1:
            factors.append(Syntax("reciprocal", "/", 0, [spell_number(number(1 / child.data))]))
        elif _is_reciprocal(child):
            factors.append(Syntax("reciprocal", "/", 0, [_inverse(child, written)], node=child))
        else:
            factors.append(_operand(edge, node.shape, written))
    factors += ones
    if factors[0].kind == "reciprocal":
        factors.insert(0, spell_number(number(1)))
    factors[0] = _grouped(factors[0], "product")
    return Syntax("product", "*", 0, factors)


def _with_mean(node: Expr, mean: Mean, ones: list[Syntax], written: dict[Expr, Syntax]) -> Syntax:
    """A product with the sum and its divisor written as a mean."""
    total, labels = node.args[mean.sum]
    inner, own = total.args[0]
    summed = [i for i, label in enumerate(own) if label not in total.data]
    keeps = not is_aligned((total, labels), len(node.shape)) and not ones
    text = spell_sum(written[inner], summed, len(own), keepdims=keeps, name="mean")
    rest: list[Edge] = [e for i, e in enumerate(node.args) if i not in (mean.sum, mean.divisor)]
    whole = tuple(range(len(node.shape)))
    if not ones:  # the text broadcasts as it is
        total, labels = contraction([(total, labels)], whole, dict(enumerate(node.shape))), whole
    stand_in = differential(total, "mean")  # a node of the same shape that no notation looks into
    numbers = [number(mean.number)] if mean.number != 1 else []
    edges: list[Edge] = [*((n, ()) for n in numbers), *rest[: mean.sum], (stand_in, labels), *rest[mean.sum :]]
    if len(edges) == 1:
        return Syntax("product", "*", 0, [text, *ones]) if ones else text
    product = contraction(edges, node.data, dict(zip(node.data, node.shape, strict=True)))
    return _product(product, {**written, **{n: spell_number(n) for n in numbers}, stand_in: text}, whole=bool(ones))


def _is_reciprocal(node: Expr) -> bool:
    if node.head != CALL or node.data != POWER:
        return False
    exponent = node.args[1][0]
    return exponent.head == NUMBER and bool(exponent.data < 0)


def _reciprocal(node: Expr, written: dict[Expr, Syntax]) -> Syntax:
    return Syntax("product", "*", 0, [spell_number(number(1)), Syntax("reciprocal", "/", 0, [_inverse(node, written)])])


def _inverse(child: Expr, written: dict[Expr, Syntax]) -> Syntax:
    """The u**2 of a factor u**-2."""
    (base, labels), (exponent, _) = child.args
    base_syntax = _operand((base, labels), child.shape, written)
    if exponent.data == -1:
        return base_syntax
    if -exponent.data == HALF.data:
        return function("sqrt", base_syntax)
    return Syntax("binary", "**", 0, [base_syntax, spell_number(number(-exponent.data))])


def _constant(node: Expr, written: dict[Expr, Syntax]) -> Syntax:
    out = node.data
    if len(set(out)) == len(out):
        return function("ones", *map(spell_size, node.shape)) if out else spell_number(number(1))
    if out == (0, 0):
        return function("eye", spell_size(node.shape[0]))
    return _einsum(node, written)


def _single(node: Expr, written: dict[Expr, Syntax]) -> Syntax | None:
    ((child, labels),), out = node.args, node.data
    text = written[child]
    if len(set(labels)) < len(labels):
        if labels == (0, 0):
            return function("tr" if not out else "diag", text) if out in ((), (0,)) else None
        return None
    if along := along_axis(child, labels, out, written):
        return along
    if set(out) == set(labels) and len(out) == len(labels) > 1 and out == labels[::-1]:
        return Syntax("attribute", "T", 0, [text])
    if out == (0, 0) and labels == (0,):
        return function("diag", text)
    if len(set(out)) < len(out):
        return None
    kept = tuple(label for label in labels if label in out)
    extra = [label for label in out if label not in labels]
    if kept == out:
        return spell_sum(text, [i for i, label in enumerate(labels) if label not in out], len(labels), keepdims=False)
    if (
        extra
        and len(out) == len(labels)
        and all(
            a == b or (b not in labels and node.shape[i] == 1) for i, (a, b) in enumerate(zip(labels, out, strict=True))
        )
    ):
        return spell_sum(
            text,
            [i for i, (a, b) in enumerate(zip(labels, out, strict=True)) if a != b],
            len(labels),
            keepdims=True,
        )
    if extra and all(node.shape[i] == 1 for i, label in enumerate(out) if label in extra):
        edge = (child, tuple(out.index(label) for label in labels if label in out))
        if len(edge[1]) == len(labels) and (again := _keepdims(edge, len(out), written)):
            return again
    if len(out) == 2 and labels == out[:1]:
        return function("outer", text, function("ones", spell_size(node.shape[1])))
    if extra and kept == out[len(out) - len(kept) :] and kept == labels:
        return Syntax("product", "*", 0, [text, function("ones", *map(spell_size, node.shape))])
    return None


def _matrix_power(base: Expr, count: int, written: dict[Expr, Syntax]) -> Syntax:
    if count >= FEWEST_FACTORS:
        return function("matrix_power", written[base], spell_number(number(count)))
    return chained([written[base]] * count)


def _double(args: tuple[Edge, ...], out: Labels, written: dict[Expr, Syntax]) -> Syntax | None:
    (left, a), (right, b) = args
    if len(set(a)) < len(a) or len(set(b)) < len(b) or len(set(out)) < len(out):
        return None
    first, second = written[left], written[right]
    if len(a) == len(b) == 1 and a != b and out == a + b:
        return function("outer", first, second)
    shared = [label for label in a if label in b and label not in out]
    if len(shared) != 1 or a[-1] != shared[0] or b[max(len(b) - 2, 0)] != shared[0]:
        return None
    batch_a, batch_b = a[:-2], b[:-2]
    if batch_a and batch_b and batch_a != batch_b:
        return None
    row = a[-2:-1]
    column = b[-1:] if len(b) > 1 else ()
    if out == (batch_a or batch_b) + row + column:
        return Syntax("binary", "@", 0, [first, second])
    return None


def _einsum(node: Expr, written: dict[Expr, Syntax]) -> Syntax:
    """The fallback that says everything: the axes of the outcome are i, j, k, ...; deltas stand last."""
    first = {label: place for place, label in reversed(list(enumerate(node.data)))}
    for label in (i for _, labels in node.args for i in labels):
        first.setdefault(label, len(node.data) + len(first) - len(set(node.data)))
    groups = [(written[child], "".join(_LETTERS[first[i]] for i in labels)) for child, labels in node.args]
    on_operand = {label for _, labels in node.args for label in labels}
    for place, (label, size) in enumerate(zip(node.data, node.shape, strict=True)):
        if place != first[label]:
            groups.append((function("eye", spell_size(size)), _LETTERS[first[label]] + _LETTERS[place]))
        elif label not in on_operand and node.data.count(label) == 1:
            groups.append((function("ones", spell_size(size)), _LETTERS[place]))
    deltas = [group for group in groups if group[0].kind == "call" and group[0].text == "eye"]
    groups = [group for group in groups if group not in deltas] + sorted(deltas, key=lambda group: group[1])
    spec = ",".join(g for _, g in groups) + "->" + _LETTERS[: len(node.data)]
    return function("einsum", Syntax("string", spec, 0), *(text for text, _ in groups))

"""A straight-line plan: every contraction of many operands becomes a few cheap ones in a good order.

The plan is again a graph of nodes, in which a contraction is one of: an elementwise product (nothing is
summed), a sum over axes of one operand, a product of two operands summed over what they share, a diagonal, a
subscript (one array and selectors), or a constant. Backends write each of these directly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

from derivata.emit.cases import by_cases
from derivata.emit.flatten import flattened
from derivata.emit.formulas import expand
from derivata.emit.gram import halved
from derivata.emit.order import Products, pairwise, squeezed, summed_alone
from derivata.emit.windows import is_window, windowed
from derivata.errors import EvaluationError
from derivata.expr.node import (
    CALL,
    CONTRACTION,
    MINUS_ONE,
    NUMBER,
    ONE,
    POWER,
    SYMBOL,
    Edge,
    Expr,
    Labels,
    Size,
    axes,
    contraction,
    label_sizes,
    number,
    with_args,
)
from derivata.expr.selectors import is_onehot
from derivata.expr.walk import topological

FOLDED_BITS = 200
LARGEST_EXPONENT = 1024  # of two, in a double


def plan(roots: Sequence[Expr], backend: str) -> tuple[Expr, ...]:
    """The roots over native functions and simple contractions.

    Where products are long there are two plans to choose from: what is best for one product alone may leave
    less in common with another.
    """
    expanded = windowed(by_cases(flattened(expand(halved(flattened(roots)), backend))))
    products = Products()
    planned = _planned(expanded, products)
    if products.hard:
        chains = Products(chains=True)
        other = _planned(expanded, chains)
        planned = other if chains.cost < products.cost else planned
    return planned


def _planned(expanded: Sequence[Expr], products: Products) -> tuple[Expr, ...]:
    memo: dict[Expr, Expr] = {}
    for node in topological(*expanded):
        changed = with_args(node, tuple((memo[child], labels) for child, labels in node.args))
        if changed.head == CONTRACTION:
            changed = _melted(changed)
            simple = is_subscript(changed) or is_window(changed)
            memo[node] = squeezed(changed if simple else _ordered(changed, products))
        elif changed.head == CALL:
            folded = _folded(_melted(changed))
            alike = folded.shape == node.shape  # a folded power of an array of numbers is a scalar
            memo[node] = folded if alike else contraction([(folded, ())], axes(node), dict(enumerate(node.shape)))
        else:
            memo[node] = changed
    return tuple(memo[root] for root in expanded)


def use_counts(roots: Iterable[Expr]) -> dict[Expr, int]:
    """How often each node is written; a division hands its uses on to the divisor."""
    roots = tuple(roots)
    counts: dict[Expr, int] = {}

    def use(child: Expr) -> None:
        if is_reciprocal(child):
            child = child.args[0][0]
        counts[child] = counts.get(child, 0) + 1

    for root in roots:
        use(root)
    for node in topological(*roots):
        if not is_reciprocal(node):
            for child, _ in node.args:
                use(child)
    return counts


def is_reciprocal(node: Expr) -> bool:
    """u**-2 and the like: a factor that is written as a division."""
    if node.head != CALL or node.data != POWER:
        return False
    base, exponent = node.args[0][0], node.args[1][0]
    if exponent.head != NUMBER or exponent.data >= 0:
        return False
    nested = base.head == CALL and base.data == POWER and base.args[1][0].head == NUMBER
    return not (nested and base.args[1][0].data < 0)


def negated(node: Expr) -> Expr | None:
    """The u of a plain -u."""
    if node.head != CONTRACTION or len(node.args) != 2 or node.args[0][0] is not MINUS_ONE:
        return None
    return node.args[1][0] if node.args[1][1] == node.data else None


def is_view(node: Expr) -> bool:
    """One operand transposed or stretched: nothing is computed."""
    if node.head != CONTRACTION or len(node.args) != 1:
        return False
    labels = node.args[0][1]
    distinct = len(set(labels)) == len(labels) and len(set(node.data)) == len(node.data)
    return distinct and set(labels) <= set(node.data)


def is_plain(node: Expr) -> bool:
    """Writing it twice costs nothing. A division is written where it is used."""
    if node.head in (NUMBER, SYMBOL) or (node.head == CALL and not node.args) or is_reciprocal(node):
        return True
    return is_view(node) and node.args[0][0].head == SYMBOL and set(node.data) == set(node.args[0][1])


def is_subscript(node: Expr) -> bool:
    """z[k]: an array and selectors of some of its axes."""
    if len(node.args) < 2 or is_onehot(node.args[0][0]) or not all(is_onehot(s) for s, _ in node.args[1:]):
        return False
    labels = node.args[0][1]
    places = [lab[0] for _, lab in node.args[1:]]
    if len(set(labels)) < len(labels) or len(set(places)) < len(places) or not set(places) <= set(labels):
        return False
    return bool(node.data == tuple(label for label in labels if label not in places))


def _melted(node: Expr) -> Expr:
    """Transposed and stretched operands are read through their edges."""
    edges = list(node.args)
    for index, (child, labels) in enumerate(edges):
        if not is_view(child):
            continue
        inner, own = child.args[0]
        where = dict(zip(child.data, labels, strict=True))
        moved = tuple(where[label] for label in own)
        if node.head == CONTRACTION:
            others = {i for k, (_, ls) in enumerate(edges) if k != index for i in ls}
            if not set(labels) - set(moved) <= others | set(node.data):
                continue
        edges[index] = (inner, moved)
    if tuple(edges) == node.args:
        return node
    if node.head == CALL:
        return with_args(node, tuple(edges))
    return contraction(edges, node.data, label_sizes(node))


def _folded(node: Expr) -> Expr:
    """A power of two numbers as a number, when it is short; what no float holds is refused here."""
    if node.data != POWER or any(child.head != NUMBER for child, _ in node.args):
        return node
    base, exponent = (child.data for child, _ in node.args)
    if base == 0 and exponent < 0:
        raise EvaluationError("division by zero: 0 to a negative power")
    if exponent.denominator != 1:
        if base < 0:
            raise EvaluationError(f"({base})**({exponent}) is not a real number")
        return node
    bits = max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(exponent)
    if base in (0, 1) or bits <= FOLDED_BITS:
        return number(Fraction(base ** int(exponent)))
    if base == -1:
        return number(1 if exponent % 2 == 0 else -1)
    if _log2(abs(base)) * float(exponent) >= LARGEST_EXPONENT:
        raise EvaluationError("a number in the expression is larger than any float")
    return node


def _log2(value: Fraction) -> float:
    """The binary logarithm, to within one."""
    return float(value.numerator.bit_length() - value.denominator.bit_length())


def _ordered(node: Expr, products: Products) -> Expr:
    """A contraction as a nest of simple ones, the cheapest product first."""
    sizes = label_sizes(node)
    given, out = _diagonal(list(node.args), node.data)
    edges = summed_alone(_selected(_distinct(given, out), out, sizes), out)
    scalars = _one_number([edge for edge in edges if not edge[1]])
    arrays = pairwise([edge for edge in edges if edge[1]], tuple(dict.fromkeys(out)), sizes, products)
    if len(scalars) + len(arrays) > 1:
        scalars = [edge for edge in scalars if edge[0] is not ONE]
    return _product([*scalars, *arrays], out, sizes)


def _one_number(scalars: list[Edge]) -> list[Edge]:
    """The numbers among the factors multiplied out."""
    numbers = [child.data for child, _ in scalars if child.head == NUMBER]
    if len(numbers) < 2:
        return scalars
    rest = [edge for edge in scalars if edge[0].head != NUMBER]
    total = Fraction(1)
    for value in numbers:
        total *= value
    return rest if total == 1 and rest else [(number(total), ()), *rest]


def _distinct(edges: list[Edge], out: Labels) -> list[Edge]:
    """Operands without repeated axes: diagonals are taken first, traces at once."""
    if len(edges) == 1 and edges[0][1] == (0, 0) and out in ((), (0,)):
        return edges  # written as it stands
    found: list[Edge] = []
    for index, (child, labels) in enumerate(edges):
        distinct = tuple(dict.fromkeys(labels))
        if distinct != labels:
            others = {label for i, (_, ls) in enumerate(edges) if i != index for label in ls}
            private = len(distinct) == 1 and distinct[0] not in others and distinct[0] not in out
            distinct = () if private else distinct
            found.append((contraction([(child, labels)], distinct), distinct))
        else:
            found.append((child, labels))
    return found


def _selected(edges: list[Edge], out: Labels, sizes: dict[int, Size]) -> list[Edge]:
    """Selectors become subscripts of the arrays whose axes they select."""
    arrays = [edge for edge in edges if not is_onehot(edge[0])]
    selectors: dict[int, Edge] = {}
    kept: list[Edge] = []
    for child, labels in edges:
        if not is_onehot(child):
            continue
        (label,) = labels
        used = any(label in others for _, others in arrays)
        if label in out or not used or label in selectors:
            kept.append((child, labels))
        else:
            selectors[label] = (child, labels)
    for label in [lab for (lab,) in (ls for _, ls in kept) if lab in selectors]:
        kept.append(selectors.pop(label))  # selected twice: left to the general path
    found: list[Edge] = []
    for child, labels in arrays:
        mine = [selectors[label] for label in labels if label in selectors]
        rest = tuple(label for label in labels if label not in selectors)
        found.append((contraction([(child, labels), *mine], rest), rest) if mine else (child, labels))
    return found + kept


def _diagonal(edges: list[Edge], out: Labels) -> tuple[list[Edge], Labels]:
    """An identity matrix beside other arrays says that two axes are one: the result is only a diagonal then.

    One identity matrix and numbers alone are left: np.eye says it.
    """
    place = 0
    while place < len(edges):
        (child, (*labels,)), rest = edges[place], edges[:place] + edges[place + 1 :]
        place += 1
        if not _is_identity(child) or labels[0] == labels[1] or not any(ls for _, ls in rest):
            continue
        kept, lost = sorted(labels, key=lambda label: out.index(label) if label in out else len(out))
        if kept in out or any(label in ls for _, ls in rest for label in labels):
            edges = [(c, tuple(kept if i == lost else i for i in ls)) for c, ls in rest]
            out = tuple(kept if i == lost else i for i in out)
            place = 0
    return edges, out


def _is_identity(node: Expr) -> bool:
    return node.head == CONTRACTION and not node.args and node.data == (0, 0)


def is_diagonal(node: Expr) -> bool:
    """An array that is zero where axes with one label differ, and its only argument where they agree."""
    return node.head == CONTRACTION and len(set(node.data)) < len(node.data)


def _product(edges: list[Edge], out: Labels, sizes: dict[int, Size]) -> Expr:
    """An elementwise product; an axis that stands twice in the result is a diagonal."""
    distinct = tuple(dict.fromkeys(out))
    if distinct == out:
        return _elementwise(edges, out, sizes)
    arrays = [edge for edge in edges if edge[1]]
    scalars = [edge for edge in edges if not edge[1]]
    if len(out) == 2 and all(labels == out[:1] for _, labels in arrays):
        inner = [(_elementwise(arrays, distinct, sizes), distinct)] if arrays else []
        return _elementwise([*scalars, (contraction(inner, out, sizes), (-1, -2))], (-1, -2), {})
    held = tuple(label for label in distinct if any(label in labels for _, labels in arrays))
    return contraction([(_elementwise(edges, held, sizes), held)], out, sizes)


def _elementwise(edges: list[Edge], out: Labels, sizes: dict[int, Size]) -> Expr:
    """A product over the axes of `out`: factors with the same few axes first, stretching last."""
    if len(edges) == 1 and edges[0][1] == out:
        return edges[0][0]
    held = tuple(label for label in out if any(label in labels for _, labels in edges))
    if held != out and len(edges) > 1:
        edges = [(_elementwise(edges, held, sizes), held)]
    return contraction(_grouped(edges, out), out, {label: sizes[label] for label in out if label in sizes})


def _grouped(edges: list[Edge], out: Labels) -> list[Edge]:
    groups: dict[Labels, list[Edge]] = {}
    for edge in edges:
        groups.setdefault(edge[1], []).append(edge)
    found: list[Edge] = []
    for labels, members in groups.items():
        if len(members) > 1 and labels and len(labels) < len(out):
            found.append((contraction(members, labels), labels))
        else:
            found += members
    return found

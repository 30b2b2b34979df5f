"""In which order the factors of a contraction are multiplied."""

from __future__ import annotations

from collections.abc import Callable

from derivata.expr.node import CALL, CONTRACTION, Edge, Expr, Labels, Size, call, contraction

LARGE = 1000.0  # what a size that is only a name counts in comparisons of cost
EASY = 3  # factors up to which the cheapest product first is the best order

Choice = Callable[[list[Edge], set[int], Labels, dict[int, Size]], tuple[int, ...]]


def squeezed(node: Expr) -> Expr:
    """An axis of size 1 that is dropped again was never needed."""
    if node.head != CONTRACTION or len(node.args) != 1:
        return node
    child, labels = node.args[0]
    dropped = [i for i, label in enumerate(labels) if label not in node.data]
    kept = tuple(i for i in range(len(labels)) if i not in dropped)
    elementwise = child.head == CALL or (child.head == CONTRACTION and set(child.data) == set(range(len(labels))))
    in_order = tuple(label for label in labels if label in node.data) == node.data
    if not dropped or not elementwise or not in_order or len(set(labels)) < len(labels):
        return node
    if any(child.shape[i] != 1 for i in dropped) or any(i in ls for _, ls in child.args for i in dropped):
        return node
    shape = tuple(child.shape[i] for i in kept)
    if child.head == CONTRACTION:
        return contraction(child.args, kept, dict(zip(kept, shape, strict=True)))
    return call(child.data, [(c, tuple(kept.index(i) for i in ls)) for c, ls in child.args], shape)


def summed_alone(edges: list[Edge], out: Labels) -> list[Edge]:
    """Axes that only one operand has and the result has not are summed first."""
    if len(edges) < 2:
        return edges
    holders: dict[int, int] = {}
    for _, labels in edges:
        for label in set(labels):
            holders[label] = holders.get(label, 0) + 1
    found: list[Edge] = []
    for child, labels in edges:
        kept = tuple(label for label in labels if label in out or holders[label] > 1)
        found.append((child, labels) if kept == labels else (squeezed(contraction([(child, labels)], kept)), kept))
    return found


class Products:
    """The products that a plan has so far: what another contraction needs again costs nothing there."""

    def __init__(self, *, chains: bool = False) -> None:
        self._known: dict[frozenset[Expr], set[Expr]] = {}
        self.chains = chains  # whether long products are always multiplied so that the least is held
        self.cost = 0.0
        self.hard = False  # whether there is a long product

    def has(self, factors: list[Edge], product: Expr) -> bool:
        return product in self._known.get(frozenset(child for child, _ in factors), ())

    def may_have(self, one: Expr, other: Expr) -> bool:
        return frozenset((one, other)) in self._known

    def add(self, made: list[tuple[list[Edge], Expr]], cost: float) -> None:
        self.cost += cost
        for factors, product in made:
            self._known.setdefault(frozenset(child for child, _ in factors), set()).add(product)


def pairwise(edges: list[Edge], out: Labels, sizes: dict[int, Size], products: Products) -> list[Edge]:
    """Contract pairs until nothing is left to sum, in the cheapest of a few orders."""
    choices: list[Choice] = [_cheapest]
    if len(edges) > EASY:
        products.hard = True
        choices = [_shrinking] if products.chains else [_cheapest, _shrinking]
        choices += [_again(products, choose) for choose in choices]
    found = [_contracted(edges, out, sizes, products, choose) for choose in choices]
    best = min(found, key=lambda one: one[1])
    products.add(best[2], best[1])
    return best[0]


def _contracted(
    edges: list[Edge], out: Labels, sizes: dict[int, Size], products: Products, choose: Choice
) -> tuple[list[Edge], float, list[tuple[list[Edge], Expr]]]:
    """The operands left when nothing is to be summed, how many multiplications lead there, and the products.

    A product stands where its first factor stood.
    """
    cost = 0.0
    made: list[tuple[list[Edge], Expr]] = []
    while len(edges) > 1:
        summed = {label for _, labels in edges for label in labels} - set(out)
        if not summed:
            return edges, cost, made
        chosen = choose(edges, summed, out, sizes)
        factors, rest = [edges[i] for i in chosen], [edge for i, edge in enumerate(edges) if i not in chosen]
        kept = _kept_axes(factors, rest, out)
        product = contraction(factors, kept)
        if not products.has(factors, product):
            cost += _volume({label for _, labels in factors for label in labels}, sizes)
        made.append((factors, product))
        rest.insert(chosen[0], (product, kept))
        edges = summed_alone(rest, out)
    if edges and set(edges[0][1]) - set(out):
        child, labels = edges[0]
        kept = tuple(label for label in out if label in labels)
        edges = [(contraction([(child, labels)], kept), kept)]
    return edges, cost, made


def _kept_axes(factors: list[Edge], rest: list[Edge], out: Labels) -> Labels:
    """The axes of a product, in the order that spares transpositions."""
    together = dict.fromkeys(label for _, labels in factors for label in labels)
    needed = set(out) | {label for _, labels in rest for label in labels}
    kept = tuple(label for label in together if label in needed)
    first, second = factors[0][1], factors[-1][1]
    shared = [label for label in first if label in second and label not in needed]
    if len(factors) == 2 and len(kept) > 2:
        batch = tuple(label for label in first if label in second and label in needed)
        rows, columns = (tuple(i for i in ls if i in needed and i not in batch) for ls in (first, second))
        if len(shared) == 1 and len(rows) == len(columns) == 1:
            ends = (*rows, *columns)
            return (*batch, *(sorted(ends, key=out.index) if set(ends) <= set(out) else ends))
        if len(shared) == 1 and not batch and min(len(rows), len(columns)) == 1:
            return (*rows, *columns) if len(columns) == 1 else (*columns, *rows)
        if not shared and not set(kept) <= set(out):
            # What is summed next, as the fewest others hold it, comes last: a row for a matrix product.
            holders = {label: sum(label in labels for _, labels in rest) for label in kept}
            last = min((label for label in reversed(kept) if label not in out), key=holders.__getitem__)
            return (*sorted((i for i in kept if i != last), key=lambda label: -holders[label]), last)
    if set(kept) <= set(out):
        return tuple(label for label in out if label in kept)
    if len(factors) == 2 and len(first) == len(second) == 2 and len(shared) == 1:
        ahead = (first[-1] != shared[0]) + (second[0] != shared[0])
        behind = (second[-1] != shared[0]) + (first[0] != shared[0])
        return kept if ahead <= behind else kept[::-1]
    return kept


def _same_axes(edges: list[Edge], summed: set[int]) -> tuple[int, ...]:
    """Operands with the same axes are multiplied elementwise first, unless they are all there is."""
    groups: dict[frozenset[int], list[int]] = {}
    for index, (_, labels) in enumerate(edges):
        groups.setdefault(frozenset(labels), []).append(index)
    for common, members in groups.items():
        if len(members) > 1 and common & summed and len(edges) > 2:
            return tuple(members) if len(members) < len(edges) else tuple(members[:-1])
    return ()


def _cheapest(edges: list[Edge], summed: set[int], out: Labels, sizes: dict[int, Size]) -> tuple[int, ...]:
    """The pair that takes the fewest multiplications: matrices meet vectors first."""
    if same := _same_axes(edges, summed):
        return same
    return _best_pair(edges, summed, out, lambda a, b, kept: (_volume(a | b, sizes), _volume(kept, sizes)))


def _shrinking(edges: list[Edge], summed: set[int], out: Labels, sizes: dict[int, Size]) -> tuple[int, ...]:
    """The pair after which the least is held: long chains that share axes do not grow more of them."""

    def growth(a: set[int], b: set[int], kept: set[int]) -> tuple[float, float]:
        held = _volume(kept, sizes) - _volume(a, sizes) - _volume(b, sizes)
        return held, _volume(a | b, sizes)

    if same := _same_axes(edges, summed):
        return same
    return _best_pair(edges, summed, out, growth)


def _again(products: Products, otherwise: Choice) -> Choice:
    """A pair that the plan has multiplied before, and else what is chosen otherwise."""

    def choose(edges: list[Edge], summed: set[int], out: Labels, sizes: dict[int, Size]) -> tuple[int, ...]:
        for i, first in enumerate(edges):
            for j in range(i + 1, len(edges)):
                if products.may_have(first[0], edges[j][0]):
                    factors = [first, edges[j]]
                    rest = [edge for m, edge in enumerate(edges) if m not in (i, j)]
                    if products.has(factors, contraction(factors, _kept_axes(factors, rest, out))):
                        return i, j
        return otherwise(edges, summed, out, sizes)

    return choose


def _best_pair(
    edges: list[Edge],
    summed: set[int],
    out: Labels,
    price: Callable[[set[int], set[int], set[int]], tuple[float, float]],
) -> tuple[int, ...]:
    """The first of the pairs with the lowest price, which sees the axes of both and those that are left."""
    found: tuple[tuple[float, float], int, int] | None = None
    held = [set(labels) for _, labels in edges]
    for i, a in enumerate(held):
        for j in range(i + 1, len(held)):
            b = held[j]
            if not a & b & summed:
                continue
            needed = set(out).union(*(ls for m, ls in enumerate(held) if m not in (i, j)))
            candidate = (price(a, b, (a | b) & needed), i, j)
            if found is None or candidate < found:
                found = candidate
    assert found is not None, "an axis that one operand holds is summed before"
    return found[1:]


def _volume(labels: set[int], sizes: dict[int, Size]) -> float:
    volume = 1.0
    for label in labels:
        size = sizes[label]
        volume *= float(size) if isinstance(size, int) else LARGE
    return volume

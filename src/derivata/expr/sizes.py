"""Sizes of axes: a number, a name, or a sum of products of these such as `n - 1` or `2*d*n + 3`.

A size that is no number is the text of a polynomial with whole coefficients, written in one way only, so that
equal sizes are equal texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import prod

from derivata.expr.node import Size

Terms = dict[tuple[str, ...], int]  # the coefficient of every product of names
LONGEST = 200  # characters of a size that is read
_FACTOR = r"\s*(?:[0-9]{1,9}|[^\W\d]\w*)\s*"
_TERM = rf"{_FACTOR}(?:\*{_FACTOR})*"
_SUM = re.compile(rf"{_TERM}(?:[-+]{_TERM})*")
_KEPT = 4096  # sizes that are kept taken apart


def size_product(*sizes: Size) -> Size:
    """The size of several axes taken as one."""
    found: Terms = {(): 1}
    for size in sizes:
        terms = size_terms(size)
        product: Terms = {}
        for names, factor in found.items():
            for others, other in terms:
                key = tuple(sorted((*names, *others)))
                product[key] = product.get(key, 0) + factor * other
        found = product
    return size_of(found)


def size_sum(*sizes: Size) -> Size:
    """The size of several axes one after another."""
    found: Terms = {}
    for size in sizes:
        for names, factor in size_terms(size):
            found[names] = found.get(names, 0) + factor
    return size_of(found)


def size_difference(size: Size, *taken: Size) -> Size:
    """What is left of an axis."""
    return size_sum(size, *(size_product(-1, other) for other in taken))


def size_of(terms: Terms) -> Size:
    """The one text of a polynomial: what is added first, the longest products first, numbers last."""
    found = sorted(
        ((names, factor) for names, factor in terms.items() if factor),
        key=lambda term: (not term[0], term[1] < 0, -len(term[0]), term[0]),
    )
    if not any(names for names, _ in found):
        return sum(factor for _, factor in found)
    text = ""
    for names, factor in found:
        sign = ("-" if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
        text += sign + "*".join([*([str(abs(factor))] if abs(factor) != 1 or not names else []), *names])
    return text


@lru_cache(maxsize=_KEPT)
def size_terms(size: Size) -> tuple[tuple[tuple[str, ...], int], ...]:
    """The terms of a size: products of names, each with its coefficient."""
    if isinstance(size, int):
        return (((), size),)
    found: list[tuple[tuple[str, ...], int]] = []
    for term in size.replace("- ", "+ -").split("+ "):
        text = term.strip()
        factor = -1 if text.startswith("-") else 1
        names = []
        for part in text.removeprefix("-").split("*"):
            if part.isdigit():
                factor *= int(part)
            else:
                names.append(part)
        found.append((tuple(names), factor))
    return tuple(found)


def read_size(text: str) -> Size | None:
    """The size that a person writes: `n`, `3`, `n-m+1`, `2*d`."""
    if len(text) > LONGEST or not _SUM.fullmatch(text):
        return None
    found: Size = 0
    for sign, term in re.findall(r"([-+]?)\s*([^-+]+)", text):
        parts: list[Size] = [int(p) if p.isdigit() else p for p in map(str.strip, term.split("*"))]
        found = size_sum(found, size_product(-1 if sign == "-" else 1, *parts))
    return None if is_from_end(found) else found


def size_names(*sizes: Size) -> list[str]:
    """The names in sizes, each once."""
    return list(dict.fromkeys(name for size in sizes for names, _ in size_terms(size) for name in names))


def is_from_end(size: Size) -> bool:
    """Whether nothing is added in it: -1, -m, as a place that is counted from the end."""
    terms = size_terms(size)
    return all(factor <= 0 for _, factor in terms) and any(factor for _, factor in terms)


def size_in_numbers(size: Size, sizes: Mapping[str, int]) -> int:
    """A size with the names in it looked up; KeyError where one is missing."""
    return sum(factor * prod(sizes[name] for name in names) for names, factor in size_terms(size))


def fitting_sizes(needed: Iterable[Size], start: Mapping[str, int], fixed: Iterable[str] = ()) -> dict[str, int]:
    """The sizes of `start` made larger until every polynomial in `needed` is at least 1, where that is possible."""
    found, bound = dict(start), set(fixed)
    wanted = [size for size in dict.fromkeys(needed) if not isinstance(size, int)]
    for _ in range(len(wanted) * len(found) + 100):
        short = next((size for size in wanted if size_in_numbers(size, found) < 1), None)
        if short is None:
            break
        grow = [n for names, factor in size_terms(short) if factor > 0 for n in names if n not in bound]
        if not grow:
            break
        name = min(grow, key=found.__getitem__)
        found[name] += 1
    return found

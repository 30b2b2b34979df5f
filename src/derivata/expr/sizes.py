"""Sizes of axes: a number, a name, or a product of these such as `2*d*n` for axes taken as one."""

from __future__ import annotations

import math
from collections.abc import Mapping

from derivata.expr.node import Size


def size_product(*sizes: Size) -> Size:
    """The size of several axes taken as one: a number, or text such as `2*d*n`."""
    number_part, names = 1, []
    for size in sizes:
        for part in size_parts(size):
            if isinstance(part, int):
                number_part *= part
            else:
                names.append(part)
    if number_part == 0 or not names:
        return number_part
    return "*".join([*([str(number_part)] if number_part != 1 else []), *sorted(names)])


def size_parts(size: Size) -> list[Size]:
    """The factors of a size."""
    if isinstance(size, int):
        return [size]
    return [int(part) if part.isdigit() else part for part in size.split("*")]


def size_in_numbers(size: Size, sizes: Mapping[str, int]) -> int:
    """A size with the names in it looked up; KeyError where one is missing."""
    return math.prod(part if isinstance(part, int) else sizes[part] for part in size_parts(size))

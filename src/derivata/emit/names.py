"""Names in generated code: the user's own where Python allows them; t1, t2, ... for intermediate values."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

_RESERVED = frozenset({*keyword.kwlist, *dir(builtins), "np", "math", "scipy", "dtype"})


def python_name(text: str) -> str:
    """An identifier that Python reads as itself: f' is f_prime, lambda is lambda_."""
    text = unicodedata.normalize("NFKC", text).replace("'", "_prime")
    text = re.sub(r"\W", "_", text)
    if not text.isidentifier():
        text = "_" + text
    return text + "_" if text in _RESERVED else text


class Names:
    """One function's names: no two things share one."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = set(reserved)
        self._given: dict[tuple[str, str], str] = {}
        self._counter = 0

    def of(self, kind: str, name: str) -> str:
        """The name of a symbol, size, function or result."""
        key = (kind, name)
        if key not in self._given:
            found = python_name(name)
            while found in self._taken:
                found += "_"
            self._taken.add(found)
            self._given[key] = found
        return self._given[key]

    def fresh(self) -> str:
        """The next intermediate value's name."""
        while True:
            self._counter += 1
            if f"t{self._counter}" not in self._taken:
                return f"t{self._counter}"

    @property
    def mark(self) -> int:
        """Where the intermediate names stand, to come back to."""
        return self._counter

    def back_to(self, mark: int) -> None:
        self._counter = mark

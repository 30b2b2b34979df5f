"""A function is declared in one place: its record. Nothing else under src/ knows its name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from derivata.rules.book import book

SRC = Path(__file__).resolve().parent.parent / "src" / "derivata"
FILES = [f for f in sorted(SRC.rglob("*.py")) if f.parent.name != "rules"]
NAMES = {name for function in book().functions for name in (function.name, *function.aliases)}
# Names that are also English, Python's, or signs of the language; as whole strings they are looked for all the same.
WORDS = {
    *("where", "sign", "power", "step", "add", "equal", "floor", "e", "pi", "less", "absolute"),
    *("abs", "max", "min", "prod", "exp", "log", "log2", "sin", "pow", "lt", "le", "gt", "ge", "eq", "ne"),
}
# Strings that are such a name and something else as well, file by file.
OTHER_MEANINGS = {
    "expr/node.py": {"add", "pow"},  # the two operators that nodes are built with
    "expr/notation.py": {"lt", "le", "gt", "ge", "eq", "ne"},  # what < and <= are called
    "expr/tokens.py": {"e"},  # 1e5
    "run/precise.py": {"where", "floor"},  # what records call their code in ball arithmetic
    "run/matrices.py": {
        "amax",
        "amin",
        "inv",
        "det",
        "expm",
        "expm_frechet",
        "prod",
        "eigmax",
        "eigmax_projection",
        "cholesky",
    },  # the same
    "apps/entry.py": {"where"},  # a heading
}
KINDS = {"prod", "power", "sign", "equal", "e", "le", "ge", "ne"}  # kinds of formula and of verdicts, LaTeX commands


def whole_strings(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_function_is_named_in_code() -> None:
    found = []
    for file in FILES:
        path = file.relative_to(SRC).as_posix()
        allowed = OTHER_MEANINGS.get(path, set()) | KINDS
        strings = NAMES & set(whole_strings(file.read_text(encoding="utf-8"))) - allowed
        found += [f"{path}: {name!r}" for name in sorted(strings)]
    assert not found, "\n".join(found)


def test_no_function_is_named_in_words_either() -> None:
    """Not in comments nor messages; the examples in the command line's help are what a person would type."""
    pattern = re.compile(r"(?<![\w.])(" + "|".join(sorted(NAMES - WORDS, key=len, reverse=True)) + r")(?!\w)")
    found = []
    for file in FILES:
        if file.relative_to(SRC).as_posix() in ("apps/cli.py", "run/matrices.py"):
            continue  # the latter holds what records call their code in ball arithmetic
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            found += [f"{file.relative_to(SRC)}:{number}: {name}" for name in pattern.findall(line)]
    assert not found, "\n".join(found)


def test_each_name_is_declared_once() -> None:
    declared = [name for function in book().functions for name in (function.name, *function.aliases)]
    assert len(declared) == len(set(declared))

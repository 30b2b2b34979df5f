"""Every example in README and docs runs and prints what it shows."""

from __future__ import annotations

import doctest
import importlib
import io
import re
import shlex
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import pytest

from derivata.apps.cli import main

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[tuple[str, str]]:
    return [(p.name, text) for p in PAGES for found, text in BLOCK.findall(p.read_text("utf-8")) if found == kind]


def test_there_are_examples() -> None:
    assert blocks("python")
    assert blocks("console")


@pytest.mark.parametrize(("page", "text"), blocks("python"))
def test_python_examples(page: str, text: str) -> None:
    example = doctest.DocTestParser().get_doctest(text, {}, page, None, 0)
    assert doctest.DocTestRunner(verbose=False).run(example).failed == 0


def printed(arguments: list[str]) -> str:
    """Both streams of one run of the command line, as a terminal would interleave them."""
    stream = io.StringIO()
    with redirect_stdout(stream), redirect_stderr(stream), suppress(SystemExit):
        main(arguments)
    return stream.getvalue()


@pytest.mark.parametrize(("page", "text"), blocks("console"))
def test_console_examples(page: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("derivata.apps.cli._encodes_unicode", lambda: True)
    for command, _, wanted in (part.partition("\n") for part in text.split("$ ")[1:]):
        name, *arguments = shlex.split(command)
        assert name == "derivata"
        assert printed(arguments).rstrip("\n") == wanted.rstrip("\n")


def modules() -> list[str]:
    """The modules of the package that hold examples."""
    files = [f for f in sorted((ROOT / "src").rglob("*.py")) if ">>>" in f.read_text("utf-8")]
    return [".".join(f.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__") for f in files]


@pytest.mark.parametrize("name", modules())
def test_docstrings(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_two_commands_are_there() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "python3 dev.py demo" in text
    assert "python3 dev.py test" in text

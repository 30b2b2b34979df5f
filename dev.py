#!/usr/bin/env python3
"""Everything a developer runs, on a machine with only Python and git: `python3 dev.py VERB`.

Standard library only. What is needed goes into .venv; a stamp makes the second call start at once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BOOTSTRAP = ROOT / ".venv-bootstrap"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = str(BIN / "python")
OLDEST = (3, 11)
KATEX = ROOT / "tests" / "katex"

FORMULA = "sum(log(1 + exp(-y*(X@w))))"
SHAPES = "X[n,d], y[n], w[d]"


def say(message: str) -> None:
    print(f"dev.py: {message}", flush=True)


def run(*command: str, quiet: bool = False, path: Path | None = None) -> int:
    """The exit status of a command; `quiet` hides what it prints, `path` is where it also finds modules."""
    sink = subprocess.DEVNULL if quiet else None
    environment = {**os.environ, "PYTHONPATH": str(path)} if path else None
    try:
        return subprocess.run(command, cwd=ROOT, env=environment, stdout=sink, stderr=sink).returncode
    except FileNotFoundError:
        return 127


def first_failure(statuses: list[int]) -> int:
    return next((status for status in statuses if status), 0)


def must(*command: str, failed: str, path: Path | None = None) -> None:
    """Run a step without which nothing else works."""
    if status := run(*command, path=path):
        say(failed)
        sys.exit(status)


def works() -> bool:
    return run(PYTHON, "-m", "pip", "--version", quiet=True) == 0


def make_environment() -> None:
    """Make .venv; by virtualenv, kept in a folder of its own, where Python came without ensurepip."""
    say(f"making .venv with Python {sys.version.split()[0]}")
    run(sys.executable, "-m", "venv", "--clear", str(VENV), quiet=True)
    if works():
        return
    say("this Python cannot make one by itself; fetching virtualenv into .venv-bootstrap")
    must(
        *(sys.executable, "-m", "pip", "install", "-qq", "--upgrade"),
        *("--target", str(BOOTSTRAP), "virtualenv"),
        failed="needs venv or pip; on Debian: apt install python3-venv",
    )
    must(
        *(sys.executable, "-m", "virtualenv", "--quiet", "--clear", str(VENV)),
        failed="virtualenv could not make .venv",
        path=BOOTSTRAP,
    )


def install(extra: str) -> None:
    """Have derivata[extra] in .venv, unless a stamp says that it is there."""
    state = (ROOT / "pyproject.toml").read_bytes() + str(ROOT).encode()
    key = hashlib.sha256(state).hexdigest()
    stamp = VENV / f"installed-{extra}"
    enough = [stamp, VENV / "installed-dev"] if extra == "examples" else [stamp]
    if Path(PYTHON).exists() and any(s.exists() and s.read_text() == key for s in enough):
        return
    if not works():
        make_environment()
    say(f"installing derivata[{extra}] into .venv (the first time this takes a minute or two)")
    must(
        *(PYTHON, "-m", "pip", "install", "-qq", "--disable-pip-version-check"),
        *("--editable", f".[{extra}]"),
        failed="pip could not install what is needed; its message is above",
    )
    stamp.write_text(key)


def install_katex() -> None:
    """Have KaTeX in tests/katex/node_modules, unless a stamp says that it is there; its test is skipped without."""
    key = hashlib.sha256((KATEX / "package-lock.json").read_bytes()).hexdigest()
    stamp = KATEX / "node_modules" / "installed"
    if stamp.exists() and stamp.read_text() == key:
        return
    npm = shutil.which("npm")
    if npm is None:
        say("no npm: the test that renders our LaTeX with KaTeX is skipped")
        return
    say("installing KaTeX into tests/katex/node_modules")
    quietly = ("--silent", "--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--fetch-retries=1")
    if run(npm, "ci", "--prefix", str(KATEX), *quietly):
        say(f"npm could not, its test may be skipped; to see why: npm ci --prefix {KATEX.relative_to(ROOT)}")
        return
    stamp.write_text(key)


def setup() -> int:
    """make .venv and install derivata[dev] into it"""
    install("dev")
    say("ready: .venv has derivata and its tools")
    return 0


def check() -> int:
    """ruff (rules and format) and mypy"""
    install("dev")
    statuses = []
    for tool in (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)):
        say(" ".join(tool))
        statuses.append(run(PYTHON, "-m", *tool))
    return first_failure(statuses)


def test(options: list[str], fast: bool) -> int:
    """all tests, two at a time; --fast leaves the slow ones out; other options go to pytest"""
    install("dev")
    install_katex()
    return run(PYTHON, "-m", "pytest", "-n", "2", *(("-m", "not slow") if fast else ()), *options)


def bench() -> int:
    """every script in benchmarks/"""
    install("bench")
    statuses = []
    for script in sorted((ROOT / "benchmarks").glob("*.py")):
        say(f"benchmarks/{script.name}")
        statuses.append(run(PYTHON, str(script)))
    return first_failure(statuses)


def demo() -> int:
    """derive the gradient of logistic regression, then train a model with it"""
    install("examples")
    say(f'derivata derive "{FORMULA}" --wrt w --where "{SHAPES}"')
    if status := run(str(BIN / "derivata"), "derive", FORMULA, "--wrt", "w", "--where", SHAPES):
        return status
    say("python examples/breast_cancer_logistic.py")
    return run(PYTHON, "examples/breast_cancer_logistic.py")


VERBS = {verb.__name__: verb for verb in (setup, check, bench, demo)}


def main() -> int:
    if sys.version_info < OLDEST:
        say(f"needs Python {'.'.join(map(str, OLDEST))} or newer, this is {sys.version.split()[0]}")
        return 2
    parser = argparse.ArgumentParser(prog="dev.py", description="What a developer of Derivata runs.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, verb in VERBS.items():
        verbs.add_parser(name, help=verb.__doc__)
    verbs.add_parser("test", help=test.__doc__).add_argument("--fast", action="store_true")
    chosen, rest = parser.parse_known_args()
    if chosen.verb == "test":
        return test(rest, fast=chosen.fast)
    if rest:
        parser.error(f"{chosen.verb} takes no {' '.join(rest)}")
    return VERBS[chosen.verb]()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)

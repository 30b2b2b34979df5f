"""The shape of the house: who may import whom, how long a file may be, what `import derivata` costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parent.parent / "src"
FILES = sorted((SRC / "derivata").rglob("*.py"))

# Bottom to top; rooms on one floor do not import each other. "derivata" is the package's own __init__, the
# face: it may import anything, and only what stands above it may import it.
FLOORS = (
    {"errors"},
    {"expr"},
    {"rules"},
    {"rewrite"},
    {"calculus"},
    {"simplify"},
    {"render", "emit"},
    {"run"},
    {"derivations"},
    {"verbs"},
    {"check", "optimize", "handbook"},
    {"derivata"},
    {"apps"},
    {"__main__"},
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
ARRAY_LIBRARIES = {"numpy", "scipy", "torch", "jax", "tensorflow", "numba", "dask"}
LONGEST = 400
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc"}
HEAVY = {"numpy", "flint", "click", "rich", "scipy", "torch", "jax", "numba"}
IMPORT_SECONDS = 0.15


def module_of(file: Path) -> str:
    parts = file.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The file or folder right under src/derivata that a module lives in."""
    return module.split(".")[1] if "." in module else module


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Every module that a syntax tree imports, at the top or inside functions, by statement or by call."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                base = ".".join([*above, *([module] if module else [])])
                if base == "derivata":  # `from derivata import expr` means the room, if there is one
                    yield from (f"derivata.{a.name}" if a.name in FLOOR else base for a in names)
                else:
                    yield base
            case ast.Call(
                func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name


def trespasses(source: str, module: str, package: str) -> list[str]:
    """What a module imports although it may not."""
    here = room(module)
    if here not in FLOOR:
        return [f"{module} is in no layer"]
    if here == "derivata":
        return []
    found = []
    for name in imported(ast.parse(source), package):
        top = name.partition(".")[0]
        if top == "derivata":
            there = room(name)
            if there != here and FLOOR.get(there, len(FLOORS)) >= FLOOR[here]:
                found.append(f"{module} imports {name}")
        elif top in ARRAY_LIBRARIES and FLOOR[here] < FLOOR["run"]:
            found.append(f"{module} imports {name}")
    return found


def is_table(tree: ast.Module) -> bool:
    """Nothing but a docstring, imports and assigned records."""
    allowed = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    return all(isinstance(statement, allowed) for statement in tree.body)


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_there_is_something_to_test() -> None:
    assert FILES


def test_imports_point_down() -> None:
    found = []
    for file in FILES:
        module = module_of(file)
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        found += trespasses(file.read_text(encoding="utf-8"), module, package)
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("derivata.expr.node", "from derivata.rules.book import book"),
        ("derivata.expr.node", "import derivata.rules"),
        ("derivata.expr.node", "from derivata import rules"),
        ("derivata.expr.node", "from ..rules import book"),
        ("derivata.expr.node", "def f():\n    from derivata.simplify.normal import normal"),
        ("derivata.expr.node", "import importlib\nimportlib.import_module('derivata.run.evaluate')"),
        ("derivata.render.text", "from derivata.emit.plan import plan"),
        ("derivata.emit.plan", "import derivata.render.text"),
        ("derivata.calculus.sweep", "def f():\n    import numpy as np"),
        ("derivata.emit.numpy", "from numpy.linalg import inv"),
        ("derivata.run.evaluate", "from derivata.verbs import derive"),
        ("derivata.check.gradient", "from derivata.optimize import fit"),
        ("derivata.verbs", "import derivata"),
        ("derivata.verbs", "from derivata import derive"),
        ("derivata.attic.thing", ""),
    ],
)
def test_a_trespass_is_seen(module: str, source: str) -> None:
    assert trespasses(source, module, module.rpartition(".")[0])


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("derivata.expr.node", "from derivata.errors import ReadError\nfrom .walk import walk"),
        ("derivata.rules.book", "from derivata.expr import node\nfrom functools import cache"),
        ("derivata.simplify.rational", "import flint"),
        ("derivata.run.evaluate", "import numpy as np\nfrom derivata import emit"),
        ("derivata.verbs", "from derivata.run.precise import check"),
        ("derivata.apps.cli", "import derivata\nfrom derivata import derive, verbs"),
        ("derivata", "from derivata.apps import cli"),
    ],
)
def test_what_is_allowed_passes(module: str, source: str) -> None:
    assert not trespasses(source, module, module.rpartition(".")[0] or module)


def test_files_are_short() -> None:
    found = []
    for file in FILES:
        source = file.read_text(encoding="utf-8")
        lines = len(source.splitlines())
        table = file.parent.name == "rules" and is_table(ast.parse(source))
        if lines > LONGEST and not table:
            found.append(f"{file.relative_to(SRC)}: {lines} lines")
    assert not found, "\n".join(found)


def test_names_say_what_is_inside() -> None:
    names = {part for file in FILES for part in file.relative_to(SRC).with_suffix("").parts}
    assert not {name for name in names if VAGUE & set(name.split("_"))}, "a name that says nothing"
    assert not {name for name in names if any(c.isdigit() for c in name)}, "a numbered name"


def test_import_loads_nothing_heavy() -> None:
    loaded = python("import sys, derivata; print(*{name.partition('.')[0] for name in sys.modules})")
    assert "derivata" in loaded.split()
    assert not HEAVY & set(loaded.split())


def test_import_is_quick() -> None:
    clock = "from time import perf_counter as t; start = t(); import derivata; print(t() - start)"
    best = min(float(python(clock)) for _ in range(5))
    assert best < IMPORT_SECONDS, f"import derivata took {best:.3f} s"

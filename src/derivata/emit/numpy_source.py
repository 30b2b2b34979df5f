"""A stand-alone NumPy function: readable source that needs nothing of ours."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from derivata.emit.formulas import unspecified
from derivata.emit.names import Names, python_name
from derivata.emit.numpy_nodes import Lines
from derivata.emit.numpy_operands import FUNCTION, RESULT, SIZE, VARIABLE
from derivata.emit.plan import is_subscript, plan, use_counts
from derivata.emit.windows import hidden_in
from derivata.expr.node import SYMBOL, Expr
from derivata.expr.selectors import is_onehot
from derivata.expr.sizes import size_names
from derivata.expr.symbol import Symbol
from derivata.expr.walk import topological

WIDTH = 100
_INDENT = "    "
_QUIET = {
    frozenset({"over"}): '@np.errstate(over="ignore")',
    frozenset({"over", "divide", "invalid"}): '@np.errstate(over="ignore", divide="ignore", invalid="ignore")',
}


@dataclass(frozen=True)
class Parameter:
    """One argument of the generated function. `kind` is variable, index, size, function or unused."""

    name: str
    python: str
    kind: str
    symbol: Symbol | None = None


@dataclass(frozen=True)
class Source:
    """The text of a module that defines one function, and what that function takes."""

    name: str
    text: str
    parameters: tuple[Parameter, ...]


def function_source(
    name: str,
    value: Expr | None,
    outputs: Mapping[str, Expr],
    *,
    docstring: str,
    parameters: Sequence[str] | None = None,
) -> str:
    """A function that returns the value, if one is given, and the outputs, in order.

    `parameters` fixes the order of the arguments; by default they come as they first appear.
    """
    return numpy_function(name, value, outputs, docstring=docstring, parameters=parameters).text


def numpy_function(
    name: str,
    value: Expr | None,
    outputs: Mapping[str, Expr],
    *,
    docstring: str = "",
    parameters: Sequence[str] | None = None,
) -> Source:
    """The source with a description of its arguments."""
    results = ({} if value is None else {"value": value}) | dict(outputs)
    if not results:
        raise ValueError("a function needs something to return")
    planned = dict(zip(results, plan(list(results.values()), "numpy"), strict=True))
    names = Names([python_name(name)])
    arguments = _arguments(list(results.values()), names, parameters)
    lines = _body(planned, names, arguments)
    sizes, missing = _size_lines(lines, names, arguments)
    arguments += [Parameter(size, names.of(SIZE, size), "size") for size in missing]
    arguments = _in_order(arguments, parameters)
    body = [
        *_conversion(arguments, lines.typed),
        *sizes,
        *(f"{left} = {right}" for left, right in lines.lines),
    ]
    returned = ", ".join(lines.value(planned[key]).text for key in results)
    body.append(f"return {returned}")
    text = "\n".join(
        [
            "import numpy as np",
            *(f"import {module}" for module in sorted(lines.modules)),
            "",
            "",
            *([_QUIET[frozenset(lines.guarded)]] if lines.guarded else []),
            *_signature(python_name(name), [argument.python for argument in arguments]),
            *(_INDENT + line if line else "" for line in [*_docstring(docstring), *body]),
            "",
        ]
    )
    return Source(python_name(name), text, tuple(arguments))


def _arguments(roots: Sequence[Expr], names: Names, asked: Sequence[str] | None) -> list[Parameter]:
    """The symbols and unspecified functions that occur, in order of first appearance."""
    symbols: dict[str, Symbol] = {}
    functions: dict[str, None] = {}
    indices: set[str] = set()
    for node in topological(*roots):
        if node.head == SYMBOL and "size" not in node.data.traits:
            symbols.setdefault(node.data.name, node.data)
        elif unspecified(node):
            functions[node.data] = None
        elif is_onehot(node) and node.args[0][0].head == SYMBOL:
            indices.add(node.args[0][0].data.name)
    found = [
        Parameter(name, names.of(VARIABLE, name), "index" if name in indices else "variable", symbol)
        for name, symbol in symbols.items()
    ]
    found += [Parameter(name, names.of(FUNCTION, name), "function") for name in functions]
    known = {argument.name for argument in found}
    sizes = set(size_names(*(size for node in topological(*roots) for size in node.shape)))
    for name in asked or ():
        if name not in known and name not in sizes:
            found.append(Parameter(name, names.of(VARIABLE, name), "unused"))
    return found


def _in_order(arguments: list[Parameter], asked: Sequence[str] | None) -> list[Parameter]:
    if asked is None:
        return arguments
    place = {name: i for i, name in enumerate(asked)}
    return sorted(arguments, key=lambda argument: place.get(argument.name, len(place)))


def _body(planned: Mapping[str, Expr], names: Names, arguments: Sequence[Parameter]) -> Lines:
    """Every node of the plan, in order; several results get their own names."""
    results: dict[Expr, str] = {}
    for node in topological(*planned.values()):
        for size in size_names(*node.shape):
            names.of(SIZE, size)
    if len(planned) > 1:
        for key, root in planned.items():
            results.setdefault(root, names.of(RESULT, key))
    indices = frozenset(a.name for a in arguments if a.kind == "index")
    typed = any(a.kind in ("variable", "index") for a in arguments)
    lines = Lines(use_counts(planned.values()), names, results, indices, typed=typed)
    for node in _written(list(planned.values())):
        lines.add(node)
    return lines


def _written(roots: Sequence[Expr]) -> list[Expr]:
    """The nodes that are written: not the selectors of subscripts and slices, which stand where they select."""
    order = topological(*roots)
    needed = set(roots)
    for node in reversed(order):
        if node not in needed:
            continue
        hidden, picks = hidden_in(node), is_subscript(node)
        for child, _ in node.args:
            if child in hidden:
                continue
            needed.update([place for place, _ in child.args] if picks and is_onehot(child) else [child])
    return [node for node in order if node in needed]


def _size_lines(lines: Lines, names: Names, arguments: Sequence[Parameter]) -> tuple[list[str], list[str]]:
    """`n, d = X.shape` for the sizes that are used, and the sizes that no argument has."""
    wanted = dict(lines.sizes)
    found: list[str] = []
    for argument in arguments:
        shape = () if argument.symbol is None else argument.symbol.shape
        mine = [size for size in dict.fromkeys(shape) if isinstance(size, str) and size in wanted]
        if len(mine) == len(shape) > 1:
            found.append(f"{', '.join(names.of(SIZE, size) for size in mine)} = {argument.python}.shape")
        else:
            found += [f"{names.of(SIZE, size)} = {argument.python}.shape[{shape.index(size)}]" for size in mine]
        for size in mine:
            del wanted[size]
    return found, list(wanted)


def _conversion(arguments: Sequence[Parameter], typed: bool) -> list[str]:
    """Lists become arrays and integers floats; Python's numbers take the type of the arrays beside them."""
    used = [argument.python for argument in arguments if argument.kind == "variable"]
    if not typed:
        return []
    if not used:
        return ["dtype = np.dtype(float)"]
    if len(used) == 1:
        return [
            f"dtype = np.result_type(0.0, np.asarray({used[0]}))",
            f"{used[0]} = np.asarray({used[0]}, dtype)",
        ]
    listed = f"({', '.join(used)})"
    given = f'dtype = np.result_type(0.0, *(v.dtype for v in {listed} if hasattr(v, "dtype")))'
    return [*_wrapped(given), *_wrapped(f"{', '.join(used)} = (np.asarray(v, dtype) for v in {listed})")]


def _wrapped(line: str) -> list[str]:
    """A long list of names over several lines."""
    if len(line) <= WIDTH or "(v" not in line:
        return [line]
    left, right = line.split(" = ", 1)
    pieces = textwrap.wrap(left, WIDTH - 8, break_long_words=False) if "," in left else [left]
    head = ["(", *(_INDENT + piece for piece in pieces), ") = ("] if len(pieces) > 1 else [f"{left} = ("]
    return [*head, *(_INDENT + p for p in textwrap.wrap(right, WIDTH - 8, break_long_words=False)), ")"]


def _signature(name: str, arguments: Sequence[str]) -> list[str]:
    line = f"def {name}({', '.join(arguments)}):"
    if len(line) <= WIDTH:
        return [line]
    inner = textwrap.wrap(", ".join(arguments), WIDTH - 4, break_long_words=False)
    return [f"def {name}(", *(_INDENT + piece for piece in inner), "):"]


def _docstring(text: str) -> list[str]:
    text = text.strip().replace('"""', "'''")
    if not text:
        return []
    quote = 'r"""' if "\\" in text else '"""'
    lines: list[str] = []
    for index, line in enumerate(text.splitlines()):
        lead = line[: len(line) - len(line.lstrip())]
        room = WIDTH - len(_INDENT) - (len(quote) if index == 0 else 0)
        lines += textwrap.wrap(
            line, room, subsequent_indent=lead + "  ", break_long_words=False, break_on_hyphens=False
        ) or [""]
    lines[0] = quote + lines[0]
    if len(lines) == 1 and len(lines[0]) + 3 + len(_INDENT) <= WIDTH and not lines[0].endswith(("\\", '"')):
        return [lines[0] + '"""']
    return [*lines, '"""', ""] if len(lines) > 1 else [*lines, '"""']

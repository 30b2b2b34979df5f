"""Numbers in, numbers out: an expression is compiled to NumPy once and called with checked values."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from derivata.emit.numpy_source import Parameter, numpy_function
from derivata.errors import EvaluationError
from derivata.expr.node import NUMBER, SYMBOL, Expr, Size, shape_text
from derivata.expr.selectors import is_onehot
from derivata.expr.sizes import size_in_numbers, size_names
from derivata.expr.symbol import Symbol
from derivata.expr.walk import topological
from derivata.run.declared import broken_promise
from derivata.run.sample import needed_sizes

_COMPILED = 256  # expressions kept compiled
_LISTED = 12  # names in a message
_FAILURES = (
    ArithmeticError,
    ValueError,
    TypeError,
    IndexError,
    MemoryError,
    RecursionError,
    np.linalg.LinAlgError,
)


@dataclass(frozen=True)
class Compiled:
    """A callable, the arguments it takes, and where a symbol selects from an axis."""

    function: Callable[..., object]
    parameters: tuple[Parameter, ...]
    selections: tuple[tuple[str, Size], ...]
    sizes: frozenset[str]
    needed: tuple[Size, ...]  # what has to be 1 at least


def evaluate(
    root: Expr, values: Mapping[str, object], declared: Iterable[Symbol] = ()
) -> np.ndarray[Any, np.dtype[Any]]:
    """The value of the expression, computed in the type of the arrays given (double precision by default).

    Sizes are read off arrays that were `declared`, too, where the expression does not hold them any more.
    """
    compiled = compile_numpy(root)
    arguments = _checked(compiled, values, declared)
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(compiled.function(**arguments))
    except _FAILURES as error:
        raise EvaluationError(f"the expression could not be evaluated: {error or type(error).__name__}") from error
    if result.dtype.kind not in "f":
        result = _as_floats(result)
    owned = result.flags.owndata and result.flags.writeable and not any(result is a for a in arguments.values())
    return result if owned else result.copy()


@lru_cache(maxsize=_COMPILED)
def compile_numpy(root: Expr) -> Compiled:
    """The generated function. Its text is ours; of the user's there are only names, made identifiers."""
    source = numpy_function("evaluated", None, {"value": root})
    space: dict[str, Any] = {"__name__": "derivata.generated"}
    exec(compile(source.text, "<derivata>", "exec"), space)
    selections: list[tuple[str, Size]] = []
    sizes: set[str] = set()
    for node in topological(root):
        sizes.update(size_names(*node.shape))
        if node.head == SYMBOL and "size" in node.data.traits:
            sizes.add(node.data.name)
        if is_onehot(node) and node.args[0][0].head in (SYMBOL, NUMBER):
            place = node.args[0][0]
            if place.head == NUMBER and place.data.denominator != 1:
                continue
            if place.head == SYMBOL and "size" in place.data.traits:
                continue
            selections.append((place.data.name if place.head == SYMBOL else str(place.data), node.shape[-1]))
    needed = tuple(size for size in needed_sizes([root]) if isinstance(size, str))
    return Compiled(space[source.name], source.parameters, tuple(selections), frozenset(sizes), needed)


def _as_floats(result: np.ndarray[Any, np.dtype[Any]]) -> np.ndarray[Any, np.dtype[Any]]:
    try:
        return result.astype(float)
    except (OverflowError, TypeError, ValueError):
        raise EvaluationError("a number in the expression is larger than any float") from None


def _checked(compiled: Compiled, values: Mapping[str, object], declared: Iterable[Symbol]) -> dict[str, Any]:
    """The arguments by their names in the generated function."""
    arguments: dict[str, Any] = {}
    sizes = _sizes_beside(compiled, values, declared)
    _check_names(compiled, {**values, **sizes})
    for parameter in compiled.parameters:
        if parameter.kind == "size":
            continue
        given = _given(parameter, values)
        if parameter.kind == "function":
            if not callable(given):
                raise EvaluationError(f"{parameter.name} is an unspecified function here: a callable was expected")
            arguments[parameter.python] = given
        elif parameter.kind == "index":
            arguments[parameter.python] = _whole_number(parameter.name, given)
        elif parameter.kind == "variable":
            array = _array(parameter.name, given)
            _check_shape(parameter, array, sizes)
            if parameter.symbol is not None and (broken := broken_promise(parameter.symbol, array)):
                raise EvaluationError(broken)
            arguments[parameter.python] = float(array) if isinstance(given, int | float) else array
    _check_sizes(compiled, values, sizes, arguments)
    _check_selections(compiled, arguments, sizes)
    _check_needed(compiled, sizes)
    return arguments


def _sizes_beside(
    compiled: Compiled, values: Mapping[str, object], declared: Iterable[Symbol]
) -> dict[str, tuple[int, str]]:
    """Sizes of declared arrays that are given although the expression does not hold them."""
    held = {name for parameter in compiled.parameters for name in (parameter.name, parameter.python)}
    sizes: dict[str, tuple[int, str]] = {}
    for symbol in declared:
        if symbol.shape and symbol.name in values and symbol.name not in held:
            beside = Parameter(symbol.name, symbol.name, "unused", symbol)
            _check_shape(beside, _array(symbol.name, values[symbol.name]), sizes)
    return sizes


def _check_names(compiled: Compiled, values: Mapping[str, object]) -> None:
    """Every parameter has a value; others are left alone, as a derivative need not hold all that its function did."""
    missing = [p.name for p in compiled.parameters if p.name not in values and p.python not in values]
    if missing:
        beside = sorted(set(values) - {name for p in compiled.parameters for name in (p.name, p.python)})
        sized = all(p.kind == "size" for p in compiled.parameters if p.name in missing)
        listed = ", ".join(beside[:_LISTED])
        said = f", not {listed}: what is declared in where has its sizes read off" if sized and beside else ""
        raise EvaluationError(f"no value for {', '.join(missing[:_LISTED])}; {_expected(compiled)}{said}")


def _expected(compiled: Compiled) -> str:
    listed = []
    for parameter in compiled.parameters[:_LISTED]:
        shape = () if parameter.symbol is None else parameter.symbol.shape
        listed.append(parameter.name + (f"[{','.join(map(str, shape))}]" if shape else ""))
    if not listed:
        return "the expression takes no values"
    more = ", ..." if len(compiled.parameters) > _LISTED else ""
    return f"the expression takes {', '.join(listed)}{more}"


def _given(parameter: Parameter, values: Mapping[str, object]) -> object:
    return values[parameter.name] if parameter.name in values else values[parameter.python]


def _array(name: str, given: object) -> np.ndarray[Any, np.dtype[Any]]:
    """A value as an array of floats, or a reason why it is none."""
    if isinstance(given, np.ma.MaskedArray):
        raise EvaluationError(f"{name} is a masked array; fill its gaps first")
    if isinstance(given, int | numbers.Rational) and not isinstance(given, bool):
        try:
            given = float(given)
        except OverflowError:
            raise EvaluationError(f"{name} is larger than any float") from None
    try:
        array = np.asarray(given)
    except Exception as error:
        raise EvaluationError(f"{name} is not an array of numbers: {error}") from None
    if array.dtype.kind == "c":
        raise EvaluationError(f"{name} holds complex numbers; real ones were expected")
    if array.dtype.kind not in "fiub":
        raise EvaluationError(f"{name} is not an array of numbers: its type is {array.dtype}")
    if array.size == 0:
        raise EvaluationError(f"{name} has shape {array.shape}: an array of size zero holds nothing to evaluate")
    if array.dtype.kind != "f":
        return array.astype(float)
    bad = np.isnan(array)
    if bad.any():
        place = tuple(int(i) for i in np.argwhere(bad)[0])
        where = f" at position {place if len(place) > 1 else place[0]}" if place else ""
        raise EvaluationError(f"{name} is NaN{where}" if not place else f"{name} holds NaN{where}")
    return array


def _check_shape(
    parameter: Parameter, array: np.ndarray[Any, np.dtype[Any]], sizes: dict[str, tuple[int, str]]
) -> None:
    shape = () if parameter.symbol is None else parameter.symbol.shape
    fits = len(shape) == array.ndim and all(
        not isinstance(size, int) or size == actual for size, actual in zip(shape, array.shape, strict=True)
    )
    if not fits:
        expected = shape_text(shape) if shape else "a scalar"
        raise EvaluationError(f"{parameter.name} has shape {array.shape}, expected {expected}")
    for size, actual in zip(shape, array.shape, strict=True):
        if isinstance(size, str):
            known, owner = sizes.setdefault(size, (actual, parameter.name))
            if known != actual:
                found = f"{size} is {known} in {owner} and {actual} in {parameter.name}"
                expected = f"{parameter.name} has shape {array.shape}, expected {shape_text(shape)}"
                raise EvaluationError(f"{found}: {expected}")


def _check_sizes(
    compiled: Compiled,
    values: Mapping[str, object],
    sizes: dict[str, tuple[int, str]],
    arguments: dict[str, Any],
) -> None:
    """Sizes given by name agree with the arrays; those that no array has are passed on."""
    for name in compiled.sizes & set(values):
        size = _whole_number(name, values[name])
        if size <= 0:
            raise EvaluationError(f"{name} is a size: a positive whole number was expected, {size} was given")
        known, owner = sizes.setdefault(name, (size, "the values"))
        if known != size:
            raise EvaluationError(f"{name} is given as {size}, and is {known} in {owner}")
    for parameter in compiled.parameters:
        if parameter.kind == "size":
            arguments[parameter.python] = sizes[parameter.name][0]


def _check_selections(compiled: Compiled, arguments: dict[str, Any], sizes: dict[str, tuple[int, str]]) -> None:
    python = {parameter.name: parameter.python for parameter in compiled.parameters}
    for name, size in compiled.selections:
        place = arguments[python[name]] if name in python else int(name)
        length = size if isinstance(size, int) else sizes.get(size, (place + 1, ""))[0]
        if not 0 <= place < length:
            what = f"the subscript {name} = {place}" if name in python else f"the subscript {place}"
            raise EvaluationError(f"{what} is out of range for an axis of size {length}; positions count from 0")


def _check_needed(compiled: Compiled, sizes: Mapping[str, tuple[int, str]]) -> None:
    """Arrays that slices leave hold something, and slices end where their arrays do."""
    known = {name: size for name, (size, _) in sizes.items()}
    for declared, (actual, owner) in sizes.items():
        if set(size_names(declared)) <= set(known) and (found := size_in_numbers(declared, known)) != actual:
            raise EvaluationError(f"{owner} has an axis of size {actual}, expected {declared}, which is {found}")
    for size in compiled.needed:
        if set(size_names(size)) <= set(known) and (found := size_in_numbers(size, known)) < 1:
            held = ", ".join(f"{name} = {known[name]}" for name in size_names(size))
            raise EvaluationError(f"with {held} the size {size} is {found}: a slice or a window does not fit")


def _whole_number(name: str, given: object) -> int:
    array = _array(name, given)
    if array.shape or not np.isfinite(array) or array != np.floor(array):
        raise EvaluationError(f"{name} must be a whole number, {_shown(array)} was given")
    return int(array)


def _shown(array: np.ndarray[Any, np.dtype[Any]]) -> str:
    return str(array) if array.size == 1 else f"an array of shape {array.shape}"

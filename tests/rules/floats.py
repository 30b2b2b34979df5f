"""Records in float64: their NumPy code, and their formulas as a backend without that name would run them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.linalg
from rules.oracle import Point, declared, parsed, shape_of

from derivata.expr.node import CALL, CONTRACTION, NUMBER, PRIMITIVE, SYMBOL, Expr
from derivata.expr.walk import topological
from derivata.rules.book import Book
from derivata.rules.record import Function


def floats(point: Point) -> dict[str, Any]:
    """A point as NumPy has it."""
    return {n: np.array(v, dtype=float).reshape(shape_of(v)) if shape_of(v) else float(v) for n, v in point.items()}


def run_code(record: Function, values: dict[str, Any]) -> Any:
    """The record's NumPy code on these arguments."""
    code = record.code["numpy"]
    names = {"np": np, "math": math, "scipy": scipy, **values}
    found = eval(code, names)  # our own records, in tests
    if callable(found):
        return found(*(values[name] for name, _ in record.arguments))
    return found


def run_formula(book: Book, record: Function, text: str, values: dict[str, Any]) -> Any:
    """A formula of the record in floats; functions by their NumPy code, else by their stable form."""
    done: dict[Expr, Any] = {}
    root = parsed(text, declared(record))
    for node in topological(root):
        done[node] = _node(book, node, done, values)
    return done[root]


def _node(book: Book, node: Expr, done: dict[Expr, Any], values: dict[str, Any]) -> Any:
    if node.head == NUMBER:
        return float(node.data)
    if node.head == SYMBOL:
        if node.data.name in values:
            return values[node.data.name]
        return float(next(v.shape[0] for v in values.values() if getattr(v, "shape", ())))
    args = [done[child] for child, _ in node.args]
    if node.head == CONTRACTION:
        sizes = next((v.shape[0] for v in values.values() if getattr(v, "shape", ())), 0)
        operands = [x for a, (_, labels) in zip(args, node.args, strict=True) for x in (np.asarray(a), list(labels))]
        broadcast = [label for label in node.data if not any(label in labels for _, labels in node.args)]
        for label in broadcast:
            operands += [np.ones(sizes), [label]]
        return np.einsum(*operands, list(node.data))
    assert node.head in (CALL, PRIMITIVE)
    callee = book.get(node.data if node.head == CALL else node.data[0])
    assert callee is not None
    given = dict(zip((n for n, _ in callee.arguments), args, strict=False))
    if callee.name == "add":
        return sum(args[1:], args[0])
    if "numpy" in callee.code:
        return run_code(callee, given)
    return run_formula(book, callee, callee.stable or callee.value, given)

"""Subscripts and slices as formulas: x_k, X_{ij}, x_{1:3}."""

from __future__ import annotations

from collections.abc import Mapping

from derivata.expr.parse import Syntax
from derivata.render import formula as f
from derivata.render.formula import Formula
from derivata.render.view import Setting, View


def subscript(piece: Syntax, view: View, ranks: Mapping[Syntax, int]) -> Setting:
    """An entry, a row, a slice of an array."""
    base, *places = piece.children
    if any(place.children for place in places if place.kind == "slice"):
        return (yield from _sliced(piece, view))
    if (entry := _entry(piece, view, ranks)) is not None:
        return (yield base, View(entry, view.depth))
    letters = iter(view.indices or ())
    shown: list[Formula] = []
    for place in places:
        letter = next(letters, None) if place.kind == "slice" else None
        shown.append((yield place, View(None, view.depth)) if letter is None else f.name(letter))
    shown.extend(f.name(letter) for letter in letters)
    whole = yield base, View(None, view.depth)
    return f.index(whole, shown)


def _entry(piece: Syntax, view: View, ranks: Mapping[Syntax, int]) -> tuple[str, ...] | None:
    """All subscripts of an entry, where they are plain names and numbers."""
    base, *places = piece.children
    letters = list(view.indices or ())
    if len(letters) + sum(p.kind != "slice" for p in places) != ranks[base]:
        return None
    if any(p.kind not in ("slice", "name", "number") for p in places):
        return None
    shown = [letters.pop(0) if p.kind == "slice" else p.text for p in places]
    return (*shown, *letters)


def _sliced(piece: Syntax, view: View) -> Setting:
    """x_{1:3}, of which the entry i is x_{i + 1}; counted from the end it has its subscript outside."""
    base, *places = piece.children
    letters = [f.name(letter) for letter in view.indices or ()]
    inside = bool(letters) and not any(p.kind == "slice" and p.children and _from_end(p.children[0]) for p in places)
    rest = list(letters) if inside else []
    shown: list[Formula] = []
    for place in places:
        if place.kind != "slice" or not inside:
            shown.append((yield place, View(None, view.depth)))
        elif place.children and place.children[0].kind != "nothing":
            shown.append(f.add([rest.pop(0), (yield place.children[0], View(None, view.depth))]))
        else:
            shown.append(rest.pop(0))
    whole = yield base, View(None, view.depth)
    return f.index(whole, [*shown, *rest]) if inside else f.index(f.index(whole, shown), letters)


def _from_end(bound: Syntax) -> bool:
    return bound.kind == "unary"


def bounds(piece: Syntax, view: View) -> Setting:
    """1:3, where either side may be missing."""
    shown: list[Formula] = []
    for place, bound in enumerate(piece.children):
        if place or not piece.children:
            shown.append(f.symbol(":"))
        if bound.kind != "nothing":
            shown.append((yield bound, View(None, view.depth)))
    return Formula("row", "", tuple(shown)) if shown else f.symbol(":")


def concatenation(piece: Syntax, view: View) -> Setting:
    """Arrays side by side, [X, Z], or one below the other, [x; z]."""
    parts = [child for child in piece.children if child.kind != "keyword"]
    between = f.sign("," if len(parts) < len(piece.children) else ";")
    shown: list[Formula] = []
    for place, part in enumerate(parts):
        shown += [between] if place else []
        shown.append((yield part, View(None, view.depth)))
    whole = f.fence(Formula("row", "", tuple(shown)), "[]")
    return f.index(whole, [f.name(letter) for letter in view.indices or ()])

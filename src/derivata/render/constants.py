"""Arrays of zeros and ones as a person writes them: whole, or an entry of them."""

from __future__ import annotations

from fractions import Fraction

from derivata.expr.parse import Syntax
from derivata.render import formula as f
from derivata.render.view import Setting, View

ZERO, ONE = Fraction(0), Fraction(1)


def ones(piece: Syntax, view: View) -> Setting:
    if view.indices is not None:
        return f.number(ONE)
    sizes = []
    for child in piece.children:
        sizes.append((yield child, View()))
    crossed = [piece for size in sizes for piece in (f.sign("×"), size)][1:]
    shape = f.Formula("row", "", tuple(crossed))
    one = f.symbol("one") if len(sizes) == 1 else f.index(f.symbol("one"), [shape])
    return f.either(one, one, f.apply(f.word("ones"), sizes))


def zeros(piece: Syntax, view: View) -> Setting:
    if view.indices is not None:
        return f.number(ZERO)
    sizes = []
    for child in piece.children:
        sizes.append((yield child, View()))
    return f.either(f.number(ZERO), f.number(ZERO), f.apply(f.word("zeros"), sizes))


def onehot(piece: Syntax, view: View) -> Setting:
    position = yield piece.children[0], View(None, view.depth)
    if view.indices is not None:
        return f.indicator(f.relation(f.name(view.indices[0]), "==", position))
    return f.index(f.name("e"), [position])

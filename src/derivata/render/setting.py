"""Syntax to formula: what a paper would print. Sums get indices, vectors are rows where they stand so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from derivata.expr.let import Spelling, spell
from derivata.expr.node import CALL, Expr
from derivata.expr.parse import Syntax
from derivata.expr.sizes import size_names
from derivata.expr.walk import symbols, topological
from derivata.render import formula as f
from derivata.render.constants import ONE, ZERO, onehot, ones, zeros
from derivata.render.formula import Formula
from derivata.render.products import matrix_product, product, quotient, transpose
from derivata.render.ranks import elementwise, measured, record_of, reduces_axis
from derivata.render.subscripts import bounds, concatenation, subscript
from derivata.render.template import from_record
from derivata.render.view import Setting, Settings, View

_LETTERS = "ijklmrstpquvabcefgh"


@dataclass(frozen=True)
class Page:
    """The named parts in order, then the expression."""

    definitions: tuple[tuple[Formula, Formula], ...]
    body: Formula


def typeset(root: Expr, marked: frozenset[Expr] | None = None, *, indices: bool = False) -> Page:
    """The formula of a node; with `indices` entry by entry, products of matrices as sums."""
    spelling = spell(root)
    setter = _Setter(root, spelling, marked or frozenset(), indices)
    definitions = tuple((f.name(name), setter.set(syntax)) for name, syntax in spelling.definitions)
    return Page(definitions, setter.set(spelling.body))


def _letters(root: Expr, spelling: Spelling) -> tuple[str, ...]:
    """Letters for indices that mean nothing else here."""
    taken = set(symbols(root)) | set(size_names(*(size for node in topological(root) for size in node.shape)))
    taken |= {node.data for node in topological(root) if node.head == CALL}
    taken |= {name for name, _ in spelling.definitions}
    return tuple(letter for letter in _LETTERS if letter not in taken)


class _Setter:
    def __init__(self, root: Expr, spelling: Spelling, marked: frozenset[Expr], entrywise: bool) -> None:
        self.entrywise = entrywise
        self.letters, self.marked = _letters(root, spelling), marked
        self.identity_taken = "I" in symbols(root)
        self.ranks, self.ragged = measured([s for _, s in spelling.definitions] + [spelling.body])
        self.done: dict[tuple[Syntax, View], Formula] = {}

    def set(self, root: Syntax) -> Formula:
        """Run the piecewise settings below on a stack of their own."""
        first = (root, View())
        stack: list[tuple[tuple[Syntax, View], Setting]] = [(first, self._piece(*first))]
        answer: Formula | None = None
        while stack:
            request, work = stack[-1]
            try:
                wanted = next(work) if answer is None else work.send(answer)
            except StopIteration as end:
                answer = self.done[request] = end.value
                stack.pop()
                continue
            answer = self.done.get(wanted)
            if answer is None:
                stack.append((wanted, self._piece(*wanted)))
        assert answer is not None
        return answer

    def _fresh(self, depth: int, count: int) -> tuple[str, ...]:
        pool = len(self.letters)
        return tuple(self.letters[i] if i < pool else f"i_{i - pool + 1}" for i in range(depth, depth + count))

    def _piece(self, piece: Syntax, view: View) -> Setting:
        rank = self.ranks[piece]
        if not rank:
            view = View(None, view.depth)
        if view.row and not (piece.kind == "binary" and piece.text == "@"):
            result = transpose((yield piece, View(None, view.depth)))
        elif view.indices is None and (self.ragged[piece] or self._by_entries(piece)):
            letters = self._fresh(view.depth, rank)
            entry = yield piece, View(letters, view.depth + rank)
            result = f.collected(entry, _names(letters))
        elif view.indices is not None and self._stays_whole(piece):
            result = f.index((yield piece, View(None, view.depth)), _names(view.indices))
        else:
            result = yield from self._shown(piece, view)
        result = replace(result, array=rank > 0 and view.indices is None)
        return f.marked(result) if piece.node in self.marked and not view.row else result

    def _by_entries(self, piece: Syntax) -> bool:
        """Whether index notation takes an array apart; a name stands for itself."""
        if not self.entrywise or not self.ranks[piece] or piece.kind == "name":
            return False
        return piece.kind != "binary" or piece.text != "@" or self._by_sums(piece)

    def _by_sums(self, piece: Syntax) -> bool:
        """Whether a product of matrices is one of matrices and vectors, not of stacks of them."""
        return all(self.ranks[child] < 3 for child in piece.children)

    def _stays_whole(self, piece: Syntax) -> bool:
        """(X w - y)_i rather than (X w)_i - y_i."""
        if piece.kind != "sum" or self.ragged[piece] or self.entrywise:
            return False
        terms = [c.children[0] if c.kind == "unary" else c for c in piece.children]
        same = all(self.ranks[c] == self.ranks[piece] for c in terms)
        return same and any(c.kind == "binary" and c.text == "@" for c in terms)

    def _shown(self, piece: Syntax, view: View) -> Setting:
        if piece.kind == "number":
            assert piece.value is not None
            return f.number(piece.value)
        if piece.kind == "name":
            return self._name(piece, view)
        if piece.kind == "subscript":
            return (yield from subscript(piece, view, self.ranks))
        if piece.kind in ("slice", "string"):
            return (yield from bounds(piece, view))
        if piece.kind == "sum":
            terms = []
            for child in piece.children:
                terms.append((yield self._part(piece, child, view)))
            return f.add(terms)
        if piece.kind == "unary":
            return f.negative((yield piece.children[0], view))
        if piece.kind in ("reciprocal", "keyword"):
            return (yield piece.children[0], view)
        if piece.kind == "differential":
            inner = yield piece.children[0], view
            if "/" not in piece.text:
                return Formula("differential", "d", (inner,), f.PREFIX)
            above, _, below = piece.text.partition("/")
            return Formula("derivative", above, (inner, f.name(below.removeprefix(above))), f.PREFIX)
        by_kind = {
            "product": self._product,
            "binary": self._binary,
            "attribute": self._transposed,
        }
        return (yield from by_kind.get(piece.kind, self._call)(piece, view))

    def _part(self, parent: Syntax, child: Syntax, view: View) -> tuple[Syntax, View]:
        """An operand of something elementwise: its axes are the last ones."""
        if view.indices is None:
            return child, view
        own = self.ranks[child]
        return child, View(view.indices[len(view.indices) - own :] if own else None, view.depth)

    def _name(self, piece: Syntax, view: View) -> Formula:
        record = record_of(piece)
        if piece.node is not None and piece.node.head == CALL and not piece.node.args:
            return f.word(piece.text) if record is None else from_record(record, [])
        named = f.name(piece.text)
        if view.indices is None:
            return named
        shape = () if piece.node is None else piece.node.shape
        return f.index(
            named,
            [
                f.number(ZERO) if size == 1 else f.name(letter)
                for size, letter in zip(shape, view.indices, strict=False)
            ],
        )

    def _product(self, piece: Syntax, view: View) -> Setting:
        top: list[Formula] = []
        bottom: list[Formula] = []
        for child in piece.children:
            if view.indices is not None and child.kind == "call" and child.text == "ones":
                continue
            if child.kind == "number" and child.value is not None and child.value.denominator != 1:
                value = f.number(child.value)
                opposite = f.without_minus(value)
                inner = value if opposite is None else opposite
                if inner.kind == "fraction":
                    over, under = inner.parts
                    bottom.append(under)
                    if opposite is not None or over.text != "1" or len(piece.children) == 1:
                        top.append(over if opposite is None else f.negative(over))
                else:
                    top.append(value)
                continue
            shown = yield self._part(piece, child, view)
            (bottom if child.kind == "reciprocal" else top).append(shown)
        if bottom and len(top) > 1:
            top = [t for i, t in enumerate(top) if i or t.kind != "number" or t.text != "1"] or top
        return quotient(top or [f.number(ONE)], bottom)

    def _binary(self, piece: Syntax, view: View) -> Setting:
        left, right = piece.children
        if piece.text == "@" and self.entrywise and self._by_sums(piece):
            return (yield from self._summed_product(piece, view))
        if piece.text == "@":
            return (yield from self._matmul(piece, view))
        first = yield self._part(piece, left, view)
        second = yield self._part(piece, right, view)
        if piece.text == "**":
            return f.power(first, second)
        return f.indicator(f.relation(first, piece.text, second))

    def _summed_product(self, piece: Syntax, view: View) -> Setting:
        """The entry of a product of matrices or vectors: sum_k A_ik B_kj."""
        left, right = piece.children
        outer = view.indices or ()
        (letter,) = self._fresh(view.depth, 1)
        rows, columns = outer[: self.ranks[left] - 1], outer[self.ranks[left] - 1 :]
        first = yield left, View((*rows, letter), view.depth + 1)
        second = yield right, View((letter, *columns), view.depth + 1)
        return f.big_sum(_names([letter]), product([first, second]))

    def _matmul(self, piece: Syntax, view: View) -> Setting:
        if view.indices is not None:
            return f.index((yield piece, View(None, view.depth)), _names(view.indices))
        left, right = piece.children
        whole = View(None, view.depth)
        if self.ranks[left] != 1 or self.ranks[right] == 1 or view.row:
            row = self.ranks[left] == 1
            if view.row and not row:  # (A x) as a row
                return transpose((yield piece, whole))
            first = yield left, View(None, view.depth, row)
            second = yield right, whole
            return matrix_product([first, second], array=self.ranks[piece] > 0)
        first = yield right, whole  # v@A is the vector A^T v
        second = yield left, whole
        return matrix_product([transpose(first), second], array=True)

    def _transposed(self, piece: Syntax, view: View) -> Setting:
        inner = piece.children[0]
        if view.indices is not None:
            return (yield inner, View(view.indices[::-1], view.depth))
        return transpose((yield inner, view))

    def _call(self, piece: Syntax, view: View) -> Setting:
        special = {
            "sum": self._sum, "einsum": self._einsum, "outer": self._outer, "diag": self._diag,
            "eye": self._eye, "ones": ones, "zeros": zeros, "onehot": onehot, "cumsum": self._cumsum,
            "sqrt": self._root, "mean": self._mean, "kron": self._kron, "matrix_power": self._matrix_power,
        }  # fmt: skip
        record = record_of(piece)
        if (piece.text in special and record is None) or piece.text == "onehot":
            return (yield from special[piece.text](piece, view))
        if piece.text == "concatenate" and record is None:
            return (yield from concatenation(piece, view))
        if elementwise(piece):
            arguments = []
            for child in piece.children:
                arguments.append((yield self._part(piece, child, view)))
        elif record is not None and reduces_axis(piece):
            return from_record(record, [(yield self._reduced(piece, view))])
        else:
            arguments = yield from self._whole_arguments(piece, view)
        if record is None:
            head = f.name(piece.text) if len(piece.text.rstrip("'")) == 1 else f.word(piece.text)
            result = f.apply(head, arguments)
        else:
            result = from_record(record, arguments)
        if elementwise(piece):
            return result
        return self._along(piece, result, view)

    def _reduced(self, piece: Syntax, view: View) -> tuple[Syntax, View]:
        """What is left of the argument of f(X, axis=1) at one entry: a row or a column."""
        body, *keywords = piece.children
        options = {k.text: k.children[0] for k in keywords}
        value = options["axis"].value
        axis = int(value) if value is not None else 0
        letters = list(view.indices or ())
        if "keepdims" in options:
            letters.pop(axis)
        letters.insert(axis, ":")
        return body, View(tuple(letters), view.depth)

    def _mean(self, piece: Syntax, view: View) -> Setting:
        """mean of x; over an axis with the index that runs: mean over k of x_ik."""
        body, *keywords = piece.children
        if not keywords:
            return f.apply(f.word("mean"), [(yield body, View(None, view.depth))])
        shown = yield from self._sum(piece, view)
        letters, inner = shown.parts
        return f.apply(f.index(f.word("mean"), letters.parts), [inner])

    def _kron(self, piece: Syntax, view: View) -> Setting:
        left = yield piece.children[0], View(None, view.depth)
        return f.index(f.kron(left, (yield piece.children[1], View(None, view.depth))), _names(view.indices or ()))

    def _matrix_power(self, piece: Syntax, view: View) -> Setting:
        base = yield piece.children[0], View(None, view.depth)
        power = f.power(base, (yield piece.children[1], View(None, view.depth)))
        return f.index(replace(power, array=True), _names(view.indices or ()))

    def _whole_arguments(self, piece: Syntax, view: View) -> Settings:
        arguments = []
        for child in piece.children:
            if child.kind != "keyword":
                shown = yield child, View(None, view.depth)
                arguments.append(transpose(shown) if _turned(piece) else shown)
        return arguments

    def _along(self, piece: Syntax, result: Formula, view: View) -> Formula:
        """A function of whole arrays, perhaps down the columns: that of the rows of the transpose."""
        turned = _turned(piece)
        if view.indices is None:
            return transpose(result) if turned else result
        return f.index(result, _names(view.indices[::-1] if turned else view.indices))

    def _root(self, piece: Syntax, view: View) -> Setting:
        return f.root((yield self._part(piece, piece.children[0], view)))

    def _sum(self, piece: Syntax, view: View) -> Setting:
        body, *keywords = piece.children
        options = {k.text: k.children[0] for k in keywords}
        rank = self.ranks[body]
        axis = options.get("axis")
        outer = list(view.indices or ())
        summed = range(rank) if axis is None or axis.value is None else [int(axis.value)]
        letters = self._fresh(view.depth, len(summed))
        if "keepdims" in options:
            for place in summed:
                outer.pop(place)
        for place, letter in zip(summed, letters, strict=True):
            outer.insert(place, letter)
        shown = yield body, View(tuple(outer), view.depth + len(letters))
        return f.big_sum(_names(letters), shown) if letters else shown

    def _cumsum(self, piece: Syntax, view: View) -> Setting:
        body, *along = piece.children
        axis = int(along[0].children[0].value or 0) if along else 0
        outer = list(view.indices or ())
        (letter,) = self._fresh(view.depth, 1)
        last, outer[axis] = outer[axis], letter
        shown = yield body, View(tuple(outer), view.depth + 1)
        return f.big_sum([f.relation(f.name(letter), "<=", f.name(last))], shown)

    def _einsum(self, piece: Syntax, view: View) -> Setting:
        spec, *operands = piece.children
        groups, _, out = spec.text.partition("->")
        letters = dict(zip(out, view.indices or (), strict=False))
        bound = sorted({c for c in groups if c not in letters and c != ","}, key=groups.index)
        fresh = self._fresh(view.depth, len(bound))
        letters.update(zip(bound, fresh, strict=True))
        factors = []
        for group, operand in zip(groups.split(","), operands, strict=True):
            if operand.kind != "call" or operand.text != "ones":
                indices = tuple(letters[c] for c in group)
                factors.append((yield operand, View(indices, view.depth + len(fresh))))
        shown = product(factors or [f.number(ONE)])
        return f.big_sum(_names(fresh), shown) if fresh else shown

    def _outer(self, piece: Syntax, view: View) -> Setting:
        left, right = piece.children
        if view.indices is not None:
            first = yield left, View(view.indices[:1], view.depth)
            return product([first, (yield right, View(view.indices[1:], view.depth))])
        first = yield left, view
        return matrix_product([first, (yield right, View(None, view.depth, True))], array=True)

    def _diag(self, piece: Syntax, view: View) -> Setting:
        inner = piece.children[0]
        if view.indices is None:
            return f.apply(f.word("diag"), [(yield inner, view)])
        if self.ranks[inner] == 2:
            return (yield inner, View(view.indices * 2, view.depth))
        entry = yield inner, View(view.indices[:1], view.depth)
        return product([entry, f.index(f.symbol("delta"), _names(view.indices))])

    def _eye(self, piece: Syntax, view: View) -> Setting:
        yield from ()
        if view.indices is not None:
            return f.index(f.symbol("delta"), _names(view.indices))
        size = yield piece.children[0], view
        named = f.either(f.symbol("identity"), f.symbol("identity"), f.apply(f.word("eye"), [size]))
        return f.index(f.symbol("identity"), [size]) if self.identity_taken else named


def _names(letters: Sequence[str]) -> list[Formula]:
    return [f.name(letter) for letter in letters]


def _turned(piece: Syntax) -> bool:
    return any(c.kind == "keyword" and c.text == "axis" for c in piece.children)

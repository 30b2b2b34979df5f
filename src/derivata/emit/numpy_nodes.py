"""The nodes of a plan as lines of NumPy: one assignment per shared or long part, nothing nested deeply."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from derivata.emit.formulas import SYNTAX, native, unspecified
from derivata.emit.native_code import native_code
from derivata.emit.numpy_contraction import double, einsum, single, sum_text, transposed
from derivata.emit.numpy_operands import FUNCTION, VARIABLE, Operands
from derivata.emit.pieces import (
    ARRAY,
    ATOM,
    COMPARE,
    LITERAL,
    PRODUCT,
    SUM,
    TRUTH,
    UNARY,
    Piece,
    first_factor,
    is_matmul,
    joined_sum,
    literal,
    nesting,
    to_the,
)
from derivata.emit.pieces import POWER as POWER_LEVEL
from derivata.emit.plan import is_diagonal, is_plain, is_reciprocal, is_subscript, negated
from derivata.emit.windows import is_window, pad_text, slice_text, windows_of
from derivata.expr.node import ADD, CALL, NUMBER, POWER, PRIMITIVE, SYMBOL, Edge, Expr, Labels
from derivata.expr.notation import SIGNS
from derivata.expr.selectors import is_lower, is_onehot, is_ravel, is_slide
from derivata.expr.triangular import RunningSum, running_sum
from derivata.expr.windows import matrix_of, pad_of, slice_of, sliding_of
from derivata.rules.book import book

LONGEST = 80  # characters of one expression
DEEPEST = 5  # parentheses within parentheses
SHORT = 16


class Lines(Operands):
    """Writes nodes one after another, children first."""

    # -- one node ------------------------------------------------------------------------------------------

    def add(self, node: Expr) -> None:
        """Write one node; its children are written."""
        lines, mark = len(self.lines), self.names.mark
        self.keeps = len(node.args) == 1 or not node.shape or any(0 in labels for _, labels in node.args)
        piece = self._compose(node)
        if self._is_unwieldy(piece):
            del self.lines[lines:]
            self.names.back_to(mark)
            self._name_children(node)
            piece = self._compose(node)
        self.pieces[node] = piece
        if node in self.results or (not is_plain(node) and (self.counts.get(node, 0) > 1 or self._is_unwieldy(piece))):
            self.assign(node)

    def assign(self, node: Expr) -> None:
        """Give a node a name."""
        piece = self.value(node) if node in self.results else self.pieces[node]
        if piece.text.isidentifier():
            return
        name = self.results.get(node) or self.names.fresh()
        self.lines.append((name, piece.text))
        self.pieces[node] = Piece(name, ATOM, piece.kind)

    def _is_unwieldy(self, piece: Piece) -> bool:
        return len(piece.text) > LONGEST or nesting(piece.text) > DEEPEST

    def _name_children(self, node: Expr) -> None:
        """Name the long parts of a node that is too long to read."""
        for child, _ in node.args:
            part = child.args[0][0] if is_reciprocal(child) else child
            if part not in self.pieces:  # a selector is written where it selects
                continue
            if not is_plain(part) and len(self.pieces[part].text) > SHORT:
                self.assign(part)
            if part is not child:
                self.pieces[child] = self._compose(child)

    def _compose(self, node: Expr) -> Piece:
        if node.head == NUMBER:
            return literal(node.data)
        if node.head == SYMBOL:
            return self._symbol(node)
        if node.head == CALL:
            return self._call(node)
        if node.head == PRIMITIVE:
            if is_ravel(node) or is_slide(node):
                return self._selector(node)
            if is_lower(node):
                typed = ", dtype=dtype" if self.typed else ""
                return Piece(f"np.tri({', '.join(map(self.size, node.shape))}{typed})", ATOM)
            return self._onehot(node) if is_onehot(node) else self._function(node, node.data[0])
        return self._contraction(node)

    def _selector(self, node: Expr) -> Piece:
        first, second, third = (self.size(size) for size in node.shape)
        if is_ravel(node):
            return Piece(f"np.eye({first}).reshape({first}, {second}, {third})", ATOM)
        places = f"np.arange({first})[:, None, None] + np.arange({second})[:, None]"
        return Piece(f"{places} == np.arange({third})", COMPARE, TRUTH)

    def _window(self, node: Expr) -> Piece | None:
        """A slice, a padding, or a sliding product of vectors."""
        if (part := slice_of(node) or pad_of(node)) is not None and part.array is not None:
            inner = self.value(part.array)
            if slice_of(node) is not None:
                return Piece(f"{inner.at(ATOM)}[{slice_text(part, self.size)}]", ATOM)
            return Piece(f"np.pad({inner.text}, {pad_text(part, len(node.shape), self.size)})", ATOM)
        typed = ", dtype=dtype" if self.typed else ""
        if (constant := matrix_of(node)) is not None and constant.begin is not None:
            sizes = map(self.size, (constant.length, constant.total, constant.begin))
            return Piece(f"np.eye({', '.join(sizes)}{typed}){'.T' if constant.axis else ''}", ATOM)
        if (moving := sliding_of(node)) is None:
            return self._windows(node)
        name, vectors = "np.convolve" if moving.full else "np.correlate", (moving.first, moving.second)
        texts = [self.value(v).text if isinstance(v, Expr) else f"np.ones({self.size(v)}{typed})" for v in vectors]
        return Piece(f"{name}({', '.join(texts)})", ATOM)

    def _windows(self, node: Expr) -> Piece | None:
        """Every place of a window that slides along a vector, as a row."""
        if (rows := windows_of(node)) is None:
            return None
        vector, length = rows
        text = f"np.lib.stride_tricks.sliding_window_view({self.value(vector).text}, {self.size(length)})"
        return Piece(text, ATOM)

    def _symbol(self, node: Expr) -> Piece:
        name = node.data.name
        if "size" in node.data.traits:
            return Piece(self.size(name), ATOM, LITERAL)
        if name in self.indices:
            return Piece(f"dtype.type({self.names.of(VARIABLE, name)})", ATOM)
        return Piece(self.names.of(VARIABLE, name), ATOM)

    # -- calls ---------------------------------------------------------------------------------------------

    def _call(self, node: Expr) -> Piece:
        if unspecified(node):
            inner = self.operand(node.args[0], len(node.shape))
            piece = Piece(f"{self.names.of(FUNCTION, node.data)}({inner.text})", ATOM)
            return self.spread(node, piece, set(node.args[0][1]))
        if node.data not in SYNTAX:
            return self._function(node, node.data)
        rank = len(node.shape)
        covered = {label for _, labels in node.args for label in labels}
        if node.data == POWER:
            return self.spread(node, self._power(node), covered)
        if node.data == ADD:
            return self.spread(node, self._chain(self._terms(node)), covered)
        left, right = (self.operand(edge, rank) for edge in node.args)
        text = f"{left.at(SUM)} {SIGNS[node.data]} {right.at(SUM)}"
        piece = Piece(text, COMPARE, TRUTH)
        if left.kind == right.kind == LITERAL:
            piece = Piece(f"np.bool({text})", ATOM, TRUTH)
        return self.spread(node, piece, covered)

    def _terms(self, node: Expr) -> list[Piece]:
        """The terms of a sum; the one truth value beside an array is 0 or 1 without further ado."""
        kinds = [self.pieces[child].kind for child, _ in node.args]
        beside = len(kinds) == 2 and set(kinds) == {TRUTH, ARRAY}
        rank = len(node.shape)
        terms = [self.operand(edge, rank, self.pieces[edge[0]] if beside else None) for edge in node.args]
        inner = negated(node.args[1][0])
        if len(terms) == 2 and kinds[0] == ARRAY and inner is not None and self.pieces[inner].kind == TRUTH:
            taken = self.operand((inner, node.args[1][1]), rank, self.pieces[inner])
            terms[1] = Piece(f"-{taken.at(UNARY)}", UNARY)
        return terms

    def _chain(self, terms: list[Piece]) -> Piece:
        """A sum; a long one is added up over several lines."""
        kind = LITERAL if all(term.kind == LITERAL for term in terms) else ARRAY
        held, length = [terms[0]], len(terms[0].text)
        for term in terms[1:]:
            if len(held) > 1 and length + len(term.text) + 3 > LONGEST:
                held = [self.line(joined_sum(held))]
                length = len(held[0].text)
            held.append(term)
            length += len(term.text) + 3
        return Piece(joined_sum(held), SUM if len(held) > 1 else held[0].level, kind)

    def _power(self, node: Expr) -> Piece:
        """A power with its own negative exponent is a division."""
        exponent = node.args[1][0]
        if is_reciprocal(node):
            divisor = self._divisor(node, len(node.shape))
            self._guard(node)
            return Piece(f"1/{divisor.at(POWER_LEVEL)}", PRODUCT, divisor.kind)
        base = self.operand(node.args[0], len(node.shape))
        if exponent.head == NUMBER and exponent.data > 0:
            return to_the(base, exponent.data)
        if exponent.head == NUMBER and exponent.data < 0:
            return Piece(f"1/{to_the(base, -exponent.data).at(POWER_LEVEL)}", PRODUCT, base.kind)
        power = self.operand(node.args[1], len(node.shape))
        kind = LITERAL if base.kind == power.kind == LITERAL else ARRAY
        if kind == LITERAL:
            base = Piece(f"float({base.text})", ATOM, LITERAL)
        return Piece(f"{base.at(ATOM)}**{power.at(POWER_LEVEL)}", POWER_LEVEL, kind)

    def _guard(self, node: Expr) -> None:
        """1/(1 + exp(x)) is 0 where exp(x) is too large for a float: nothing to warn of."""
        base = node.args[0][0]
        if (
            base.head == CALL
            and base.data == ADD
            and any(child.head == CALL and child.data not in SYNTAX for child, _ in base.args)
        ):
            self.guarded.add("over")

    def _divisor(self, node: Expr, rank: int, labels: Labels | None = None) -> Piece:
        """The u**2 of u**-2, its axes placed as those of the power are in its parent."""
        (base, own), (exponent, _) = node.args
        placed = own if labels is None else tuple(labels[i] for i in own)
        return to_the(self.operand((base, placed), rank), -exponent.data)

    def _function(self, node: Expr, name: str) -> Piece:
        record = book().get(name)
        assert record is not None, "the plan left no function without code"
        mapped = node.data[1] if node.head == PRIMITIVE else len(node.shape)
        names = tuple(argument for argument, _ in record.arguments)
        code = native_code(native(node, "numpy"), names)
        self.modules |= code.modules
        pieces = []
        for edge, argument in zip(node.args, names, strict=True):
            rank = mapped + sum(label >= mapped for label in edge[1])
            piece = self.pieces[edge[0]]
            piece = piece if argument in code.conditions else self.value(edge[0])
            piece = self.operand(edge, rank, piece)
            twice = code.uses(argument) > 1 and len(piece.text) > SHORT
            pieces.append(self.line(piece.text) if twice else piece)
        text = code.apply(names, pieces)
        if code.conditions:
            self.guarded |= {"over", "divide", "invalid"}
        chosen = {0} if code.dotted and code.conditions else set()
        constant = bool(pieces) and all(p.kind == LITERAL for i, p in enumerate(pieces) if i not in chosen)
        kind = LITERAL if not pieces else ARRAY
        if code.modules or (constant and any(piece.kind != LITERAL for piece in pieces)):
            text = self.as_typed(text)
        elif constant and self.typed:
            # A constant must not decide the type of the result.
            text, kind = f"float({text})", LITERAL
        level = ATOM if pieces and (code.dotted or text.endswith(".astype(dtype)")) else code.level
        piece = Piece(text, level, kind)
        return self.spread(node, piece, {i for _, labels in node.args for i in labels} | set(range(mapped, 99)))

    # -- contractions --------------------------------------------------------------------------------------

    def _onehot(self, node: Expr) -> Piece:
        edge = node.args[0]
        place = self.operand(edge, len(node.shape), Piece(self.index(edge[0]), ATOM))
        return Piece(f"np.arange({self.size(node.shape[-1])}) == {place.text}", COMPARE, TRUTH)

    def index(self, node: Expr) -> str:
        """A scalar as a position in an array."""
        if node.head in (NUMBER, SYMBOL):
            return self.names.of(VARIABLE, node.data.name) if node.head == SYMBOL else str(node.data)
        return f"int({self.value(node).text})"

    def _contraction(self, node: Expr) -> Piece:
        args, out = node.args, node.data
        if is_window(node) and (window := self._window(node)):
            return window
        if is_subscript(node):
            return self._subscript(node)
        held = {label for _, labels in args for label in labels}
        if not args and len(out) == 2 and out == (0, 0):
            return Piece(f"np.eye({self.size(node.shape[0])}{', dtype=dtype' if self.typed else ''})", ATOM)
        if not args:
            return self.spread(node, Piece("1", ATOM, LITERAL), set())
        if len(args) == 1 and out == (0, 0) and args[0][1] == (0,):
            return Piece(f"np.diag({self.value(args[0][0]).text})", ATOM)
        if is_diagonal(node):
            return self._filled(node)
        if held <= set(out) and all(len(set(labels)) == len(labels) for _, labels in args):
            return self.spread(node, self._product(node), held)

        def written(edge: Edge, least: int) -> str:
            return self.value(edge[0]).at(least)

        if len(args) == 1:
            return self._single(node, written)
        if (running := running_sum(node)) is not None:
            return self._running_sum(running)
        if len(args) == 2:
            text, level = double(args[0], args[1], out, written)
            return Piece(text, level)
        if all(labels == args[0][1] for _, labels in args):
            product = self._times(
                [self.operand((child, tuple(range(len(labels)))), len(labels)) for child, labels in args], []
            )
            summed = tuple(i for i, label in enumerate(args[0][1]) if label not in out)
            if tuple(label for label in args[0][1] if label in out) == out:
                return Piece(sum_text(product.text, summed, len(args[0][1])), ATOM)
        return Piece(einsum(args, out, written), ATOM)

    def _running_sum(self, summed: RunningSum) -> Piece:
        text, axis = self.value(summed.of).at(ATOM), summed.axis
        backwards = f"[{':, ' * axis}::-1]" if summed.from_the_end else ""
        return Piece(f"np.cumsum({text}{backwards}, axis={axis}){backwards}", ATOM)

    def _filled(self, node: Expr) -> Piece:
        """Zeros whose diagonal is assigned: np.einsum gives a view of it."""
        out = node.data
        distinct = tuple(dict.fromkeys(out))
        typed = ", dtype=dtype" if self.typed else ""
        child, labels = node.args[0]
        inner = self.operand((child, tuple(map(distinct.index, labels))), len(distinct))
        whole = self.line(f"np.zeros({self.shape(node)}{typed})")
        diagonal = einsum(((node, out),), distinct, lambda edge, least: whole.text)
        self.lines.append((f"{diagonal}[...]", inner.text))
        return whole

    def _single(self, node: Expr, written: Callable[[Edge, int], str]) -> Piece:
        (child, labels), out = node.args[0], node.data
        summed = tuple(i for i, label in enumerate(labels) if label not in out)
        kept = tuple(label for label in labels if label in out)
        distinct = len(set(labels)) == len(labels)
        if distinct and all(child.shape[i] == 1 for i in summed):
            places = ["0" if i in summed else ":" for i in range(len(labels))]
            while places[-1] == ":":
                places.pop()
            text = f"{written(node.args[0], ATOM)}[{', '.join(places)}]"
            return Piece(transposed(text, tuple(kept.index(label) for label in out)), ATOM)
        text, level = single(node.args[0], out, written)
        if distinct and summed and kept == out:
            return Piece(text, level, summed=(child, summed, written(node.args[0], 0)))
        return Piece(text, level)

    def _subscript(self, node: Expr) -> Piece:
        (array, labels), *selectors = node.args
        places = {lab[0]: self.index(s.args[0][0]) for s, lab in selectors}
        last = max(i for i, label in enumerate(labels) if label in places)
        subscripts = [places.get(label, ":") for label in labels[: last + 1]]
        return Piece(f"{self.value(array).at(ATOM)}[{', '.join(subscripts)}]", ATOM)

    def _product(self, node: Expr) -> Piece:
        """An elementwise product: numbers and scalars first, then arrays, divisions last."""
        rank = len(node.shape)
        over, under = [], []
        for edge in sorted(node.args, key=lambda edge: (bool(edge[1]), edge[0].head != NUMBER)):
            if is_reciprocal(edge[0]):
                under.append((edge, self._divisor(edge[0], rank, edge[1])))
            else:
                over.append((edge, self._factor(edge, node, rank)))
        if outer := self._outer([edge for edge, _ in over if edge[1]], rank):
            over = [*((edge, piece) for edge, piece in over if not edge[1]), outer]
        leading = [piece for edge, piece in under if not edge[1]]
        scalars = sorted((piece for edge, piece in over if not edge[1]), key=lambda piece: piece.kind == TRUTH)
        arrays = sorted((piece for edge, piece in over if edge[1]), key=_last)
        divisors = [piece for edge, piece in under if edge[1]]
        for edge, _ in under:
            self._guard(edge[0])
        if leading and arrays and [piece.text for piece in scalars] not in ([], ["-1"]):
            factor = self._times(scalars, leading)
            return self._times([factor, *arrays], divisors)
        return self._times([*scalars, *arrays], [*leading, *divisors])

    def _outer(self, arrays: list[Edge], rank: int) -> tuple[Edge, Piece] | None:
        """Two vectors along the two axes of a matrix."""
        if rank != 2 or sorted(labels for _, labels in arrays) != [(0,), (1,)]:
            return None
        first, second = sorted(arrays, key=lambda edge: edge[1])
        return first, Piece(f"np.outer({self.value(first[0]).text}, {self.value(second[0]).text})", ATOM)

    def _factor(self, edge: Edge, node: Expr, rank: int) -> Piece:
        """A factor; a truth value beside a number is 0 or 1 without further ado."""
        piece = self.pieces[edge[0]]
        # The array must stand before it, or a number would: 2*(x > 0) is a product of integers.
        others = [(child, labels) for child, labels in node.args if self.pieces[child].kind == ARRAY]
        beside = any(bool(labels) == bool(edge[1]) and not is_reciprocal(child) for child, labels in others)
        return self.operand(edge, rank, piece if piece.kind == TRUTH and beside else None)

    def _times(self, factors: Sequence[Piece], divisors: Sequence[Piece]) -> Piece:
        kind = LITERAL if all(p.kind == LITERAL for p in (*factors, *divisors)) else ARRAY
        negative = bool(factors) and factors[0].text == "-1"
        pending = list(factors[1:] if negative else factors) or [Piece("1", ATOM, LITERAL)]
        text = first_factor(pending[0])
        for piece, sign in (*((p, "*") for p in pending[1:]), *((p, "/") for p in divisors)):
            if len(text) > LONGEST:
                text = self.line(text).text
            text += sign + piece.at(UNARY if sign == "*" else POWER_LEVEL)
        only = len(pending) == 1 and not divisors
        if not negative:
            return Piece(text, max(PRODUCT, pending[0].level) if only else PRODUCT, kind)
        if text.startswith("-"):
            text = f"({text})"
        return Piece(f"-{text}", UNARY if only else PRODUCT, kind)


def _last(piece: Piece) -> tuple[bool, bool]:
    """Factors in products of arrays: those with @ stand at the end, truth values behind a number."""
    return piece.kind == TRUTH, piece.level == PRODUCT and is_matmul(piece.text)

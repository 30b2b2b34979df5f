"""The nodes of a plan as lines of NumPy: one assignment per shared or long part, nothing nested deeply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from derivata.emit.formulas import SYNTAX, native, unspecified
from derivata.emit.names import Names
from derivata.emit.native_code import native_code
from derivata.emit.numpy_contraction import double, einsum, single, sum_text, transposed
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
    indexed,
    joined_sum,
    literal,
    nesting,
)
from derivata.emit.pieces import POWER as POWER_LEVEL
from derivata.emit.plan import is_reciprocal, is_subscript, is_view, negated
from derivata.expr.node import ADD, CALL, NUMBER, POWER, PRIMITIVE, SYMBOL, Edge, Expr, Labels
from derivata.expr.notation import COMPARISONS, HALF, is_onehot
from derivata.rules.book import book

LONGEST = 80  # characters of one expression
DEEPEST = 5  # parentheses within parentheses
SHORT = 16
VARIABLE, SIZE, FUNCTION, RESULT = "variable", "size", "function", "result"  # kinds of names
_SIGNS = {name: sign for sign, name in COMPARISONS.items()}


class Lines:
    """Writes nodes one after another, children first."""

    def __init__(
        self, counts: dict[Expr, int], names: Names, results: dict[Expr, str], indices: frozenset[str], *, typed: bool
    ) -> None:
        self.indices = indices  # the symbols that stand as subscripts: Python's whole numbers
        self.counts, self.names, self.results = counts, names, results
        self.keeps = True  # whether the operands of the present node may be written with keepdims
        self.typed = typed  # whether there is an argument whose type decides the result's
        self.pieces: dict[Expr, Piece] = {}
        self.lines: list[tuple[str, str]] = []
        self.modules: set[str] = set()
        self.guarded: set[str] = set()
        self.sizes: dict[str, None] = {}

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
        if node in self.results:
            self.assign(node)
        elif not self._is_plain(node) and (self.counts.get(node, 0) > 1 or self._is_unwieldy(piece)):
            self.assign(node)

    def assign(self, node: Expr) -> None:
        """Give a node a name."""
        piece = self.value(node) if node in self.results else self.pieces[node]
        if piece.text.isidentifier():
            return
        name = self.results.get(node) or self.names.fresh()
        self.lines.append((name, piece.text))
        self.pieces[node] = Piece(name, ATOM, piece.kind)

    def _line(self, text: str) -> Piece:
        name = self.names.fresh()
        self.lines.append((name, text))
        return Piece(name, ATOM)

    def _is_unwieldy(self, piece: Piece) -> bool:
        return len(piece.text) > LONGEST or nesting(piece.text) > DEEPEST

    def _is_plain(self, node: Expr) -> bool:
        """Writing it twice costs nothing."""
        if node.head in (NUMBER, SYMBOL) or (node.head == CALL and not node.args) or is_reciprocal(node):
            return True
        return is_view(node) and node.args[0][0].head == SYMBOL and set(node.data) == set(node.args[0][1])

    def _name_children(self, node: Expr) -> None:
        """Name the long parts of a node that is too long to read."""
        for child, _ in node.args:
            chain = []
            while is_reciprocal(child):
                chain.append(child)
                child = child.args[0][0]
            if not self._is_plain(child) and len(self.pieces[child].text) > SHORT:
                self.assign(child)
            for divided in reversed(chain):
                self.pieces[divided] = self._compose(divided)

    def _compose(self, node: Expr) -> Piece:
        if node.head == NUMBER:
            return literal(node.data)
        if node.head == SYMBOL:
            return self._symbol(node)
        if node.head == CALL:
            return self._call(node)
        if node.head == PRIMITIVE:
            return self._onehot(node) if is_onehot(node) else self._function(node, node.data[0])
        return self._contraction(node)

    def _symbol(self, node: Expr) -> Piece:
        name = node.data.name
        if "size" in node.data.traits:
            return Piece(self.size(name), ATOM, LITERAL)
        if name in self.indices:
            return Piece(f"dtype.type({self.names.of(VARIABLE, name)})", ATOM)
        return Piece(self.names.of(VARIABLE, name), ATOM)

    # -- operands ------------------------------------------------------------------------------------------

    def value(self, node: Expr) -> Piece:
        """The piece of a node as a number: truth values become 0 and 1."""
        piece = self.pieces[node]
        if piece.kind != TRUTH:
            return piece
        if self.typed:
            return Piece(f"{piece.at(ATOM)}.astype(dtype)", ATOM)
        return Piece(f"1.0*{piece.at(UNARY)}", PRODUCT)

    def operand(self, edge: Edge, rank: int, piece: Piece | None = None) -> Piece:
        """An operand of an elementwise node over NumPy's right-aligned axes."""
        child, labels = edge
        piece = self.value(child) if piece is None else piece
        order = tuple(sorted(labels))
        if labels and self.keeps and piece.summed and labels == order and (kept := self._kept(piece, labels, rank)):
            return kept
        if labels == order and (not labels or order == tuple(range(rank - len(order), rank))):
            return piece
        if (inner := negated(child)) is not None and piece.text.startswith("-"):
            return Piece(f"-{self.operand((inner, labels), rank).at(UNARY)}", UNARY, piece.kind)
        turned = transposed(piece.at(ATOM), tuple(labels.index(label) for label in order))
        return Piece(indexed(turned, order, rank), ATOM, piece.kind)

    def _kept(self, piece: Piece, labels: Labels, rank: int) -> Piece | None:
        """A sum that is stretched back over its axes is written with keepdims."""
        assert piece.summed is not None
        inner, summed, text = piece.summed
        if len(inner.shape) != rank or tuple(i for i in range(rank) if i not in summed) != labels:
            return None
        return Piece(sum_text(text, summed, rank, ", keepdims=True"), ATOM, piece.kind)

    def _spread(self, node: Expr, piece: Piece, covered: set[int]) -> Piece:
        """Stretch over the axes that no operand has."""
        rank = len(node.shape)
        missing = [axis for axis in range(rank) if axis not in covered]
        if not missing:
            return piece
        if covered and all(node.shape[axis] == 1 for axis in missing):
            # The others are in place already, from the first one on.
            lead = [axis for axis in missing if axis < min(covered)]
            if not lead or (len(node.args) == 1 and piece.text.endswith("keepdims=True)")):
                return piece
            return Piece(f"{piece.at(ATOM)}[{', '.join(['None'] * len(lead))}]", ATOM, piece.kind)
        shape = self.shape(node)
        if piece.kind == LITERAL:
            maker = {"0": "zeros", "1": "ones"}.get(piece.text)
            typed = ", dtype=dtype" if self.typed else ""
            if maker:
                return Piece(f"np.{maker}({shape}{typed})", ATOM)
            text = piece.text if self.typed or not piece.text.lstrip("-").isdigit() else piece.text + ".0"
            return Piece(f"np.full({shape}, {text}{typed})", ATOM)
        return Piece(f"np.full({shape}, {piece.text})", ATOM, piece.kind)

    def size(self, size: int | str) -> str:
        if isinstance(size, int):
            return str(size)
        self.sizes[size] = None
        return self.names.of(SIZE, size)

    def shape(self, node: Expr) -> str:
        sizes = [self.size(size) for size in node.shape]
        return sizes[0] if len(sizes) == 1 else f"({', '.join(sizes)})"

    # -- calls ---------------------------------------------------------------------------------------------

    def _call(self, node: Expr) -> Piece:
        if unspecified(node):
            inner = self.operand(node.args[0], len(node.shape))
            piece = Piece(f"{self.names.of(FUNCTION, node.data)}({inner.text})", ATOM)
            return self._spread(node, piece, set(node.args[0][1]))
        if node.data not in SYNTAX:
            return self._function(node, node.data)
        rank = len(node.shape)
        covered = {label for _, labels in node.args for label in labels}
        if node.data == POWER:
            return self._spread(node, self._power(node), covered)
        if node.data == ADD:
            return self._spread(node, self._chain(self._terms(node)), covered)
        left, right = (self.operand(edge, rank) for edge in node.args)
        text = f"{left.at(SUM)} {_SIGNS[node.data]} {right.at(SUM)}"
        piece = Piece(text, COMPARE, TRUTH)
        if left.kind == right.kind == LITERAL:
            piece = Piece(f"np.bool({text})", ATOM, TRUTH)
        return self._spread(node, piece, covered)

    def _terms(self, node: Expr) -> list[Piece]:
        """The terms of a sum; the one truth value beside an array is 0 or 1 without further ado."""
        kinds = [self.pieces[child].kind for child, _ in node.args]
        beside = len(kinds) == 2 and set(kinds) == {TRUTH, ARRAY}
        rank = len(node.shape)
        return [self.operand(edge, rank, self.pieces[edge[0]] if beside else None) for edge in node.args]

    def _chain(self, terms: list[Piece]) -> Piece:
        """A sum; a long one is added up over several lines."""
        kind = LITERAL if all(term.kind == LITERAL for term in terms) else ARRAY
        while len(terms) > 2 and sum(len(term.text) + 3 for term in terms) > LONGEST:
            count, length = 1, len(terms[0].text)
            while count < len(terms) - 1 and length + len(terms[count].text) + 3 <= LONGEST:
                length += len(terms[count].text) + 3
                count += 1
            count = max(count, 2)
            terms = [self._line(joined_sum(terms[:count])), *terms[count:]]
        return Piece(joined_sum(terms), SUM if len(terms) > 1 else terms[0].level, kind)

    def _power(self, node: Expr) -> Piece:
        """A power with its own negative exponent is a division."""
        exponent = node.args[1][0]
        if is_reciprocal(node):
            divisor = self._divisor(node, len(node.shape))
            self._guard(node)
            return Piece(f"1/{divisor.at(POWER_LEVEL)}", PRODUCT, divisor.kind)
        base = self.operand(node.args[0], len(node.shape))
        if exponent.head == NUMBER:
            return self._to_the(base, exponent.data)
        power = self.operand(node.args[1], len(node.shape))
        kind = LITERAL if base.kind == power.kind == LITERAL else ARRAY
        if kind == LITERAL:
            base = Piece(f"float({base.text})", ATOM, LITERAL)
        return Piece(f"{base.at(ATOM)}**{power.at(POWER_LEVEL)}", POWER_LEVEL, kind)

    def _to_the(self, base: Piece, exponent: Fraction) -> Piece:
        if exponent == 1:
            return base
        if exponent == HALF.data and base.kind != LITERAL:
            return Piece(f"np.sqrt({base.text})", ATOM)
        return Piece(f"{base.at(ATOM)}**{literal(exponent).at(POWER_LEVEL)}", POWER_LEVEL, base.kind)

    def _guard(self, node: Expr) -> None:
        """1/(1 + exp(x)) is 0 where exp(x) is too large for a float: nothing to warn of."""
        base = node.args[0][0]
        if base.head == CALL and base.data == ADD and any(
            child.head == CALL and child.data not in SYNTAX for child, _ in base.args
        ):
            self.guarded.add("over")

    def _divisor(self, node: Expr, rank: int, labels: Labels | None = None) -> Piece:
        """The u**2 of u**-2, its axes placed as those of the power are in its parent."""
        (base, own), (exponent, _) = node.args
        placed = own if labels is None else tuple(labels[i] for i in own)
        return self._to_the(self.operand((base, placed), rank), -exponent.data)

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
            pieces.append(self._line(piece.text) if twice else piece)
        text = code.apply(names, pieces)
        if code.conditions:
            self.guarded |= {"over", "divide", "invalid"}
        chosen = {0} if code.dotted and code.conditions else set()
        constant = bool(pieces) and all(p.kind == LITERAL for i, p in enumerate(pieces) if i not in chosen)
        kind = LITERAL if not pieces else ARRAY
        if code.modules or (constant and any(piece.kind != LITERAL for piece in pieces)):
            text = self._typed(text)
        elif constant and self.typed:
            # A constant must not decide the type of the result.
            text, kind = f"float({text})", LITERAL
        level = ATOM if pieces and (code.dotted or text.endswith(".astype(dtype)")) else code.level
        piece = Piece(text, level, kind)
        return self._spread(node, piece, {i for _, labels in node.args for i in labels} | set(range(mapped, 99)))

    def _typed(self, text: str) -> str:
        """What would have NumPy's own choice of type gets that of the arguments."""
        return f"{text}.astype(dtype)" if self.typed else text

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
        if is_subscript(node):
            return self._subscript(node)
        held = {label for _, labels in args for label in labels}
        if not args and len(out) == 2 and out == (0, 0):
            return Piece(f"np.eye({self.size(node.shape[0])}{', dtype=dtype' if self.typed else ''})", ATOM)
        if not args:
            return self._spread(node, Piece("1", ATOM, LITERAL), set())
        if len(args) == 1 and out == (0, 0) and args[0][1] == (0,):
            return Piece(f"np.diag({self.value(args[0][0]).text})", ATOM)
        if held <= set(out) and all(len(set(labels)) == len(labels) for _, labels in args):
            return self._spread(node, self._product(node), held)

        def written(edge: Edge, least: int) -> str:
            return self.value(edge[0]).at(least)

        if len(args) == 1:
            return self._single(node, written)
        if len(args) == 2:
            text, level = double(args[0], args[1], out, written)
            return Piece(text, level)
        if all(labels == args[0][1] for _, labels in args):
            product = self._times([self.operand((child, tuple(range(len(labels)))), len(labels)) for child, labels in args], [])
            summed = tuple(i for i, label in enumerate(args[0][1]) if label not in out)
            if tuple(label for label in args[0][1] if label in out) == out:
                return Piece(sum_text(product.text, summed, len(args[0][1])), ATOM)
        return Piece(einsum(args, out, written), ATOM)

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
        arrays = sorted((piece for edge, piece in over if edge[1]), key=lambda piece: piece.kind == TRUTH)
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
        text = self._first(pending[0])
        for piece, sign in (*((p, "*") for p in pending[1:]), *((p, "/") for p in divisors)):
            if len(text) > LONGEST:
                text = self._line(text).text
            text += sign + piece.at(UNARY if sign == "*" else POWER_LEVEL)
        only = len(pending) == 1 and not divisors
        if not negative:
            return Piece(text, max(PRODUCT, pending[0].level) if only else PRODUCT, kind)
        if text.startswith("-"):
            text = f"({text})"
        return Piece(f"-{text}", UNARY if only else PRODUCT, kind)

    def _first(self, piece: Piece) -> str:
        # A product next to @ is right in Python and misread by people.
        loose = piece.level < PRODUCT or " @ " in piece.text and piece.level == PRODUCT
        return f"({piece.text})" if loose else piece.text

"""Operands of NumPy expressions: brought to right-aligned axes, summed with keepdims, stretched, typed."""

from __future__ import annotations

from derivata.emit.names import Names
from derivata.emit.numpy_contraction import sum_text, transposed
from derivata.emit.pieces import ATOM, LITERAL, PRODUCT, TRUTH, UNARY, Piece, indexed
from derivata.emit.plan import negated
from derivata.expr.node import Edge, Expr, Labels
from derivata.expr.sizes import size_terms

VARIABLE, SIZE, FUNCTION, RESULT = "variable", "size", "function", "result"  # kinds of names


class Operands:
    """The state of one function being written, and how the parts of a node are put beside each other."""

    def __init__(
        self,
        counts: dict[Expr, int],
        names: Names,
        results: dict[Expr, str],
        indices: frozenset[str],
        *,
        typed: bool,
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

    def line(self, text: str) -> Piece:
        name = self.names.fresh()
        self.lines.append((name, text))
        return Piece(name, ATOM)

    def as_typed(self, text: str) -> str:
        """What would have NumPy's own choice of type gets that of the arguments."""
        return f"{text}.astype(dtype)" if self.typed else text

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

    def spread(self, node: Expr, piece: Piece, covered: set[int]) -> Piece:
        """Stretch over the axes that no operand has."""
        rank = len(node.shape)
        missing = [axis for axis in range(rank) if axis not in covered]
        if not missing:
            return piece
        covered = covered & set(range(rank))
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
        """A size as Python says it; a sum stands without parentheses."""
        text = ""
        for names, factor in size_terms(size):
            sign = ("-" if factor < 0 else "") if not text else (" - " if factor < 0 else " + ")
            numbers = [str(abs(factor))] if abs(factor) != 1 or not names else []
            text += sign + "*".join([*numbers, *map(self._size, names)])
        return text

    def _size(self, name: str) -> str:
        self.sizes[name] = None
        return self.names.of(SIZE, name)

    def shape(self, node: Expr) -> str:
        sizes = [self.size(size) for size in node.shape]
        return sizes[0] if len(sizes) == 1 else f"({', '.join(sizes)})"

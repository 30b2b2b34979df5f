"""Tokens to syntax: operator precedence with an explicit stack, so depth is a limit and not a crash."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from derivata.errors import LimitError, ReadError
from derivata.expr.node import Expr
from derivata.expr.tokens import Token, tokens

DEEPEST = 1_000
_BINARY = {
    "==": 1,
    "!=": 1,
    "<": 1,
    "<=": 1,
    ">": 1,
    ">=": 1,
    "+": 2,
    "-": 2,
    "*": 3,
    "/": 3,
    "@": 3,
    "**": 5,
}
_UNARY = 4
_NO_STEP = "a slice has no step here: expected x[start:stop]"
_CLOSER = {"(": ")", "[": "]"}


@dataclass(slots=True, eq=False)
class Syntax:
    """One piece of syntax: number, name, string, call, subscript, attribute, keyword, slice, or an operator."""

    kind: str
    text: str
    position: int
    children: list[Syntax] = field(default_factory=list)
    value: Fraction | None = None
    node: Expr | None = None
    grouped: bool = False  # written in parentheses

    @property
    def scales(self) -> bool:
        """A product of scalars and one last factor: 2*A@x is 2*(A@x)."""
        nodes = [child.node for child in self.children[:-1]]
        return self.kind == "product" and all(node is not None and not node.shape for node in nodes)


@dataclass(slots=True, eq=False)
class _Pending:
    """An operator or bracket waiting on the stack for its operands."""

    kind: str  # "binary", "unary", "open", "call", "subscript", "keyword"
    text: str
    position: int
    level: int
    function: Syntax | None = None
    items: list[Syntax] = field(default_factory=list)


def parse(text: str) -> list[tuple[str | None, Syntax]]:
    """The statements of `text`: `(name, syntax)` for `name = ...`, the last one `(None, syntax)`."""
    if not isinstance(text, str):
        raise ReadError(f"expected text, found {type(text).__name__}")
    statements: list[list[Token]] = [[]]
    depth = 0
    for token in tokens(text):
        depth += (token.text in _CLOSER) - (token.kind == "operator" and token.text in ")]")
        if token.text == ";" and token.kind == "operator":
            if depth <= 0:
                statements.append([])
            continue
        statements[-1].append(token)
    end = statements[-1].pop() if statements[-1] else Token("end", "", len(text))
    filled = [s for s in statements if s]
    if not filled:
        raise ReadError("the expression is empty; expected something like x**2 + 3*x")
    found: list[tuple[str | None, Syntax]] = []
    for index, statement in enumerate(filled):
        stop = Token("end", "", statement[-1].position + len(statement[-1].text))
        if len(statement) > 1 and statement[0].kind == "name" and statement[1].text == "=":
            name, body = statement[0].text, statement[2:]
            if index == len(filled) - 1:
                raise ReadError(
                    f"after the definition of {name} an expression that uses it was expected",
                    text=text,
                    position=end.position,
                )
            found.append((name, _Reader(text, [*body, stop]).expression()))
        else:
            if index < len(filled) - 1:
                raise ReadError(
                    "a line before the last names a part, as in `t = x**2`; only the last is without a name",
                    text=text,
                    position=statement[0].position,
                )
            found.append((None, _Reader(text, [*statement, stop]).expression()))
    return found


class _Reader:
    """One expression. `operands` and `stack` are the two stacks of operator-precedence parsing."""

    def __init__(self, text: str, stream: list[Token]) -> None:
        self.text, self.stream = text, stream
        self.operands: list[Syntax] = []
        self.stack: list[_Pending] = []
        self.depth = 0

    def fail(self, message: str, position: int) -> ReadError:
        return ReadError(message, text=self.text, position=position)

    def expression(self) -> Syntax:
        expect_operand = True
        index = 0
        while index < len(self.stream):
            token = self.stream[index]
            index += 1
            if expect_operand:
                following = self.stream[index] if index < len(self.stream) else None
                expect_operand = self._operand(token, following)
            elif token.kind == "end":
                break
            elif token.text == "." and index < len(self.stream) and self.stream[index].kind == "name":
                self._attribute(self.stream[index])
                index += 1
            else:
                expect_operand = self._after_operand(token)
        self._reduce(0)
        if self.stack:
            raise self.fail(f"this {self.stack[-1].text} is never closed", self.stack[-1].position)
        return self.operands[0]

    def _push(self, pending: _Pending) -> None:
        if pending.kind != "binary":
            self.depth += 1
            if self.depth > DEEPEST:
                raise LimitError(f"nested more than {DEEPEST} deep", text=self.text, position=pending.position)
        self.stack.append(pending)

    def _pop(self) -> _Pending:
        pending = self.stack.pop()
        if pending.kind != "binary":
            self.depth -= 1
        return pending

    def _operand(self, token: Token, following: Token | None) -> bool:
        """Read something that starts an operand; whether another one is expected afterwards."""
        if token.kind == "number":
            self.operands.append(Syntax("number", token.text, token.position, value=token.value))
            return False
        if token.kind == "string":
            self.operands.append(Syntax("string", token.text[1:-1], token.position))
            return False
        if token.kind == "name":
            if following is not None and following.text == "=" and self._inside("call"):
                self._push(_Pending("keyword", token.text, token.position, 0))
                return True
            self.operands.append(Syntax("name", token.text, token.position))
            return False
        if token.text in ("-", "+"):
            self._push(_Pending("unary", token.text, token.position, _UNARY))
            return True
        if token.text == "=" and self.stack and self.stack[-1].kind == "keyword":
            return True
        if token.text == "(":
            self._push(_Pending("open", "(", token.position, 0))
            return True
        if token.text == ":" and self._inside("subscript"):
            self.operands.append(Syntax("nothing", "", token.position))
            return self._slice(token)
        if token.text == ":" and self._inside("binary") and self.stack[-1].text == ":":
            raise self.fail(_NO_STEP, token.position)
        if token.text in (",", "]") and self._inside("binary") and self.stack[-1].text == ":":
            self.operands.append(Syntax("nothing", "", token.position))
            return self._after_operand(token)
        if token.text in (")", "]") and self.stack and self.stack[-1].kind in ("call",) and not self.stack[-1].items:
            return self._close(token, empty=True)
        if token.kind == "end":
            if self.stack and self.stack[-1].kind in ("open", "call", "subscript"):
                raise self.fail(f"this {self.stack[-1].text} is never closed", self.stack[-1].position)
            raise self.fail("the expression ends where an operand was expected", token.position)
        raise self.fail(f"expected a number, a name or (, found {token.text!r}", token.position)

    def _slice(self, token: Token) -> bool:
        """A colon between subscripts: what stands on its sides may be left out."""
        self._reduce(1)
        if self._inside("binary"):
            raise self.fail(_NO_STEP, token.position)
        if not self._inside("subscript"):
            raise self.fail(f"unexpected {token.text!r}", token.position)
        self._push(_Pending("binary", ":", token.position, 0))
        return True

    def _inside(self, kind: str) -> bool:
        return bool(self.stack) and self.stack[-1].kind == kind

    def _after_operand(self, token: Token) -> bool:
        if token.text in _BINARY and token.kind == "operator":
            level = _BINARY[token.text]
            self._reduce(level, right=token.text == "**")
            last = self.operands[-1]
            if level == _BINARY["<"] and last.kind == "binary" and _BINARY.get(last.text) == level and not last.grouped:
                raise self.fail("comparisons do not chain: a < b < c is written (a < b)*(b < c)", token.position)
            self._push(_Pending("binary", token.text, token.position, level))
            return True
        if token.text == "(":
            if self.operands[-1].kind != "name":
                raise self.fail("expected an operator before (; a product is written with *", token.position)
            self._push(_Pending("call", "(", token.position, 0, self.operands.pop()))
            return True
        if token.text == "[":
            self._push(_Pending("subscript", "[", token.position, 0, self.operands.pop()))
            return True
        if token.text == ",":
            self._reduce(0)
            if not self.stack or self.stack[-1].kind not in ("call", "subscript"):
                raise self.fail("unexpected comma", token.position)
            self.stack[-1].items.append(self.operands.pop())
            return True
        if token.text in (")", "]"):
            return self._close(token, empty=False)
        if token.text == ":":
            return self._slice(token)
        if token.kind in ("number", "name", "string"):
            raise self.fail(
                f"expected an operator before {token.text[:20]!r}; a product is written with *",
                token.position,
            )
        raise self.fail(f"unexpected {token.text!r}", token.position)

    def _close(self, token: Token, *, empty: bool) -> bool:
        if not empty:
            self._reduce(0)
        if not self.stack:
            raise self.fail(f"this {token.text} closes nothing", token.position)
        pending = self._pop()
        if _CLOSER[pending.text] != token.text:
            raise self.fail(
                f"{_CLOSER[pending.text]} expected to close {pending.text}, found {token.text}",
                token.position,
            )
        items = pending.items if empty else [*pending.items, self.operands.pop()]
        if pending.kind == "open":
            items[0].grouped = True  # what was written in parentheses stays a piece of its own
            self.operands.append(items[0])
        elif pending.kind == "call":
            assert pending.function is not None
            self.operands.append(Syntax("call", pending.function.text, pending.function.position, items))
        else:
            assert pending.function is not None
            self.operands.append(Syntax("subscript", "[", pending.position, [pending.function, *items]))
        return False

    def _attribute(self, token: Token) -> None:
        self.operands.append(Syntax("attribute", token.text, token.position, [self.operands.pop()]))

    def _reduce(self, level: int, *, right: bool = False) -> None:
        """Apply waiting operators that bind at least as tightly as `level`."""
        while self.stack and self.stack[-1].kind in ("binary", "unary", "keyword"):
            top = self.stack[-1]
            if top.kind == "keyword" and level > 0:
                return
            if top.level < level or (top.level == level and right):
                return
            pending = self._pop()
            if pending.kind == "binary":
                last = self.operands.pop()
                self.operands[-1] = self._binary(pending, self.operands[-1], last)
            elif pending.kind == "keyword":
                self.operands[-1] = Syntax("keyword", pending.text, pending.position, [self.operands[-1]])
            else:
                self.operands[-1] = Syntax("unary", pending.text, pending.position, [self.operands[-1]])

    def _binary(self, pending: _Pending, left: Syntax, right: Syntax) -> Syntax:
        # Chains of terms and of factors are one flat piece of syntax: a sum of 100 000 terms has depth one.
        if pending.text in ("+", "-"):
            term = right if pending.text == "+" else Syntax("unary", "-", pending.position, [right])
            return _chained("sum", pending, left, term)
        if pending.text in ("*", "/"):
            factor = right if pending.text == "*" else Syntax("reciprocal", "/", pending.position, [right])
            return _chained("product", pending, left, factor)
        if pending.text == ":":
            whole = left.kind == right.kind == "nothing"
            return Syntax("slice", ":", pending.position, [] if whole else [left, right])
        return Syntax("binary", pending.text, pending.position, [left, right])


def _chained(kind: str, pending: _Pending, left: Syntax, last: Syntax) -> Syntax:
    if left.kind == kind and not left.grouped:
        left.children.append(last)
        return left
    return Syntax(kind, pending.text, pending.position, [left, last])

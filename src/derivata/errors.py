"""Every error Derivata raises on purpose: one class tree, one sentence each, pointing at the place."""

from __future__ import annotations

_EXCERPT = 60


class DerivataError(Exception):
    """Something the user can mend; the message says what was expected, what was found and where."""

    def __init__(self, message: str, *, text: str | None = None, position: int | None = None) -> None:
        self.message = message
        self.text = text
        self.position = position
        super().__init__(message)

    def __str__(self) -> str:
        if self.text is None or self.position is None:
            return self.message
        return f"{self.message}\n{excerpt(self.text, self.position)}"


class ReadError(DerivataError):
    """The text is not an expression of the language."""


class UnknownNameError(ReadError):
    """A function or variable that nobody declared."""


class ShapeError(ReadError):
    """Shapes that do not fit together."""


class LimitError(DerivataError):
    """The input is larger than what can be worked on exactly."""


class VariableError(DerivataError):
    """The variable to differentiate by is not one of the expression's."""


class KinkError(DerivataError):
    """The derivative does not exist everywhere and kinks were refused."""


class UnsupportedError(DerivataError):
    """A well-formed request that this version has no rule for."""


class UndefinedError(DerivataError):
    """An expression that has no value anywhere, such as one divided by x - x."""


class VerificationError(DerivataError):
    """A result disagreed with exact arithmetic, or could not be compared with it; it is not shown."""


class DisagreementError(VerificationError):
    """A result disagreed with exact arithmetic."""


class EvaluationError(DerivataError):
    """Values that do not fit the expression they are put into."""


def excerpt(text: str, position: int) -> str:
    """The line around `position`, shortened, with a caret under the place."""
    position = max(0, min(position, len(text)))
    first = max(0, position - _EXCERPT // 2)
    last = min(len(text), first + _EXCERPT)
    shown = "".join(c if c.isprintable() else "?" for c in text[first:last])
    lead = "..." if first else ""
    tail = "..." if last < len(text) else ""
    return f"  {lead}{shown}{tail}\n  {' ' * (len(lead) + position - first)}^"

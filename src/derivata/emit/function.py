"""The function that a person pastes: value and derivative, with what they are in its docstring."""

from __future__ import annotations

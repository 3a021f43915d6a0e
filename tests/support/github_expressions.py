"""GitHub's expressions, as far as our workflow uses them.

Source: docs.github.com, "Evaluate expressions in workflows and actions": && and || give one of their sides,
missing properties are null, text is compared without regard to case.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|==|!=|&&|\|\||!|\(|\)|[A-Za-z_][\w.-]*|\d+)")


def filled(text: str, contexts: Mapping[str, Any]) -> str:
    """The text with each `${{ … }}` replaced by its value."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: _as_text(evaluate(found[1], contexts)), text)


def evaluate(text: str, contexts: Mapping[str, Any]) -> Any:
    """The value of one expression.

    Raises:
        AssertionError: it is none that we understand.
    """
    tokens, at = [], 0
    text = text.strip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found, f"not understood: {text[at:]}"
        tokens.append(found[1])
        at = found.end()
    reader = _Reader(tokens, contexts)
    value = reader.either()
    assert not reader.left, f"not understood: {' '.join(reader.left)}"
    return value


def truthy(value: Any) -> bool:
    """As GitHub sees it: "", 0, false and null are not."""
    return value not in {"", 0, None} and value is not False


class _Reader:
    def __init__(self, tokens: list[str], contexts: Mapping[str, Any]) -> None:
        self.left = tokens
        self._contexts = contexts

    def either(self) -> Any:
        value = self._both()
        while self._next("||"):
            other = self._both()
            value = value if truthy(value) else other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._next("&&"):
            other = self._compared()
            value = other if truthy(value) else value
        return value

    def _compared(self) -> Any:
        value = self._one()
        for sign in ("==", "!="):
            if self._next(sign):
                same = _as_text(value).casefold() == _as_text(self._one()).casefold()
                return same if sign == "==" else not same
        return value

    def _one(self) -> Any:
        token = self.left.pop(0)
        if token == "!":
            return not truthy(self._one())
        if token == "(":
            value = self.either()
            assert self._next(")"), "a bracket stays open"
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit():
            return int(token)
        if self._next("("):
            assert self._next(")"), f"{token}() is given something"
            return self._status(token)
        return {"true": True, "false": False, "null": None}.get(token, self._looked_up(token))

    def _status(self, function: str) -> bool:
        failed = bool(self._contexts["failed"])
        return {"always": True, "failure": failed, "success": not failed, "cancelled": False}[function]

    def _looked_up(self, path: str) -> Any:
        value: Any = self._contexts
        for number, part in enumerate(path.split(".")):
            assert number or part in value or part in {"true", "false", "null"}, f"no context {part} here"
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def _next(self, token: str) -> bool:
        if self.left[:1] == [token]:
            self.left.pop(0)
            return True
        return False


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

"""Read the expressions of -m and -k as pytest reads them, so that a mistake is found before anything starts.

pytest compiles them only when all tests are collected: a platform has been started by then.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\s*(?:([()=,])|('[^']*'|\"[^\"]*\")|((?:\w|[:+\-.\[\]\\/])+))")
_WORDS = frozenset({"and", "or", "not"})
_VALUE = re.compile(r"-?\d+|True|False|None|'.*'|\".*\"", re.DOTALL)
_END = "its end"
_DEEPEST = 50


class _Wrong(Exception):
    """The expression is not complete; the message says what stands where something else is expected."""


def problem_of(expression: str, *, of_marks: bool) -> str:
    """Return what is wrong with an expression, such as 'has "and" where a name is expected'; "" if nothing.

    Args:
        expression: of names, and, or, not and parentheses.
        of_marks: it is of -m, whose names may have arguments, such as item(id="a").
    """
    if not expression.strip():
        return ""
    try:
        _Reader(_tokens(expression), of_marks=of_marks).read()
    except _Wrong as wrong:
        return str(wrong)
    return ""


def names_in(expression: str) -> frozenset[str]:
    """Return the names of marks in an expression of -m; none of one that is not complete."""
    if not expression.strip():
        return frozenset()
    try:
        reader = _Reader(_tokens(expression), of_marks=True)
        reader.read()
    except _Wrong:
        return frozenset()
    return frozenset(reader.names)


def _tokens(expression: str) -> list[str]:
    found, at, text = [], 0, expression.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise _Wrong(f'has "{text[at:].strip()[0]}", which belongs to no expression')
        found.append(token[0].strip())
        at = token.end()
    return found


class _Reader:
    """A parser by recursive descent: or, and, not, then a name or parentheses."""

    def __init__(self, tokens: list[str], *, of_marks: bool) -> None:
        self._tokens = [*tokens, ""]
        self._at = 0
        self._of_marks = of_marks
        self.names: set[str] = set()

    def read(self) -> None:
        self._any_of()
        if self._next:
            raise self._wrong("and, or")

    @property
    def _next(self) -> str:
        return self._tokens[self._at]

    def _takes(self, token: str) -> bool:
        self._at += (taken := self._next == token)
        return taken

    def _wrong(self, expected: str) -> _Wrong:
        found = f'"{self._next}"' if self._next else _END
        return _Wrong(f"has {found} where {expected} is expected")

    def _any_of(self, depth: int = 0) -> None:
        self._all_of(depth)
        while self._takes("or"):
            self._all_of(depth)

    def _all_of(self, depth: int) -> None:
        self._one(depth)
        while self._takes("and"):
            self._one(depth)

    def _one(self, depth: int) -> None:
        while self._takes("not"):
            pass
        if depth > _DEEPEST:
            raise _Wrong("has too many parentheses")
        if self._takes("("):
            self._any_of(depth + 1)
            self._expect(")", 'and, or, or ")"')
        elif self._is_name():
            self.names.add(self._next)
            self._at += 1
            if self._of_marks and self._takes("("):
                self._arguments()
        else:
            raise self._wrong("a name")

    def _is_name(self) -> bool:
        return bool(self._next) and self._next not in _WORDS and self._next[0] not in "()=,'\""

    def _arguments(self) -> None:
        while True:
            if not self._next.isidentifier():
                raise self._wrong("the name of an argument")
            self._at += 1
            self._expect("=", '"="')
            if not _VALUE.fullmatch(self._next):
                raise self._wrong("a value")
            self._at += 1
            if not self._takes(","):
                break
        self._expect(")", '"," or ")"')

    def _expect(self, token: str, described: str) -> None:
        if not self._takes(token):
            raise self._wrong(described)

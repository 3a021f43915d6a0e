"""Write Python values as plain words: a message is read by people, and `{'api': 0}` is no sentence."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from kamiyo_verify.model.writing.text import cut

_LONGEST = 160
_LONGEST_PART = 60
_SHOWN = 6
_PAIRS = {"{": "}", "[": "]"}
_MOST_READ = 100_000
_MOST_TRIES = 20
"""Bounds of the work for one message, however many brackets it has."""

_OBJECT = re.compile(r"<(?:[\w<>]+\.)*(\w+) object at 0x[0-9a-fA-F]+>")
_MEMBER = re.compile(r"<\w+\.\w+: '?([^'<>]*)'?>")
_CLASS = re.compile(r"<class '(?:[\w<>]+\.)*(\w+)'>")


def plain(value: object) -> str:
    """Write a value as words, at most 160 characters: {"api": 0, "ids": [1, 2]} is "api: 0, ids: (1, 2)"."""
    return cut(_words(value), _LONGEST)


def without_reprs(text: str) -> str:
    """Return the text with each dict, list, set and object that Python printed written as words.

    JSON and other text in brackets stays: only what Python would print in the very same way is rewritten.
    """
    for pattern in (_OBJECT, _CLASS):
        text = pattern.sub(r"a \1", text)
    text = _MEMBER.sub(r"\1", text)
    if "{" not in text and "[" not in text:
        return text
    kept, at, tries = [], 0, 0
    while at < len(text):
        char = text[at]
        end = 0
        if char in _PAIRS and tries < _MOST_TRIES and not (at and char == "[" and text[at - 1].isalnum()):
            tries += 1
            end = _end(text, at)
        value = _value(text[at:end]) if end else None
        kept.append(char if value is None else plain(value))
        at = at + 1 if value is None else end
    return "".join(kept)


def _end(text: str, start: int) -> int:
    """Return the place after the bracket that closes the one at `start`; 0 if none does."""
    opened, quote, at = [_PAIRS[text[start]]], "", start + 1
    while at < min(len(text), start + _MOST_READ):
        char = text[at]
        if quote:
            at += char == "\\"
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in _PAIRS:
            opened.append(_PAIRS[char])
        elif char == opened[-1]:
            opened.pop()
            if not opened:
                return at + 1
        at += 1
    return 0


def _value(text: str) -> object:
    """Return the value that Python prints as this text; None if it prints none so."""
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return None
    return value if repr(value) == text or isinstance(value, set) else None


def _words(value: object, *, inside: bool = False) -> str:
    match value:
        case dict():
            parts = [f"{_words(key, inside=True)}: {_words(one, inside=True)}" for key, one in value.items()]
        case list() | tuple():
            parts = [_words(one, inside=True) for one in value]
        case set() | frozenset():
            parts = sorted(_words(one, inside=True) for one in value)
        case None | "":
            return "nothing"
        case bool():
            return "yes" if value else "no"
        case _:
            return cut(str(value), _LONGEST_PART)
    told = _listed(parts)
    return f"({told})" if inside and len(parts) > 1 else told


def _listed(parts: Iterable[str]) -> str:
    shown = list(parts)
    more = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {more} more" if more > 0 else "") or "nothing"

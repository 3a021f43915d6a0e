"""Read JSON from outside; reject JSON that different readers interpret differently.

RFC 8259 leaves duplicate names, huge numbers and lone surrogates to each reader. The first two are rejected:
two readers would see two values. A lone surrogate is replaced, as visitors can put one into a title.
"""

from __future__ import annotations

import json
import math
import re

DEEPEST = 100
"""Most levels of nesting that are read."""

LARGEST_INTEGER = 2**64
"""Readers disagree on larger integers, and no real count is that large."""

_ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one character
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of a pair
    r"|\\."
)
_NUMBER_DIGITS = 400


class UnreadableJson(ValueError):
    """The text is not unambiguous JSON; the message says why and quotes none of it."""


def read_json(data: bytes | str) -> object:
    """The value that a JSON text holds.

    Args:
        data: bytes in UTF-8, UTF-16 or UTF-32, with or without a byte order mark; or text.

    Returns:
        The value; a lone surrogate in it is replaced by U+FFFD.

    Raises:
        UnreadableJson: it is not JSON, or has a duplicate name in an object, NaN, Infinity, a number out of
            range, or more than `DEEPEST` levels.
    """
    try:
        text = data if isinstance(data, str) else data.decode(json.detect_encoding(data), "surrogatepass")
        text = _whole_characters(text.removeprefix("\ufeff"))
        value: object = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_bounded,
        )
    except UnreadableJson:
        raise
    except RecursionError:
        raise UnreadableJson("JSON nested too deep to read") from None
    except ValueError:  # JSONDecodeError and UnicodeDecodeError quote the text
        raise UnreadableJson("no JSON") from None
    _refuse_depth(value)
    return value


def _whole_characters(text: str) -> str:
    """The text without lone surrogates, escaped or not."""
    if "\\u" in text:
        text = _ESCAPES.sub(lambda found: "\\ufffd" if found[1] else found[0], text)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise UnreadableJson("JSON with a name twice in one object")
    return found


def _no_constant(name: str) -> object:
    raise UnreadableJson(f"JSON with {name}, which is no number of JSON's")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise UnreadableJson("JSON with a number out of range")
    return number


def _bounded(digits: str) -> int:
    if len(digits) > _NUMBER_DIGITS or abs(number := int(digits)) > LARGEST_INTEGER:
        raise UnreadableJson("JSON with a number out of range")
    return number


def _refuse_depth(value: object) -> None:
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise UnreadableJson("JSON nested too deep to read")
        level = [
            child
            for one in level
            if isinstance(one, dict | list)
            for child in (one.values() if isinstance(one, dict) else one)
        ]
        depth += 1

"""Sentry's search language, as far as issue lists need it.

Source: docs.sentry.io, "Search" and "Searchable properties".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

Issue: TypeAlias = Mapping[str, Any]
Test: TypeAlias = Callable[[Issue], bool]

_TERM = re.compile(r'(?P<key>[A-Za-z.]+):(?P<value>"[^"]*"|\[[^\]]*\]|\S+)|(?P<free>\S+)')
_RELATIVE = re.compile(r"([+-])(\d+)([mhdw])")
_COMPARED = re.compile(r"(>=|<=|>|<)?(.+)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STATUSES = frozenset({"unresolved", "resolved", "ignored"})
_SUBSTATUSES = frozenset({"new", "ongoing", "escalating", "regressed"})


class InvalidSearch(ValueError):
    """The query is not valid."""


def search(query: str, now: datetime) -> Test:
    """Return a function that tests whether an issue matches a query.

    Raises:
        InvalidSearch: the query is not valid.
    """
    tests = [_test(match, now) for match in _TERM.finditer(query)]
    return lambda issue: all(test(issue) for test in tests)


def _test(match: re.Match[str], now: datetime) -> Test:
    if match["free"]:
        word = match["free"].lower()
        return lambda issue: word in issue["title"].lower()
    key, value = match["key"], match["value"].strip('"')
    match key:
        case "is":
            return _is(value)
        case "level":
            wanted = {one.strip() for one in value.strip("[]").split(",")}
            return lambda issue: issue["level"] in wanted
        case "firstSeen" | "lastSeen":
            low, high = _span(value, now)
            return lambda issue: low <= moment(issue[key]) <= high
        case "timesSeen":
            return _times(value)
        case "release":
            return lambda issue: value in issue["_releases"]
        case "firstRelease":
            return lambda issue: issue["_releases"][0] == value
        case _:  # any other key is a tag, and no issue has tags
            return lambda _: False


def _is(value: str) -> Test:
    if value in _STATUSES:
        return lambda issue: issue["status"] == value
    if value in _SUBSTATUSES:
        return lambda issue: issue["substatus"] == value
    raise InvalidSearch(f'Invalid value for "is" search, valid values are {sorted(_STATUSES | _SUBSTATUSES)}')


def _times(value: str) -> Test:
    compared = _COMPARED.fullmatch(value)
    if compared is None or not compared[2].isdigit():
        raise InvalidSearch(f"Invalid number: {value}. Expected number then optional k, m, or b suffix")
    number = int(compared[2])
    tests: dict[str | None, Test] = {
        ">": lambda issue: int(issue["count"]) > number,
        ">=": lambda issue: int(issue["count"]) >= number,
        "<": lambda issue: int(issue["count"]) < number,
        "<=": lambda issue: int(issue["count"]) <= number,
        None: lambda issue: int(issue["count"]) == number,
    }
    return tests[compared[1]]


def _span(value: str, now: datetime) -> tuple[datetime, datetime]:
    """Return start and end, to the second, as in Sentry's responses."""
    always, never = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    relative = _RELATIVE.fullmatch(value)
    if relative:
        sign, number, unit = relative.groups()
        then = now - timedelta(**{_UNITS[unit]: int(number)})
        return (then, never) if sign == "-" else (always, then)
    compared = _COMPARED.fullmatch(value)
    operator, text = (compared[1], compared[2]) if compared else (None, value)
    try:
        then = moment(text)
    except ValueError:
        raise InvalidSearch(f"{value} is not a valid datetime query") from None
    second = timedelta(seconds=1)
    spans = {
        ">=": (then, never),
        ">": (then + second, never),
        "<=": (always, then),
        "<": (always, then - second),
        None: (then, then + second),
    }
    return spans[operator]


def moment(text: str) -> datetime:
    """Parse a time in Sentry's format; without a zone it is UTC.

    Raises:
        ValueError: the text is not a time.
    """
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)

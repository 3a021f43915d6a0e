"""Read what a service says of its own health in an answer of any status."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.readable import readable
from kamiyo_verify.model.outcomes import WrongAnswer

_KEYS = frozenset({"status", "state", "health", "healthy", "ok", "alive", "ready", "success"})
_UNWELL = frozenset(
    {
        *("down", "fail", "failed", "failing", "failure", "error", "unhealthy", "critical", "dead", "ko"),
        *("out_of_service", "unavailable", "not_ok", "not_ready", "not_healthy", "false"),
    }
)
"""Of Spring Boot, ASP.NET Core, Quarkus and the IETF's draft of health checks; "degraded" still serves."""

_ERRORS = frozenset({"error", "errors"})
_NO_ERROR = frozenset({"", "none", "no", "null", "ok", "false"})
_CODES = frozenset({"code", "status", "statuscode", "status_code"})

_DEEPEST = 3
"""How far the parts of a service are looked into, such as `checks`, `db`, `status`."""


def unwell_in(answer: Answer) -> str:
    """What a JSON object says against the service, such as '"status": "DOWN"'; "" if it says nothing.

    That is its own word, an error (as GraphQL answers it with 200), or a 5xx of its own within. What it says
    of its parts counts where it has no word for all of it.
    """
    if answer.is_html or not answer.body.lstrip().startswith(b"{"):
        return ""
    try:
        data = answer.json()
    except WrongAnswer:
        return ""
    if not isinstance(data, dict):
        return ""
    if found := next(_unwell(data), ""):
        return found
    return "" if any(map(_is_word, data.items())) else next(_unwell_parts(data, _DEEPEST), "")


def _unwell(data: dict[str, Any]) -> Iterator[str]:
    for key, value in data.items():
        name = key.lower()
        says = _is_word((key, value)) and _word(value) in _UNWELL
        if says or (name in _ERRORS and isinstance(value, str | list | dict) and _is_error(value)):
            yield f'"{readable(key, longest=40)}": {readable(str(value), longest=40)}'
        elif name in _CODES and isinstance(value, int) and 500 <= value <= 599:
            yield f'"{key}": {value}'


def _unwell_parts(data: dict[str, Any], deeper: int) -> Iterator[str]:
    for key, value in data.items() if deeper else ():
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, dict):
                continue
            yield from (f'{found} in "{readable(key, longest=40)}"' for found in _unwell(part))
            yield from _unwell_parts(part, deeper - 1)


def _is_word(pair: tuple[str, object]) -> bool:
    """A key is one of those by which services tell of their health, and has a word or truth value."""
    return pair[0].lower() in _KEYS and isinstance(pair[1], str | bool)


def _is_error(value: str | list[Any] | dict[str, Any]) -> bool:
    return _word(value) not in _NO_ERROR if isinstance(value, str) else bool(value)


def _word(value: object) -> str:
    return str(value).strip().lower().replace(" ", "_").replace("-", "_")

"""Messages for mistakes in a configuration: similar keys and allowed values."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Loc: TypeAlias = tuple[str | int, ...]
"""The path of a value: names of tables and keys, and row numbers, from the top."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a configuration.

    Attributes:
        loc: the path of the value; () for the whole file.
        problem: what is wrong and how to fix it, without the value if it could be a secret.
    """

    loc: Loc
    problem: str


def explain(error: ValidationError, shape: type[BaseModel]) -> list[Mistake]:
    """Convert pydantic's validation errors of `shape` into mistakes."""
    found = error.errors(include_url=False)
    # A list whose only value is wrong is empty for pydantic.
    within = {one["loc"][:-1] for one in found}
    own = [one for one in found if not (one["type"] == "too_short" and one["loc"] in within)]
    return [Mistake(_without_marks(one["loc"]), _problem(one, shape)) for one in own]


def _without_marks(loc: Loc) -> Loc:
    """Return the path without pydantic's marker for a key."""
    return loc[:-1] if loc and loc[-1] == _KEY_ITSELF else loc


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return a suffix that suggests the choice nearest to `word`; "" if none is similar."""
    near = difflib.get_close_matches(word.lower(), list(choices), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def table_within(annotation: object) -> type[BaseModel] | None:
    """Return the table class in a field's type: direct, optional or in a list; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((table for inner in get_args(annotation) if (table := table_within(inner))), None)


_KEY_ITSELF = "[key]"
"""Pydantic's marker at the end of a path: the mistake is in the key, not in the value."""

_TYPES = {
    "bool_type": "must be true or false, without quotes",
    "dict_type": "must be a table",
    "float_type": "must be a number, without quotes",
    "frozen_set_type": 'must be a list, such as ["one", "two"]',
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number, without quotes",
    "model_type": "must be a table",
    "string_type": "must be text, in quotes",
    "tuple_type": 'must be a list, such as ["one", "two"]',
}
_BOUNDS = {
    "greater_than": ("gt", "must be more than"),
    "greater_than_equal": ("ge", "must be at least"),
    "less_than": ("lt", "must be less than"),
    "less_than_equal": ("le", "must be at most"),
}
_WRITTEN_LIKE = {
    "bind": "must be an IP address or a host name of this machine, such as 10.0.0.5",
    "commit": "must be a commit: 7 to 40 hex digits in small letters",
    "field": "must be the name of a field or header: letters, digits and -._, such as X-API-Key",
    "id": "must be a phase, a dot and words joined by hyphens, such as postdeploy.api-health",
    "job": "must be letters, digits, _ and hyphens, such as kamiyo-verify",
    "name": "must be small letters, digits and hyphens, such as eu-prod: rename the file",
    "namespace": "must be a namespace's name: small letters, digits and hyphens, such as shop",
    "owner": "must be a workspace's id, such as tea-abc123",
    "hosting_id": "must be a service's id at the host, such as srv-abc123",
    "service": "must be small letters, digits and hyphens, such as social-watcher",
    "place": "must be a name of at most 40 letters, digits, '.', '_' or '-', such as frankfurt",
    "postgres": "must be a database's id, such as dpg-abc123",
    "repository": "must be owner/name, such as acme/platform",
    "user": "must hold no colon and no control character",
    "window": "must be a number of hours, days or weeks, such as 12h, 30d or 4w",
}


def _problem(found: ErrorDetails, shape: type[BaseModel]) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"{words} {context[bound]:g}, not {found['input']:g}"
    match kind:
        case "extra_forbidden":
            return _unknown_key(found["loc"], shape)
        case "missing":
            return _missing(found["loc"], shape)
        case "enum" | "literal_error":
            choices = re.findall(r"'([^']*)'", context["expected"])
            return _one_of(found["input"], choices)
        case "value_error":
            return str(context["error"])
        case "too_short":
            return "must not be empty"
        case "string_pattern_mismatch":
            return _WRITTEN_LIKE.get(_written_key(found["loc"]), "is not written as it must be")
    return "has a value that is not allowed here"


def _written_key(loc: Loc) -> str:
    """Return the key whose text has a form of its own; a name that the user chose has that of its table."""
    if loc[-1] == _KEY_ITSELF and loc[0] == "places":
        return "place"
    return "service" if loc[-1] == _KEY_ITSELF or "services" in loc[-2:-1] else str(loc[-1])


def _one_of(value: Any, choices: list[str]) -> str:
    allowed = ", ".join(f'"{choice}"' for choice in choices)
    return f"must be one of {allowed}{did_you_mean(str(value), choices)}"


def _unknown_key(loc: Loc, shape: type[BaseModel]) -> str:
    key, table = str(loc[-1]), _table_at(loc[:-1], shape)
    if table is None:
        return "unknown key"
    keys = list(table.model_fields)
    meant = did_you_mean(key, keys)
    if not meant and key in shape.model_fields:
        meant = "; it belongs at the top of the file, before the first [table]"
    return f"unknown key{meant or ';'} the keys here are: {', '.join(keys)}"


def _missing(loc: Loc, shape: type[BaseModel]) -> str:
    table = _table_at(loc, shape)
    if table is None:
        return "is missing"
    parent = _field_at(loc, shape)
    if parent is not None and _holds_named_tables(parent):
        return f"is missing: a table for each of them, such as [{loc[-1]}.api]"
    needed = [name for name, field in table.model_fields.items() if field.is_required()]
    if not needed:  # a validator of the table asks for one of several keys
        return f"is missing: a table with keys of {', '.join(table.model_fields)}"
    return f"is missing: a table with {', '.join(needed)}"


def _table_at(loc: Loc, shape: type[BaseModel]) -> type[BaseModel] | None:
    table: type[BaseModel] | None = shape
    named = False
    for step in loc:
        if named:
            named = False
        elif table is not None and isinstance(step, str):
            field = table.model_fields.get(step)
            table = table_within(field.annotation) if field else None
            named = field is not None and _holds_named_tables(field.annotation)
    return table


def _field_at(loc: Loc, shape: type[BaseModel]) -> object:
    """Return the type of a top-level key; None for a deeper key."""
    field = shape.model_fields.get(str(loc[0])) if len(loc) == 1 else None
    return field.annotation if field else None


def _holds_named_tables(annotation: object) -> bool:
    """Return whether a field is a table of tables with user-chosen names, such as [services.api]."""
    return get_origin(annotation) is dict or any(map(_holds_named_tables, get_args(annotation)[:1]))

"""What is wrong in a configuration, in words: the keys that were meant, the values that are allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Loc: TypeAlias = tuple[str | int, ...]
"""Where a value stands: the names of tables and keys, and the numbers of rows, from the top."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong.

    Attributes:
        loc: where; () for the file as a whole.
        problem: what is wrong and how to mend it, without the value wherever that could be a secret.
    """

    loc: Loc
    problem: str


def explain(error: ValidationError, shape: type[BaseModel]) -> list[Mistake]:
    """Every mistake that pydantic found while reading `shape`, in our words."""
    return [Mistake(found["loc"], _problem(found, shape)) for found in error.errors(include_url=False)]


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A question to append, with the choice that is nearest to `word`; "" where none is near."""
    near = difflib.get_close_matches(word.lower(), list(choices), n=1)
    return f'; did you mean "{near[0]}"?' if near else ""


def table_within(annotation: object) -> type[BaseModel] | None:
    """The table that a field of this type holds, alone, optional or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((table for inner in get_args(annotation) if (table := table_within(inner))), None)


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
    "commit": "must be a commit: 7 to 40 hex digits in small letters",
    "id": "must be a phase, a dot and words joined by hyphens, such as postdeploy.api-health",
    "name": "must be small letters, digits and hyphens, such as eu-prod: rename the file",
    "owner": "must be a workspace's id, such as tea-abc123",
    "api_service": "must be a service's id, such as srv-abc123",
    "frontend_service": "must be a service's id, such as srv-abc123",
    "postgres": "must be a database's id, such as dpg-abc123",
    "repository": "must be owner/name, such as acme/platform",
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
            return _WRITTEN_LIKE.get(str(found["loc"][-1]), "is not written as it must be")
    return "has a value that is not allowed here"


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
    needed = [name for name, field in table.model_fields.items() if field.is_required()]
    return f"is missing: a table with {', '.join(needed)}"


def _table_at(loc: Loc, shape: type[BaseModel]) -> type[BaseModel] | None:
    table: type[BaseModel] | None = shape
    for step in loc:
        if table is not None and isinstance(step, str):
            field = table.model_fields.get(step)
            table = table_within(field.annotation) if field else None
    return table

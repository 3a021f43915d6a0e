"""A draft of a configuration: raw tables, the source line of each key, and the mistakes found."""

from __future__ import annotations

import datetime as dt
import json
import math
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kamiyo_verify.config.mistakes import Loc, Mistake, explain
from kamiyo_verify.config.toml_lines import lines_of

M = TypeVar("M", bound=BaseModel)


class ConfigurationError(Exception):
    """Mistakes in the configuration, with place and remedy. The message never holds a credential's value."""


@dataclass(slots=True)
class Draft:
    """Configuration tables that are not validated yet.

    Attributes:
        title: the file or other source of the tables.
        table: the raw tables.
        lines: the line of each key in the file.
        placed: the source of each key that does not come from the file.
        mistakes: the mistakes found so far.
    """

    title: str
    table: dict[str, Any]
    lines: Mapping[Loc, int] = field(default_factory=dict)
    placed: dict[Loc, str] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Draft:
        """Read the tables of a TOML file.

        Raises:
            ConfigurationError: the file cannot be read or is not valid TOML; the message gives the line.
        """
        title = shown(path)
        try:
            # Editors on Windows write a byte order mark, which is not valid in TOML.
            text = path.read_text(encoding="utf-8-sig")
            return cls(title, tomllib.loads(text), lines_of(text))
        except OSError as error:
            raise ConfigurationError(f"{title}: cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigurationError(f"{title}: is not UTF-8 text; save it as UTF-8") from None
        except ValueError as error:
            # A TOMLDecodeError contains the line, never the value; for an overlong number, neither.
            hint = "; text needs quotes" if "Invalid value" in str(error) else ""
            raise ConfigurationError(f"{title}: is not valid TOML: {error}{hint}") from None

    def place(self, settings: Mapping[str, object], source: str) -> None:
        """Override values by dotted keys such as "api.url", and record their `source`."""
        for key, value in settings.items():
            *parents, last = key.split(".")
            table = self.table
            for depth, parent in enumerate(parents, start=1):
                below = table.setdefault(parent, {})
                if not isinstance(below, dict):
                    self.refuse(tuple(parents[:depth]), "must be a table")
                    below = table[parent] = {}
                table = below
            table[last] = deepcopy(value)
            self.placed[(*parents, last)] = source

    def refuse(self, loc: Loc, problem: str) -> None:
        """Record a mistake; `validated` reports it with all others."""
        self.mistakes.append(Mistake(loc, problem))

    def refusal(self, loc: Loc, problem: str) -> ConfigurationError:
        """Return an error with this mistake and all recorded ones."""
        self.refuse(loc, problem)
        return ConfigurationError(self._report())

    def validated(self, shape: type[M], rules: Callable[[M], Iterable[Mistake]] = lambda _: ()) -> M:
        """Return the tables as `shape`, after applying the additional `rules`.

        Raises:
            ConfigurationError: there are mistakes; the message lists all of them, including recorded ones.
        """
        self.mistakes += _unusual(self.table, ())
        try:
            # As JSON: in this mode pydantic is strict (no "yes" for true) and still accepts text for an enum.
            complete = shape.model_validate_json(json.dumps(self.table, default=str), strict=True)
        except ValidationError as error:
            # An error of the whole table repeats one of a key, if there is one already.
            self.mistakes += [found for found in explain(error, shape) if found.loc or not self.mistakes]
        else:
            self.mistakes += rules(complete)
        if self.mistakes:
            raise ConfigurationError(self._report())
        return complete

    def _report(self) -> str:
        first: dict[Loc, Mistake] = {}
        for mistake in self.mistakes:
            first.setdefault(mistake.loc, mistake)
        count = "1 mistake" if len(first) == 1 else f"{len(first)} mistakes"
        ordered = sorted(first.values(), key=lambda mistake: self._line(mistake.loc) or 0)
        return "\n".join([f"{self.title}: {count}", *(f"  {self._format(mistake)}" for mistake in ordered)])

    def _format(self, mistake: Mistake) -> str:
        line = self._line(mistake.loc)
        where = self.placed.get(mistake.loc) or (f"line {line}" if line else "")
        return ": ".join(
            filter(None, [", ".join(filter(None, [where, self._label(mistake.loc)])), mistake.problem])
        )

    def _line(self, loc: Loc) -> int | None:
        nearest = (self.lines[loc[:end]] for end in range(len(loc), 0, -1) if loc[:end] in self.lines)
        return next(nearest, None)

    def _label(self, loc: Loc) -> str:
        """Return the key as a person writes it; a row of a list is named by its id, if it has one."""
        label, value = "", self.table
        for step in loc:
            value = _below(value, step)
            if isinstance(step, int):
                named = value.get("id") if isinstance(value, dict) else None
                label += f"[{json.dumps(named) if isinstance(named, str) else step}]"
            else:
                label += f".{step}" if label else step
        return label


def shown(path: Path) -> str:
    """Return the path, relative to the current folder if it is below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _below(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _unusual(value: object, loc: Loc) -> Iterator[Mistake]:
    """Yield a mistake for each TOML value that JSON cannot represent, such as a date or infinity."""
    match value:
        case dict():
            for key, inner in value.items():
                yield from _unusual(inner, (*loc, key))
        case list():
            for number, inner in enumerate(value):
                yield from _unusual(inner, (*loc, number))
        case float() if not math.isfinite(value):
            yield Mistake(loc, "must be a finite number")
        case dt.date() | dt.time():
            yield Mistake(loc, "must not be a date or a time; text needs quotes")

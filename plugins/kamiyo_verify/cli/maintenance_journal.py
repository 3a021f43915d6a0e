"""The status page's component statuses before a maintenance, saved until the maintenance ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.model.outside.status import ComponentStatus


class JournalUnreadable(Exception):
    """The file exists but has other content; the message says what to do with it."""


@dataclass(frozen=True, slots=True)
class Before:
    """One component and its status before the maintenance."""

    id: str
    name: str
    status: ComponentStatus


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal["kamiyo-verify/maintenance/1"] = "kamiyo-verify/maintenance/1"
    page: str
    components: tuple[Before, ...]


_SHAPE = TypeAdapter(_Written)


class Journal:
    """The journal of one environment; the file exists only during a maintenance.

    Args:
        path: the path of the file.
        page: the id of the status page.
    """

    def __init__(self, path: Path, page: str) -> None:
        self._path = path
        self._page = page

    def read(self) -> tuple[Before, ...]:
        """Return the components' earlier statuses; empty if no maintenance was started from here.

        Raises:
            JournalUnreadable: the file is not valid, or is about another page.
        """
        try:
            written = _SHAPE.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except ValidationError:
            written = None
        if written is None or written.page != self._page:
            raise JournalUnreadable(
                f"{self._path} does not say what the components of this page were; look at it, and remove it "
                "to have operational taken for that"
            )
        return written.components

    def write(self, components: Iterable[Before]) -> None:
        """Save the components' statuses atomically."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        written = _Written(page=self._page, components=tuple(components))
        write_atomically(self._path, written.model_dump_json(indent=2) + "\n")

    def forget(self) -> None:
        """Delete the file when the maintenance ends."""
        self._path.unlink(missing_ok=True)

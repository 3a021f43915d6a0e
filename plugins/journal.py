"""What the components of our status page were before a maintenance, written down until it is over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from plugins.model.status import ComponentStatus
from plugins.report_dir import write_atomically


class JournalUnreadable(Exception):
    """The file is there and holds something else; the message says what to do with it."""


@dataclass(frozen=True, slots=True)
class Before:
    """One component, and what it was."""

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
    """One environment's; it exists for as long as a maintenance.

    Args:
        path: of the file.
        page: the id of the status page that it is about.
    """

    def __init__(self, path: Path, page: str) -> None:
        self._path = path
        self._page = page

    def read(self) -> tuple[Before, ...]:
        """What the components were; empty where no maintenance was begun from here.

        Raises:
            JournalUnreadable: it does not say, or is about another page.
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
        """Write down what they are, all at once."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        written = _Written(page=self._page, components=tuple(components))
        write_atomically(self._path, written.model_dump_json(indent=2) + "\n")

    def forget(self) -> None:
        """The maintenance is over."""
        self._path.unlink(missing_ok=True)

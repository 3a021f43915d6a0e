"""What a place tells the command that started it: marked lines of JSON, among whatever a shell prints."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

MARK = "kamiyo-verify-place/1 "
"""The beginning of each line."""

GO = "go"
"""The line that lets the run begin."""


class _Message(BaseModel):
    """A message; what a newer version adds is ignored, since its version is compared first."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Identity(_Message):
    """Which kamiyo-verify, and which project, a place has.

    Attributes:
        version: the version of kamiyo-verify.
        code: a hash of its modules.
        files: a hash of each file that decides what is checked and how it is judged, by its path.
    """

    version: str
    code: str = ""
    files: dict[str, str] = {}


class Greeting(_Message):
    """The first line of a place; the run begins when it is answered.

    Attributes:
        missing: names of variables that have to be set there, and are not.
    """

    identity: Identity
    missing: tuple[str, ...] = ()


class Ending(_Message):
    """The last line of a place: its run has ended.

    Attributes:
        exit_code: that of pytest.
        last_line: the last line that pytest printed.
    """

    exit_code: int
    last_line: str = ""


M = TypeVar("M", bound=_Message)


def line_of(message: _Message) -> str:
    """Return the line of a message, without its end."""
    return MARK + message.model_dump_json()


def message_in(line: str, kind: type[M]) -> M | None:
    """Return the message of a line; None if the line holds no such message."""
    if not line.startswith(MARK):
        return None
    try:
        return kind.model_validate_json(line.removeprefix(MARK))
    except ValidationError:
        return None

"""Sentry's data: issues, error counts, releases, and the client keys that errors are sent with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kamiyo_verify.model.outside.shapes import Moment, Number, Whole


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class Level(StrEnum):
    """The level of an issue, in Sentry's terms, worst first."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"
    SAMPLE = "sample"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> Level:  # noqa: ARG003 - Python calls it so
        return cls.UNKNOWN


def _level(value: object) -> object:
    return Level.UNKNOWN if value is None else value


class IssueProject(_Shape):
    """The project of an issue."""

    id: str
    slug: str


class Issue(_Shape):
    """One group of errors. `first_seen` and `last_seen` apply to the requested environment.

    Attributes:
        count, users: totals of all time; None if Sentry does not report them.
        status: "unresolved", "resolved", "ignored" (archived) …
        substatus: "new", "ongoing", "escalating", "regressed" …; None if Sentry has none.
    """

    id: str
    short_id: str | None = Field(alias="shortId", default=None)
    title: str | None
    level: Annotated[Level, BeforeValidator(_level)]
    status: str
    substatus: str | None = None
    count: Whole | None
    users: Whole | None = Field(alias="userCount", ge=0)
    first_seen: Moment | None = Field(alias="firstSeen")
    last_seen: Moment | None = Field(alias="lastSeen")
    unhandled: bool | None = Field(alias="isUnhandled", default=None)
    link: str | None = Field(alias="permalink", default=None)
    project: IssueProject

    @property
    def description(self) -> str:
        """One line for a message: the issue, its count, and its first occurrence."""
        since = f" since {self.first_seen:%H:%M:%S} UTC" if self.first_seen else ""
        if self.count is None:
            often = "how often is not told"
        else:
            often = "once" if self.count == 1 else f"{self.count:,} times"
        return f"{self.short_id or self.id} ({self.level}) {self.title or 'untitled'}: {often}{since}"

    @property
    def is_unresolved(self) -> bool:
        """Whether it is neither resolved nor archived."""
        return self.status == "unresolved"


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """The number of errors in one time span; only for spans that Sentry reports as complete.

    Attributes:
        start: beginning of the span; its length is `seconds`.
    """

    start: datetime
    seconds: float
    errors: float


class ReleaseHealth(_Shape):
    """Session health of one project under a release; shares in percent, None without sessions."""

    crash_free_sessions: Number | None = Field(alias="crashFreeSessions", default=None)
    crash_free_users: Number | None = Field(alias="crashFreeUsers", default=None)


class ReleaseProject(_Shape):
    """One project of a release."""

    slug: str
    new_groups: Whole = Field(alias="newGroups", default=0)
    health: ReleaseHealth | None = Field(alias="healthData", default=None)


class ReleaseDeploy(_Shape):
    """A deploy of a release, as reported to Sentry."""

    environment: str
    finished_at: Moment = Field(alias="dateFinished")


class Release(_Shape):
    """A release by its version.

    Attributes:
        new_groups: number of issues first seen in it.
    """

    version: str
    new_groups: Whole = Field(alias="newGroups", ge=0)
    created_at: Moment | None = Field(alias="dateCreated", default=None)
    last_deploy: ReleaseDeploy | None = Field(alias="lastDeploy", default=None)
    projects: tuple[ReleaseProject, ...] = ()


class SentryProject(_Shape):
    """A project of the organization."""

    id: str
    slug: str
    name: str
    status: str = "active"


@dataclass(frozen=True, slots=True)
class Dsn:
    """The address and public key for sending errors; the secret part of old DSNs is discarded.

    Attributes:
        host: host in lower case, with the port if there is one.
        path: the path before the project's id, usually "".
    """

    scheme: str
    public_key: str
    host: str
    path: str
    project_id: int


def parse_dsn(text: str) -> Dsn:
    """Read `http(s)://PUBLIC[:SECRET]@HOST[:PORT]/[path/]PROJECT_ID`.

    Raises:
        ValueError: the text is not a DSN. The message gives the reason and does not quote the text.
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise ValueError("the DSN is no URL") from None
    if parts.scheme not in {"http", "https"}:
        raise ValueError("the DSN must begin with https:// or http://")
    if not parts.username:
        raise ValueError("the DSN has no public key before its @")
    if not parts.hostname:
        raise ValueError("the DSN has no host")
    path, _, number = parts.path.rstrip("/").rpartition("/")
    if not (number.isascii() and number.isdigit() and len(number) < 20):
        raise ValueError("the DSN must end in the project's number")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Dsn(
        scheme=parts.scheme,
        public_key=parts.username,
        host=f"{host}:{port}" if port is not None else host,
        path=path.strip("/"),
        project_id=int(number),
    )


def _dsn(address: object) -> object:
    return parse_dsn(address) if isinstance(address, str) else address


class KeyAddresses(_Shape):
    """The DSNs of a client key; only the public one is kept."""

    public: Annotated[Dsn, BeforeValidator(_dsn)]


class ClientKey(_Shape):
    """A client key with which a project accepts errors."""

    id: str
    name: str
    project_id: Whole = Field(alias="projectId")
    active: bool = Field(alias="isActive")
    dsn: KeyAddresses

    def is_of(self, dsn: Dsn) -> bool:
        """Return whether that DSN belongs to this key."""
        ours = self.dsn.public
        return (ours.public_key, ours.project_id) == (dsn.public_key, dsn.project_id)

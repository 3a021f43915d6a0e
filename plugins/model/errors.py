"""What Sentry knows: issues, counts of errors, releases, and the keys that errors are sent with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from plugins.model.platform import Moment


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Level(StrEnum):
    """How bad an issue is, by Sentry's own words, worst first."""

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


class IssueProject(_Shape):
    """The project that an issue is of."""

    id: str
    slug: str


class Issue(_Shape):
    """One group of errors. `first_seen` and `last_seen` are of the environment that was asked for.

    Attributes:
        count: events, of all time.
        substatus: "new", "ongoing", "escalating", "regressed" …; None where Sentry keeps none.
    """

    id: str
    short_id: str = Field(alias="shortId")
    title: str
    level: Level
    status: str
    substatus: str | None = None
    count: int
    users: int = Field(alias="userCount", ge=0)
    first_seen: Moment | None = Field(alias="firstSeen")
    last_seen: Moment | None = Field(alias="lastSeen")
    unhandled: bool = Field(alias="isUnhandled", default=False)
    link: str = Field(alias="permalink", default="")
    project: IssueProject

    @property
    def told(self) -> str:
        """One line for a message: what it is, how often, since when."""
        since = f" since {self.first_seen:%H:%M:%S} UTC" if self.first_seen else ""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        return f"{self.short_id} ({self.level}) {self.title}: {times}{since}"


@dataclass(frozen=True, slots=True)
class ErrorCount:
    """How many errors one span of time had; only of spans that Sentry says are complete.

    Attributes:
        start: of the span; it lasts `seconds`.
    """

    start: datetime
    seconds: float
    errors: float


class ReleaseHealth(_Shape):
    """How one project's sessions fare under a release; shares in percent, None where there were none."""

    crash_free_sessions: float | None = Field(alias="crashFreeSessions", default=None)
    crash_free_users: float | None = Field(alias="crashFreeUsers", default=None)


class ReleaseProject(_Shape):
    """One project of a release."""

    slug: str
    new_groups: int = Field(alias="newGroups", default=0)
    health: ReleaseHealth | None = Field(alias="healthData", default=None)


class ReleaseDeploy(_Shape):
    """A deploy of a release, as someone told Sentry."""

    environment: str
    finished_at: Moment = Field(alias="dateFinished")


class Release(_Shape):
    """A release by its version.

    Attributes:
        new_groups: issues that were first seen in it.
    """

    version: str
    new_groups: int = Field(alias="newGroups", ge=0)
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
    """Where errors are sent, and with which public key; a secret half, which old DSNs have, is thrown away.

    Attributes:
        host: with the port where one is named, in lower case.
        path: what stands before the project's id, mostly "".
    """

    scheme: str
    public_key: str
    host: str
    path: str
    project_id: int


def parse_dsn(text: str) -> Dsn:
    """Read `http(s)://PUBLIC[:SECRET]@HOST[:PORT]/[path/]PROJECT_ID`.

    Raises:
        ValueError: it is none. The message says what is wrong and quotes nothing of it.
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
    """The addresses of a client key; only the public one is kept."""

    public: Annotated[Dsn, BeforeValidator(_dsn)]


class ClientKey(_Shape):
    """A key with which a project takes errors."""

    id: str
    name: str
    project_id: int = Field(alias="projectId")
    active: bool = Field(alias="isActive")
    dsn: KeyAddresses

    def is_of(self, dsn: Dsn) -> bool:
        """That DSN is this key's."""
        ours = self.dsn.public
        return (ours.public_key, ours.project_id) == (dsn.public_key, dsn.project_id)

"""Read Sentry: issues, error counts, releases and client keys of the configured projects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, RootModel

from kamiyo_verify.http.client import Answer
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.links import link
from kamiyo_verify.http.service import MOST_ROWS, Service, segment
from kamiyo_verify.integrations.sentry.settings import Sentry as Table
from kamiyo_verify.model.outside.errors import ClientKey, ErrorCount, Issue, Level, Release, SentryProject

_ROWS_A_PAGE = 100
"""Sentry's own maximum."""

_PERHAPS_OLD = frozenset({200, 404})


class _Issues(RootModel[tuple[Issue, ...]]):
    pass


class _Keys(RootModel[tuple[ClientKey, ...]]):
    pass


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class _Bucket(_Shape):
    timestamp: float  # Unix time in milliseconds
    value: float | None = Field(ge=0, strict=True)  # None is unknown, as is an incomplete one
    incomplete: bool


class _SeriesMeta(_Shape):
    interval: float  # milliseconds


class _Series(_Shape):
    values: tuple[_Bucket, ...]
    meta: _SeriesMeta


class _Timeseries(_Shape):
    timeSeries: tuple[_Series, ...]  # noqa: N815 - Sentry's own name


class _Stat(_Shape):
    count: float = Field(ge=0, strict=True)


class _Stats(_Shape):
    """A row of `events-stats`, for self-hosted servers that are older than `events-timeseries`."""

    data: tuple[tuple[float, tuple[_Stat, ...]], ...]  # Unix time in seconds


class Sentry:
    """Data about our projects. Every method raises `NoAnswer` if Sentry has no usable answer.

    Args:
        table: the environment's [sentry].
        context: shared with other clients.
    """

    def __init__(self, table: Table, context: ClientContext) -> None:
        self._table = table
        self._organization = f"/api/0/organizations/{segment(table.organization)}"
        self._hint = (
            "no such organization or project: look at [sentry] organization and projects"
            f"{_other_region(table.address)}"
        )
        self._service = Service(
            "Sentry",
            table.address,
            table.token.name,
            context,
            headers={"Authorization": f"Bearer {table.token.reveal()}"},
        )

    def issues(self, query: str, since: datetime | None = None) -> tuple[Issue, ...]:
        """The issues of all configured projects, in the configured environment.

        Args:
            query: in Sentry's search language, such as "is:unresolved level:fatal".
            since: only those that had an event since then.
        """
        window = {"start": _text(since), "end": _text(datetime.now(UTC))} if since else {}
        params = {**self._where, **window, "query": query, "limit": _ROWS_A_PAGE}
        found: list[Issue] = []
        for answer in self._service.pages(
            f"{self._organization}/issues/", _next_cursor, params=params, hint=self._hint
        ):
            found += self._service.read(answer, _Issues).root
            if len(found) > MOST_ROWS:
                self._service.unusable(f"Sentry has more than {MOST_ROWS:,} issues for {query!r}")
        return tuple(found)

    def new_issues(
        self, since: datetime, levels: Iterable[Level] = (Level.FATAL, Level.ERROR)
    ) -> tuple[Issue, ...]:
        """Unresolved issues of those levels, first seen since then; without archived ones.

        Some self-hosted servers answer with issues outside the range; these are left out.
        """
        wanted = ",".join(level.value for level in levels)
        found = self.issues(f"is:unresolved firstSeen:>={_text(since)} level:[{wanted}]")
        return tuple(one for one in found if one.is_unresolved and _since(one.first_seen, since))

    def regressed(self, since: datetime) -> tuple[Issue, ...]:
        """Resolved issues that came back, seen since then."""
        found = self.issues(f"is:regressed lastSeen:>={_text(since)}")
        return tuple(one for one in found if _since(one.last_seen, since))

    def error_counts(
        self, start: datetime, end: datetime, interval: timedelta = timedelta(minutes=1)
    ) -> tuple[ErrorCount, ...]:
        """Error counts of all configured projects together, per interval.

        Args:
            start: earliest start of the first interval; Sentry rounds to whole intervals.
            end: latest end of the last interval.
            interval: length; Sentry uses another one if this does not fit.

        Returns:
            In order; without intervals that Sentry marks as incomplete, and those outside the time range.
        """
        params = {
            **self._where,
            "dataset": "errors",
            "yAxis": "count()",
            "start": _text(start),
            "end": _text(end),
            "interval": int(interval.total_seconds()),
        }
        path = f"{self._organization}/events-timeseries/"
        answer = self._service.send("GET", path, params=params, accepted=_PERHAPS_OLD)
        counts = self._stats(params, interval, end) if answer.status == 404 else self._timeseries(answer)
        inside = (
            count
            for count in counts
            if count.start >= start and count.start.timestamp() + count.seconds <= end.timestamp()
        )
        return tuple(sorted(inside, key=lambda count: count.start))

    def _timeseries(self, answer: Answer) -> list[ErrorCount]:
        found = self._service.read(answer, _Timeseries)
        if len(found.timeSeries) != 1:
            self._service.unusable(f"Sentry gave {len(found.timeSeries)} series where one was asked for")
        series = found.timeSeries[0]
        seconds = series.meta.interval / 1000
        return [
            ErrorCount(self._moment(bucket.timestamp), seconds, bucket.value)
            for bucket in series.values
            if not bucket.incomplete and bucket.value is not None
        ]

    def _stats(self, params: Mapping[str, object], interval: timedelta, end: datetime) -> list[ErrorCount]:
        """The counts from an older server, which does not mark incomplete intervals."""
        with_interval = {**params, "interval": f"{int(interval.total_seconds())}s"}
        found = self._service.ask(
            f"{self._organization}/events-stats/", _Stats, params=with_interval, hint=self._hint
        )
        seconds = interval.total_seconds()
        return [
            ErrorCount(self._moment(at * 1000), seconds, sum(one.count for one in counted))
            for at, counted in found.data
            if at + seconds <= end.timestamp()
        ]

    def release(self, version: str) -> Release:
        """A release with its health; a commit is a release if the deployment reports it to Sentry."""
        return self._service.ask(
            f"{self._organization}/releases/{segment(version)}/",
            Release,
            params={"health": True},
            hint=f"Sentry knows no release {version}: does the deployment tell it?",
        )

    def project(self, slug: str) -> SentryProject:
        """One project by its slug."""
        return self._service.ask(self._project(slug), SentryProject, hint=self._hint)

    def dsn_keys(self, project: str) -> tuple[ClientKey, ...]:
        """The client keys of a project, by its slug; the inactive ones too."""
        pages = self._service.pages(f"{self._project(project)}keys/", _next_cursor, hint=self._hint)
        return tuple(key for answer in pages for key in self._service.read(answer, _Keys).root)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

    @property
    def _where(self) -> dict[str, object]:
        environment = [self._table.environment] if self._table.environment else None
        return {"project": list(self._table.projects), "environment": environment}

    def _project(self, slug: str) -> str:
        return f"/api/0/projects/{segment(self._table.organization)}/{segment(slug)}/"

    def _moment(self, milliseconds: float) -> datetime:
        try:
            return datetime.fromtimestamp(milliseconds / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            self._service.unusable("Sentry gave a time that is none")


def _next_cursor(answer: Answer) -> Mapping[str, str] | None:
    following = link(answer.headers.get("link", ""), "next")
    if following is None or following.parameters.get("results") != "true":
        return None
    return {"cursor": following.parameters.get("cursor", "")}


def _since(moment: datetime | None, since: datetime) -> bool:
    """Whether a time is within what was asked for, in whole seconds; one that is not told may be."""
    return moment is None or moment >= since.replace(microsecond=0)


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _other_region(address: str) -> str:
    """The region that may have an organization missing here; "" for a self-hosted server."""
    host = urlsplit(address).hostname or ""
    if host not in {"sentry.io", "us.sentry.io", "de.sentry.io"}:
        return ""
    other = "us" if host == "de.sentry.io" else "de"
    return f', or its region is another: address = "https://{other}.sentry.io"'

"""Sentry: issues, counts of errors, releases and client keys of the configured projects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Unpack

from pydantic import BaseModel, ConfigDict, RootModel

from plugins.clients.http import Answer
from plugins.clients.links import link
from plugins.clients.manner import Manner
from plugins.clients.service import MOST_ROWS, Service, segment
from plugins.model.errors import ClientKey, ErrorCount, Issue, Level, Release, SentryProject
from plugins.model.outside import Sentry as Table

_ROWS_A_PAGE = 100
"""Sentry's own maximum."""


class _Issues(RootModel[tuple[Issue, ...]]):
    pass


class _Keys(RootModel[tuple[ClientKey, ...]]):
    pass


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Bucket(_Shape):
    timestamp: float  # milliseconds since 1970
    value: float
    incomplete: bool


class _SeriesMeta(_Shape):
    interval: float  # milliseconds


class _Series(_Shape):
    values: tuple[_Bucket, ...]
    meta: _SeriesMeta


class _Timeseries(_Shape):
    timeSeries: tuple[_Series, ...]  # noqa: N815 - Sentry's own name


class Sentry:
    """What Sentry knows of our projects. Every method raises `NoAnswer` where it does not tell.

    Args:
        table: the environment's [sentry].
        manner: how to ask, see `Manner`.
    """

    def __init__(self, table: Table, **manner: Unpack[Manner]) -> None:
        self._table = table
        self._organization = f"/api/0/organizations/{segment(table.organization)}"
        self._hint = "no such organization or project: look at [sentry] organization and projects"
        self._service = Service(
            "Sentry",
            table.address,
            table.token.name,
            headers={"Authorization": f"Bearer {table.token.reveal()}"},
            **manner,
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
        """Unresolved issues that were first seen since then, of those levels."""
        wanted = ",".join(level.value for level in levels)
        return self.issues(f"is:unresolved firstSeen:>={_text(since)} level:[{wanted}]")

    def regressed(self, since: datetime) -> tuple[Issue, ...]:
        """Issues that were resolved once and came back, seen since then."""
        return self.issues(f"is:regressed lastSeen:>={_text(since)}")

    def error_counts(
        self, start: datetime, end: datetime, interval: timedelta = timedelta(minutes=1)
    ) -> tuple[ErrorCount, ...]:
        """How many errors all configured projects had, span by span.

        Args:
            start: where the first span may begin; Sentry rounds to whole intervals.
            end: where the last one may end.
            interval: how long a span is; Sentry takes another where that does not suit it.

        Returns:
            In order; without the spans that Sentry calls incomplete, and those outside the time asked for.
        """
        answer = self._service.ask(
            f"{self._organization}/events-timeseries/",
            _Timeseries,
            params={
                **self._where,
                "dataset": "errors",
                "yAxis": "count()",
                "start": _text(start),
                "end": _text(end),
                "interval": int(interval.total_seconds()),
            },
            hint=self._hint,
        )
        if len(answer.timeSeries) != 1:
            self._service.unusable(f"Sentry gave {len(answer.timeSeries)} series where one was asked for")
        series = answer.timeSeries[0]
        seconds = series.meta.interval / 1000
        counts = (
            ErrorCount(self._moment(bucket.timestamp), seconds, bucket.value)
            for bucket in series.values
            if not bucket.incomplete
        )
        inside = (
            count
            for count in counts
            if count.start >= start and count.start.timestamp() + seconds <= end.timestamp()
        )
        return tuple(sorted(inside, key=lambda count: count.start))

    def release(self, version: str) -> Release:
        """A release with its health; a commit is one where the deployment tells Sentry so."""
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
        """The keys with which a project takes errors, by its slug; the inactive ones too."""
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


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

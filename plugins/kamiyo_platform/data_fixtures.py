"""Fixtures for data checks that need several requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from kamiyo_platform.api import ApiClient
from kamiyo_platform.shapes import ExploitPage
from kamiyo_verify.config.environment import Api, Environment
from kamiyo_verify.judge.preflight.migration_plan import unapplied
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.counts import CountsRound, RowCounts
from kamiyo_verify.model.migrations import RecordedMigration
from kamiyo_verify.model.outcomes import NoAnswer, Unverified, WrongAnswer

if TYPE_CHECKING:
    from kamiyo_verify.fixtures.project import ProjectClient
    from kamiyo_verify.integrations.git.client import Git
    from kamiyo_verify.integrations.postgres.client import DatabaseClient

_ROUNDS = 3
_KEYED_TOLERANCE, _DELAYED_TOLERANCE = 0.02, 0.2
"""Allowed relative difference of row counts; an API that delays its data may leave out its newest rows."""

_PAGE_SIZE = 50
_LAST_PAGE = 10_000
"""The highest page number that the API accepts."""


@dataclass(frozen=True, slots=True)
class SampledPages:
    """Pages from the middle and the end of the list; each row has been validated.

    Attributes:
        empty: page numbers that should hold rows by the API's own total, and hold none.
    """

    pages: tuple[ExploitPage, ...]
    empty: tuple[int, ...]

    @property
    def rows(self) -> int:
        """How many rows were read."""
        return sum(len(page.data) for page in self.pages)


@dataclass(frozen=True, slots=True)
class ReleaseMigrations:
    """The migrations of the database, compared with those of the release that runs.

    Attributes:
        compared: "yes", or why the checkout's migrations were not compared.
        lacking: migrations of the release that the database does not have, each with the reason.
    """

    rows: tuple[RecordedMigration, ...]
    compared: str
    lacking: tuple[str, ...] = ()

    @property
    def applied(self) -> tuple[str, ...]:
        """The names of the applied migrations, in order."""
        return tuple(sorted({row.name for row in self.rows if row.applied}))

    @property
    def stuck(self) -> tuple[str, ...]:
        """The names of migrations that are neither finished nor rolled back."""
        return tuple(row.name for row in self.rows if row.unfinished)


@pytest.fixture
def row_counts(api: ApiClient, environment: Environment) -> RowCounts:
    """How many exploits each endpoint counts; requested again on a difference, since counts change."""
    delayed = why_delayed(environment.api)
    tolerance = _DELAYED_TOLERANCE if delayed else _KEYED_TOLERANCE
    rounds: list[CountsRound] = []
    for number in range(1, _ROUNDS + 1):
        if rounds:
            time.sleep(environment.confirmation.spacing_s)
        rounds.append(CountsRound(dict(_counts(api, number)), tolerance))
        if rounds[-1].agree:
            break
    return RowCounts(tuple(rounds), delayed)


def why_delayed(api: Api) -> str:
    """Why the API may serve us data without the newest day; "" if it serves all."""
    if not api.key.present:
        return "no key is sent"
    return f'the key is of the tier "{api.tier}"' if api.tier.may_be_delayed else ""


def _counts(api: ApiClient, number: int) -> Iterator[tuple[str, int]]:
    yield "health", api.health().database_exploits
    # Another page size is another address, for which no cache has an answer yet.
    yield "exploits", api.exploits(page=1, page_size=number).total
    count = api.readiness().exploits
    if count is not None:
        yield "readiness", count


@pytest.fixture
def sampled_pages(api: ApiClient) -> SampledPages:
    """A page from the middle and the last page of the list; raises WrongAnswer for an invalid row."""
    total = api.exploits(page=1, page_size=_PAGE_SIZE).total
    last = min(_LAST_PAGE, max(1, -(-total // _PAGE_SIZE)))
    numbers = sorted({(last + 1) // 2, last})
    pages = {number: api.exploits(page=number, page_size=_PAGE_SIZE) for number in numbers}
    oldest = pages[last]
    # The newest pages of a caller without a key can be short; the oldest page cannot.
    empty = last > 1 and not oldest.data and oldest.total > (last - 1) * _PAGE_SIZE
    return SampledPages(tuple(pages.values()), (last,) if empty else ())


@pytest.fixture
def release_migrations(
    database: DatabaseClient, environment: Environment, request: pytest.FixtureRequest
) -> ReleaseMigrations:
    """The database's migrations, compared with the checkout if that is the release that runs."""
    rows = database.migrations()
    if environment.project is None:
        return ReleaseMigrations(rows, f"no: {environment.name} has no [project]")
    try:
        git: Git = request.getfixturevalue("git")
        head = git.head()
        answering: Callable[[str], str] = request.getfixturevalue("answering_commit")
        serving = answering("frontend")
        if not same_commit(head, serving):
            return ReleaseMigrations(rows, f"no: {head[:7]} is checked out, and {serving[:7]} runs")
        project: ProjectClient = request.getfixturevalue("project")
        return ReleaseMigrations(rows, "yes", unapplied(project.migrations(), rows))
    except (NoAnswer, Unverified, WrongAnswer) as problem:
        return ReleaseMigrations(rows, f"no: {problem}")

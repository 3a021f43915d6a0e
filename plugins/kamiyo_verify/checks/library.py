"""Generic checks: each measures, then judges, and fits any service.

Each function is the body of one check. `service` is what the fixture `http` opens, `measure` is the fixture
of that name.
"""

from __future__ import annotations

from collections.abc import Collection, Sized
from datetime import UTC, datetime
from typing import Protocol

from kamiyo_verify.checks.certificates import certificate_end
from kamiyo_verify.checks.client import ServiceClient
from kamiyo_verify.checks.health import unwell_in
from kamiyo_verify.checks.listing import measure_total
from kamiyo_verify.checks.requirement import Measure, require
from kamiyo_verify.checks.response_times import answers_in_time, rarely_fails, sends_first_byte_in_time
from kamiyo_verify.checks.strangers import refuses_strangers
from kamiyo_verify.checks.streams import accepts_websocket, greets
from kamiyo_verify.checks.workers import worker_logs, worker_runs, worker_stays_up
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.commit import commit_in_answer, commit_of_all_instances, is_silent
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.migrations import RecordedMigration
from kamiyo_verify.model.outcomes import NoAnswer, NotApplicable, Unverified, WrongAnswer, WrongFormat
from kamiyo_verify.model.services import CommitSource

__all__ = [
    "SECURITY_HEADERS",
    "accepts_websocket",
    "allows_origin",
    "answers",
    "answers_in_time",
    "certificate_lasts",
    "greets",
    "has_headers",
    "has_keys",
    "has_rows",
    "rarely_fails",
    "redirects_to_https",
    "refuses_origin",
    "refuses_strangers",
    "sends_first_byte_in_time",
    "sends_headers",
    "serves_commit",
    "settles_migrations",
    "shows_title",
    "signs_in",
    "worker_logs",
    "worker_runs",
    "worker_stays_up",
]


class HasMigrations(Protocol):
    """A database that Prisma migrates, such as the one of the fixture `database`."""

    def migrations(self) -> tuple[RecordedMigration, ...]:
        """The migrations that the database recorded."""


SECURITY_HEADERS = ("strict-transport-security", "x-content-type-options")
"""Headers that every site on https has a use for (OWASP, HTTP Security Response Headers)."""


def answers(
    service: ServiceClient, path: str, measure: Measure, *, status: int = 200, no_page: bool = False
) -> Answer:
    """The path answers with that status; measures the response time.

    Args:
        service: what the fixture `http` opens.
        path: the path.
        measure: the fixture.
        status: the status.
        no_page: an HTML page is not the path's own answer, but what a website shows for any path.

    Raises:
        Unverified: the answer says of itself that the service is not well, such as {"status": "DOWN"}.
    """
    answer = service.accepted(service.get(path))
    measure("response_time", answer.elapsed_ms, "ms")
    answer.expect(status)
    if no_page and answer.is_html:
        raise WrongFormat(
            f"GET {answer.path} answered {status} with an HTML page where its own answer was due"
        )
    if answer.ok and (found := unwell_in(answer)):
        raise Unverified(
            f"GET {answer.path} answered {answer.status} and says {found} of itself: whether the service is"
            " well is not known"
        )
    return answer


def shows_title(service: ServiceClient, path: str, title: str, measure: Measure) -> None:
    """The path is a complete page whose title contains the text."""
    page = service.accepted(service.get(path)).page()
    measure("page_size", len(page.body), "bytes")
    measure("title", page.title)
    require(
        title in page.title,
        f'the page {path} is titled "{page.title}" where "{title}" was expected ({len(page.body)} bytes):'
        " visitors see no site",
    )


def has_keys(service: ServiceClient, path: str, keys: Collection[str], measure: Measure) -> None:
    """The path answers with a JSON object that has these keys."""
    data = _json(service, path)
    if not isinstance(data, dict):
        raise WrongFormat(f"GET {path} answered with {_kind(data)} where a JSON object was expected")
    missing = sorted(set(keys) - data.keys())
    measure("keys", len(data), "count")
    require(not missing, f"GET {path} lacks {', '.join(missing)}; it has {', '.join(sorted(data)[:10])}")


def has_rows(
    service: ServiceClient, path: str, measure: Measure, *, within: str = "", at_least: int = 1
) -> None:
    """The path lists rows: a JSON list or object, at `within` such as "data.items" or as a whole.

    A null in a list is no row.

    Where the item's impact is "data", the count is compared with the baseline: a fall beyond the policy's
    `data_loss_limit`, and by ten rows or more, is lost data. Of a page of more, the
    total that the answer names is compared.
    """
    answer = service.accepted(service.get(path)).expect(200)
    found: object = answer.json()
    around: list[object] = []
    for key in filter(None, within.split(".")):
        if not isinstance(found, dict) or key not in found:
            raise WrongFormat(f'GET {path} has no "{within}": it is {_kind(found)}')
        around.append(found)
        found = found[key]
    if not isinstance(found, list | dict):
        raise WrongFormat(f"GET {path} lists nothing at {within or 'its top'}: it is {_kind(found)}")
    rows: Sized = [row for row in found if row is not None] if isinstance(found, list) else found
    measure("listed_rows", len(rows), "count")
    measure_total(answer, tuple(around), len(rows), measure)
    require(
        len(rows) >= at_least, f"GET {path} lists {counted(len(rows), 'row')}, expected at least {at_least}"
    )


def signs_in(service: ServiceClient, path: str, measure: Measure) -> None:
    """The declared credential signs in: by form, by JSON, or by the header that it is sent in."""
    answer = service.sign_in(path)
    measure("sign_in_time", answer.elapsed_ms, "ms")
    if not answer.ok and answer.status not in {302, 303}:
        answer.wanted()


def redirects_to_https(plain: ServiceClient, path: str, measure: Measure) -> None:
    """The plain address leads to https; `plain` is opened at an http:// origin."""
    if not plain.http.origin.startswith("http://"):
        raise NotApplicable("the service is opened by https already")
    answer = plain.get(path)
    location = answer.headers.get("location", "")
    measure("status", answer.status)
    redirected = 300 <= answer.status < 400 and location.startswith("https://")
    require(redirected, answer.mismatch("a redirect to https"))


def sends_headers(
    service: ServiceClient, path: str, measure: Measure, *, headers: Collection[str] = SECURITY_HEADERS
) -> None:
    """The path answers 200 with these response headers; for their values see `has_headers`."""
    has_headers(service.get(path).expect(200), measure, headers=headers)


def has_headers(answer: Answer, measure: Measure, *, headers: Collection[str] = SECURITY_HEADERS) -> None:
    """The answer has these response headers, and X-Content-Type-Options among them is "nosniff"."""
    wanted = {name.lower(): name for name in headers}
    missing = sorted(name for key, name in wanted.items() if key not in answer.headers)
    measure("missing", len(missing), "count")
    require(not missing, f"GET {answer.path} answers without the headers {', '.join(missing)}")
    sniffing = answer.headers.get("x-content-type-options", "").strip().lower()
    allowed = "x-content-type-options" not in wanted or sniffing == "nosniff"
    require(allowed, f"GET {answer.path} answers with an X-Content-Type-Options that is not nosniff")


def allows_origin(service: ServiceClient, path: str, origin: str, measure: Measure) -> None:
    """Browsers on that origin may read the answer (CORS)."""
    answer = service.get(path, headers={"Origin": origin}).expect(200)
    measure("allowed_origin", answer.allowed_origin or "none")
    allowed = answer.allowed_origin or "no origin"
    require(allowed in {origin, "*"}, f"GET {path} allows {allowed}, so browsers on {origin} cannot read it")


def refuses_origin(service: ServiceClient, path: str, origin: str, measure: Measure) -> None:
    """Browsers on a foreign origin may not read the answer (CORS): neither it nor a wildcard is allowed."""
    answer = service.get(path, headers={"Origin": origin})
    measure("allowed_origin", answer.allowed_origin or "none")
    allowed = answer.allowed_origin
    require(allowed not in {origin, "*"}, f"GET {path} allows {allowed}, so pages on {origin} can read it")
    answer.expect(200)


def certificate_lasts(service: ServiceClient, measure: Measure, *, days: float = 14) -> None:
    """The chain of TLS certificates is trusted, and the first one is valid for at least so many days."""
    left = (certificate_end(service.http) - datetime.now(UTC)).total_seconds() / 86_400
    measure("certificate_days", left, "d")
    require(left >= days, f"the certificate ends in {left:.1f} days, expected at least {days:g}")


def settles_migrations(database: HasMigrations, measure: Measure) -> None:
    """Every migration that Prisma began in the database is either finished or rolled back."""
    rows = database.migrations()
    stuck = [one.name for one in rows if one.unfinished]
    measure("migrations", len(rows), "count")
    require(not stuck, f"neither finished nor rolled back: {', '.join(stuck)}")


def serves_commit(service: ServiceClient, expected: str, source: CommitSource, measure: Measure) -> None:
    """The service reports the commit of --commit; without --commit there is nothing to compare.

    Raises:
        Unverified: the environment does not say where the service reports its commit.
    """
    if not expected:
        raise NotApplicable("no commit was expected: --commit names one")
    if not source.named:
        raise Unverified(
            'nothing tells which commit answers: set commit.header = "X-Commit" in the service\'s table of'
            " the environment file, or run without --commit"
        )
    measure("expected", expected)
    try:
        found = commit_of_all_instances(
            service.http.origin, lambda: commit_in_answer("NAME", source, service.get, "/")
        )
    except (Unverified, WrongAnswer, NoAnswer) as problem:
        measure("silent" if is_silent(problem) else "unread", str(problem))
        raise
    measure("commit", found)
    same = same_commit(found, expected)
    require(same, f"commit {found[:12]} answers where {expected[:12]} was expected")


def _json(service: ServiceClient, path: str) -> object:
    return service.accepted(service.get(path)).expect(200).json()


def _kind(value: object) -> str:
    return {dict: "an object", list: "a list", str: "text", type(None): "null"}.get(type(value), "a value")

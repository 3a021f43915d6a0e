"""Sentry in the forms that it takes: regions, self-hosted servers, archived issues, numbers not told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.throttle import retry_after
from kamiyo_verify.integrations.sentry.client import Sentry
from kamiyo_verify.integrations.sentry.settings import Sentry as SentrySettings
from kamiyo_verify.judge.preflight.dsns import dsn_problems
from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.outside.errors import ClientKey, Issue
from tests.support.hostile_server import Peer, Server, answer
from tests.support.outside import TIMEOUTS, credential

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
ISSUE = {
    "id": "1",
    "shortId": "API-1",
    "title": "KeyError",
    "level": "error",
    "status": "unresolved",
    "substatus": "new",
    "count": "3",
    "userCount": 2,
    "firstSeen": "2026-01-01T00:00:10Z",
    "lastSeen": "2026-01-01T00:01:00Z",
    "isUnhandled": True,
    "permalink": "https://x",
    "project": {"id": "7", "slug": "api"},
}


def sentry(address: str) -> Sentry:
    token = credential("SENTRY_AUTH_TOKEN", "t")
    table = SentrySettings(address=address, token=token, organization="kamiyo", projects=("api",))
    return Sentry(table, ClientContext.unrecorded(TIMEOUTS, lambda: 5.0))


def answer_of(answers: Mapping[str, object], ask: str, *arguments: object) -> object:
    def behave(peer: Peer) -> None:
        path = peer.hear().split(b" ", 2)[1].decode().partition("?")[0]
        found = next((body for end, body in answers.items() if path.endswith(end)), None)
        peer.say(answer(json.dumps(found).encode(), "200 OK" if found is not None else "404 Not Found"))

    with Server(behave) as server:
        client = sentry(server.origin)
        try:
            return getattr(client, ask)(*arguments)
        finally:
            client.close()


@pytest.mark.parametrize(
    ("changed", "new"),
    [
        ({}, 1),
        ({"count": None, "userCount": None}, 1),
        ({"shortId": None, "title": None, "permalink": None, "isUnhandled": None, "level": None}, 1),
        ({"firstSeen": None, "lastSeen": None}, 1),
        ({"status": "ignored", "substatus": "archived_until_escalating"}, 0),
        ({"status": "muted"}, 0),
        ({"status": "resolved"}, 0),
    ],
)
def test_archived_issues_are_not_new_and_what_is_not_told_is_told_so(
    changed: dict[str, object], new: int
) -> None:
    found = answer_of({"/issues/": [ISSUE | changed]}, "new_issues", SINCE)
    assert isinstance(found, tuple)
    assert len(found) == new
    for issue in found:
        assert isinstance(issue, Issue)
        assert issue.description.isprintable()
        assert ("how often is not told" in issue.description) is (issue.count is None)


def test_a_server_without_timeseries_is_asked_for_its_stats() -> None:
    at = SINCE.timestamp()
    stats = {"data": [[at, [{"count": 2}]], [at + 60, [{"count": 3}]], [at + 120, [{"count": 9}]]]}
    end = datetime.fromtimestamp(at + 150, UTC)
    found = answer_of({"/events-stats/": stats}, "error_counts", SINCE, end)
    assert isinstance(found, tuple)
    assert [(one.errors, one.seconds) for one in found] == [(2, 60), (3, 60)]


def test_a_span_whose_number_is_not_told_is_left_out() -> None:
    at = SINCE.timestamp() * 1000
    values = [
        {"timestamp": at, "value": None, "incomplete": False},
        {"timestamp": at + 60_000, "value": 3, "incomplete": False},
        {"timestamp": at + 120_000, "value": 1, "incomplete": True},
    ]
    series = {"timeSeries": [{"values": values, "meta": {"interval": 60_000}}]}
    end = datetime.fromtimestamp(SINCE.timestamp() + 600, UTC)
    found = answer_of({"/events-timeseries/": series}, "error_counts", SINCE, end)
    assert isinstance(found, tuple)
    assert [one.errors for one in found] == [3]


@pytest.mark.parametrize(
    ("address", "other"),
    [
        ("https://us.sentry.io", "https://de.sentry.io"),
        ("https://sentry.io", "https://de.sentry.io"),
        ("https://de.sentry.io", "https://us.sentry.io"),
        ("https://sentry.example.com", ""),
    ],
)
def test_an_organization_that_is_not_there_may_be_in_another_region(address: str, other: str) -> None:
    hint = sentry(address)._hint
    assert "look at [sentry] organization and projects" in hint
    assert (f'address = "{other}"' in hint) is bool(other)


def test_a_server_that_has_neither_names_the_organization() -> None:
    with pytest.raises(NoAnswer, match=r"404: no such organization or project"):
        answer_of({}, "error_counts", SINCE, SINCE)


@pytest.mark.parametrize("header", ["x-sentry-rate-limit-reset", "x-ratelimit-reset", "ratelimit-reset"])
def test_when_a_limit_is_reset_is_read_under_each_name(header: str) -> None:
    assert retry_after({header: "1700000020"}, 1_700_000_000) == 20
    assert retry_after({header: "20"}, 1_700_000_000) == 20


@pytest.mark.parametrize(
    "dsn",
    [
        "https://abc@sentry.io/42",
        "https://abc:old-secret@app.getsentry.com/42",
        "https://abc@o1.ingest.sentry.io/42",
        "https://abc@o1.ingest.de.sentry.io/42",
        "https://abc@sentry.example.com:9000/errors/42",
    ],
)
def test_a_dsn_is_of_its_key_wherever_it_is_sent(dsn: str) -> None:
    key = ClientKey.model_validate(
        {
            "id": "k",
            "name": "Default",
            "projectId": 42,
            "isActive": True,
            "dsn": {"public": "https://abc@o1.ingest.us.sentry.io/42"},
        }
    )
    assert dsn_problems({"SENTRY_DSN": dsn}, [key]) == ()
    (problem,) = dsn_problems({"SENTRY_DSN": dsn.replace("abc", "xyz")}, [key])
    assert "old-secret" not in problem

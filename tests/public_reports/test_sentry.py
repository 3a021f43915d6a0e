"""Sentry's answers as people report them: servers that ignore a filter, refuse a range, or know no number.

Each case is named by the public report that it comes from. What Sentry does not tell is no error of a
release.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.outside.errors import Issue, Release
from tests.engine.integrations.sentry.test_forms import ISSUE, SINCE, answer_of, sentry
from tests.support.hostile_server import Server, answer, saying

Report = pytest.param
NO_SESSIONS = {"crashFreeSessions": None, "crashFreeUsers": None, "totalSessions": 0}
SEPTEMBER = {"firstSeen": "2025-09-05T10:00:00Z", "lastSeen": "2025-09-07T10:00:00Z"}


@pytest.mark.parametrize(
    ("asked", "changed", "found"),
    [
        Report("new_issues", SEPTEMBER, 0, id="getsentry/sentry#61111"),
        Report("regressed", SEPTEMBER, 0, id="getsentry/sentry#61111, regressed"),
        Report("new_issues", {"firstSeen": "2025-09-05T10:00:00Z"}, 0, id="an old issue that is seen again"),
        Report("regressed", {"firstSeen": "2025-09-05T10:00:00Z"}, 1, id="an old issue that came back"),
        Report("new_issues", {}, 1, id="a new one"),
        Report("new_issues", {"firstSeen": None}, 1, id="one of which the time is not told"),
        Report("regressed", {"lastSeen": None}, 1, id="one that came back, at a time that is not told"),
    ],
)
def test_an_issue_outside_the_time_that_was_asked_for_is_not_this_releases(
    asked: str, changed: dict[str, object], found: int
) -> None:
    issues = answer_of({"/issues/": [ISSUE | changed]}, asked, SINCE)
    assert isinstance(issues, tuple)
    assert len(issues) == found
    assert all(isinstance(one, Issue) for one in issues)


@pytest.mark.parametrize(
    "reply",
    [
        Report(
            answer(b'{"detail": "Invalid statsPeriod: \'\'"}', "400 Bad Request"), id="getsentry/sentry#67412"
        ),
        Report(
            answer(b'{"detail": "Your interval would create too many results"}', "400 Bad Request"),
            id="getsentry/sentry-docs#6794",
        ),
        Report(
            answer(b'{"detail": "Query timeout. Please try again."}', "400 Bad Request"),
            id="getsentry/self-hosted#3510",
        ),
        Report(answer(b"<html>502</html>", "502 Bad Gateway"), id="getsentry/self-hosted#1328"),
        Report(answer(json.dumps({"timeSeries": None}).encode()), id="italux/sentry-prometheus-exporter#38"),
    ],
)
def test_a_range_that_sentry_refuses_is_no_answer_and_no_error(reply: bytes) -> None:
    with Server(saying(reply)) as server, pytest.raises(NoAnswer):
        sentry(server.origin).error_counts(SINCE, SINCE + timedelta(hours=1))


def test_a_release_without_sessions_has_no_health_rather_than_a_bad_one() -> None:
    """getsentry/sentry#30471 and getsentry/self-hosted#2814: no sessions are reported for a release."""
    body = {
        "version": "9c41d07",
        "dateCreated": datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        "newGroups": 0,
        "projects": [{"slug": "api", "newGroups": 0, "healthData": NO_SESSIONS}],
    }
    release = answer_of({"/releases/9c41d07/": body}, "release", "9c41d07")
    assert isinstance(release, Release)
    [project] = release.projects
    assert project.health is not None
    assert project.health.crash_free_sessions is None

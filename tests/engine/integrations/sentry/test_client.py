"""The Sentry client reads what a release did to the errors."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from kamiyo_verify.fixtures.release import error_rates_of
from kamiyo_verify.http.links import link
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.outside.errors import Level, parse_dsn
from sandbox.platform import Secrets
from tests.support.hostile_server import Server, answer, saying
from tests.support.outside import COMMIT, Clients, Outside, outside


def began(living: Outside) -> datetime:
    moment = living.world.deploy_began_at
    assert moment is not None
    return moment


def per_minute(living: Outside, start: datetime, end: datetime) -> float:
    counts = living.clients.sentry.error_counts(start, end)
    return sum(count.errors for count in counts) / sum(count.seconds / 60 for count in counts)


def test_a_quiet_release_has_no_new_critical_issue_and_no_spike() -> None:
    with outside() as living:
        sentry, start, now = living.clients.sentry, began(living), living.world.now()
        assert sentry.new_issues(start) == ()
        assert sentry.regressed(start) == ()
        (warning,) = sentry.new_issues(start, [Level.WARNING])
        assert "warning" in warning.description
        assert per_minute(living, start, now) < 3 * per_minute(living, start - timedelta(hours=1), start)
        release = sentry.release(COMMIT)
        assert (release.version, release.new_groups) == (COMMIT, 1)


def test_a_fatal_issue_and_a_regression_are_seen_and_told() -> None:
    with outside("sentry-fatal", "sentry-regression") as living:
        (fatal,) = living.clients.sentry.new_issues(began(living))
        (back,) = living.clients.sentry.regressed(began(living))
    assert fatal.level is Level.FATAL
    assert fatal.project.slug == "kamiyo-api"
    assert fatal.description.startswith("KAMIYO-API-32 (fatal) OperationalError")
    assert back.substatus == "regressed"


def test_a_spike_is_counted_in_complete_spans_only() -> None:
    with outside("error-spike") as living:
        start, now = began(living), living.world.now()
        assert per_minute(living, start, now) > 10 * per_minute(living, start - timedelta(hours=1), start)
        counts = living.clients.sentry.error_counts(start - timedelta(hours=1), now)
        assert all(count.start + timedelta(seconds=count.seconds + 60) < now for count in counts)
        assert [count.start for count in counts] == sorted(count.start for count in counts)
        coarse = living.clients.sentry.error_counts(now - timedelta(days=2), now, timedelta(hours=1))
        assert {count.seconds for count in coarse} == {3600}


def test_the_errors_of_a_release_of_many_days_are_those_of_its_last_day() -> None:
    """By the minute Sentry refuses a series of a week with 400."""
    with outside() as living:
        now = living.world.now()
        rates = error_rates_of(living.clients.sentry, now - timedelta(days=30), now)
    assert rates.after_s == pytest.approx(timedelta(days=1).total_seconds(), abs=180)


def test_the_dsn_is_of_the_project() -> None:
    with outside() as living:
        (key,) = living.clients.sentry.dsn_keys("kamiyo-api")
        dsn = parse_dsn(living.secrets.sentry_dsn)
        assert key.is_of(dsn)
        assert key.active
        assert str(dsn.project_id) == living.clients.sentry.project("kamiyo-api").id
        (other,) = living.clients.sentry.dsn_keys("kamiyo-frontend")
        assert not other.is_of(dsn)


def test_a_dsn_of_another_project_and_an_inactive_one_show() -> None:
    with outside("dsn-of-another-project", "dsn-inactive") as living:
        (key,) = living.clients.sentry.dsn_keys("kamiyo-api")
        dsn = parse_dsn(living.secrets.sentry_dsn)
        assert not key.is_of(dsn)
        assert not key.active
        assert str(dsn.project_id) != living.clients.sentry.project("kamiyo-api").id


def test_what_does_not_exist_is_named() -> None:
    with outside() as living:
        with pytest.raises(
            NoAnswer, match=r"answered 404: no such organization or project: look at \[sentry\]"
        ):
            living.clients.sentry.project("kamiyo-nobody")
        with pytest.raises(NoAnswer, match="Sentry knows no release abc: does the deployment tell it"):
            living.clients.sentry.release("abc")
        with pytest.raises(NoAnswer, match=r"answered 400: Sentry said .*is not a valid datetime") as refused:
            living.clients.sentry.issues("firstSeen:yesterday")
    assert refused.value.kind is NoAnswerKind.UNUSABLE


@pytest.mark.parametrize(
    ("text", "key", "host", "path", "number"),
    [
        ("https://abc@o1.ingest.us.sentry.io/42", "abc", "o1.ingest.us.sentry.io", "", 42),
        ("https://abc:secret@sentry.example.com:9000/42", "abc", "sentry.example.com:9000", "", 42),
        ("http://abc@sentry.example.com/deep/path/42/", "abc", "sentry.example.com", "deep/path", 42),
        ("  https://abc@[::1]:9000/7\n", "abc", "[::1]:9000", "", 7),
    ],
)
def test_a_dsn_is_read(text: str, key: str, host: str, path: str, number: int) -> None:
    dsn = parse_dsn(text)
    assert (dsn.public_key, dsn.host, dsn.path, dsn.project_id) == (key, host, path, number)
    assert "secret" not in repr(dsn)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must begin with https"),
        ("canary", "must begin with https"),
        ("ftp://canary@host/1", "must begin with https"),
        ("https://host/1", "no public key"),
        ("https://:canary@host/1", "no public key"),
        ("https://canary@/1", "no host"),
        ("https://canary@host/", "number"),
        ("https://canary@host/one", "number"),
        ("https://canary@host/²", "number"),
        ("https://canary@host/" + "9" * 5000, "number"),
        ("https://canary@host:port/1", "no URL"),
        ("https://canary@[::1/1", "no URL"),
    ],
)
def test_a_bad_dsn_is_told_without_quoting_it(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as problem:
        parse_dsn(text)
    assert "canary" not in str(problem.value)


def test_pages_that_repeat_their_cursor_end() -> None:
    head = (
        'Content-Type: application/json\r\nLink: <http://x/?a>; rel="next"; results="true"; cursor="0:100:0"'
    )
    with Server(saying(answer(b"[]", head=head))) as server:
        clients = Clients(server.origin, Secrets())
        with pytest.raises(NoAnswer, match="pages in a circle"):
            clients.sentry.issues("is:new")
        clients.close()
        assert server.connections <= 3


def test_link_headers_are_read() -> None:
    header = (
        '<https://a/?cursor=1&page=3>; rel="previous"; results="false"; cursor="0:0:1", '
        '<https://a/?page=4>; rel="next"; results="true"; cursor="0:100:0"'
    )
    following = link(header, "next")
    assert following is not None
    assert following.parameters["cursor"] == "0:100:0"
    assert following.query("page") == "4"
    assert following.query("cursor") == ""
    assert link(header, "last") is None
    assert link("<" * 9_000, "next") is None

"""Every client of an outside system survives whatever that does: in time, told, and without a secret."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, NotRead, WrongAnswer
from kamiyo_verify.model.outside.review import Person, Pull, Tip
from kamiyo_verify.model.settings import Timeouts
from sandbox.platform import Secrets
from tests.support.hostile_server import HOSTILE, SLOW, Behaviour, Server, answer, refused_port, saying
from tests.support.outside import COMMIT, Clients
from tests.support.stopwatch import Stopwatch

TIMEOUTS = Timeouts(connect=0.3, answer=0.3, item=2)
AT_EASE = Timeouts(connect=5, answer=5, item=10)
"""For an answer that comes at once: a busy machine is not what is tried there."""

GENEROUS_S = 10.0  # several requests of 0.3 s on a busy machine, and nothing like a hang
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
PULL = Pull(number=1, title="t", state="open", author=Person(login="a"), head=Tip(sha="c"), base=Tip(sha="b"))
SECRETS = Secrets(
    sentry_token="sntryu_canary",
    sentry_dsn="https://canary@host/1",
    stripe_key="sk_test_canary",
    github_token="ghp_canary",
    statuspage_key="canary-statuspage",
    pagerduty_token="canary-pagerduty",
)

Ask = Callable[[Clients], object]

OUTSIDE: dict[str, Ask] = {
    "sentry.issues": lambda all_: all_.sentry.new_issues(SINCE),
    "sentry.error_counts": lambda all_: all_.sentry.error_counts(SINCE, SINCE + timedelta(hours=1)),
    "sentry.release": lambda all_: all_.sentry.release("../\ud800?#"),
    "sentry.project": lambda all_: all_.sentry.project("kamiyo-api"),
    "sentry.dsn_keys": lambda all_: all_.sentry.dsn_keys("kamiyo-api"),
    "github.pulls_of": lambda all_: all_.github.pulls_of(COMMIT),
    "github.reviews": lambda all_: all_.github.reviews(PULL),
    "github.check_runs": lambda all_: all_.github.check_runs(COMMIT),
    "github.status": lambda all_: all_.github.status(COMMIT),
    "github.compare": lambda all_: all_.github.compare("main", COMMIT),
    "github.branch": lambda all_: all_.github.branch("main"),
    "status_pages.summary": lambda all_: all_.status_pages.summary(all_.origin),
    "status_pages.own_page": lambda all_: all_.status_pages.own_page(),
    "pagerduty.on_calls": lambda all_: all_.pagerduty.on_calls(["P1"], SINCE, SINCE + timedelta(days=1)),
    "stripe.webhook_endpoints": lambda all_: all_.stripe.webhook_endpoints(),
    "stripe.recent_events": lambda all_: all_.stripe.recent_events((), SINCE),
}
OURS: dict[str, Ask] = {"prometheus.families": lambda all_: all_.prometheus.families()}
ONE_EACH = (
    "sentry.issues",
    "github.reviews",
    "status_pages.own_page",
    "pagerduty.on_calls",
    "stripe.recent_events",
)
CREDENTIALS = {
    "sentry": "SENTRY_AUTH_TOKEN",
    "github": "GITHUB_TOKEN",
    "status_pages": "STATUSPAGE_API_KEY",
    "pagerduty": "PAGERDUTY_TOKEN",
    "stripe": "STRIPE_API_KEY",
}


@contextmanager
def clients_of(origin: str, remaining_s: float = 2.0, timeouts: Timeouts = TIMEOUTS) -> Iterator[Clients]:
    clients = Clients(origin, SECRETS, timeouts, remaining_s)
    watch = Stopwatch()
    try:
        yield clients
    finally:
        clients.close()
        assert watch.seconds < GENEROUS_S
        assert "canary" not in repr(clients.exchanges)


def refused(
    ask: Ask, behaviour: Behaviour, remaining_s: float = 2.0, timeouts: Timeouts = TIMEOUTS
) -> NoAnswer | NotRead:
    """What is told; anything but `NoAnswer`, or `NotRead` of a status page, fails the test."""
    with (
        Server(behaviour) as server,
        clients_of(server.origin, remaining_s, timeouts) as clients,
        pytest.raises((NoAnswer, NotRead) if ask is OUTSIDE["status_pages.summary"] else NoAnswer) as problem,
    ):
        ask(clients)
    printable = "".join(traceback.format_exception(problem.value))
    assert "canary" not in printable
    assert str(problem.value).isprintable()
    assert len(str(problem.value)) < 1_000
    assert isinstance(problem.value, NoAnswer | NotRead)
    return problem.value


@pytest.mark.parametrize("ask", OUTSIDE.values(), ids=OUTSIDE)
@pytest.mark.parametrize("behaviour", HOSTILE.values(), ids=HOSTILE)
def test_nonsense_is_no_answer_and_never_a_value(behaviour: Behaviour, ask: Ask) -> None:
    refused(ask, behaviour)


@pytest.mark.parametrize("ask", [OUTSIDE[name] for name in ONE_EACH], ids=ONE_EACH)
@pytest.mark.parametrize("behaviour", SLOW.values(), ids=SLOW)
def test_slowness_is_no_answer_in_time(behaviour: Behaviour, ask: Ask) -> None:
    refused(ask, behaviour)


@pytest.mark.parametrize("behaviour", (HOSTILE | SLOW).values(), ids=HOSTILE | SLOW)
def test_nonsense_from_our_own_metrics_is_never_a_value(behaviour: Behaviour) -> None:
    with (
        Server(behaviour) as server,
        clients_of(server.origin) as clients,
        pytest.raises((NoAnswer, WrongAnswer)) as problem,
    ):
        clients.prometheus.families()
    assert str(problem.value).isprintable()


@pytest.mark.parametrize("ask", (OUTSIDE | OURS).values(), ids=OUTSIDE | OURS)
def test_nobody_there(ask: Ask) -> None:
    with clients_of(f"http://127.0.0.1:{refused_port()}") as clients, pytest.raises(NoAnswer) as problem:
        ask(clients)
    assert problem.value.kind is NoAnswerKind.REFUSED
    assert clients.exchanges


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        ("401 Unauthorized", b'{"detail": "no"}', NoAnswerKind.CREDENTIAL),
        ("401 Unauthorized", b"", NoAnswerKind.CREDENTIAL),
        ("403 Forbidden", b"<html>", NoAnswerKind.CREDENTIAL),
        ("404 Not Found", b"{}", NoAnswerKind.UNUSABLE),
        ("418 Teapot", b"{}", NoAnswerKind.UNUSABLE),
        ("500 Oops", b"Traceback", NoAnswerKind.UNUSABLE),
        ("502 Bad Gateway", b"<html>", NoAnswerKind.UNUSABLE),
        ("200 OK", b"", NoAnswerKind.UNUSABLE),
        ("200 OK", b"<html></html>", NoAnswerKind.UNUSABLE),
        ("200 OK", b'{"a": [1, 2', NoAnswerKind.UNUSABLE),
        (
            "200 OK",
            b'{"object": "list", "data": [{"id": "1", "object": {}}]}',
            NoAnswerKind.UNUSABLE,
        ),
        ("200 OK", b'[{"id": 7}]', NoAnswerKind.UNUSABLE),
    ],
)
def test_a_status_is_told_with_what_to_do(name: str, status: str, body: bytes, kind: NoAnswerKind) -> None:
    problem = refused(OUTSIDE[name], saying(answer(body, status)), 10.0, AT_EASE)
    if isinstance(problem, NotRead):
        assert kind is NoAnswerKind.UNUSABLE
        assert "is not read: it has none of the forms of Atlassian Statuspage, incident.io" in str(problem)
        return
    assert problem.kind is kind
    assert problem.origin.startswith("http://127.0.0.1:")
    if kind is NoAnswerKind.CREDENTIAL and name != "status_pages.summary":
        assert CREDENTIALS[name.partition(".")[0]] in str(problem)
    if not status.startswith("200"):
        assert status[:3] in str(problem)


@pytest.mark.parametrize("ask", (OUTSIDE | OURS).values(), ids=OUTSIDE | OURS)
def test_a_limit_that_does_not_fit_the_time_is_given_up_at_once(ask: Ask) -> None:
    problem = refused(ask, saying(answer(b"{}", "429 Too Many Requests", "Retry-After: 60")))
    assert isinstance(problem, NoAnswer)
    assert problem.kind is NoAnswerKind.RATE_LIMITED
    assert "asks to wait 60 s" in str(problem)


@pytest.mark.parametrize("ask", OUTSIDE.values(), ids=OUTSIDE)
def test_without_time_nobody_is_asked(ask: Ask) -> None:
    with Server(saying(answer(b"[]"))) as server, clients_of(server.origin, remaining_s=0) as clients:
        with pytest.raises(NoAnswer, match="has no time left"):
            ask(clients)
        assert server.connections == 0

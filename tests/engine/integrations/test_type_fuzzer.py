"""Every field of every answer that our clients read, as every type of JSON: counted outcomes, nothing else.

A field that is what the item is about never lets the item pass when it is of another type or absent.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from kamiyo_platform.api import ApiClient
from kamiyo_platform.frontend import FrontendClient
from kamiyo_platform.slow_queries import SlowQueries
from kamiyo_verify.config.environment import Api, Environment
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.commit import commit_in_answer
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.nextauth.client import SignInClient
from kamiyo_verify.integrations.nextauth.settings import SignIn
from kamiyo_verify.judge.preflight.approval import approval
from kamiyo_verify.judge.preflight.commit_checks import commit_checks
from kamiyo_verify.judge.preflight.dsns import dsn_problems
from kamiyo_verify.judge.preflight.webhooks import deliveries, wiring
from kamiyo_verify.model.outcomes import NoAnswer, NotApplicable, Unverified, WrongAnswer
from kamiyo_verify.model.services import CommitSource, ServiceSettings
from kamiyo_verify.model.tables import Credential
from sandbox.platform import Secrets
from tests.engine.integrations.sentry.test_forms import ISSUE
from tests.platform.test_clients import HASH, TOKEN, providers
from tests.support.hostile_server import Peer, Server, answer
from tests.support.outside import COMMIT, TIMEOUTS, Clients
from tests.support.stopwatch import Stopwatch

OUTCOMES = (AssertionError, NoAnswer, NotApplicable, Unverified, WrongAnswer)
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
STRANGE = {
    "null": "null",
    "list": "[]",
    "full-list": "[[{}]]",
    "text": '"x"',
    "empty-text": '""',
    "number": "7.5",
    "negative": "-1",
    "object": "{}",
    "true": "true",
    "false": "false",
    "huge": "1" + "0" * 30,
    "overflow": "1e400",
    "nan": "NaN",
    "surrogate": '"\\ud800"',
    "absent": "",
}
_MARK = "@@strange@@"


@dataclass(frozen=True)
class Asked:
    """One question: the healthy body of each path, what is asked and asserted, and what it is about.

    Attributes:
        about: fields, such as "data.0.status", or "/pulls:0.state" of a path, that pass as no other type.
        fine: a field, or "" for the whole, and a kind that is nothing strange there.
    """

    bodies: dict[str, Any]
    ask: Callable[[str], object]
    about: frozenset[str] = frozenset()
    head: str = "Content-Type: application/json"
    fine: frozenset[tuple[str, str]] = frozenset()


def clients(origin: str) -> Clients:
    return Clients(origin, Secrets())


def api(origin: str) -> ApiClient:
    return ApiClient(Api(), http(origin))


def http(origin: str) -> HttpClient:
    return HttpClient(origin, ClientContext.unrecorded(TIMEOUTS, lambda: 20.0))


def healthy(origin: str) -> None:
    health = api(origin).health()
    assert health.status == "healthy"
    assert health.active_sources > 0
    assert health.database_exploits


def ready(origin: str) -> None:
    found = api(origin).readiness()
    assert (found.status, found.database) == ("ready", "healthy")


def listed(origin: str) -> None:
    page = api(origin).exploits(page=1)
    assert page.data
    assert page.total
    assert page.first.tx_hash


def chains(origin: str) -> None:
    assert api(origin).chains().total_chains


def offered(origin: str) -> None:
    found = SignInClient(SignIn(), http(origin)).providers()
    assert "google" in found
    assert {one.callback_origin for one in found.values()} == {"http://x"}


def csrf(origin: str) -> None:
    found = SignInClient(SignIn(), http(origin)).csrf()
    assert len(found.token) == 64
    assert found.cookie.partition("|")[0] == found.token


def recognised(origin: str) -> None:
    assert SignInClient(SignIn(), http(origin)).session("t").user


def commit(origin: str) -> None:
    frontend = FrontendClient(http(origin))
    source = CommitSource(path="/version", field="build.commit")
    assert commit_in_answer("frontend", source, frontend.get, "/") == "9c41d07"


def slow(origin: str) -> None:
    admin = Credential(name="ADMIN", value=SecretStr("a"))
    table = Api(admin_key=admin)
    environment = Environment(name="x", api=table, services={"api": ServiceSettings(url=origin)})
    database: Any = None
    assert not SlowQueries(environment, ApiClient(table, http(origin)), database).over_limit()


def checked(origin: str) -> None:
    github = clients(origin).github
    found = commit_checks(github.check_runs(COMMIT), github.status(COMMIT).statuses)
    assert not found.red
    assert found.settled().succeeded


def reviewed(origin: str) -> None:
    github = clients(origin).github
    pulls = github.pulls_of(COMMIT)
    found = approval(COMMIT, [(pull, github.reviews(pull)) for pull in pulls]).known()
    assert not found.problems


def required(origin: str) -> None:
    assert clients(origin).github.required_checks("main") == {"tests", "lint"}


def wired(origin: str) -> None:
    found = wiring(clients(origin).stripe.webhook_endpoints(), "https://k/w")
    assert not found.problems(["invoice.paid"], production=False)


def delivered(origin: str) -> None:
    account = clients(origin).stripe
    found = deliveries(
        (), account.failed_deliveries(SINCE), account.webhook_endpoints(), "https://k/w"
    ).known()
    assert not found.failed


def quiet(origin: str) -> None:
    for issue in clients(origin).sentry.new_issues(SINCE):
        assert issue.description
    assert clients(origin).sentry.regressed(SINCE)


def counted(origin: str) -> None:
    assert clients(origin).sentry.error_counts(SINCE, SINCE + timedelta(hours=1))


def keyed(origin: str) -> None:
    keys = clients(origin).sentry.dsn_keys("api")
    assert not dsn_problems({"DSN": "https://abc@o1.ingest.us.sentry.io/42"}, keys)


def operational(origin: str) -> None:
    page = clients(origin).status_pages.summary(origin)
    assert not page.troubles
    assert page.settled()


def on_call(origin: str) -> None:
    rota = clients(origin).pagerduty.on_calls(["P1"], SINCE, SINCE + timedelta(hours=1))
    assert not rota.all_gaps


SHA = {"sha": "aa" * 20, "ref": "x"}
RUNS = {
    "total_count": 1,
    "check_runs": [
        {
            "name": "tests",
            "status": "completed",
            "conclusion": "success",
            "html_url": "https://github.com/o/r/actions/runs/1/job/2",
            "details_url": "https://x",
            "app": {"slug": "github-actions"},
        }
    ],
}
STATUS = {
    "state": "success",
    "total_count": 1,
    "statuses": [{"context": "ci", "state": "success", "description": "d", "target_url": "https://x"}],
}
PULLS = [
    {
        "number": 7,
        "title": "t",
        "state": "closed",
        "user": {"login": "dana", "type": "User"},
        "head": SHA,
        "base": {"sha": "bb" * 20, "ref": "main"},
        "merged_at": "2026-01-01T00:00:00Z",
        "merge_commit_sha": COMMIT,
        "html_url": "https://x",
    }
]
REVIEWS = [
    {
        "user": {"login": "lee", "type": "User"},
        "state": "APPROVED",
        "commit_id": "aa" * 20,
        "submitted_at": "2026-01-01T00:00:00Z",
    }
]
ENDPOINTS = {
    "object": "list",
    "has_more": False,
    "url": "/v1/webhook_endpoints",
    "data": [
        {
            "id": "we_1",
            "object": "webhook_endpoint",
            "url": "https://k/w",
            "status": "enabled",
            "enabled_events": ["invoice.paid"],
            "livemode": False,
            "api_version": None,
        }
    ],
}
EVENTS = {
    "object": "list",
    "has_more": False,
    "url": "/v1/events",
    "data": [
        {
            "id": "evt_1",
            "object": "event",
            "type": "invoice.paid",
            "created": 1_767_225_600,
            "livemode": False,
            "pending_webhooks": 0,
        }
    ],
}
EXPLOIT = {
    "id": 1,
    "tx_hash": "0x1",
    "chain": "Base",
    "protocol": "P",
    "amount_usd": 1.5,
    "timestamp": "2026-01-01T00:00:00",
    "source": "s",
}
SERIES = {
    "timeSeries": [
        {
            "values": [{"timestamp": SINCE.timestamp() * 1000, "value": 3, "incomplete": False}],
            "meta": {"interval": 60_000},
        }
    ]
}
PAGE = {
    "page": {"name": "Stripe", "url": "https://x"},
    "status": {"indicator": "none", "description": "All Systems Operational"},
    "components": [{"id": "1", "name": "API", "status": "operational", "group": False}],
    "incidents": [
        {"id": "1", "name": "n", "status": "resolved", "impact": "minor", "shortlink": "https://x"}
    ],
    "scheduled_maintenances": [],
}
HEALTH = {
    "status": "healthy",
    "database_exploits": 1,
    "tracked_chains": 1,
    "active_sources": 1,
    "total_sources": 1,
    "timestamp": "2026-01-01T00:00:00",
}

ASKED: dict[str, Asked] = {
    "api.health": Asked(
        {"/health": HEALTH}, healthy, frozenset({"status", "active_sources", "database_exploits"})
    ),
    "api.ready": Asked(
        {"/ready": {"status": "ready", "database": "healthy", "cache": "healthy", "exploits": 1}},
        ready,
        frozenset({"status", "database"}),
    ),
    "api.exploits": Asked(
        {"/exploits": {"data": [EXPLOIT], "total": 1, "page": 1, "page_size": 10, "has_more": False}},
        listed,
        frozenset({"data", "total"}),
    ),
    "api.chains": Asked(
        {"/chains": {"total_chains": 1, "chains": [{"chain": "Base", "exploit_count": 1}]}},
        chains,
        frozenset({"total_chains"}),
    ),
    "sign_in.providers": Asked(
        {"/api/auth/providers": providers("google")}, offered, frozenset({"google", "google.callbackUrl"})
    ),
    "sign_in.csrf": Asked(
        {"/api/auth/csrf": {"csrfToken": TOKEN}},
        csrf,
        frozenset({"csrfToken"}),
        head=f"Content-Type: application/json\r\nSet-Cookie: next-auth.csrf-token={TOKEN}%7C{HASH}",
    ),
    "sign_in.session": Asked(
        {
            "/api/auth/csrf": {"csrfToken": TOKEN},
            "/api/auth/session": {"user": {"name": "T"}, "expires": "2026-01-01T00:00:00Z"},
        },
        recognised,
        frozenset({"user"}),
        head=f"Content-Type: application/json\r\nSet-Cookie: next-auth.csrf-token={TOKEN}%7C{HASH}",
    ),
    "frontend.commit": Asked(
        {"/version": {"build": {"commit": "9c41d07"}}}, commit, frozenset({"build", "build.commit"})
    ),
    "api.slow_queries": Asked(
        {"/admin/db/slow-queries": {"slow_queries": [{"query": "q", "calls": 1, "mean_exec_time": 1.0}]}},
        slow,
        frozenset({"slow_queries.0.mean_exec_time"}),
        fine=frozenset(
            {
                ("", "list"),
                ("slow_queries.0.mean_exec_time", "number"),
                ("slow_queries.0.mean_exec_time", "negative"),
            }
        ),
    ),
    "github.checks": Asked(
        {"/check-runs": RUNS, "/status": STATUS},
        checked,
        frozenset({"check_runs.0.status", "check_runs.0.conclusion", "statuses.0.state"}),
    ),
    "github.reviews": Asked(
        {"/pulls": PULLS, "/reviews": REVIEWS},
        reviewed,
        frozenset({"/reviews:0.state", "0.commit_id", "0.merge_commit_sha", "0.head.sha", "0.head"}),
    ),
    "github.required": Asked(
        {
            "/rules/branches/main": [
                {
                    "type": "required_status_checks",
                    "parameters": {"required_status_checks": [{"context": "lint"}]},
                }
            ],
            "/branches/main": {
                "name": "main",
                "commit": SHA,
                "protection": {"required_status_checks": {"contexts": ["tests"]}},
            },
        },
        required,
        frozenset(
            {
                "0.parameters.required_status_checks.0.context",
                "protection.required_status_checks.contexts.0",
            }
        ),
    ),
    "stripe.endpoints": Asked(
        {"/v1/webhook_endpoints": ENDPOINTS},
        wired,
        frozenset({"data.0.url", "data.0.status", "data.0.enabled_events"}),
    ),
    "stripe.deliveries": Asked({"/v1/events": EVENTS, "/v1/webhook_endpoints": ENDPOINTS}, delivered),
    "sentry.issues": Asked({"/issues/": [ISSUE]}, quiet),
    "sentry.error_counts": Asked(
        {"/events-timeseries/": SERIES},
        counted,
        frozenset({"timeSeries.0.values.0.value", "timeSeries.0.values.0.timestamp"}),
        fine=frozenset({("timeSeries.0.values.0.value", "number")}),
    ),
    "sentry.dsn_keys": Asked(
        {
            "/keys/": [
                {
                    "id": "k",
                    "name": "n",
                    "projectId": 42,
                    "isActive": True,
                    "dsn": {"public": "https://abc@o1.ingest.us.sentry.io/42"},
                }
            ]
        },
        keyed,
        frozenset({"0.dsn", "0.dsn.public"}),
    ),
    "status_pages.summary": Asked(
        {"/api/v2/summary.json": PAGE},
        operational,
        frozenset({"status", "status.indicator", "components", "incidents.0.status"}),
    ),
    "pagerduty.on_calls": Asked(
        {
            "/oncalls": {
                "oncalls": [
                    {
                        "user": {"id": "U", "summary": "Dana"},
                        "schedule": {"id": "P1", "summary": "Primary"},
                        "escalation_level": 1,
                        "start": "2025-12-31T00:00:00Z",
                        "end": "2026-02-01T00:00:00Z",
                    }
                ],
                "more": False,
                "offset": 0,
                "limit": 100,
            },
        },
        on_call,
    ),
}


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The place of every field and row within a body, and the whole of it."""
    yield at
    steps: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, child in steps:
        yield from places(child, (*at, step))


def strangely(body: object, at: tuple[str | int, ...], strange: str) -> str:
    """The body as JSON, with something strange at a place."""
    if not at:
        return strange
    changed = copy.deepcopy(body)
    within: Any = changed
    for step in at[:-1]:
        within = within[step]
    if strange:
        within[at[-1]] = _MARK
    else:
        del within[at[-1]]
    return json.dumps(changed).replace(f'"{_MARK}"', strange)


def saying_by_path(texts: dict[str, str], head: str) -> Callable[[Peer], None]:
    def behave(peer: Peer) -> None:
        path = peer.hear().split(b" ", 2)[1].decode().partition("?")[0]
        ends = sorted((end for end in texts if path.endswith(end)), key=len)
        body = texts[ends[-1]] if ends else None
        text = (body or "").encode(errors="surrogatepass")
        peer.say(answer(text, "200 OK" if body is not None else "404 Not Found", head))

    return behave


def ask_healthy(asked: Asked) -> None:
    """Ask once, of healthy answers."""
    texts = {path: json.dumps(body) for path, body in asked.bodies.items()}
    with Server(saying_by_path(texts, asked.head)) as server:
        asked.ask(server.origin)


def ask_of_every_field_as_every_type(asked: Asked) -> None:
    """Ask once for each field and kind; assert that each ends in an outcome, and none passes wrongly."""
    outcomes: Counter[str] = Counter()
    texts = {path: json.dumps(body) for path, body in asked.bodies.items()}
    current = dict(texts)
    with Server(saying_by_path(current, asked.head)) as server:
        for path, body in asked.bodies.items():
            for at in places(body):
                for kind, strange in STRANGE.items():
                    current[path] = strangely(body, at, strange)
                    where = ".".join(str(step) for step in at)
                    watch = Stopwatch()
                    try:
                        asked.ask(server.origin)
                    except OUTCOMES as outcome:
                        outcomes[type(outcome).__name__] += 1
                        str(outcome).encode()
                    else:
                        outcomes["passed"] += 1
                        if (where, kind) in asked.fine:
                            continue
                        assert asked.about.isdisjoint({where, f"{path}:{where}"}), f"{where} as {kind} passes"
                        assert at, f"{path} as {kind} passes"
                        assert kind not in {"overflow", "nan", "huge"}, f"{where} as {kind} passes"
                    assert watch.seconds < 10, f"{where} as {kind} hangs"
            current[path] = texts[path]
    fields = sum(len([*places(body)]) for body in asked.bodies.values())
    assert outcomes.total() == fields * len(STRANGE)


@pytest.mark.parametrize("name", ASKED)
def test_the_healthy_answers_pass(name: str) -> None:
    ask_healthy(ASKED[name])


@pytest.mark.parametrize("name", ASKED)
def test_every_field_as_every_type_gives_a_counted_outcome(name: str) -> None:
    ask_of_every_field_as_every_type(ASKED[name])

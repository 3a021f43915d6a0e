"""The same for the host and for what was left: every field as every type of JSON gives a counted outcome."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.render.client import Render
from kamiyo_verify.integrations.render.settings import Render as Table
from tests.engine.integrations.test_type_fuzzer import (
    EXPLOIT,
    SINCE,
    Asked,
    api,
    ask_healthy,
    ask_of_every_field_as_every_type,
    clients,
)
from tests.support.outside import COMMIT, TIMEOUTS, credential

T = TypeVar("T")
UNTIL = SINCE + timedelta(hours=1)
WHEN = "2026-01-01T00:10:00Z"
COMMITTED = {"id": COMMIT, "message": "m", "createdAt": WHEN}


def render(origin: str) -> Render:
    key = credential("RENDER_API_KEY", "rnd_x")
    table = Table(address=origin, key=key, owner="tea-1", postgres="dpg-1-a")
    return Render(table, ClientContext.unrecorded(TIMEOUTS, lambda: 20.0))


def only(found: Sequence[T]) -> T:
    """The one of them."""
    assert len(found) == 1
    return found[0]


def runs(origin: str) -> None:
    service = render(origin).service("srv-1")
    assert service.suspended == "not_suspended"
    assert not service.is_suspended


def live(origin: str) -> None:
    deploy = render(origin).live_deploy("srv-1")
    assert deploy is not None
    assert deploy.status.value == "live"
    assert deploy.is_of(COMMIT)


def unbroken(origin: str) -> None:
    event = only(render(origin).events("srv-1", SINCE, UNTIL))
    assert event.type == "deploy_ended"


def set_up(origin: str) -> None:
    variables = render(origin).variables("srv-1")
    shown = {name: value.get_secret_value() for name, value in variables.items()}
    assert shown == {"NEXTAUTH_URL": "https://k", "SHARED": "s"}


def logged(origin: str) -> None:
    found = render(origin).logs(["srv-1"], SINCE, UNTIL)
    assert found.complete
    assert [line.message for line in found.lines] == ["Ready in 1 s"]


def served(origin: str) -> None:
    series = only(render(origin).http_requests(["srv-1"], SINCE, UNTIL))
    assert series.labels.get("statusCode") == "200"
    assert sum(value for _, value in series.points) > 0


def timed(origin: str) -> None:
    series = only(render(origin).http_latency(["srv-1"], SINCE, UNTIL))
    assert [value for _, value in series.points] == [12.0]


def available(origin: str) -> None:
    assert render(origin).postgres().is_available


def recoverable(origin: str) -> None:
    recovery = render(origin).recovery()
    assert recovery.recovery_status == "AVAILABLE"
    assert recovery.starts_at is not None


def backed_up(origin: str) -> None:
    export = only(render(origin).exports())
    assert export.created_at == datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


def connected(origin: str) -> None:
    found = render(origin).connection_info()
    assert found.internal_connection_string.get_secret_value().startswith("postgresql://u@dpg-1-a/")


def compared(origin: str) -> None:
    found = clients(origin).github.compare("main", COMMIT)
    assert (found.status, found.ahead_by, found.behind_by) == ("identical", 0, 0)


def same_tree(origin: str) -> None:
    assert clients(origin).github.tree(COMMIT) == "cc" * 20


def released(origin: str) -> None:
    found = clients(origin).sentry.release(COMMIT)
    assert (found.version, found.new_groups) == (COMMIT, 0)


def own_page(origin: str) -> None:
    page = clients(origin).status_pages.own_page()
    assert [(one.name, one.status.value) for one in page.components] == [("API", "operational")]


def detailed(origin: str) -> None:
    assert api(origin).exploit("0x1").tx_hash == "0x1"


def series(unit: str, value: float) -> list[dict[str, object]]:
    labels = [{"field": "resource", "value": "srv-1"}, {"field": "statusCode", "value": "200"}]
    return [{"labels": labels, "values": [{"timestamp": WHEN, "value": value}], "unit": unit}]


SERVICE = {
    "id": "srv-1",
    "name": "kamiyo-api",
    "type": "web_service",
    "autoDeploy": "yes",
    "branch": "main",
    "repo": "https://github.com/o/r",
    "ownerId": "tea-1",
    "dashboardUrl": "https://x",
    "suspended": "not_suspended",
    "rootDir": "",
    "serviceDetails": {
        "url": "https://x",
        "healthCheckPath": "/health",
        "numInstances": 1,
        "plan": "starter",
        "region": "oregon",
        "runtime": "python",
        "envSpecificDetails": {"buildCommand": "b", "startCommand": "s"},
    },
}
DEPLOY = {
    "id": "dep-1",
    "commit": COMMITTED,
    "status": "live",
    "trigger": "new_commit",
    "createdAt": WHEN,
    "updatedAt": WHEN,
    "startedAt": WHEN,
    "finishedAt": WHEN,
}
EVENT = {
    "id": "evt-1",
    "type": "deploy_ended",
    "timestamp": WHEN,
    "serviceId": "srv-1",
    "details": {"deployId": "dep-1", "deployStatus": "succeeded", "reason": {"failure": None}},
}
POSTGRES = {
    "id": "dpg-1-a",
    "name": "kamiyo",
    "status": "available",
    "plan": "starter",
    "version": "16",
    "suspended": "not_suspended",
    "highAvailabilityEnabled": False,
    "databaseName": "kamiyo",
    "region": "oregon",
}
LINE = {
    "id": "1",
    "message": "Ready in 1 s",
    "timestamp": WHEN,
    "labels": [{"name": "level", "value": "info"}],
}
COMPONENT = {"id": "1", "name": "API", "status": "operational", "group": False}

ASKED: dict[str, Asked] = {
    "render.service": Asked({"/services/srv-1": SERVICE}, runs, frozenset({"suspended"})),
    "render.deploys": Asked(
        {"/services/srv-1/deploys": [{"cursor": "c", "deploy": DEPLOY}]},
        live,
        frozenset({"0.deploy.status", "0.deploy.commit", "0.deploy.commit.id"}),
    ),
    "render.events": Asked(
        {"/services/srv-1/events": [{"cursor": "c", "event": EVENT}]}, unbroken, frozenset({"0.event.type"})
    ),
    "render.variables": Asked(
        {
            "/services/srv-1/env-vars": [
                {"cursor": "c", "envVar": {"key": "NEXTAUTH_URL", "value": "https://k"}}
            ],
            "/env-groups": [
                {"id": "evg-1", "createdAt": WHEN, "serviceLinks": [{"id": "srv-1", "name": "kamiyo-api"}]}
            ],
            "/env-groups/evg-1": {"id": "evg-1", "envVars": [{"key": "SHARED", "value": "s"}]},
        },
        set_up,
        frozenset({"0.envVar.key", "0.envVar.value", "envVars.0.key", "envVars.0.value"}),
    ),
    "render.logs": Asked(
        {"/logs": {"hasMore": False, "nextStartTime": WHEN, "nextEndTime": WHEN, "logs": [LINE]}},
        logged,
        frozenset({"logs", "logs.0.message", "hasMore"}),
        fine=frozenset({("hasMore", "false")}),
    ),
    "render.http_requests": Asked(
        {"/metrics/http-requests": series("requests", 7.0)},
        served,
        frozenset({"0.values", "0.values.0.value"}),
        fine=frozenset({("0.values.0.value", "number")}),
    ),
    "render.http_latency": Asked(
        {"/metrics/http-latency": series("ms", 12.0)}, timed, frozenset({"0.unit", "0.values.0.value"})
    ),
    "render.postgres": Asked({"/postgres/dpg-1-a": POSTGRES}, available, frozenset({"status", "suspended"})),
    "render.recovery": Asked(
        {"/postgres/dpg-1-a/recovery": {"recoveryStatus": "AVAILABLE", "startsAt": WHEN}},
        recoverable,
        frozenset({"recoveryStatus"}),
    ),
    "render.exports": Asked(
        {"/postgres/dpg-1-a/export": [{"id": "e", "createdAt": WHEN, "url": "https://x"}]},
        backed_up,
        frozenset({"0.createdAt"}),
    ),
    "render.connection_info": Asked(
        {
            "/postgres/dpg-1-a/connection-info": {
                "internalConnectionString": "postgresql://u@dpg-1-a/kamiyo",
                "externalConnectionString": "postgresql://u@dpg-1-a.oregon-postgres.render.com/kamiyo",
                "password": "p",
                "psqlCommand": "psql",
            }
        },
        connected,
        frozenset({"internalConnectionString"}),
    ),
    "github.compare": Asked(
        {f"/compare/main...{COMMIT}": {"status": "identical", "ahead_by": 0, "behind_by": 0}},
        compared,
        frozenset({"status", "ahead_by", "behind_by"}),
    ),
    "github.tree": Asked(
        {f"/git/commits/{COMMIT}": {"sha": COMMIT, "tree": {"sha": "cc" * 20}}},
        same_tree,
        frozenset({"tree", "tree.sha"}),
    ),
    "sentry.release": Asked(
        {
            f"/releases/{COMMIT}/": {
                "version": COMMIT,
                "newGroups": 0,
                "dateCreated": WHEN,
                "lastDeploy": {"environment": "production", "dateFinished": WHEN},
                "projects": [{"slug": "api", "newGroups": 0, "healthData": {"crashFreeSessions": 99.0}}],
            }
        },
        released,
        frozenset({"version", "newGroups"}),
    ),
    "status_pages.own_page": Asked(
        {
            "/components": [COMPONENT],
            "/incidents/unresolved": [],
            "/incidents/active_maintenance": [],
        },
        own_page,
        frozenset({"0.name", "0.status"}),
        fine=frozenset({("", "list")}),  # of incidents; without components it fails
    ),
    "api.exploit": Asked({"/exploits/0x1": EXPLOIT}, detailed, frozenset({"tx_hash"})),
}


@pytest.mark.parametrize("name", ASKED)
def test_the_healthy_answers_pass(name: str) -> None:
    ask_healthy(ASKED[name])


@pytest.mark.parametrize("name", ASKED)
def test_every_field_as_every_type_gives_a_counted_outcome(name: str) -> None:
    ask_of_every_field_as_every_type(ASKED[name])

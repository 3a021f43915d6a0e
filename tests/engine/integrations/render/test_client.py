"""Our client of Render reads the emulation rightly, and says so whenever an answer cannot be used."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.render.client import Render
from kamiyo_verify.integrations.render.control import RenderControl
from kamiyo_verify.integrations.render.hosting import RenderHosting
from kamiyo_verify.integrations.render.pages import text_of
from kamiyo_verify.integrations.render.shapes import RenderDeploy, Service
from kamiyo_verify.model.hosting.services import DeployStatus, Failure
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from sandbox.outside.scenes import Scene
from tests.support.hostile_server import HOSTILE, SLOW, Behaviour, Script, Server, answer, saying
from tests.support.hosting import API, COMMIT, FRONTEND, IDS, hosting, table_of

TIMEOUTS = Timeouts(connect=5, answer=5, item=10)
IMPATIENT = Timeouts(connect=0.3, answer=0.3, item=2)
"""For a server that never answers."""
KEY = "rnd_canarycanarycanary"
VALUE = "canary-value-of-a-variable"
START = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
END = START + timedelta(hours=1)


@dataclass(frozen=True)
class Both:
    render: Render
    control: RenderControl


CALLS: dict[str, Callable[[Both], object]] = {
    "services": lambda ask: ask.render.services(),
    "service": lambda ask: ask.render.service(API),
    "deploys": lambda ask: ask.render.deploys(API),
    "deploy": lambda ask: ask.render.deploy(API, "dep-x"),
    "live_deploy": lambda ask: ask.render.live_deploy(API),
    "variables": lambda ask: ask.render.variables(API),
    "logs": lambda ask: ask.render.logs([API], START, END),
    "event": lambda ask: ask.render.event("evt-x"),
    "events": lambda ask: ask.render.events(API, START, END),
    "http_requests": lambda ask: ask.render.http_requests([API], START, END),
    "http_latency": lambda ask: ask.render.http_latency([API], START, END),
    "postgres": lambda ask: ask.render.postgres(),
    "recovery": lambda ask: ask.render.recovery(),
    "exports": lambda ask: ask.render.exports(),
    "connection_info": lambda ask: ask.render.connection_info(),
    "set_auto_deploy": lambda ask: ask.control.set_auto_deploy(API, on=False),
    "roll_back": lambda ask: ask.control.roll_back(API, "dep-x"),
    "trigger": lambda ask: ask.control.trigger(API),
    "cancel": lambda ask: ask.control.cancel(API, "dep-x"),
}


@contextmanager
def asking(
    origin: str, exchanges: list[Exchange] | None = None, timeouts: Timeouts = TIMEOUTS
) -> Iterator[Both]:
    """Both clients of a server."""
    table, record = table_of(origin, KEY), (exchanges if exchanges is not None else []).append
    both = Both(
        Render(table, ClientContext(timeouts, record, lambda: 5.0), services=IDS),
        RenderControl(table, ClientContext(timeouts, record, lambda: 5.0)),
    )
    try:
        yield both
    finally:
        both.render.close()
        both.control.close()


def refused(behave: Behaviour, call: str) -> NoAnswer:
    """What comes of a call when the server behaves so; nothing secret may be in it."""
    exchanges: list[Exchange] = []
    with (
        Server(behave) as server,
        asking(server.origin, exchanges, IMPATIENT if behave is SLOW["silent"] else TIMEOUTS) as both,
        pytest.raises(NoAnswer) as caught,
    ):
        CALLS[call](both)
    told = "".join(traceback.format_exception(caught.value)) + repr(exchanges)
    assert KEY not in told
    assert VALUE not in told
    return caught.value


def page_of(rows: list[dict[str, object]]) -> Behaviour:
    return saying(answer(json.dumps(rows).encode()))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("behave", "kind", "told"),
    [
        (
            saying(answer(b"{}", "401 Unauthorized")),
            NoAnswerKind.CREDENTIAL,
            "RENDER_API_KEY is not accepted",
        ),
        (saying(answer(b"{}", "403 Forbidden")), NoAnswerKind.CREDENTIAL, "RENDER_API_KEY does not allow"),
        (saying(answer(b"{}", "404 Not Found")), NoAnswerKind.UNUSABLE, "404"),
        (saying(answer(b"oh", "500 Oops")), NoAnswerKind.UNUSABLE, "answered 500"),
        (
            saying(answer(b"{}", "429 Slow Down", "Retry-After: 60")),
            NoAnswerKind.RATE_LIMITED,
            "asks to wait 60 s",
        ),
        (SLOW["silent"], NoAnswerKind.TIMEOUT, "no whole answer"),
        (HOSTILE["html"], NoAnswerKind.UNUSABLE, "Render"),
        (HOSTILE["empty"], NoAnswerKind.UNUSABLE, "Render"),
        (HOSTILE["json-cut"], NoAnswerKind.UNUSABLE, "Render"),
        (HOSTILE["body-cut"], NoAnswerKind.CUT, "127.0.0.1"),
    ],
    ids=["401", "403", "404", "500", "429", "silent", "html", "empty", "half JSON", "half body"],
)
def test_no_answer_is_told_as_such(call: str, behave: Behaviour, kind: NoAnswerKind, told: str) -> None:
    found = refused(behave, call)
    assert (found.kind, told in str(found)) == (kind, True), str(found)


@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_server_gets_more_than_a_no_answer(name: str) -> None:
    for call in ("deploys", "variables", "logs", "http_requests", "roll_back"):
        refused(HOSTILE[name], call)


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone"])
def test_an_unknown_id_names_its_place_in_the_environment(status: str) -> None:
    found = refused(saying(answer(b'{"message": "not found"}', status)), "service")
    assert f"{API} ([services.api] hosting_id)" in str(found)
    assert "tea-sandbox0000000000000" in str(found)


@pytest.mark.parametrize(
    ("call", "page"),
    [
        ("services", [{"cursor": "c", "service": None}] * 100),
        (
            "deploys",
            [
                {
                    "cursor": "c",
                    "deploy": {"id": "dep-x", "status": "live", "createdAt": "2026-11-23T11:00:00Z"},
                }
            ]
            * 100,
        ),
        (
            "events",
            [
                {
                    "cursor": "c",
                    "event": {
                        "id": "evt-x",
                        "timestamp": "2026-11-23T11:00:00Z",
                        "serviceId": API,
                        "type": "deploy_ended",
                        "details": {},
                    },
                }
            ]
            * 100,
        ),
        ("variables", [{"cursor": "c", "envVar": {"key": "A", "value": VALUE}}] * 100),
    ],
)
def test_a_cursor_that_comes_again_ends_the_paging(call: str, page: list[dict[str, object]]) -> None:
    found = refused(page_of(page), call)
    assert found.kind is NoAnswerKind.UNUSABLE
    assert "circle" in str(found) or "gave no usable answer" in str(found)


def test_logs_whose_next_page_is_the_same_end_the_paging() -> None:
    line = {"id": "a", "message": "m", "timestamp": "2026-11-23T11:00:00Z", "labels": []}
    times = {"nextStartTime": "2026-11-23T11:00:00Z", "nextEndTime": "2026-11-23T11:30:00Z"}
    body = json.dumps({"hasMore": True, "logs": [line], **times}).encode()
    assert "circle" in str(refused(saying(answer(body)), "logs"))


def test_a_short_retry_after_is_waited_out() -> None:
    limited = saying(answer(b"{}", "429 Slow Down", "Retry-After: 0"))
    exchanges: list[Exchange] = []
    with Server(Script([limited, page_of([])])) as server, asking(server.origin, exchanges) as both:
        assert both.render.deploys(API) == ()
    assert [exchange.status for exchange in exchanges] == [429, 200]


@pytest.mark.parametrize(
    "body",
    [
        [{"cursor": "c", "envVar": {"key": "JWT_SECRET", "value": [VALUE]}}],
        [{"cursor": "c", "envVar": {"key": "JWT_SECRET", "valeu": VALUE}}],
        {"envVars": [{"key": "JWT_SECRET", "value": VALUE}]},
        VALUE,
    ],
)
@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "500 Oops"])
def test_what_cannot_be_read_of_variables_is_not_shown(body: object, status: str) -> None:
    found = refused(saying(answer(json.dumps(body).encode(), status)), "variables")
    assert "shown" in str(found)


def test_the_service_wins_over_its_groups_and_the_newest_group_over_the_others() -> None:
    def group(name: str, made: str, linked: str) -> dict[str, object]:
        links = [{"id": linked, "name": "x", "type": "web"}]
        return {"id": name, "name": name, "createdAt": made, "serviceLinks": links}

    groups = [
        {
            "envGroup": group("evg-new", "2026-03-01T00:00:00Z", API),
            "cursor": "c",
        },  # wrapped as other lists are
        group("evg-old", "2025-03-01T00:00:00Z", API),
        group("evg-foreign", "2026-05-01T00:00:00Z", FRONTEND),
    ]
    own = [{"cursor": "a", "envVar": {"key": "A", "value": "own"}}]
    old = [{"key": "A", "value": "old"}, {"key": "B", "value": "old"}, {"key": "C", "value": "same"}]
    new = [{"key": "A", "value": "new"}, {"key": "B", "value": "new"}, {"key": "C", "value": "same"}]
    bodies: list[object] = [own, groups, {"envVars": old}, {"envVars": new}]
    script = Script([saying(answer(json.dumps(body).encode())) for body in bodies])
    with Server(script) as server, asking(server.origin) as both:
        found = both.render.variables(API)
    assert {name: value.get_secret_value() for name, value in found.items()} == {
        "A": "own",
        "B": "new",
        "C": "same",
    }
    assert found.contested == {"B"}
    assert repr(found) == "Variables(A, B, C)"


def test_a_database_that_is_not_named_is_unverified() -> None:
    table = table_of("http://127.0.0.1:1", KEY).model_copy(update={"postgres": ""})
    render = Render(table, ClientContext.unrecorded(TIMEOUTS, lambda: 1.0), services=IDS)
    with pytest.raises(Unverified, match=r"\[render\] postgres is not set"):
        render.postgres()


def test_lists_are_read_to_their_end() -> None:
    with hosting() as found:
        deploys = found.render.deploys(API)
        assert len(deploys) == 25
        assert len({deploy.id for deploy in deploys}) == 25
        assert [deploy.created_at for deploy in deploys] == sorted(
            (deploy.created_at for deploy in deploys), reverse=True
        )
        assert sum(seen.target.startswith(f"/services/{API}/deploys") for seen in found.seen) == 4
        assert {service.name for service in found.render.services()} == {
            "kamiyo-api",
            "kamiyo-frontend",
            "kamiyo-aggregator",
            "kamiyo-social-watcher",
        }


def test_logs_come_once_each_in_the_order_of_time() -> None:
    with hosting("log-errors") as found:
        start = found.ago(minutes=10)
        whole = found.render.logs([API, FRONTEND], start, found.now)
        latest = found.render.logs([API, FRONTEND], start, found.now, at_most=10)
    assert whole.complete
    assert len({line.id for line in whole.lines}) == len(whole.lines) > 100
    assert [line.timestamp for line in whole.lines] == sorted(line.timestamp for line in whole.lines)
    assert not latest.complete
    assert [line.timestamp for line in latest.lines] == [line.timestamp for line in whole.lines[-10:]]


def test_logs_are_chosen_by_level_type_and_text() -> None:
    with hosting("log-errors") as found:
        span = found.ago(minutes=10), found.now
        errors = found.render.logs([API], *span, levels=["error"])
        builds = found.render.logs([FRONTEND], *span, types=["build"])
        named = found.render.logs([API, FRONTEND], *span, text=["Uvicorn running", "Ready in"])
    assert {line.level for line in errors.lines} == {"error"}
    assert {line.service for line in errors.lines} == {API}
    assert any("Migrations complete" in line.message for line in builds.lines)
    assert {line.service for line in named.lines} == {API, FRONTEND}


def test_the_deploy_that_serves_is_found() -> None:
    with hosting(scene=Scene.ROLLBACK) as found:
        live = found.render.live_deploy(API)
        assert live is not None
        assert live.trigger == "rollback"
        assert live.is_of(found.world.previous.id)
        assert not live.is_of(COMMIT)


def test_events_tell_why_something_failed() -> None:
    with hosting("out-of-memory", "crash-loop") as found:
        failed = found.render.events(API, found.ago(minutes=10), found.now, types=["server_failed"])
        of_all = found.render.events(API, found.ago(minutes=10), found.now)
    reasons = {str(event.failure) for event in failed}
    assert reasons == {"killed for its memory (limit 512Mi)", "exited with status 1"}
    assert {event.type for event in of_all} > {"server_failed", "deploy_ended"}
    assert [event.timestamp for event in of_all] == sorted(event.timestamp for event in of_all)


def test_metrics_count_real_requests_by_status() -> None:
    with hosting("real-users-errors", scene=Scene.FOLLOWUP) as found:
        series = found.render.http_requests([API], found.ago(hours=1), found.now)
        days = found.render.http_requests([API], found.ago(days=30), found.now)
    by_status = {each.labels["statusCode"]: each.total for each in series}
    assert 0.02 < by_status["500"] / sum(by_status.values()) < 0.04
    assert all(len(each.points) <= 361 for each in days)


@pytest.mark.parametrize(("unit", "expected"), [("ms", 0.25), ("seconds", 250.0)])
def test_latency_is_given_in_ms_whatever_the_unit(unit: str, expected: float) -> None:
    values = [
        {"timestamp": "2026-11-23T11:01:00Z", "value": 0.25},
        {"timestamp": "2026-11-23T11:02:00Z", "value": None},
    ]
    body = json.dumps([{"labels": [{"field": "resource", "value": API}], "values": values, "unit": unit}])
    with Server(saying(answer(body.encode()))) as server, asking(server.origin) as both:
        (series,) = both.render.http_latency([API], START, END)
    assert (series.unit, series.values) == ("ms", (expected,))


def test_a_latency_in_an_unknown_unit_is_not_guessed() -> None:
    body = json.dumps([{"labels": [], "values": [], "unit": "fortnights"}]).encode()
    assert "fortnights" in str(refused(saying(answer(body)), "http_latency"))


def test_a_deploy_of_unknown_status_is_not_judged() -> None:
    body = b'{"id": "dep-x", "status": "picnic", "createdAt": "2026-11-23T11:00:00Z"}'
    assert "status" in str(refused(saying(answer(body)), "deploy"))


def test_writing_changes_what_reading_shows() -> None:
    with hosting() as found:
        target = found.render.deploys(API)[1]
        assert found.control.set_auto_deploy(API, on=False).auto_deploy is False
        assert found.render.service(API).auto_deploy is False
        back = found.control.roll_back(API, target.id)
        assert back.trigger == "rollback"
        assert found.render.deploy(API, back.id).status.in_progress
        assert found.control.trigger(API) is None  # queued behind it
        queued = found.render.deploys(API)[0]
        assert queued.status is DeployStatus.QUEUED
        assert found.control.cancel(API, queued.id).status is DeployStatus.CANCELED
        found.clock.pass_(5)
        live = found.render.live_deploy(API)
    assert live is not None
    assert live.id == back.id


@pytest.mark.parametrize(
    ("commit", "is_of"),
    [(COMMIT, True), (COMMIT[:7], True), (COMMIT[:7].upper(), True), (COMMIT[:6], False), ("", False)],
)
def test_a_deploy_is_of_a_commit_by_at_least_seven_characters(commit: str, *, is_of: bool) -> None:
    told = {"id": "dep-x", "status": "live", "createdAt": START, "commit": {"id": COMMIT}}
    assert RenderDeploy.model_validate(told).is_of(commit) is is_of
    assert not RenderDeploy.model_validate(told | {"commit": None}).is_of(commit)


@pytest.mark.parametrize("status", DeployStatus)
def test_every_status_is_one_of_under_way_well_or_not(status: DeployStatus) -> None:
    kinds = [status.in_progress, status.succeeded, status.failed, status is DeployStatus.CANCELED]
    assert kinds.count(True) == 1


def test_a_failure_without_a_reason_says_so() -> None:
    assert str(Failure()) == "for a reason not given"


def test_a_moment_without_a_zone_is_not_sent() -> None:
    assert text_of(START) == "2026-11-23T11:00:00.000Z"
    with pytest.raises(ValueError, match="zone"):
        text_of(START.replace(tzinfo=None))


def test_a_state_tells_what_deploys_automatically_and_how_to_set_it_again() -> None:
    with hosting() as found:
        state = RenderHosting(found.render, "https://api.example/v1", IDS, builds_kept=5).state("api")

    assert (state.host, state.auto_deploy_trigger, state.builds_kept) == ("Render", "checksPass", 5)
    assert state.resume == f'PATCH {state.api} {{"autoDeployTrigger": "checksPass"}}'
    assert "disks" in state.caveats[0]
    assert not state.maintenance


@pytest.mark.parametrize(
    ("fields", "patch"),
    [
        ({"autoDeploy": "yes"}, '{"autoDeploy": "yes"}'),
        ({"autoDeploy": "no", "autoDeployTrigger": None}, '{"autoDeploy": "no"}'),
        ({"autoDeploy": "yes", "autoDeployTrigger": "commit"}, '{"autoDeployTrigger": "commit"}'),
    ],
)
def test_auto_deploy_has_two_states_where_render_tells_no_trigger(fields: dict[str, Any], patch: str) -> None:
    assert Service.model_validate({**A_SERVICE, **fields}).as_patch == patch


@pytest.mark.parametrize(("told", "on"), [({"enabled": True, "uri": ""}, True), (None, False)])
def test_maintenance_mode_is_read(told: Any, *, on: bool) -> None:
    details = {"maintenanceMode": told}
    found = Service.model_validate({**A_SERVICE, "autoDeploy": "no", "serviceDetails": details})
    assert found.service_details.maintenance_mode.enabled is on


A_SERVICE: dict[str, Any] = {
    "id": "srv-1",
    "name": "kamiyo-api",
    "type": "web_service",
    "ownerId": "tea-1",
    "dashboardUrl": "https://dashboard.example",
    "suspended": "not_suspended",
    "serviceDetails": {},
}

"""Our client of Render, and the sandbox's emulation of it, keep to Render's own description."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from kamiyo_verify.integrations.render.client import Render
from kamiyo_verify.model.hosting.services import Deploy, DeployStatus
from kamiyo_verify.model.outcomes import NoAnswer
from sandbox.outside.render_services import OWNER, POSTGRES
from sandbox.outside.scenes import Scene
from tests.contract.conftest import Register
from tests.contract.validator import Contract, Leniency, Seen, described
from tests.support.hosting import API, FRONTEND, Hosting, hosting

LENIENCY = Leniency(
    nullable=frozenset({"commit", "finishedAt", "startedAt", "ipAllowList", "eventFilter"}),
    optional=frozenset({"project"}),
)
"""As recorded answers show; `startedAt` is null before a deploy starts as `finishedAt` is before it ends."""

DETAILS = "#/components/schemas/serviceEventWithCursor/properties/event/properties/details"
FAULTS = ("crash-loop", "out-of-memory", "health-checks-failing", "build-failed", "backup-too-old")
MORE_FAULTS = ("deploy-stuck", "log-errors", "real-users-errors", "real-users-slow", "postgres-suspended")


@pytest.fixture(scope="module")
def contract(register: Register) -> Contract:
    return register("render", Contract(described("render-openapi.json"), LENIENCY))


@pytest.fixture
def uncounted() -> Contract:
    """The same, for what no client of ours was part of."""
    return Contract(described("render-openapi.json"), LENIENCY)


def read_everything(render: Render, found: Hosting) -> None:
    start, end = found.ago(hours=1), found.now
    render.services()
    for service_id in (API, FRONTEND):
        render.service(service_id)
        newest = render.deploys(service_id)[0]
        render.deploys(service_id, since=found.ago(days=3))
        render.deploy(service_id, newest.id)
        render.live_deploy(service_id)
        render.variables(service_id)
        render.event(render.events(service_id, found.ago(days=9), end)[-1].id)
        render.events(service_id, start, end, types=["deploy_ended"])
    render.logs([API, FRONTEND], start, end, at_most=20)
    render.logs([API], start, end, levels=["error"], types=["app", "build"], text=["Error"])
    render.http_requests([API, FRONTEND], start, end)
    render.http_requests([API], start, end, by="host")
    render.http_latency([API], start, end, quantile=0.95)
    render.memory([API], start, end)
    render.cpu([API], start, end)
    render.active_connections(start, end)
    render.postgres()
    render.recovery()
    render.exports()
    render.connection_info()
    found.finder.services()
    found.finder.databases()


def write_everything(found: Hosting) -> None:
    control, clock = found.control, found.clock
    control.set_auto_deploy(API, on=False)
    control.roll_back(API, found.render.deploys(API)[1].id)
    queued = control.trigger(API)
    clock.pass_(10)
    triggered = control.trigger(API, found.world.previous.id)
    assert queued is None
    assert triggered is not None
    control.cancel(API, triggered.id)


@pytest.mark.parametrize("scene", Scene)
def test_reading_keeps_to_the_description_in_every_scene(scene: Scene, contract: Contract) -> None:
    with hosting(scene=scene) as found:
        for _ in range(2):
            read_everything(found.render, found)
            found.clock.pass_(90)  # in the deploy scene the deploy has ended by then
        check_all(contract, found)


@pytest.mark.parametrize("faults", [FAULTS, MORE_FAULTS], ids=["some", "others"])
@pytest.mark.parametrize("scene", [Scene.DEPLOY, Scene.POSTDEPLOY])
def test_reading_keeps_to_the_description_under_faults(
    scene: Scene, faults: tuple[str, ...], contract: Contract
) -> None:
    with hosting(*faults, scene=scene) as found:
        found.clock.pass_(2)
        read_everything(found.render, found)
        check_all(contract, found)


def test_writing_keeps_to_the_description(contract: Contract) -> None:
    with hosting() as found:
        write_everything(found)
        check_all(contract, found)


def test_a_rollback_goes_as_described(contract: Contract) -> None:
    """It makes a new deploy of the old commit, and leaves auto-deploy on: a push undoes it, or not."""
    with hosting() as found:
        before = found.render.deploys(API)
        found.control.set_auto_deploy(FRONTEND, on=False)
        begun = {service: _back(found, service) for service in (API, FRONTEND)}
        assert [deploy.trigger for deploy in begun.values()] == ["rollback", "rollback"]
        found.clock.pass_(60)
        now = found.render.deploys(API)
        assert [one.id for one in now[1:]] == [one.id for one in before]
        assert (now[0].status, now[1].status) == (DeployStatus.LIVE, DeployStatus.DEACTIVATED)
        assert now[0].commit == before[1].commit
        assert found.render.service(API).auto_deploy, "as the description says"
        found.world.push()
        assert found.render.deploys(API)[0].trigger == "new_commit"
        assert found.render.deploys(FRONTEND)[0].trigger == "rollback"
        with pytest.raises(NoAnswer, match="cannot be rolled back to"):
            found.control.roll_back(FRONTEND, begun[FRONTEND].id)
        check_all(contract, found)


def _back(found: Hosting, service_id: str) -> Deploy:
    return found.control.roll_back(service_id, found.render.deploys(service_id)[1].id)


REFUSED: dict[str, tuple[int, Callable[[httpx2.Client], httpx2.Response]]] = {
    "no key": (401, lambda ask: ask.get("/services", headers={"Authorization": ""})),
    "another key": (401, lambda ask: ask.get("/services", headers={"Authorization": "Bearer rnd_x"})),
    "unknown service": (404, lambda ask: ask.get("/services/srv-none")),
    "unknown deploy": (404, lambda ask: ask.get(f"/services/{API}/deploys/dep-none")),
    "unknown database": (404, lambda ask: ask.get("/postgres/dpg-none")),
    "unknown group": (404, lambda ask: ask.get("/env-groups/evg-none")),
    "logs without owner": (400, lambda ask: ask.get("/logs", params={"resource": API})),
    "logs without resource": (400, lambda ask: ask.get("/logs", params={"ownerId": OWNER})),
    "logs of nonsense time": (
        400,
        lambda ask: ask.get("/logs", params={"ownerId": OWNER, "resource": API, "startTime": "noon"}),
    ),
    "time without zone": (
        400,
        lambda ask: ask.get(f"/services/{API}/events", params={"startTime": "2026-11-23T12:00:00"}),
    ),
    "unknown event": (400, lambda ask: ask.get(f"/services/{API}/events", params={"type": "picnic"})),
    "too fine": (400, lambda ask: ask.get("/metrics/cpu", params={"resource": API, "resolutionSeconds": 5})),
    "rollback without deploy": (400, lambda ask: ask.post(f"/services/{API}/rollback", json={})),
    "rollback to the unknown": (
        404,
        lambda ask: ask.post(f"/services/{API}/rollback", json={"deployId": "dep-none"}),
    ),
    "unknown commit": (400, lambda ask: ask.post(f"/services/{API}/deploys", json={"commitId": "ffff"})),
    "no switch": (400, lambda ask: ask.patch(f"/services/{API}", json={"autoDeploy": "maybe"})),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_are_described_ones(case: str, uncounted: Contract) -> None:
    status, ask = REFUSED[case]
    with hosting() as found:
        headers = {"Authorization": f"Bearer {found.secrets.render_api_key}"}
        with httpx2.Client(base_url=f"{found.origin}/render/v1", headers=headers, trust_env=False) as client:
            answer = ask(client)
        assert answer.status_code == status
        answers = [found.seen[0]]
    problems = [problem for seen in answers for problem in uncounted.problems(seen) if "→ 4" in problem]
    # The request is wrong on purpose; the answer has to be as described.
    assert not [problem for problem in problems if "answer" in problem or "status" in problem]


def test_the_rate_limit_is_told_as_described(contract: Contract) -> None:
    with hosting() as found:
        for _ in range(30):
            found.render.logs([API], found.ago(minutes=1), found.now, at_most=1)
        with pytest.raises(NoAnswer, match="asks to wait"):
            found.render.logs([API], found.ago(minutes=1), found.now, at_most=1)
        last = found.seen[-1]
        check_all(contract, found)
    assert last.status == 429
    assert last.answer_headers["retry-after"] == last.answer_headers["ratelimit-reset"] == "60"
    assert last.answer_headers["ratelimit-remaining"] == "0"


def test_the_details_of_events_are_those_of_their_type(contract: Contract) -> None:
    description = described("render-openapi.json")
    variants = description["components"]["schemas"]["serviceEventWithCursor"]["properties"]["event"][
        "properties"
    ]
    titles = [variant.get("title") for variant in variants["details"]["oneOf"]]
    types = set()
    with hosting(*FAULTS, scene=Scene.POSTDEPLOY) as found:
        for service_id in (API, FRONTEND):
            found.render.events(service_id, found.ago(days=9), found.now)
        rows = [row for seen in found.seen for row in json.loads(seen.answer_body)]
    for event in (row["event"] for row in rows):
        types.add(event["type"])
        title = event["type"].replace("_", " ").title()
        place = f"{DETAILS}/anyOf/{titles.index(title)}"
        assert contract.value_problems(place, event["details"]) == [], event
    assert types == {
        "build_ended",
        "build_started",
        "deploy_ended",
        "deploy_started",
        "server_available",
        "server_failed",
    }


def test_recorded_answers_of_render_itself_pass_the_same_validation(uncounted: Contract) -> None:
    """What the validation rejects here is known: an answer older than the description."""
    recorded: list[dict[str, Any]] = described("render-recorded-samples.json")
    found = []
    for sample in recorded:
        seen = Seen(
            method=sample["method"],
            target=sample["path"].removeprefix("/v1"),
            status=sample["status"],
            answer_headers={"content-type": "application/json"},
            answer_body=json.dumps(sample["response"]).encode(),
        )
        found += [problem for problem in uncounted.problems(seen) if "request body" not in problem]
    assert [problem.partition("answer ")[2] for problem in found] == [
        "$: 'diskAutoscalingEnabled' is a required property"
    ]


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (Seen("GET", "/picnics", 200), "no such operation"),
        (Seen("GET", "/logs?resource=srv-x", 401), "'ownerId' is missing"),
        (Seen("GET", f"/services/{API}/events?picnic=1", 500), "query parameter 'picnic' is not known"),
        (Seen("GET", f"/services/{API}/deploys?status=asleep", 401), "'asleep' is not one of"),
        (Seen("GET", f"/services/{API}/deploys?limit=many", 401), "'many' is not of type 'integer'"),
        (Seen("GET", f"/postgres/{POSTGRES}/recovery", 418), "status 418 is not described"),
        (Seen("GET", f"/postgres/{POSTGRES}/recovery", 200), "of no type, not application/json"),
        (Seen("POST", f"/services/{API}/rollback", 401), "the request body is missing"),
    ],
)  # fmt: skip
def test_the_validation_sees_what_is_wrong(seen: Seen, expected: str, uncounted: Contract) -> None:
    assert any(expected in problem for problem in uncounted.problems(seen))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"recoveryStatus": "PERHAPS"}', "'PERHAPS' is not one of"),
        (b'{"recoveryStatus": "AVAILABLE", "startsAt": "yesterday"}', "is not a 'date-time'"),
        (b"{}", "'recoveryStatus' is a required property"),
        (b"<html>", "the answer is no JSON"),
    ],
)
def test_the_validation_reads_answers(body: bytes, expected: str, uncounted: Contract) -> None:
    seen = Seen(
        "GET",
        f"/postgres/{POSTGRES}/recovery",
        200,
        answer_headers={"content-type": "application/json"},
        answer_body=body,
    )
    assert any(expected in problem for problem in uncounted.problems(seen))


def check_all(contract: Contract, found: Hosting) -> None:
    before = contract.answers
    problems = [problem for seen in found.seen for problem in contract.problems(seen)]
    assert not problems, "\n".join(problems[:20])
    assert contract.answers - before == len(found.seen) > 0

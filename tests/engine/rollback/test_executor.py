"""The executor against a Render that answers in every way: nothing twice, and never a false "done"."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.judge.rollback.plan import plan_to_deploys
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.hosting.rollback import CannotRollBack, End, Outcome, Plan
from kamiyo_verify.rollback.console import ConsoleReporter
from kamiyo_verify.rollback.executor import Executor
from kamiyo_verify.rollback.journal import Journal, Past, alone
from sandbox.outside.render_deploys import Course, Status
from tests.support.rolling_back import POLL_S, SETTLE_S, Asked, Cut, Hoster, Keeper, hoster
from tests.support.toy_project import ROOT

RUNBOOK = load_runbook(ROOT / "runbook.toml")
BOTH = ("frontend", "api")


@pytest.fixture
def render() -> Iterator[Hoster]:
    with hoster(deploy_s=0.1) as found:
        yield found


def planned(render: Hoster, *services: str) -> Plan:
    """Both services, or those, back to the deploy before."""
    gateway = render.gateway
    states = [gateway.state(service) for service in gateway.services]
    gateway.close()
    back = {service: render.world.deploys(service)[1].id for service in services or BOTH}
    return plan_to_deploys("toy", states, back, RUNBOOK)


class Execution:
    """Executes a plan in a folder, as often as it is told to."""

    def __init__(self, render: Hoster, folder: Path, wait_s: float = 5.0) -> None:
        self.render, self.folder, self.wait_s = render, folder, wait_s
        self.plan = planned(render)
        self.said: list[str] = []

    def __call__(self) -> Outcome:
        gateway = self.render.gateway
        past = Past.read(self.folder)
        journal = Journal(self.folder, Masker())
        journal.write("begun")
        try:
            return Executor(
                self.plan,
                gateway,
                journal,
                past,
                ConsoleReporter(self.said.append, live=False, every_s=0),
                wait_s=self.wait_s,
                poll_s=POLL_S,
                settle_s=SETTLE_S,
            ).run()
        finally:
            journal.close()
            gateway.close()

    @property
    def journal(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "rollback.jsonl").read_text().splitlines()]

    @property
    def states(self) -> str:
        stopped = next(line for line in reversed(self.journal) if line["kind"] == "stopped")
        return json.dumps(stopped["services"])


@pytest.fixture
def execute(render: Hoster, tmp_path: Path) -> Execution:
    return Execution(render, tmp_path)


def answers(
    status: int, body: str = "{}", *, times: int = 99, wait: str = ""
) -> Callable[[], Response | None]:
    """So many answers of that status."""
    left = [times]
    told = {"Location": "/x"} | ({"Retry-After": wait} if wait else {})

    def give() -> Response | None:
        left[0] -= 1
        kind = "text/html" if body.startswith("<") else "application/json"
        return Response(body, status, media_type=kind, headers=told) if left[0] >= 0 else None

    return give


def to_rollbacks(give: Callable[[], Response | type[Cut] | None], *, done: bool) -> Keeper:
    return lambda asked: give() if asked.is_rollback and asked.done is done else None


def test_both_go_back_and_the_order_is_the_plans(render: Hoster, execute: Execution) -> None:
    outcome = execute()

    assert outcome.end is End.DONE
    assert all(one.back and one.auto_deploy is False and one.took_s for one in outcome.services)
    assert [len(render.rollbacks(service)) for service in BOTH] == [1, 1]
    kinds = [(line["kind"], line.get("service"), line.get("what")) for line in execute.journal]
    assert kinds.index(("call", "kamiyo-api", "auto-deploy off")) < kinds.index(
        ("call", "kamiyo-frontend", "rollback")
    ), "no rollback before auto-deploy is off everywhere"


def test_what_deployed_automatically_before_is_recorded_also_for_a_second_execution(
    render: Hoster, execute: Execution
) -> None:
    outcome = execute()
    again = execute()

    switched = [line for line in execute.journal if line["kind"] == "call" and "resume" in line]
    assert [line["was"] for line in switched] == ["checksPass"] * 2
    for one in (*outcome.services, *again.services):
        method, address, body = one.resume.split(" ", 2)
        assert (method, json.loads(body)) == ("PATCH", {"autoDeployTrigger": "checksPass"})
        assert address == f"{render.origin}/render/v1/services/{one.target.id}"


def test_what_is_done_already_is_not_done_again(render: Hoster, execute: Execution) -> None:
    assert execute().end is End.DONE
    writes = list(render.gate.writes)

    assert execute().end is End.DONE
    assert render.gate.writes == writes


def test_one_that_somebody_began_is_waited_for(render: Hoster, execute: Execution) -> None:
    for service in BOTH:
        render.world.set_trigger(service, "off")
        render.world.roll_back(service, render.world.deploys(service)[1].id)

    assert execute().end is End.DONE
    assert render.gate.writes == []


@pytest.mark.parametrize(
    ("give", "done"),
    [
        (lambda: Cut, True),
        (answers(500), True),
        (answers(503, "<html>busy</html>"), True),
        (answers(201, "<html>done</html>"), True),
        (answers(201, '{"id": "dep-x", "status": "picnic", "createdAt": "2026-11-23T12:00:00Z"}'), True),
        (answers(302), True),
    ],
    ids=["cut", "500", "busy page", "a page for an answer", "unknown status", "led elsewhere"],
)
def test_a_lost_answer_is_looked_for_and_not_repeated(
    render: Hoster, execute: Execution, give: Callable[[], Response | type[Cut]], *, done: bool
) -> None:
    render.gate.keeper = to_rollbacks(give, done=done)
    outcome = execute()

    assert outcome.end is End.DONE, outcome.why
    assert [len(render.rollbacks(service)) for service in BOTH] == [1, 1]


REFUSALS: dict[str, tuple[Callable[[], Response | None], str]] = {
    "400": (answers(400, '{"message": "the image of this deploy has expired"}'), "has expired"),
    "401": (answers(401), "RENDER_API_KEY is not accepted"),
    "403": (answers(403), "RENDER_API_KEY does not allow this"),
    "404": (answers(404), "no such service or deploy"),
    "409": (answers(409, '{"message": "service is busy"}'), "busy"),
    "429": (answers(429, wait="3600"), "asks to wait 3600 s"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_a_refusal_is_told_and_nothing_goes_on(render: Hoster, execute: Execution, case: str) -> None:
    give, told = REFUSALS[case]
    render.gate.keeper = to_rollbacks(give, done=False)
    outcome = execute()

    assert outcome.end is End.STOPPED
    assert told in outcome.why, outcome.why
    assert [len(render.rollbacks(service)) for service in BOTH] == [0, 0]
    assert sum(write.endswith("/rollback") for write in render.gate.writes) == 1
    assert "not rolled back: Render refused" in execute.states
    assert "auto-deploy switched off, not rolled back" in execute.states
    assert not any(one.back for one in outcome.services)


@pytest.mark.parametrize(
    "give", [lambda: Cut, answers(500), answers(200, "<html>")], ids=["cut", "500", "page"]
)
def test_what_never_came_to_pass_is_not_said_to_be_done(
    render: Hoster, execute: Execution, give: Callable[[], Response | type[Cut]]
) -> None:
    render.gate.keeper = to_rollbacks(give, done=False)
    outcome = execute()

    assert outcome.end is End.STOPPED
    assert "not known whether Render began" in outcome.why
    assert sum(write.endswith("/rollback") for write in render.gate.writes) == 1
    render.gate.keeper = lambda _asked: None
    assert execute().end is End.DONE
    assert [len(render.rollbacks(service)) for service in BOTH] == [1, 1]


def test_where_auto_deploy_stays_on_nothing_is_rolled_back(tmp_path: Path) -> None:
    with hoster("auto-deploy-on") as render:
        execute = Execution(render, tmp_path)
        outcome = execute()

    assert outcome.end is End.STOPPED
    assert "auto-deploy of kamiyo-frontend cannot be switched off" in outcome.why
    assert [write.partition(" ")[0] for write in render.gate.writes] == ["PATCH"]


def test_a_key_that_may_not_write_rolls_nothing_back(render: Hoster, execute: Execution) -> None:
    render.gate.keeper = lambda asked: Response("{}", 403) if asked.method == "PATCH" else None
    outcome = execute()

    assert "cannot be switched off: PATCH" in outcome.why
    assert not any(write.endswith("/rollback") for write in render.gate.writes)


@pytest.mark.parametrize("status", [Status.BUILD_FAILED, Status.UPDATE_FAILED, Status.PRE_DEPLOY_FAILED])
def test_a_rollback_that_fails_stops_and_can_be_tried_again(
    render: Hoster, execute: Execution, monkeypatch: pytest.MonkeyPatch, status: Status
) -> None:
    usual, failing = Course._planned, set[str]()

    def planned(course: Course) -> Iterator[tuple[Any, Status]]:
        deploy = course.deploy
        if deploy.rolls_back_to and deploy.service == "api" and not failing:
            failing.add(deploy.id)
        for moment, stage in usual(course):
            yield moment, status if stage is Status.LIVE and deploy.id in failing else stage

    monkeypatch.setattr(Course, "_planned", planned)
    outcome = execute()
    assert outcome.end is End.STOPPED
    assert f"ended as {status.replace('_', ' ')}" in outcome.why
    assert [one.back for one in outcome.services] == [True, False]

    assert execute().end is End.DONE
    assert [len(render.rollbacks(service)) for service in BOTH] == [1, 2]


def test_one_that_is_cancelled_stops(render: Hoster, execute: Execution) -> None:
    render.world.deploy_s = 20.0

    def keeper(asked: Asked) -> None:
        if asked.method == "GET" and "/deploys/dep-" in asked.path and not asked.done:
            newest = render.rollbacks("frontend")[0]
            if newest.canceled_at is None:
                render.world.cancel("frontend", newest.id)

    render.gate.keeper = keeper
    outcome = execute()

    assert "ended as canceled" in outcome.why
    assert render.rollbacks("api") == []


def test_one_that_does_not_end_is_not_known(render: Hoster, tmp_path: Path) -> None:
    render.world.deploy_s = 60.0
    execute = Execution(render, tmp_path, wait_s=0.2)
    outcome = execute()

    assert outcome.end is End.STOPPED
    assert "it is not known how dep-" in outcome.why
    assert "It goes on by itself" in outcome.why
    execute()
    assert [len(render.rollbacks(service)) for service in BOTH] == [1, 0], "it is waited for, not begun again"


@pytest.mark.parametrize(
    "give",
    [answers(500, times=4), answers(200, "<html>", times=4), answers(429, times=1, wait="0")],
    ids=["500", "page", "429"],
)
def test_trouble_while_waiting_is_waited_out(
    render: Hoster, execute: Execution, give: Callable[[], Response | None]
) -> None:
    render.gate.keeper = lambda asked: (
        give() if asked.method == "GET" and "/deploys/dep-" in asked.path and not asked.done else None
    )
    assert execute().end is End.DONE


def test_a_key_that_is_taken_away_while_waiting_stops_at_once(render: Hoster, execute: Execution) -> None:
    render.world.deploy_s = 30.0
    render.gate.keeper = lambda asked: (
        Response("{}", 401) if "/deploys/dep-" in asked.path and not asked.done else None
    )
    outcome = execute()
    assert "it is not known how dep-" in outcome.why
    assert "is not accepted" in outcome.why


@pytest.mark.parametrize(
    "give",
    [answers(500), answers(401), answers(200, "[]"), answers(200, "<html>"), answers(200, '[{"deploy": 1}]')],
    ids=["500", "401", "no deploys", "page", "nonsense"],
)
def test_where_render_tells_nothing_nothing_is_sent(
    render: Hoster, execute: Execution, give: Callable[[], Response | None]
) -> None:
    render.gate.keeper = lambda asked: give() if asked.path.endswith("/deploys") and not asked.done else None
    outcome = execute()

    assert outcome.end is End.STOPPED
    assert render.gate.writes == []
    assert all(one.state == "not touched" for one in outcome.services)


def test_another_deploy_in_between_stops_it(render: Hoster, execute: Execution) -> None:
    render.world.deploy_s = 20.0
    render.world.trigger("api", "")
    outcome = execute()

    assert "another deploy of kamiyo-api is on its way" in outcome.why
    assert render.gate.writes == []


def test_a_suspended_service_is_not_touched(render: Hoster, execute: Execution) -> None:
    def keeper(asked: Asked) -> Response | None:
        if asked.done or asked.path.count("/") != 2:
            return None
        told = {"id": "x", "name": "kamiyo", "type": "web_service", "autoDeploy": "yes", "ownerId": "tea-x"}
        told |= {"dashboardUrl": "https://x.example", "suspended": "suspended"}
        return Response(json.dumps({**told, "serviceDetails": {}}), media_type="application/json")

    render.gate.keeper = keeper
    outcome = execute()
    assert "is suspended: resume it first" in outcome.why
    assert render.gate.writes == []


def test_a_target_that_is_gone_is_refused(render: Hoster, execute: Execution) -> None:
    gone = tuple(replace(target, to="dep-gone") for target in execute.plan.targets)
    execute.plan = replace(execute.plan, targets=gone)
    outcome = execute()
    assert "not known to the host any more" in outcome.why
    assert render.gate.writes == []


def test_names_from_outside_steer_no_terminal(render: Hoster, execute: Execution) -> None:
    renamed = tuple(replace(target, name="evil\x1b]0;x\x07") for target in execute.plan.targets)
    execute.plan = replace(execute.plan, targets=renamed)
    assert execute().end is End.DONE
    assert "\x1b" not in "".join(execute.said)
    assert render.is_back("api")


def test_a_torn_journal_is_read_and_gone_on_from(render: Hoster, execute: Execution) -> None:
    execute.folder.mkdir(exist_ok=True)
    (execute.folder / "rollback.jsonl").write_text('{"kind": "begun", "at": "x"}\n{"kind": "ca')
    assert execute().end is End.DONE
    lines = (execute.folder / "rollback.jsonl").read_text().splitlines()
    assert lines[1] == '{"kind": "ca'
    assert json.loads(lines[2])["kind"] == "begun"


def test_a_journal_that_cannot_be_written_stops_before_the_call(
    render: Hoster, execute: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Journal.write

    def full(journal: Journal, kind: str, **told: Any) -> None:
        if kind == "call":
            raise OSError(28, "No space left on device")
        usual(journal, kind, **told)

    monkeypatch.setattr(Journal, "write", full)
    outcome = execute()
    assert "No space left on device" in outcome.why
    assert render.gate.writes == []


def test_only_one_at_a_time(tmp_path: Path) -> None:
    with (
        alone(tmp_path, "toy", "Ada"),
        pytest.raises(CannotRollBack, match=r"is running \(Ada, process"),
        alone(tmp_path, "toy", "Bob"),
    ):
        pytest.fail("two at a time")
    with alone(tmp_path, "toy", "Bob"), alone(tmp_path, "other", "Ada"):
        pass


def test_auto_deploy_that_is_switched_on_in_between_is_noticed(render: Hoster, execute: Execution) -> None:
    def keeper(asked: Asked) -> None:
        if asked.is_rollback and asked.done and "api" in asked.path:
            render.world.set_trigger("frontend", "commit")

    render.gate.keeper = keeper
    outcome = execute()
    assert render.is_back("api")
    assert outcome.end is End.STOPPED
    assert "auto-deploy of kamiyo-frontend is on again" in outcome.why

"""A firewall that asks whether a browser asks: nothing about the service, whatever its status is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from kamiyo_verify.evidence.timelines import timelines
from kamiyo_verify.hooks.outcome import outcome_of
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.http.control_probe import ControlResult
from kamiyo_verify.http.credentials import by_status
from kamiyo_verify.integrations.websocket.conventions import Conventions
from kamiyo_verify.integrations.websocket.refusals import refusal
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rules.effects import by_endpoint
from kamiyo_verify.judge.statistics.endpoints import error_series
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Status
from tests.support.evidence_for import HEALTH, RUNBOOK, evidence, result
from tests.support.hostile_server import Server, answer, saying

PAGE = b"<html><title>Just a moment...</title></html>"
CHALLENGES = [
    ("403 Forbidden", "CF-Mitigated: challenge"),
    ("503 Service Unavailable", "cf-mitigated: Challenge"),
    ("202 Accepted", "x-amzn-waf-action: challenge"),
    ("405 Method Not Allowed", "x-amzn-waf-action: captcha"),
    ("429 Too Many Requests", "x-vercel-mitigated: challenge"),
    ("200 OK", "cf-mitigated: challenge"),
]


def challenge_of(status: str, head: str) -> tuple[NoAnswer, list[Exchange]]:
    record: list[Exchange] = []
    context = ClientContext(Timeouts(connect=2, answer=5, item=9), record.append, lambda: 9.0)
    with Server(saying(answer(PAGE, status, head))) as server:
        with pytest.raises(NoAnswer) as caught:
            HttpClient(server.origin, context).get("/x", carried=by_status("KEY"))
        return caught.value, record


@pytest.mark.parametrize(("status", "head"), CHALLENGES)
def test_a_challenge_is_ours_and_refuses_no_credential(status: str, head: str) -> None:
    found, [sent] = challenge_of(status, head)
    outcome = outcome_of(found, lambda: ControlResult(ok=True, message="a control answered"))

    assert found.kind is NoAnswerKind.CHALLENGED
    assert "asks this runner to prove that it is a browser" in str(found)
    assert (outcome.status, outcome.attribution) == (Status.ERROR, Attribution.PROBER)
    assert outcome.failure is FailureKind.CHALLENGED
    assert (sent.status, sent.accepted, sent.leak) == (int(status[:3]), None, "")


@pytest.mark.parametrize("head", ["cf-mitigated: none", "x-amzn-waf-action: block", "Server: cloudflare"])
def test_other_answers_of_a_firewall_are_read_by_their_status(head: str) -> None:
    context = ClientContext(Timeouts(connect=2, answer=5, item=9), lambda _: None, lambda: 9.0)
    with Server(saying(answer(PAGE, "403 Forbidden", head))) as server:
        assert HttpClient(server.origin, context).get("/x").status == 403


def test_challenges_are_no_outage_and_no_failing_requests() -> None:
    found, [sent] = challenge_of("503 Service Unavailable", "cf-mitigated: challenge")
    many = [replace(sent, at=f"2026-11-23T14:10:{second:02}+00:00") for second in range(30)]
    item = result(
        HEALTH,
        Status.ERROR,
        str(found),
        attribution=Attribution.PROBER,
        failure=FailureKind.CHALLENGED,
        exchanges=tuple(many),
    )
    verdict = decide(evidence(item))

    assert timelines({"api": sent.url.removesuffix("/x")}, many) == ()
    assert by_endpoint(many, 0.95) == ()
    assert error_series(evidence(replace(item, attribution=None))) == ()
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert verdict.headline.startswith("a firewall asks this runner to prove that it is a browser; users may")
    assert verdict.next_step.startswith("decide nothing from this run: look from another network")


def test_a_challenge_beside_a_failure_hides_no_ground() -> None:
    broken = replace(result("postdeploy.sign-in", Status.FAILED), failure=FailureKind.SERVER_ERROR)
    ours = result(HEALTH, Status.ERROR, attribution=Attribution.PROBER, failure=FailureKind.CHALLENGED)
    assert decide(evidence(broken, ours, runbook=RUNBOOK)).recommendation is Action.ROLL_BACK


def test_a_websocket_that_is_challenged_refuses_no_key() -> None:
    with Server(saying(answer(PAGE, "403 Forbidden", "cf-mitigated: challenge"))) as server:
        with pytest.raises(InvalidStatus) as caught, connect(f"ws{server.origin.removeprefix('http')}/ws"):
            pass
        problem, status = refusal(caught.value, server.origin, server.origin, 0.1, Conventions(), "KEY")
    assert isinstance(problem, NoAnswer)
    assert (problem.kind, status) == (NoAnswerKind.CHALLENGED, 403)

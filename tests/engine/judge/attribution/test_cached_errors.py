"""An error that a cache repeats, in a check of a team's own: no ground for a rollback, and no outage."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.evidence.timelines import timelines
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.judge.attribution.failures import whole_service_silent
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.rules.effects import by_endpoint
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.words import Action, FailureKind, Status
from kamiyo_verify.sampling.follow_up import _status
from tests.support.evidence_for import DATA, HEALTH, evidence, result
from tests.support.hostile_server import Server, answer, saying


def exchanged(status: str, head: str = "Age: 300") -> Exchange:
    record: list[Exchange] = []
    context = ClientContext(Timeouts(connect=2, answer=5, item=9), record.append, lambda: 9.0)
    with Server(saying(answer(b"{}", status, head))) as server:
        found = HttpClient(server.origin, context).get("/x")
    assert (_status(found) is None) is bool(record[0].problem)
    return replace(record[0], url="https://api.example.com/x", at="2026-11-23T14:10:00+00:00")


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error", "502 Bad Gateway"])
def test_a_cached_error_alone_is_inconclusive_and_says_what_to_do(status: str) -> None:
    sent = exchanged(status)
    kind = FailureKind.WRONG_STATUS if status[0] == "4" else FailureKind.SERVER_ERROR
    broken = result(HEALTH, Status.FAILED, f"GET /x answered {status[:3]}", exchanges=(sent,), failure=kind)

    verdict = decide(evidence(broken))

    assert verdict.recommendation is Action.INCONCLUSIVE
    assert timelines({"api": "https://api.example.com"}, [sent]) == ()
    assert by_endpoint([sent], 0.95) == ()


def test_an_error_that_the_service_gave_once_itself_is_its_own_for_all_that_a_cache_repeats() -> None:
    sent, own = exchanged("502 Bad Gateway"), exchanged("502 Bad Gateway", "X-Cache: MISS")
    kind = FailureKind.SERVER_ERROR
    broken = result(HEALTH, Status.FAILED, "GET /x answered 502", exchanges=(own, sent), failure=kind)

    assert decide(evidence(broken)).recommendation is Action.ROLL_BACK


def test_what_a_cache_serves_does_not_show_that_the_service_answers() -> None:
    served, down = exchanged("200 OK"), exchanged("502 Bad Gateway", "X-Cache: MISS")
    kind = FailureKind.SERVER_ERROR
    broken = result(HEALTH, Status.FAILED, "GET /x answered 502", exchanges=(down,), failure=kind)

    assert whole_service_silent(evidence(broken, result(DATA, Status.PASSED, exchanges=(served,))), broken)
    assert [line.failures for line in timelines({"api": "https://api.example.com"}, [served, down])] == [
        ("502",)
    ]

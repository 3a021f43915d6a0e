"""Which failures of a run a refused credential explains, and which it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.judge.attribution.attribution import attributed
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.confirmation import Confirmation, FailingShare, Recheck
from kamiyo_verify.model.credentials import CredentialUse, Refusal, RefusalKind
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Result
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Status
from tests.support.evidence_for import (
    DATA,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
    LEAK,
    LIVE,
    PASSED,
    SIGN_IN,
    at,
    evidence,
    measured,
    result,
)

BACK, FIX, OPEN = Action.ROLL_BACK, Action.FIX_FORWARD, Action.INCONCLUSIVE
K = FailureKind
PROBER = Attribution.PROBER
KEY = "KAMIYO_API_KEY"
API = "https://api.example"


def keyed(status: int | None, path: str = "/exploits", *, accepted: bool | None = False) -> Exchange:
    problem = "" if status else "refuses the connection"
    return Exchange("GET", f"{API}{path}", status, 5.0, problem=problem, credential=KEY, accepted=accepted)


def anonymous(status: int, method: str = "OPTIONS", path: str = "/chains") -> Exchange:
    return Exchange(method, f"{API}{path}", status, 5.0)


def failed(item: str, kind: FailureKind, *exchanges: Exchange, tests: int = 1) -> Result:
    tries = tuple(Attempt(FAILED, "no", f"2026-11-23T14:10:0{n}+00:00", 0.2) for n in range(3))
    nodeids = tuple(f"test_{n}" for n in range(tests))
    return result(item, FAILED, failure=kind, exchanges=exchanges, attempts=tries, nodeids=nodeids)


IGNORED = replace(
    failed(LIVE, K.CREDENTIAL_REFUSED, keyed(200)), refusal=Refusal(KEY, RefusalKind.WRONG_TIER)
)
"""The API serves the key as a stranger's."""
REVOKED = replace(
    failed(LIVE, K.CREDENTIAL_REFUSED, keyed(401)), refusal=Refusal(KEY, RefusalKind.UNAUTHORIZED)
)


def of(*results: Result) -> Evidence:
    return evidence(*results, credentials=(CredentialUse(KEY, "f1", accepted=0, refused=9),))


HOLE = failed(LEAK, K.WRONG_CONTENT, keyed(200, "/chains"), anonymous(200))
NOT_EXPLAINED = [
    pytest.param(HOLE, BACK, id="a foreign origin may read answers"),
    pytest.param(failed(LEAK, K.WRONG_CONTENT, keyed(200)), BACK, id="a stranger sees too much"),
    pytest.param(
        failed(HEALTH, K.SERVER_ERROR, keyed(200), keyed(500, "/exploits/x", accepted=None)), BACK, id="500"
    ),
    pytest.param(failed(HEALTH, K.NO_ANSWER, keyed(200), keyed(None, accepted=None)), BACK, id="no answer"),
    pytest.param(failed(SIGN_IN, K.WRONG_FORMAT, keyed(200)), BACK, id="an unreadable format"),
    pytest.param(
        failed(HEALTH, K.WRONG_STATUS, keyed(200), anonymous(404, "GET")), BACK, id="an anonymous 404"
    ),
    pytest.param(
        failed(HEALTH, K.WRONG_CONTENT, keyed(200), anonymous(200)), BACK, id="an anonymous request"
    ),
    pytest.param(failed(HEALTH, K.WRONG_CONTENT, keyed(200, accepted=None)), BACK, id="not refused"),
]
EXPLAINED = [
    pytest.param(failed(HEALTH, K.WRONG_CONTENT, keyed(200)), id="rows that a stranger does not get"),
    pytest.param(
        failed(HEALTH, K.WRONG_STATUS, keyed(200), keyed(404, accepted=None)), id="a stranger's 404"
    ),
    pytest.param(
        failed(DATA, K.WRONG_CONTENT, keyed(200), keyed(200, "/health", accepted=None)), id="counts"
    ),
    pytest.param(failed(HEALTH, K.WRONG_CONTENT, keyed(401)), id="refused"),
    pytest.param(failed(HEALTH, K.WRONG_FORMAT, keyed(401)), id="a page of HTML that refuses"),
    pytest.param(failed(LEAK, K.WRONG_CONTENT, keyed(403)), id="refused where a hole is looked for"),
    pytest.param(
        failed(HEALTH, K.WRONG_CONTENT, keyed(200), anonymous(200), tests=2),
        id="one of two tests, unknown which",
    ),
]


@pytest.mark.parametrize("refused", [IGNORED, REVOKED], ids=["ignored", "revoked"])
@pytest.mark.parametrize(("failure", "action"), NOT_EXPLAINED)
def test_a_refused_key_explains_only_its_own_refusals(
    failure: Result, action: Action, refused: Result
) -> None:
    verdict = decide(of(failure, refused))
    assert verdict.recommendation is action
    reason = next(one for one in verdict.reasons if one.item == failure.item)
    assert reason.attribution is not PROBER
    assert KEY not in verdict.headline


@pytest.mark.parametrize("failure", EXPLAINED)
def test_a_refused_key_explains_what_its_own_requests_were_refused(failure: Result) -> None:
    verdict = decide(of(failure, IGNORED))
    assert verdict.recommendation is OPEN
    assert {one.attribution for one in verdict.reasons} == {PROBER}
    assert f"renew {KEY}" in verdict.headline


def test_nothing_is_attributed_to_items_that_passed() -> None:
    served = [result(item, exchanges=(keyed(200),)) for item in (HEALTH, DATA, LEAK)]
    verdict = decide(of(*served, IGNORED))
    assert (verdict.recommendation, [one.item for one in verdict.reasons]) == (OPEN, [LIVE])
    assert {one.attribution for one in verdict.items if one.status is PASSED} == {None}


def test_an_item_that_passes_at_last_does_not_fail_by_its_credential() -> None:
    bad = tuple(n % 2 == 0 for n in range(60))
    share = FailingShare("GET /exploits", at(5), tuple(map(float, range(60))), bad)
    again = tuple(Recheck(at(5 + 8 * n), FAILED if n % 2 == 0 else PASSED) for n in range(8))
    tries = (Attempt(FAILED, "500", at(0), 0.2), Attempt(PASSED, "", at(1), 0.2))
    flaky = result(
        HEALTH, attempts=tries, exchanges=(keyed(200),), confirmation=Confirmation(at(0), again, share)
    )
    assert decide(of(flaky, IGNORED)).recommendation is BACK


def test_a_sample_of_refused_requests_measured_nothing() -> None:
    sample = replace(measured(ERRORS, errors=80, requests=80), exchanges=(keyed(401),) * 80)
    [found] = [one for one in attributed(of(sample)).results if one.item == ERRORS]
    assert (found.status, found.attribution) == (Status.ERROR, PROBER)
    assert (
        found.message
        == f"80 of its 80 requests were refused with {KEY}: they show nothing about the platform"
    )


@pytest.mark.parametrize(("broken", "action"), [(40, BACK), (0, OPEN)])
def test_server_errors_of_a_sample_count_whoever_is_served(broken: int, action: Action) -> None:
    sent = tuple(keyed(500 if n < broken else 200, accepted=None if n < broken else False) for n in range(80))
    sample = replace(measured(ERRORS, errors=broken, requests=80), exchanges=sent)
    assert decide(of(sample, IGNORED)).recommendation is action


def test_times_of_strangers_are_not_compared_with_those_of_the_key() -> None:
    slow = measured(LATENCY, response_times=(900.0,) * 80)
    known = {LATENCY: (Measurement("response_times", (408.0,) * 80, "ms"),)}
    assert decide(replace(of(slow), baseline=known)).recommendation is BACK
    served = replace(slow, exchanges=(keyed(200),) * 80)
    assert decide(replace(of(served, IGNORED), baseline=known)).recommendation is OPEN

"""A certificate and a name lie before every service: taking code back helps neither."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.http.problems import certificate_trouble
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.circumstances import Before
from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Status
from tests.support.evidence_for import FAILED, HEALTH, SIGN_IN, at, evidence, looks, result

NEW, OLD = "9c41d07" + "0" * 33, "3b0cca2" + "0" * 33
API = "https://api.example"
EXPIRED, EARLY = (f"{API} {certificate_trouble(code, '')}" for code in (10, 9))
OTHER_HOST, UNKNOWN_ISSUER = (f"{API} {certificate_trouble(code, '')}" for code in (62, 20))
NO_NAME = f"{API} cannot be found: its name does not resolve"
REFUSED = f"{API} refuses the connection"
FIX, OPEN, BACK = Action.FIX_FORWARD, Action.INCONCLUSIVE, Action.ROLL_BACK
WELL = Before(
    run="r1",
    baseline=True,
    commit=OLD,
    finished_at="2026-11-23T13:00:00+00:00",
    age_s=3600,
    statuses={HEALTH: Status.PASSED, SIGN_IN: Status.PASSED},
)


def silent(problem: str, item: str = HEALTH) -> Result:
    return result(
        item,
        FAILED,
        problem,
        failure=FailureKind.NO_ANSWER,
        exchanges=tuple(Exchange("GET", f"{API}/x", None, 5.0, problem=problem, at=at(n)) for n in range(3)),
        confirmation=Confirmation(at(0), looks("FFFFFFFF")),
    )


def seen(*results: Result, before: Before | None = WELL, clock_ahead_s: float = 0.0) -> Evidence:
    return evidence(*results, commit=NEW, before=before, clock_ahead_s=clock_ahead_s)


@pytest.mark.parametrize(
    ("problem", "known", "unknown"),
    [
        (EXPIRED, FIX, FIX),
        (EARLY, FIX, FIX),
        (OTHER_HOST, FIX, OPEN),
        (UNKNOWN_ISSUER, OPEN, OPEN),
        (NO_NAME, FIX, OPEN),
        (REFUSED, BACK, BACK),
    ],
)
def test_what_lies_before_the_service_rolls_nothing_back(
    problem: str, known: Action, unknown: Action
) -> None:
    assert decide(seen(silent(problem))).recommendation is known
    assert decide(seen(silent(problem), before=None)).recommendation is unknown


def test_the_report_says_what_it_is_and_blames_no_deploy() -> None:
    verdict = decide(seen(silent(EXPIRED)))
    assert verdict.headline.endswith(f"{EXPIRED}; a rollback changes neither certificates nor names")
    assert "because a rollback changes neither certificates nor names" in verdict.next_step
    assert all(reason.attribution is not Attribution.INTRODUCED for reason in verdict.reasons)
    assert verdict.causes[0].title == EXPIRED


def test_any_other_ground_beside_it_still_rolls_back() -> None:
    broken = replace(
        silent(REFUSED, SIGN_IN),
        failure=FailureKind.SERVER_ERROR,
        exchanges=(Exchange("GET", "https://site.example/x", 500, 5.0, at=at(1)),),
    )
    assert decide(seen(silent(EXPIRED), broken)).recommendation is BACK
    both = replace(silent(EXPIRED), exchanges=(*silent(EXPIRED).exchanges, *broken.exchanges))
    assert decide(seen(both)).recommendation is BACK


def test_a_certificate_out_of_its_time_by_our_own_clock_is_ours() -> None:
    verdict = decide(seen(silent(EXPIRED), clock_ahead_s=86_400.0))
    assert verdict.recommendation is OPEN
    assert verdict.reasons[0].attribution is Attribution.PROBER
    assert "a certificate's validity goes by it" in verdict.reasons[0].message
    assert decide(seen(silent(REFUSED), clock_ahead_s=86_400.0)).recommendation is BACK

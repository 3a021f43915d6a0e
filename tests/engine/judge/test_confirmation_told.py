"""What the confirmation made of a failure, in numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.judge.confirmation.confirmed import FailureState, Reading, confirmed, limit, reading
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.confirmation import Confirmation, FailingShare
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import FailureKind
from tests.support.evidence_for import (
    ERROR,
    FAILED,
    HEALTH,
    LEAK,
    LIVE,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    at,
    evidence,
    looked,
    looks,
    share,
    tried,
)

S = FailureState


def read(of: Evidence, item: str) -> Reading | None:
    one = of.result(item)
    assert one is not None
    return reading(of, one)


@pytest.mark.parametrize(
    ("item", "pattern", "sample", "standing", "told"),
    [
        (HEALTH, "F", "", S.BROKEN, "still so in 1 further look"),
        (HEALTH, "FFF", "", S.BROKEN, "still so in 3 further looks"),
        (HEALTH, "FFF", "FFSF", S.BROKEN, "still so in 3 further looks; GET /api/auth/csrf failed in 3 of 4"),
        (HEALTH, "P" * 8, "", S.ENDED, ""),
        (
            HEALTH,
            "P" * 7,
            "",
            S.UNDECIDED,
            "failed in 0 of 7 further looks; well in the last 7 looks, and 8 show",
        ),
        (HEALTH, "P", "", S.UNDECIDED, "failed in 0 of 1 further look; well in the last 1 look, and 8 show"),
        (HEALTH, "FF" + "P" * 7, "", S.UNDECIDED, "failed in 2 of 9 further looks; well in the last 7 looks"),
        (HEALTH, "FF" + "P" * 8, "", S.ENDED, ""),
        (HEALTH, "PF" + "P" * 8, "", S.ENDED, ""),
        (HEALTH, "FPF" + "P" * 8, "", S.UNDECIDED, "failed in 2 of 11 further looks: too few"),
        (HEALTH, "FPFPFPFP", "", S.BROKEN, "failed in 4 of 8 further looks"),
        (HEALTH, "PF", "", S.UNDECIDED, "failed in 1 of 2 further looks: too few to tell how many users"),
        (HEALTH, "FFE", "", S.INCOMPLETE, "not confirmed: the last look could not be measured: why"),
        (HEALTH, "FEF", "", S.BROKEN, "still so in 2 further looks"),
        (LEAK, "PPF", "", S.BROKEN, "seen again by a separate request"),
        (LEAK, "P", "", S.UNDECIDED, "seen once, and not again in 1 further look: look yourself"),
        (LIVE, "FP", "", S.ENDED, ""),
        (
            SIGN_IN,
            "FP",
            "F" * 12,
            S.UNDECIDED,
            "every one of 12 requests failed, and the last look passed",
        ),
        (SIGN_IN, "PF", "F" * 12, S.BROKEN, "every one of 12 requests failed"),
        (
            SIGN_IN,
            "PF",
            "S" * 20 + "F" * 31,
            S.BROKEN,
            "GET /api/auth/csrf failed in every request of the last 30 s",
        ),
        (SIGN_IN, "PF", "FS" * 10, S.BROKEN, "GET /api/auth/csrf failed in"),
        (SIGN_IN, "FP", ("F" + "S" * 49) * 12, S.FEW, "GET /api/auth/csrf failed in"),
        (SIGN_IN, "FP", ("F" + "S" * 19) * 6, S.UNDECIDED, "on both sides of the policy's 5 %"),
    ],
)
def test_each_pattern_of_looks_is_told_in_numbers(
    item: str, pattern: str, sample: str, standing: FailureState, told: str
) -> None:
    found = read(looked(item, "FFF", pattern, sample), item)
    assert found is not None
    assert found.standing is standing
    assert told in found.message
    assert bool(found.message) is (standing is not S.ENDED)


def test_a_confirmation_that_ran_out_of_time_says_so() -> None:
    late = tried(HEALTH, "FF", Confirmation(at(0), incomplete="the deadline came first"))
    assert read(evidence(late), HEALTH) == Reading(S.INCOMPLETE, "not confirmed: the deadline came first")


def test_the_last_look_says_why_it_could_not_be_measured() -> None:
    first, last = looks("EE")
    seen = (replace(first, message="timed out"), replace(last, message="our network is away"))
    found = read(evidence(tried(HEALTH, "FF", Confirmation(at(0), seen))), HEALTH)
    assert found is not None
    assert found.message.endswith(": our network is away")


def test_nobody_looked_again() -> None:
    of = evidence(tried(HEALTH, "FF", Confirmation(at(0))))
    assert read(of, HEALTH) == Reading(
        S.INCOMPLETE, "not confirmed: the last look could not be measured: nobody looked again"
    )


def test_what_could_never_be_measured_has_no_reading() -> None:
    never = replace(tried(HEALTH, "F", Confirmation(at(0), looks("EE"))), status=ERROR)
    assert read(evidence(never), HEALTH) is None
    then = replace(never, confirmation=Confirmation(at(0), looks("FE")))
    found = read(evidence(then), HEALTH)
    assert found is not None
    assert found.standing is S.INCOMPLETE


def test_an_item_without_looks_is_read_by_its_sample_alone() -> None:
    alone = Confirmation(at(0), share=share("FS" * 10))
    found = read(evidence(tried(SIGN_IN, "FP", alone)), SIGN_IN)
    assert found is not None
    assert found.standing is S.BROKEN
    none = Confirmation(at(0), share=FailingShare("GET /x", at(0), (), ()))
    assert read(evidence(tried(SIGN_IN, "FP", none)), SIGN_IN) is None


def standing(one: Result) -> Result:
    found = confirmed(evidence(one)).result(one.item)
    assert found is not None
    return found


def test_what_ended_passes_and_what_is_broken_fails_although_a_try_passed() -> None:
    ended = standing(tried(HEALTH, "FFF", Confirmation(at(0), looks("P" * 8))))
    assert (ended.status, ended.message, ended.attribution) == (PASSED, "", None)

    broken = standing(tried(HEALTH, "FP", Confirmation(at(0), looks("FF"))))
    assert (broken.status, broken.message, broken.failure) == (FAILED, "it broke", None)

    silent = standing(tried(HEALTH, "FP", Confirmation(at(0), looks("FF"), silent=True)))
    assert silent.failure is FailureKind.SERVER_ERROR

    untold = standing(replace(tried(HEALTH, "P", Confirmation(at(0), looks("FF"))), message=""))
    assert untold.message == "still so in 2 further looks"

    open_one = tried(HEALTH, "FFF", Confirmation(at(0), looks("PP")))
    assert standing(open_one) == open_one


def test_a_policy_without_a_limit_for_few_users_spares_five_percent() -> None:
    assert limit(evidence()) == 0.05
    silent = RUNBOOK.policy.model_copy(update={"do_not_roll_back": ()})
    assert limit(evidence(runbook=RUNBOOK.model_copy(update={"policy": silent}))) == 0.05

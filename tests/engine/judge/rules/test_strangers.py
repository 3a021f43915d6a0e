"""What shows nothing of this deployment: a runner that is shut out, and a commit that is live nowhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.credentials import Refusal, RefusalKind
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import Action, FailureKind, Status
from tests.engine.judge.rollback.test_targets import GONE, LIVE, NEW, OLD, state
from tests.support.evidence_for import (
    DATA,
    ERROR,
    FAILED,
    HEALTH,
    SIGN_IN,
    WEBHOOK,
    at,
    evidence,
    looked,
    looks,
    result,
)


def sent(path: str, status: int) -> Exchange:
    return Exchange("GET", f"https://api.example{path}", status, 12.0, at=at(1))


def refused(item: str, path: str, status: int) -> Result:
    return result(
        item,
        FAILED,
        exchanges=(sent(path, status),),
        failure=FailureKind.WRONG_CONTENT,
        confirmation=Confirmation(at(0), looks("FF")),
    )


@pytest.mark.parametrize("status", [401, 403, 407])
def test_a_service_that_refuses_every_request_may_refuse_this_runner_alone(status: int) -> None:
    shut = [refused(item, f"/{item}", status) for item in (HEALTH, SIGN_IN, DATA)]
    verdict = decide(evidence(*shut))

    assert verdict.recommendation is Action.INCONCLUSIVE
    assert any("shut out" in reason.message for reason in verdict.reasons)


def test_who_is_shut_out_reads_so_where_nothing_could_be_measured() -> None:
    shut = [refused(item, f"/{item}", 403) for item in (HEALTH, SIGN_IN, DATA)]
    verdict = decide(evidence(*(replace(one, status=Status.ERROR) for one in shut)))
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert verdict.headline.startswith("this runner is shut out: https://api.example answered 403 to every")
    assert verdict.next_step.startswith("decide nothing from this run: look from another network")


def keyed(item: str, path: str, status: int) -> Result:
    """An item whose request carried a credential of ours, which was refused."""
    one = replace(sent(path, status), credential="API_KEY", accepted=False)
    kind = FailureKind.CREDENTIAL_REFUSED
    refusal = Refusal("API_KEY", RefusalKind.FORBIDDEN)
    return result(item, FAILED, "API_KEY is refused", exchanges=(one,), failure=kind, refusal=refusal)


@pytest.mark.parametrize("status", [401, 403, 407])
@pytest.mark.parametrize("with_key", [False, True], ids=["no credential", "some with a credential"])
def test_who_is_shut_out_reads_so_and_of_no_credential(status: int, *, with_key: bool) -> None:
    third = keyed(DATA, "/data", status) if with_key else refused(DATA, "/data", status)
    shut = [refused(HEALTH, "/health", status), refused(SIGN_IN, "/sign-in", status), third]
    verdict = decide(evidence(*shut))

    assert verdict.recommendation is Action.INCONCLUSIVE
    carried = ", with or without a credential" if with_key else " of this run"
    assert verdict.headline.startswith(
        f"this runner is shut out: https://api.example answered {status} to every request{carried}"
    )
    assert "another network" in verdict.next_step
    for text in (verdict.headline, verdict.next_step, *(one.title for one in verdict.causes)):
        assert "renew" not in text
        assert "credentials are refused" not in text
        assert "is refused" not in text


def test_where_every_request_carried_a_credential_it_may_be_the_credential() -> None:
    verdict = decide(evidence(*(keyed(item, f"/{item}", 403) for item in (HEALTH, SIGN_IN, DATA))))

    assert verdict.recommendation is Action.INCONCLUSIVE
    assert "renew API_KEY" in verdict.headline
    assert "this runner is shut out" not in verdict.headline
    assert any("each with a credential of ours" in reason.message for reason in verdict.reasons)


def test_strangers_that_are_rightly_refused_do_not_show_that_we_are_shut_out() -> None:
    """Only the key is refused, and beside it an item that passed was refused without one, as it should be."""
    well = result(WEBHOOK, exchanges=(sent("/admin", 401),))
    verdict = decide(evidence(*(keyed(item, f"/{item}", 401) for item in (HEALTH, SIGN_IN, DATA)), well))

    assert "renew API_KEY" in verdict.headline
    assert "this runner is shut out" not in verdict.headline


def test_a_credential_that_is_refused_elsewhere_is_renewed_beside_it() -> None:
    shut = [refused(item, f"/{item}", 403) for item in (HEALTH, SIGN_IN, DATA)]
    other = replace(sent("/hook", 401), url="https://pay.example/hook", credential="PAY_KEY", accepted=False)
    mine = result(
        WEBHOOK,
        ERROR,
        "PAY_KEY is refused",
        exchanges=(other,),
        failure=FailureKind.CREDENTIAL_REFUSED,
        refusal=Refusal("PAY_KEY", RefusalKind.UNAUTHORIZED),
    )
    verdict = decide(evidence(*shut, mine))

    assert "this runner is shut out" in verdict.headline
    assert "renew PAY_KEY" in verdict.headline
    assert verdict.next_step.startswith("decide nothing from this run: look from another network")
    assert "renew PAY_KEY" in verdict.next_step


def test_several_statuses_that_shut_us_out_are_all_named() -> None:
    shut = [refused(HEALTH, "/a", 401), refused(SIGN_IN, "/b", 403), refused(DATA, "/c", 403)]
    assert "answered 401 or 403 to every request" in decide(evidence(*shut)).headline


def test_one_answer_that_let_us_in_shows_that_it_does_not() -> None:
    shut = [refused(HEALTH, "/health", 403), refused(SIGN_IN, "/sign-in", 403)]
    well = result(DATA, exchanges=(sent("/data", 200), sent("/more", 403)))
    verdict = decide(evidence(*shut, well))

    assert verdict.recommendation is Action.ROLL_BACK


@pytest.mark.parametrize(("live", "call"), [(NEW, Action.ROLL_BACK), (OLD, Action.INCONCLUSIVE)])
def test_nothing_is_taken_back_for_a_commit_that_is_live_nowhere(live: str, call: Action) -> None:
    other = OLD if live == NEW else "77aa77a" + "2" * 33
    hosted = (state((live, LIVE), (other, GONE)), state((live, LIVE), (other, GONE), service="frontend"))
    verdict = decide(evidence(result(HEALTH, FAILED), commit=NEW, hosted=hosted))

    assert verdict.recommendation is call
    assert call is Action.ROLL_BACK or "is not live there" in verdict.headline


def test_a_share_is_told_by_the_request_that_was_sampled_and_by_what_failed() -> None:
    verdict = decide(looked(SIGN_IN, "FP", "FP", "FPPF" * 12))

    assert "GET /api/auth/csrf fails in 24 of 48 requests" in verdict.causes[0].title

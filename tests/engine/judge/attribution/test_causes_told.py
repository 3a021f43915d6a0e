"""Who caused a failure, and the sentence that says by what this is known."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.attribution.attribution import attributed, blame
from kamiyo_verify.judge.attribution.before import why_unusable, why_worse
from kamiyo_verify.judge.attribution.error_bodies import with_leaks
from kamiyo_verify.judge.attribution.failures import (
    answering,
    failing,
    failure_by,
    origin,
    whole_service_silent,
)
from kamiyo_verify.judge.attribution.refusals import ways_out
from kamiyo_verify.judge.attribution.services import behind
from kamiyo_verify.judge.attribution.shut_out import shut_out
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.circumstances import Before, FailedBefore, SupplierReport
from kamiyo_verify.model.confirmation import Confirmation
from kamiyo_verify.model.credentials import Accepted, CredentialUse, Refusal, RefusalKind
from kamiyo_verify.model.result import Exchange, Measurement, Result
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Impact, Supplier
from tests.support.evidence_for import (
    DATA,
    ERROR,
    FAILED,
    HEALTH,
    LEAK,
    LIVE,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    WEBHOOK,
    evidence,
    looks,
    result,
    share,
    tried,
)

NEW, OLD = "9c41d07" + "0" * 33, "3b0cca2" + "0" * 33
API, SITE = "https://api.example", "https://site.example"
OURS, INTRODUCED = Attribution.PROBER, Attribution.INTRODUCED
RENDER_OUT = SupplierReport(Supplier.RENDER, ("Web Services: partial outage",))
K, R = FailureKind, RefusalKind


def sent(status: int | None, url: str = f"{API}/x", **more: Any) -> Exchange:
    return Exchange("GET", url, status, 5.0, problem="" if status else "refuses the connection", **more)


def refused(
    item: str = HEALTH, kind: RefusalKind = R.UNAUTHORIZED, variable: str = "KEY", **more: Any
) -> Result:
    return result(
        item,
        FAILED,
        failure=K.CREDENTIAL_REFUSED,
        refusal=Refusal(variable, kind, **more),
        exchanges=(sent(401),),
    )


def use(accepted: int = 0, commit: str = "", at: str = "2026-11-23T13:11:02+00:00") -> CredentialUse:
    return CredentialUse("KEY", "f1", accepted, 3, Accepted(commit, at) if commit else None)


def of(one: Result, *others: Result, **more: Any) -> tuple[Attribution, str]:
    found = attributed(evidence(one, *others, **more))
    result_of = blame(found, found.result(one.item) or one)
    return result_of.culprit, result_of.why


@pytest.mark.parametrize(
    ("credential", "culprit", "result_of"),
    [
        (use(), OURS, "KEY is refused (401): nothing else shows that the platform is at fault; renew KEY"),
        (
            use(commit=OLD),
            INTRODUCED,
            "KEY is refused (401), and commit 3b0cca2 accepted the same value 1 h ago",
        ),
        (
            use(commit=NEW),
            OURS,
            "this very commit accepted it 1 h ago: this deployment did not change that; renew",
        ),
        (use(commit=OLD, at="2026-11-22T14:11:02+00:00"), INTRODUCED, "accepted the same value 24 h ago"),
        (use(commit=OLD, at="2026-11-22T14:11:01+00:00"), OURS, "nothing else shows"),
        (use(commit=OLD, at="2026-11-23T14:11:32+00:00"), INTRODUCED, "accepted the same value 0 ms ago"),
        (use(commit=OLD, at="yesterday"), OURS, "nothing else shows"),
        (use(commit=OLD, at="2026-11-23T13:11:02"), OURS, "nothing else shows"),
        (use(1), INTRODUCED, "KEY is refused (401), and other requests of this run were accepted with it"),
    ],
)
def test_a_refused_credential_is_ours_unless_it_was_accepted(
    credential: CredentialUse, culprit: Attribution, result_of: str
) -> None:
    found = of(refused(), credentials=(credential,), commit=NEW)
    assert found[0] is culprit
    assert result_of in found[1]


def test_where_no_commit_is_known_an_earlier_run_shows_nothing_of_a_credential() -> None:
    assert of(refused(), credentials=(use(commit=OLD),))[0] is OURS


def test_a_key_of_another_tier_is_ours_whatever_else_accepted_it() -> None:
    assert of(refused(kind=R.WRONG_TIER), credentials=(use(9),))[0] is OURS
    elsewhere = refused(LIVE, R.WRONG_TIER)
    assert of(refused(kind=R.FORBIDDEN), elsewhere, credentials=(use(9),))[0] is OURS
    for variable in ("OTHER", "ADMIN_KEY"):
        another = refused(LIVE, R.WRONG_TIER, variable)
        assert of(refused(kind=R.FORBIDDEN), another, credentials=(use(9),))[0] is INTRODUCED


def test_a_path_without_the_credential_tells_whether_it_is_the_credential() -> None:
    fails = of(refused(independent="the same request without it answers 500", fails_alike=True))
    works = of(refused(independent="the same request without it answers 200"))
    assert fails == (
        INTRODUCED,
        "KEY is refused (401), and the same request without it answers 500, so it is not the credential",
    )
    assert works[0] is OURS
    assert "KEY is refused (401), and the same request without it answers 200: nothing else shows" in works[1]


def test_a_credential_of_which_nobody_knows_the_variable_is_told_so() -> None:
    assert "a credential of ours is refused (401)" in of(refused(variable=""))[1]


@pytest.mark.parametrize(
    ("other", "culprit"),
    [
        (result(DATA, FAILED, exchanges=(sent(200),)), INTRODUCED),
        (result(DATA, PASSED, exchanges=(sent(200),)), OURS),
        (result(DATA, FAILED, exchanges=(sent(401, accepted=False),)), OURS),
        (result(DATA, FAILED, attribution=Attribution.THIRD_PARTY), OURS),
        (refused(DATA, variable="OTHER"), OURS),
        (result(SIGN_IN, FAILED, exchanges=(sent(200, SITE),)), OURS),
        (result(LEAK, FAILED, exchanges=(sent(200),)), OURS),
    ],
)
def test_what_fails_without_any_credential_shows_that_it_is_not_the_credential(
    other: Result, culprit: Attribution
) -> None:
    """The other item must be of the same impact and service, fail now, and not have failed before."""
    items = tuple(
        one.model_copy(update={"impact": Impact.CORE}) if one.id in {DATA, SIGN_IN} else one
        for one in RUNBOOK.items
    )
    found = of(refused(), other, runbook=RUNBOOK.model_copy(update={"items": items}))
    assert found[0] is culprit
    if culprit is INTRODUCED:
        assert found[1] == f"KEY is refused (401), and {DATA} fails without any credential of ours"


def test_what_fails_behind_another_service_says_nothing_of_a_credential() -> None:
    items = tuple(
        one.model_copy(update={"impact": Impact.AUTH}) if one.id == LEAK else one for one in RUNBOOK.items
    )
    other = result(LEAK, FAILED, exchanges=(sent(200),))
    assert of(refused(SIGN_IN), other, runbook=RUNBOOK.model_copy(update={"items": items}))[0] is OURS
    behind_it = tuple(
        one.model_copy(update={"services": ("frontend", "api")}) if one.id == SIGN_IN else one
        for one in items
    )
    assert of(refused(SIGN_IN), other, runbook=RUNBOOK.model_copy(update={"items": behind_it}))[0] is OURS


def test_a_lock_out_passes_and_the_rest_is_renewed() -> None:
    both = evidence(refused(), refused(SIGN_IN, R.LOCKED_OUT, "PASSWORD"))
    assert ways_out(both) == "renew KEY; wait until PASSWORD is no longer locked out"
    assert ways_out(evidence(refused(), refused(DATA))) == "renew KEY"
    assert ways_out(evidence(refused(kind=R.LOCKED_OUT))) == "wait until KEY is no longer locked out"
    assert ways_out(evidence(replace(refused(), status=PASSED))) == ""
    assert of(refused(kind=R.LOCKED_OUT))[1] == (
        "KEY is locked out: nothing was learnt of the platform; try again later"
    )


def test_a_stored_session_expired_where_a_fresh_sign_in_works() -> None:
    items = tuple(
        one.model_copy(update={"impact": Impact.AUTH}) if one.id == LIVE else one for one in RUNBOOK.items
    )
    more = {
        "runbook": RUNBOOK.model_copy(update={"items": items}),
        "credentials": (use(commit=OLD),),
        "commit": NEW,
    }
    signed_in = replace(
        sent(200, f"{SITE}/callback", credential="TEST_PASSWORD", accepted=True), method="POST"
    )
    session = refused(SIGN_IN, R.UNKNOWN_SESSION)

    fresh = of(session, result(LIVE, exchanges=(signed_in,)), **more)
    assert fresh[0] is OURS
    assert f"while a fresh sign-in works ({LIVE}): the stored session expired; renew KEY" in fresh[1]

    for other in (
        result(LIVE, FAILED, exchanges=(signed_in,)),
        result(LIVE, exchanges=(replace(signed_in, method="GET"),)),
        result(LIVE, exchanges=(replace(signed_in, accepted=None),)),
        result(LIVE, exchanges=(replace(signed_in, credential="KEY"),)),
        result(DATA, exchanges=(signed_in,)),
    ):
        assert of(session, other, **more)[0] is INTRODUCED


@pytest.mark.parametrize(
    ("status", "excused"), [(200, False), (499, False), (500, True), (503, True), (None, True)]
)
def test_a_host_that_is_down_excuses_silence_and_server_errors(status: int | None, excused: bool) -> None:  # noqa: FBT001
    found = of(result(HEALTH, FAILED, exchanges=(sent(status),)), suppliers=(RENDER_OUT,))
    assert (found[0] is Attribution.THIRD_PARTY) is excused
    then_answered = result(HEALTH, FAILED, failure=K.WRONG_CONTENT, exchanges=(sent(status), sent(200)))
    assert (of(then_answered, suppliers=(RENDER_OUT,))[0] is Attribution.THIRD_PARTY) is excused
    untold = of(result(HEALTH, FAILED, failure=K.NO_ANSWER), suppliers=(RENDER_OUT,))
    assert untold[0] is Attribution.THIRD_PARTY


def test_an_item_that_could_not_be_measured_is_asked_whose_doing_it_was() -> None:
    silent = result(HEALTH, ERROR, failure=K.NO_ANSWER, exchanges=(sent(None),))
    verdict = decide(evidence(silent, suppliers=(RENDER_OUT,)))
    item = next(one for one in verdict.items if one.id == HEALTH)
    assert item.attribution is Attribution.THIRD_PARTY
    alone = next(one for one in decide(evidence(silent)).items if one.id == HEALTH)
    assert alone.attribution is None


def before(**more: Any) -> Before:
    return Before(run="r1", baseline=True, commit=OLD, finished_at="", age_s=3600.0, **more)


def test_what_is_worse_than_before_is_told() -> None:
    then = FailedBefore(failure=K.WRONG_CONTENT, measurements=(Measurement("missing", 1),))
    now = result(HEALTH, FAILED, exchanges=(sent(500),), measurements=(Measurement("missing", 1),))
    assert why_worse(now, then) == "it was wrong content before, and is server error"
    same = replace(now, exchanges=(sent(200),))
    assert why_worse(same, then) == ""
    assert why_worse(same, None) == ""
    assert why_worse(now, replace(then, failure=None)) == ""
    assert why_worse(replace(same, measurements=(Measurement("missing", 2),)), then) == (
        "1 were missing before, and 2 are"
    )
    assert why_worse(replace(same, measurements=(Measurement("others", 2),)), then) == ""


def test_more_failing_requests_than_before_are_worse_where_chance_does_not_explain_them() -> None:
    def sampled(pattern: str) -> Result:
        return result(
            HEALTH, FAILED, confirmation=Confirmation("2026-11-23T14:10:00+00:00", share=share(pattern))
        )

    then = FailedBefore(failure=K.WRONG_CONTENT, failed=2, tries=40)
    assert why_worse(sampled("F" * 20 + "S" * 20), then) == (
        "2 of 40 requests failed before, and 20 of 40 now"
    )
    assert why_worse(sampled("F" * 5 + "S" * 35), then) == ""
    assert why_worse(sampled("F" * 20 + "S" * 20), replace(then, tries=0, failed=0)) == ""
    assert why_worse(result(HEALTH, FAILED), then) == ""


def test_missing_names_are_compared_one_by_one() -> None:
    def missing(names: str) -> Result:
        return result(SIGN_IN, FAILED, measurements=(Measurement("missing[providers]", names),))

    then = FailedBefore(
        failure=K.WRONG_CONTENT, measurements=(Measurement("missing[providers]", "google, GitHub"),)
    )
    assert why_worse(missing("GitHub, Google"), then) == ""
    assert why_worse(missing("github"), then) == ""
    assert why_worse(missing("google, email, apple"), then) == "apple, email were not missing before"
    assert why_worse(missing("a"), replace(then, measurements=(Measurement("missing[providers]", 0),))) == ""
    assert why_worse(missing("google, email"), then) == "email was not missing before"


@pytest.mark.parametrize(
    ("statuses", "alone"),
    [
        ((401, 403, 407), True),
        ((401, 403), False),
        ((401, 403, 200), False),
        ((401, 403, 404), False),
        ((401, 403, 401, None), True),
        ((451, 451, 451), True),
        ((426, 426, 426), True),
        ((402, 402, 402), True),
        ((406, 403, 421), True),
        ((431, 431, 431), True),
        ((423, 425, 428, 417), True),
        ((404, 404, 404), False),
        ((400, 400, 400), False),
        ((405, 405, 405), False),
        ((410, 410, 410), False),
        ((451, 451, 204), False),
        ((451, 451, 500), False),
    ],
)
def test_a_service_that_lets_us_in_nowhere_may_shut_out_this_runner_alone(
    statuses: tuple[int | None, ...],
    alone: bool,  # noqa: FBT001
) -> None:
    others = tuple(sent(status, f"{API}/{number}") for number, status in enumerate(statuses))
    mine = result(LEAK, FAILED, exchanges=others[:1])
    result_of = shut_out(evidence(mine, result(LIVE, exchanges=others[1:])), mine)
    told = re.match(rf"{re.escape(API)} answered ([\d, or]+) to every request of this run: ", result_of)
    assert bool(told) is alone
    if told:
        assert set(re.findall(r"\d+", told[1])) == {str(status) for status in statuses if status}


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (402, "; its host may wait for a payment, which no rollback makes"),
        (451, "; users may be served"),
        (406, "; users may be served"),
        (421, "; users may be served"),
    ],
)
def test_a_status_about_the_client_on_every_path_calls_for_no_rollback(status: int, end: str) -> None:
    items = [
        result(item, FAILED, failure=FailureKind.WRONG_STATUS, exchanges=(sent(status, f"{API}/{item}"),))
        for item in (LIVE, LEAK, HEALTH)
    ]
    verdict = decide(evidence(*items))
    assert verdict.recommendation is Action.INCONCLUSIVE
    assert (
        verdict.headline
        == f"this runner is shut out: {API} answered {status} to every request of this run{end}"
    )
    bill = "see whether the host's bill is paid, or look from another network, then "
    let_in = "look from another network, or let this runner in, then "
    assert (bill if status == 402 else let_in) in verdict.next_step


def test_another_address_that_refuses_does_not_count_for_this_one() -> None:
    mine = result(LEAK, FAILED, exchanges=(sent(403, f"{API}/a"),))
    others = result(LIVE, exchanges=(sent(403, f"{SITE}/b"), sent(403, f"{SITE}/c")))
    mixed = result(
        LIVE, exchanges=(sent(200, SITE), sent(None), sent(403, f"{API}/b"), sent(403, f"{API}/c"))
    )
    assert shut_out(evidence(mine, mixed), mine) != ""
    assert shut_out(evidence(mine, others), mine) == ""
    open_elsewhere = result(LIVE, exchanges=(sent(403, f"{API}/b"), sent(403, f"{API}/c"), sent(200, SITE)))
    assert shut_out(evidence(mine, open_elsewhere), mine) != ""


def test_an_item_that_passed_at_last_and_was_looked_at_again_is_asked_whose_doing_it_was() -> None:
    some = Confirmation("2026-11-23T14:10:00+00:00", looks("FP"), share(("F" + "S" * 19) * 6))
    open_one = replace(tried(HEALTH, "FP", some), exchanges=(sent(503),))
    assert decide(evidence(open_one)).recommendation is Action.INCONCLUSIVE
    excused = decide(evidence(open_one, suppliers=(RENDER_OUT,)))
    assert excused.recommendation is Action.PROCEED
    known = attributed(evidence(open_one, suppliers=(RENDER_OUT,))).result(HEALTH)
    assert known is not None
    assert known.attribution is Attribution.THIRD_PARTY


def test_an_item_that_passed_is_blamed_on_nobody() -> None:
    known = attributed(evidence(before=before(statuses={HEALTH: PASSED}))).result(HEALTH)
    assert known is not None
    assert known.attribution is None


def test_the_clock_is_told_with_its_side() -> None:
    assert "is 5 min ahead" in of(result(WEBHOOK, FAILED), clock_ahead_s=300.0)[1]
    assert of(result(WEBHOOK, FAILED), clock_ahead_s=240.0)[0] is Attribution.UNKNOWN
    assert (
        decide(evidence(result(WEBHOOK, FAILED), clock_ahead_s=300.0)).recommendation is Action.INCONCLUSIVE
    )


def test_failing_before_is_no_excuse_for_what_could_not_be_measured_before() -> None:
    known: Evidence = evidence(result(HEALTH, FAILED), before=before(statuses={HEALTH: ERROR}))
    assert decide(known).recommendation is Action.ROLL_BACK


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (K.NO_ANSWER, K.SERVER_ERROR),
        (K.SERVER_ERROR, K.WRONG_STATUS),
        (K.WRONG_FORMAT, K.WRONG_CONTENT),
        (K.NO_ANSWER, K.WRONG_STATUS),
    ],
)
def test_silence_is_worse_than_an_error_and_an_error_than_a_wrong_answer(
    worse: FailureKind, better: FailureKind
) -> None:
    def now(kind: FailureKind) -> Result:
        return result(HEALTH, FAILED, failure=kind)

    assert why_worse(now(worse), FailedBefore(failure=better)) != ""
    assert why_worse(now(better), FailedBefore(failure=worse)) == ""
    assert why_worse(now(worse), FailedBefore(failure=worse)) == ""


def test_a_statement_that_the_database_answered_is_no_silence() -> None:
    """An SQL statement has no status; a refused WebSocket has a status and a problem."""
    sql = Exchange("SQL", "db", None, 1.0)
    assert failure_by(sql) is K.WRONG_CONTENT
    assert failure_by(replace(sql, problem="connection refused")) is K.NO_ANSWER
    assert failure_by(replace(sql, status=403, problem="refused")) is K.WRONG_CONTENT
    assert failure_by(None) is K.WRONG_CONTENT


def test_server_errors_that_show_the_inside_are_counted_beyond_three() -> None:
    reader = RUNBOOK.model_copy(
        update={
            "items": tuple(one.model_copy(update={"reads_errors": one.id == LEAK}) for one in RUNBOOK.items)
        }
    )

    def result_of(count: int) -> Result:
        leaks = tuple(sent(500, f"{API}/{number}", leak="Traceback") for number in range(count))
        results = {LEAK: result(LEAK), HEALTH: result(HEALTH, exchanges=leaks)}
        return with_leaks(results, reader)[LEAK]

    assert result_of(0) == result(LEAK)
    assert (result_of(1).status, result_of(2).status) == (ERROR, FAILED)
    assert result_of(1).message == (
        f"server errors show the inside: GET {API}/0 answered 500 and shows Traceback: seen once only"
    )
    assert "more" not in result_of(3).message
    assert result_of(7).message.endswith("(and 4 more)")
    assert result_of(7).message.count("Traceback") == 3


def test_a_run_of_the_same_commit_and_an_old_one_are_told_and_not_compared_with() -> None:
    same = evidence(before=before(), commit=OLD)
    assert why_unusable(same) == (
        "the baseline r1 is of the same commit, 3b0cca2, so it shows nothing of before"
    )
    old = evidence(before=replace(before(), age_s=24 * 3600 + 1, baseline=False), commit=NEW)
    assert why_unusable(old) == "the last good run r1 is 24 h old, and at most 24 h count"
    assert why_unusable(evidence(before=replace(before(), age_s=24 * 3600.0), commit=NEW)) == ""
    assert why_unusable(evidence()) == "no earlier run shows how it was before this deployment"


def test_a_run_that_asked_another_address_is_told_and_not_compared_with() -> None:
    here = result(HEALTH, exchanges=(sent(200, f"{API}/health"),))
    of = evidence(
        here, before=replace(before(), addresses={HEALTH: ("https://staging.example",)}), commit=NEW
    )
    assert why_unusable(of) == (
        "the baseline r1 asked another address, https://staging.example, so it shows nothing of this one"
    )
    alike = replace(
        before(), addresses={HEALTH: (API, "https://www.example"), DATA: ("https://other.example",)}
    )
    assert why_unusable(evidence(here, before=alike, commit=NEW)) == ""


def test_a_request_that_another_item_saw_refused_is_blamed_like_that_one() -> None:
    mine = result(DATA, FAILED, exchanges=(sent(401, credential="KEY", accepted=False),))
    assert of(mine, refused(), credentials=(use(1),))[0] is Attribution.UNKNOWN
    assert of(mine, refused(), credentials=(use(),))[0] is OURS
    assert of(mine, credentials=(use(),))[0] is OURS
    assert of(mine, credentials=(use(1),))[0] is Attribution.UNKNOWN
    locked = refused(kind=R.LOCKED_OUT)
    assert of(mine, locked, credentials=(use(1),)) == (
        OURS,
        "KEY is locked out: nothing was learnt of the platform; try again later",
    )
    other = replace(mine, exchanges=(sent(401, credential="OTHER", accepted=False),))
    assert of(other, locked)[0] is Attribution.UNKNOWN


def test_the_exchange_that_shows_silence_is_the_silent_one() -> None:
    exchanges = (sent(200), sent(503), sent(None), sent(404))
    assert failing(result(HEALTH, FAILED, failure=K.SERVER_ERROR, exchanges=exchanges)) == sent(503)
    assert failing(result(HEALTH, FAILED, failure=K.WRONG_CONTENT, exchanges=exchanges)) == sent(404)
    assert failing(result(HEALTH, FAILED, failure=K.NO_ANSWER, exchanges=(sent(200), sent(499)))) == sent(499)
    assert failing(result(HEALTH, FAILED)) is None


@pytest.mark.parametrize(
    ("one", "answers"),
    [
        (result(LEAK, exchanges=(sent(404),)), True),
        (result(LEAK, exchanges=(sent(499),)), True),
        (result(LEAK, exchanges=(sent(500),)), False),
        (result(LEAK, exchanges=(sent(None),)), False),
        (result(LEAK, FAILED, failure=K.WRONG_CONTENT, exchanges=(sent(200),)), True),
        (result(LEAK, FAILED, failure=K.SERVER_ERROR, exchanges=(sent(200),)), False),
        (result(LEAK, ERROR, exchanges=(sent(200),)), False),
    ],
)
def test_a_service_answers_where_a_request_was_answered_properly(one: Result, *, answers: bool) -> None:
    assert [*answering(evidence(one))] == ([API] if answers else [])


@pytest.mark.parametrize(
    ("kind", "exchanges", "whole"),
    [
        (K.NO_ANSWER, (), True),
        (K.SERVER_ERROR, (), False),
        (K.SERVER_ERROR, (sent(500),), False),
        *((K.SERVER_ERROR, (sent(status),), True) for status in (502, 503, 504)),
        (K.SERVER_ERROR, (sent(505),), False),
        (K.NO_ANSWER, (sent(None),), True),
        (K.NO_ANSWER, (sent(None, SITE),), False),
        (K.WRONG_CONTENT, (sent(503),), False),
    ],
)
def test_a_whole_service_is_silent_where_nothing_of_it_answers_or_its_proxy_says_so(
    kind: FailureKind, exchanges: tuple[Exchange, ...], *, whole: bool
) -> None:
    mine = result(HEALTH, FAILED, failure=kind, exchanges=exchanges)
    assert whole_service_silent(evidence(mine, result(LIVE, exchanges=(sent(200, SITE),))), mine) is whole


def test_a_live_stream_is_of_the_origin_of_its_api() -> None:
    assert origin(sent(200, "wss://api.example/live?x=1")) == API
    assert origin(sent(200, "ws://127.0.0.1:80/live")) == "http://127.0.0.1:80"
    assert origin(sent(200, "database")) == "database"


def test_where_no_item_names_a_service_any_may_be_behind_a_failure() -> None:
    bare = RUNBOOK.model_copy(
        update={"items": tuple(one.model_copy(update={"services": ()}) for one in RUNBOOK.items)}
    )
    assert behind(evidence(runbook=bare), [bare.items[0]]) == ("api", "frontend")

"""Edges of the sentences around a call: what would change it, who acts, and real users' numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kamiyo_verify.judge.attribution.attribution import attributed
from kamiyo_verify.judge.conclusion import conclude
from kamiyo_verify.judge.confirmation.confirmed import FailureState
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.plan import plan_from_verdict
from kamiyo_verify.judge.rollback.targets import NoTarget, bad_commits, deployed_anew, target_of
from kamiyo_verify.judge.rules.clauses import grounds
from kamiyo_verify.judge.rules.confidence import confidence
from kamiyo_verify.judge.rules.effects import may_be_over, users_blast
from kamiyo_verify.judge.rules.endpoints import endpoint_fails, explained, lesser_endpoint_fails
from kamiyo_verify.judge.rules.escalation import escalation, who_acts
from kamiyo_verify.judge.rules.flip import flip
from kamiyo_verify.judge.slo import objectives
from kamiyo_verify.judge.slo.estimates import by_users
from kamiyo_verify.judge.slo.users import Users
from kamiyo_verify.judge.statistics.exact import lower_bound, upper_bound
from kamiyo_verify.model.circumstances import Before
from kamiyo_verify.model.history.recorded_run import DecisionKind
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Attempt, Exchange, Measurement
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Phase
from tests.engine.judge.rollback.test_targets import GONE, NEW, OLD, OLDER, record, run, state
from tests.engine.judge.rollback.test_targets import LIVE as ON
from tests.engine.judge.rules.test_flip_statements import seen, statements
from tests.engine.judge.slo.test_users import WITH_USERS, users
from tests.support.evidence_for import (
    DATA,
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LATENCY,
    LEAK,
    LIVE,
    LOOKS,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    TESTS,
    at,
    evidence,
    measured,
    result,
)

A = Action
TIMES, SHARE, _ = RUNBOOK.slos


# What would change the call


def test_a_failure_of_before_is_tried_with_a_baseline_of_this_very_moment() -> None:
    found = statements(evidence(result(SIGN_IN, FAILED)), A.ROLL_BACK, SIGN_IN)
    altered = found[f"{SIGN_IN} known to have failed before this deploy: hold"]
    assert altered.before == Before(
        run="",
        baseline=True,
        commit="",
        finished_at=altered.started_at,
        age_s=0.0,
        statuses={SIGN_IN: FAILED},
    )


def test_an_objective_that_is_no_reason_hides_no_later_one() -> None:
    given = evidence(measured(ERRORS, errors=16, requests=80))
    for ground in (ERRORS, "error-rate"):
        found = [*statements(given, A.ROLL_BACK, ground)]
        assert found[-1].startswith("at most 7 of 80 requests failing (it is 16)")


def test_times_of_an_objective_that_is_better_above_are_tried_clearly_over_it() -> None:
    slo = TIMES.model_copy(update={"better": "above"})
    book = RUNBOOK.model_copy(update={"slos": (slo, SHARE)})
    given = evidence(measured(LATENCY, response_times=(450.0,) * 80), runbook=book)
    found = statements(given, A.FIX_FORWARD, LATENCY)
    altered = found["p95 clearly over 500 ms (it is 450 ms): hold"]
    values = seen(altered, LATENCY).measurement("response_times")
    assert values is not None
    assert values.value == pytest.approx((500 / 0.9,) * 80)


def test_only_what_changes_the_call_is_stated() -> None:
    given = evidence(result(SIGN_IN, FAILED))
    reasons = [Reason(SIGN_IN, None, None, "", "")]
    slos = objectives.judge(attributed(given))
    assert flip(given, A.ROLL_BACK, reasons, slos, lambda _: A.ROLL_BACK) == ""
    assert flip(given, A.ROLL_BACK, reasons, slos, lambda _: A.PROCEED) == (
        f"{SIGN_IN} passing: proceed; {SIGN_IN} known to have failed before this deploy: proceed"
    )


# Grounds


def test_one_item_that_is_no_ground_hides_no_other() -> None:
    of = attributed(
        evidence(
            result(TESTS, FAILED),
            result(HEALTH, FAILED, attribution=Attribution.PROBER),
            result(DATA, FAILED, attribution=Attribution.THIRD_PARTY),
            result(SIGN_IN, FAILED),
            phases=(Phase.PREFLIGHT, Phase.POSTDEPLOY),
        )
    )
    assert [one.item for _, one, _ in grounds(of, FailureState.BROKEN)] == [SIGN_IN]
    assert [*grounds(of, FailureState.FEW)] == []


# Who acts


@pytest.mark.parametrize(
    ("minutes", "acts"), [(None, True), (0, True), (720, True), (720.1, False), (726, False)]
)
def test_a_deployment_escalates_for_twelve_hours(minutes: float | None, *, acts: bool) -> None:
    of = evidence(result(SIGN_IN, FAILED), deploy_minutes=minutes)
    assert bool(escalation(of, A.ROLL_BACK, critical=False)) is acts


@pytest.mark.parametrize(
    ("minutes", "text"),
    [
        (None, "primary (Ada, +45 1) now; secondary from minute 15"),
        (0.0, "primary (Ada, +45 1) now (minute 0 of the deployment); secondary from minute 15"),
        (14.9, "primary (Ada, +45 1) now (minute 15 of the deployment); secondary from minute 15"),
        (15.0, "secondary now (minute 15 of the deployment); manager from minute 30"),
        (30.0, "manager now (minute 30 of the deployment)"),
        (600.0, "manager now (minute 600 of the deployment)"),
    ],
)
def test_a_level_acts_from_its_minute_on(minutes: float | None, text: str) -> None:
    assert who_acts(RUNBOOK, minutes, duties=False).startswith(text)


# Confidence


def test_nothing_beyond_the_objectives_is_sure_of_a_run_in_which_an_item_is_missing() -> None:
    full = decide(evidence()).confidence
    assert full.startswith("high: 5 of 5 required items passed; ")
    assert "0 of 3 objectives met at 95 % confidence, 3 undecided" in full
    of = attributed(evidence(result(HEALTH, ERROR)))
    assert confidence(of, A.PROCEED, (), ()).startswith("4 of 5 required items passed")
    assert "objective" not in confidence(of, A.PROCEED, (), ())
    met = evidence(measured(ERRORS, errors=0, requests=5_000))
    assert "1 of 3 objectives met at 95 % confidence, 2 undecided" in decide(met).confidence


# Real users


def test_the_share_of_users_requests_is_weighed_by_its_spells() -> None:
    some = Users(1_000, 60, (), "14:02 UTC", effect=4.0)
    blast = users_blast(some, evidence())
    assert blast is not None
    assert (blast.bad, blast.total, blast.before) == (60, 1_000, None)
    assert blast.interval == pytest.approx((lower_bound(15, 250, 0.95), upper_bound(15, 250, 0.95)))
    assert blast.most == pytest.approx(upper_bound(15, 250, 0.995))


@pytest.mark.parametrize(
    ("changes", "known"),
    [({}, True), ({"quantile": 0.5}, False), ({"unit": "s"}, False), ({"better": "above"}, False)],
)
def test_users_percentiles_are_those_of_a_p95_in_ms(changes: dict[str, Any], *, known: bool) -> None:
    of = evidence(users(500, 0, *(100.0,) * 30), runbook=WITH_USERS)
    assert (by_users(TIMES.model_copy(update=changes), of) is not None) is known


# Rollback targets and plans


@pytest.mark.parametrize(
    ("deeds", "bad"),
    [
        ((), True),
        (((DecisionKind.KEPT, "2026-11-23T15:00:00+00:00"),), False),
        (((DecisionKind.FIXED, "2026-11-23T15:00:00+00:00"),), True),
        (((DecisionKind.ROLLED_BACK, "2026-11-23T15:00:00+00:00"),), True),
        (
            (
                (DecisionKind.KEPT, "2026-11-23T15:00:00+00:00"),
                (DecisionKind.FIXED, "2026-11-23T16:00:00+00:00"),
            ),
            True,
        ),
        (
            (
                (DecisionKind.ROLLED_BACK, "2026-11-23T15:00:00+00:00"),
                (DecisionKind.KEPT, "2026-11-23T16:00:00+00:00"),
            ),
            False,
        ),
    ],
)
def test_a_condemned_commit_is_bad_unless_people_decided_last_to_keep_it(deeds: Any, *, bad: bool) -> None:
    one = run("r1", A.ROLL_BACK, *deeds)
    assert bool(bad_commits([record(one)], [one])) is bad


def test_how_long_a_build_took_is_named_only_where_it_is_known() -> None:
    of = state((NEW, ON), (OLD, GONE))
    deploy = of.deploys[1]
    plain = f"deploy commit {OLD[:7]} anew, which builds it"
    assert deployed_anew(of, deploy) == plain
    took = deploy.model_copy(update={"finished_at": deploy.created_at + timedelta(minutes=4)})
    assert deployed_anew(of, took) == f"{plain} (it took 4 min then)"
    again = took.model_copy(update={"trigger": "rollback"})
    assert deployed_anew(of, again) == plain
    at_once = deploy.model_copy(update={"finished_at": deploy.created_at})
    assert deployed_anew(replace(of, redeploy="POST {commit}"), at_once) == f"{plain}: POST {OLD}"


@pytest.mark.parametrize(("kept", "why_not"), [(0, None), (1, NoTarget.BUILD_GONE), (2, None), (3, None)])
def test_a_target_is_one_whose_build_the_host_still_has(kept: int, why_not: NoTarget | None) -> None:
    of = replace(state((NEW, ON), (OLD, GONE), (OLDER, GONE)), builds_kept=kept)
    assert target_of(of).why_not is why_not


def test_a_plan_names_the_live_commit_where_the_verdict_named_none() -> None:
    of = state((NEW, ON), (OLD, GONE))
    verdict = decide(evidence(result(HEALTH, FAILED), hosted=(of,), commit=NEW))
    [step] = verdict.rollback.services
    for named, current in (
        (step, NEW),
        (replace(step, current_commit=""), NEW),
        (replace(step, current_commit=OLDER), OLDER),
    ):
        changed = replace(verdict, rollback=replace(verdict.rollback, services=(named,)))
        [target] = plan_from_verdict(changed, "r1", [of], RUNBOOK).targets
        assert (target.current_commit, target.to_commit, target.auto_deploy) == (current, OLD, "on")
    off = replace(of, auto_deploy=False)
    [target] = plan_from_verdict(verdict, "r1", [off], RUNBOOK).targets
    assert target.auto_deploy == "off"
    by_checks = replace(of, auto_deploy_trigger="checksPass")
    [target] = plan_from_verdict(verdict, "r1", [by_checks], RUNBOOK).targets
    assert target.auto_deploy == "checksPass"


# The exit code


@pytest.mark.parametrize(
    ("of", "exitstatus", "code"),
    [
        (evidence(), 0, 0),
        (evidence(), 1, 1),
        (evidence(), 2, 2),
        (evidence(), 3, 3),
        (evidence(), 4, 4),
        (evidence(), 5, 0),
        (evidence(result(SIGN_IN, FAILED)), 1, 20),
        (evidence(result(SIGN_IN, FAILED)), 0, 20),
        (evidence(result(SIGN_IN, FAILED)), 2, 20),
        (evidence(result(SIGN_IN, FAILED)), 3, 3),
        (evidence(result(SIGN_IN, FAILED)), 4, 4),
        (evidence(result(LIVE, ERROR)), 2, 2),
    ],
)
def test_a_verdict_ends_with_the_code_of_its_call_or_that_of_pytest(
    of: Evidence, exitstatus: int, code: int
) -> None:
    assert conclude(of, exitstatus).exit_code == code


def test_the_words_of_a_failure_are_those_of_its_kind() -> None:
    silent = evidence(result(HEALTH, FAILED, failure=FailureKind.NO_ANSWER))
    assert decide(silent).network_in_doubt == ()
    ours = evidence(result(HEALTH, ERROR, failure=FailureKind.NO_ANSWER))
    assert decide(ours).network_in_doubt == (HEALTH,)
    assert decide(evidence(result(HEALTH, ERROR))).network_in_doubt == ()
    odd = evidence(result(LOOKS, measurements=(Measurement("x", (1.0, float("nan"), float("inf"))),)))
    report = next(one for one in decide(odd).items if one.id == LOOKS)
    assert report.measurements[0].value == "3 values, 2 of them not finite"
    one = evidence(
        result(LOOKS, PASSED, measurements=(Measurement("x", float("inf")), Measurement("y", 1.0)))
    )
    report = next(each for each in decide(one).items if each.id == LOOKS)
    assert [taken.value for taken in report.measurements] == ["inf", 1.0]


# Several endpoints that fail


def sent(path: str, *statuses: int) -> tuple[Exchange, ...]:
    return tuple(
        Exchange("GET", f"https://api.example{path}", status, 1.0, at=at(number))
        for number, status in enumerate(statuses)
    )


@pytest.mark.parametrize("attribution", [None, Attribution.THIRD_PARTY])
def test_an_endpoint_that_is_judged_by_its_item_hides_no_other(attribution: Attribution | None) -> None:
    """GET /a belongs to an item that failed, or that a third party broke; GET /b to one that passed."""
    owned = result(HEALTH, FAILED, exchanges=sent("/a", 500, 500, 500, 500), attribution=attribution)
    other = result(LEAK, exchanges=(*sent("/b", 500, 500, 500, 500), *sent("/", 200)))
    found = endpoint_fails(attributed(evidence(owned, other)))
    assert found is not None
    assert [one.item for one in found.reasons] == [LEAK]
    assert found.headline.startswith("GET /b fails for everybody: 4 of 4 requests (500)")
    assert explained(attributed(evidence(owned, other)), LEAK, 4)
    assert not explained(attributed(evidence(owned, other)), LEAK, 5)
    assert not explained(attributed(evidence(owned, other)), LEAK, 0)
    assert not explained(attributed(evidence(owned, other)), HEALTH, 4)


@pytest.mark.parametrize(
    ("before_of", "blamed", "end"),
    [
        ({}, Attribution.UNKNOWN, "; not known whether it was so before"),
        ({"failed[/b]": "0 of 80"}, Attribution.INTRODUCED, ""),
        ({"failed[/b]": "79 of 80"}, Attribution.PRE_EXISTING, ", as it did before this deployment"),
        ({"failed[/b]": "1 of 80"}, Attribution.INTRODUCED, ""),
        ({"failed[/c]": "79 of 80"}, Attribution.INTRODUCED, ""),
    ],
)
def test_an_endpoint_failed_before_by_its_own_requests(
    before_of: dict[str, str], blamed: Attribution, end: str
) -> None:
    one = result(LEAK, exchanges=(*sent("/b", *[500] * 20), *sent("/", 200)))
    known = Before(run="r1", baseline=True, commit="", finished_at="", age_s=1.0, statuses={LEAK: PASSED})
    baseline = {LEAK: tuple(Measurement(name, text) for name, text in before_of.items())}
    of = attributed(evidence(one, before=known if before_of else None, baseline=baseline))
    found = lesser_endpoint_fails(of)
    assert found is not None
    [reason] = found.reasons
    assert reason.attribution is blamed
    assert reason.message == f"GET /b fails for everybody: 20 of 20 requests (500){end}"
    assert (endpoint_fails(of) is None) is (blamed is Attribution.PRE_EXISTING)


def test_three_intervals_are_named_and_the_others_counted() -> None:
    slos = tuple(
        TIMES.model_copy(update={"id": name, "item": name})
        for name in (LATENCY, HEALTH, LIVE, LOOKS, SIGN_IN)
    )
    taken = (Measurement("response_times", (900.0,) * 80, "ms"),)
    names = [one.id for one in slos]
    of = attributed(
        evidence(
            *(result(name, measurements=taken) for name in names),
            runbook=RUNBOOK.model_copy(update={"slos": slos}),
        )
    )

    def named(count: int) -> str:
        reasons = [Reason(name, None, None, "", "") for name in names[:count]]
        return confidence(of, A.FIX_FORWARD, reasons, objectives.judge(of))

    assert named(3) == f"high: intervals at 95 % confidence for {LATENCY}, {HEALTH}, {LIVE}"
    assert named(4) == f"high: intervals at 95 % confidence for {LATENCY}, {HEALTH}, {LIVE} and 1 more"
    assert named(5).endswith(" and 2 more")


# What a report keeps


@pytest.mark.parametrize(("pattern", "kept"), [("F", 0), ("FF", 2), ("FPF", 3)])
def test_a_report_shows_the_tries_of_an_item_that_was_tried_again(pattern: str, kept: int) -> None:
    tries = tuple(
        Attempt(FAILED if one == "F" else PASSED, "x", at(number), 0.1) for number, one in enumerate(pattern)
    )
    verdict = decide(evidence(result(LIVE, FAILED, attempts=tries)))
    assert len(next(one for one in verdict.items if one.id == LIVE).attempts) == kept


def test_of_several_counts_of_rows_only_the_one_that_fell_is_tried_with_more() -> None:
    known = Before(run="r1", baseline=True, commit="", finished_at="", age_s=1.0, statuses={DATA: PASSED})
    counts = {"exploits": 100, "health": 100, "readiness": 100}
    then = tuple(Measurement(name, value) for name, value in counts.items())
    now = tuple(Measurement(name, 50 if name == "health" else 100) for name in counts)
    given = evidence(result(DATA, measurements=now), before=known, baseline={DATA: then})
    altered = statements(given, A.ROLL_BACK, DATA)["health counting 80 or more (it is 50): hold"]
    assert [one.value for one in seen(altered, DATA).measurements] == [100, 80, 100]


def test_without_a_line_for_slowness_nothing_is_sampled_again() -> None:
    taken = result(LATENCY, FAILED, measurements=(Measurement("response_times", (900.0,) * 80, "ms"),))
    known = {LATENCY: (Measurement("response_times", (100.0,) * 80, "ms"),)}
    assert may_be_over(TIMES, taken, RUNBOOK.policy, known)
    without = RUNBOOK.policy.model_copy(update={"do_not_roll_back": ()})
    assert not may_be_over(TIMES, taken, without, known)
    assert not may_be_over(TIMES.model_copy(update={"quantile": None}), taken, RUNBOOK.policy, known)
    assert not may_be_over(TIMES.model_copy(update={"better": "above"}), taken, RUNBOOK.policy, known)
    assert not may_be_over(TIMES, replace(taken, measurements=()), RUNBOOK.policy, known)

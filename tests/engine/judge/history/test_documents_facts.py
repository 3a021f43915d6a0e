"""What the documents about one deployment say: events, retrospective, incident, what is left to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.history.deployment_record import deployment_file
from kamiyo_verify.judge.history.events import seconds_between
from kamiyo_verify.judge.history.incident import incident
from kamiyo_verify.judge.history.retrospective import retrospective
from kamiyo_verify.model.history.deployment_record import DeploymentFile, Happened
from kamiyo_verify.model.history.history import Deployed, DeploymentRecord, Tally
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind, Ending, RecordedRun
from kamiyo_verify.model.result import Attempt, Result
from kamiyo_verify.model.words import Attribution, Phase
from tests.support.evidence_for import (
    BACK,
    ERROR,
    ERRORS,
    FAILED,
    HEALTH,
    LIVE,
    LOOKS,
    PASSED,
    RUNBOOK,
    SIGN_IN,
    WEBHOOK,
    at,
    evidence,
    measured,
    result,
)

COMMIT = "9c41d07" + "0" * 33
ASKING = RUNBOOK.model_copy(update={"questions": ("well", "better", "surprising", "preventing", "another")})


def run(
    name: str,
    *results: Result,
    began_s: float = 0,
    ending: Ending = Ending.FINISHED,
    decisions: tuple[Decision, ...] = (),
    phases: tuple[Phase, ...] = (Phase.POSTDEPLOY, Phase.PERFORMANCE),
    drill: bool = False,
) -> RecordedRun:
    given = evidence(*results, phases=phases, commit="")
    return RecordedRun(
        id=name,
        environment="staging",
        phases=phases,
        commit=COMMIT,
        baseline=False,
        drill=drill,
        started_at=at(began_s),
        finished_at=at(began_s + 60),
        ending=ending,
        folder="",
        verdict=decide(given),
        results=given.results,
        decisions=decisions,
    )


def record(*runs: RecordedRun, restored_at: str = "", slowdown: Any = None, **seen: Any) -> DeploymentRecord:
    return DeploymentRecord(
        commit=COMMIT,
        seen_at=at(0),
        runs=tuple(one.id for one in runs),
        succeeded=None,
        rolled_back=False,
        seen=Deployed(commit=COMMIT, **seen),
        restored_at=restored_at,
        slowdown=slowdown or {},
    )


def file(*runs: RecordedRun, took_before: tuple[float | None, ...] = (), **of: Any) -> DeploymentFile:
    before = [record(duration_s=seconds) for seconds in took_before]
    return deployment_file("staging", record(*runs, **of), runs, before, earlier_runs=2)


def facts(*runs: RecordedRun, **of: Any) -> dict[str, tuple[str, ...]]:
    answers = retrospective(ASKING, file(*runs, **of)).answers
    return {one.question: tuple(one.facts) for one in answers}


def text_of(*runs: RecordedRun, **of: Any) -> str:
    return "\n".join(fact for found in facts(*runs, **of).values() for fact in found)


WELL = run("r1")
BAD = run("r2", result(SIGN_IN, FAILED, "500", attempts=(Attempt(FAILED, "500", at(70), 0.1),)), began_s=60)


def test_events_come_in_their_order_and_say_what_happened() -> None:
    decided = Decision(run="r2", deed=DecisionKind.ROLLED_BACK, who="Ada", at=at(200), note="it hurts")
    runs = (WELL, replace(BAD, decisions=(decided,)))
    found = file(
        *runs,
        restored_at=at(300),
        committed_at=at(-900),
        began_at=at(-60),
        duration_s=30.0,
        deployer="Bob",
        failed=False,
    )
    assert [(one.what, one.text) for one in found.events] == [
        (Happened.COMMITTED, "the commit was made"),
        (Happened.BEGAN, "the deployment began, by Bob"),
        (Happened.LIVE, "it was live, after 30 s"),
        (Happened.CHECKED, "checks began: postdeploy, performance"),
        (Happened.CHECKED, "checks began: postdeploy, performance"),
        (Happened.CALLED, f"proceed: {WELL.verdict.headline}"),
        (Happened.FAILED, f"the first failing try: {SIGN_IN} is well"),
        (Happened.CALLED, f"roll back: {BAD.verdict.headline}"),
        (Happened.DECIDED, "Ada decided: rolled back: it hurts"),
        (Happened.RESTORED, "service was restored"),
    ]


def test_a_deploy_that_is_not_live_and_checks_that_were_cut_short_say_so() -> None:
    texts = [
        one.text
        for one in file(
            replace(WELL, ending=Ending.INTERRUPTED), began_at=at(-60), duration_s=9.0, failed=True
        ).events
    ]
    assert "it ended, and is not live, after 9 s" in texts
    assert "the checks were cut short" in texts
    assert "the deployment began" in texts
    assert file(WELL, duration_s=9.0).events[0].text.startswith("checks began")


@pytest.mark.parametrize(
    ("earlier", "later", "seconds"),
    [(at(0), at(5), 5.0), (at(5), at(5), 0.0), (at(5), at(0), None), ("", at(0), None), (at(0), "", None)],
)
def test_time_between_two_events_needs_both_in_their_order(
    earlier: str, later: str, seconds: float | None
) -> None:
    assert seconds_between(earlier, later) == seconds


def test_a_failure_is_counted_over_the_runs_and_over_when_it_passed_since() -> None:
    again = run("r3", result(SIGN_IN, FAILED), began_s=120)
    mended = run("r4", began_s=180)
    [open_one] = file(WELL, BAD, again).troubles
    assert (open_one.item.id, open_one.run, open_one.times, open_one.over) == (SIGN_IN, "r3", 2, False)
    third = run("r5", result(SIGN_IN, FAILED), began_s=150)
    assert [one.times for one in file(BAD, again, third).troubles] == [3]
    [over] = file(BAD, again, mended).troubles
    assert (over.times, over.over) == (2, True)
    assert file(WELL).troubles == ()
    assert file(run("r5", drill=True), WELL).drill
    assert not file(WELL).drill


def test_what_is_left_to_do_names_repairs_remedies_and_what_was_not_verified() -> None:
    flaky = result(LOOKS, attempts=(Attempt(FAILED, "", at(1), 0.1), Attempt(PASSED, "", at(2), 0.1)))
    last = run("r2", result(SIGN_IN, FAILED, "500"), result(WEBHOOK, "unverified", "no key"), flaky)  # type: ignore[arg-type]
    todos = {one.what: one.why for one in file(last).todos}
    assert todos[f"Repair for good: {SIGN_IN} is well"] == "500"
    assert todos["The secret: Set it. Redeploy."] == "It is wrong."
    assert "Have 1 item verified next time" in todos
    mended = {one.what: one.why for one in file(BAD, WELL).todos}
    assert mended[f"Repair for good: {SIGN_IN} is well"] == "500 (a later run saw it pass)"


def test_the_last_report_with_a_value_stands_for_each_objective() -> None:
    first = run("r1", measured(ERRORS, errors=0, requests=5_000))
    second = run("r2", began_s=60)
    reports = {one.id: one.value for one in file(first, second).slos}
    assert reports["error-rate"] == 0.0
    assert {one.id for one in file(second).slos} == {slo.id for slo in RUNBOOK.slos}


def test_the_usual_duration_is_the_median_of_the_last_ten() -> None:
    assert file(WELL, took_before=(9_000.0, *(float(number) for number in range(10)))).usual_s == 4.5
    assert file(WELL, took_before=(None, 4.0)).usual_s == 4.0
    assert file(WELL, took_before=(None,)).usual_s is None


def test_what_went_well_is_told_with_its_numbers() -> None:
    met = run("r1", measured(ERRORS, errors=0, requests=12_000))
    well = facts(met, downtime_s=0.0, duration_s=60.0, took_before=(60.0,))["well"]
    assert well[1:] == ("met: Error rate", "nobody saw downtime", "it took 1 min, where 1 min is usual")
    assert well[0].startswith("10 of 11 items passed in the last run") or "passed in the last run" in well[0]
    assert not any(one.startswith("met: ") for one in facts(WELL)["well"])
    slow = facts(WELL, duration_s=61.0, downtime_s=3.0, took_before=(60.0,))
    assert not any("it took" in one or "downtime" in one for one in slow["well"])
    assert "it took 1 min 1 s, where 1 min is usual" in slow["better"]
    assert "3 s of downtime" in slow["better"]
    assert "it took 1 min 1 s" in facts(WELL, duration_s=61.0)["well"]


def test_times_to_the_failure_and_to_the_restoration_are_told() -> None:
    found = text_of(BAD, began_at=at(10), restored_at=at(130))
    assert "the first failure was seen 1 min after the deployment began" in found
    assert "service was restored 1 min after that" in found
    assert "the first failure" not in text_of(BAD)


def test_what_should_be_better_is_told() -> None:
    open_run = run("r2", result(HEALTH, ERROR, "timed out"), result(LIVE, ERROR, "timed out"), began_s=60)
    found = facts(WELL, open_run)["better"]
    assert f"not measured: {HEALTH} is well; {LIVE} is well" in found
    assert "1 of 2 runs decided nothing" in found
    assert not any("decided nothing" in one for one in facts(WELL, BAD)["better"])
    assert "nobody has recorded what was done about the call" in facts(BAD)["better"]
    decided = replace(BAD, decisions=(Decision(run="r2", deed=DecisionKind.KEPT, who="Ada", at=at(180)),))
    assert "1 min lay between the call and the decision" in facts(decided)["better"]
    assert not any("the call" in one for one in facts(WELL)["better"])


def test_what_was_surprising_is_told() -> None:
    theirs = run("r1", result(SIGN_IN, FAILED, attribution=Attribution.THIRD_PARTY))
    assert f"{SIGN_IN} is well: was caused by a third party" in facts(theirs)["surprising"]
    assert (
        f"{SIGN_IN} is well: passed at first, and failed later"
        in facts(WELL, BAD, replace(BAD, id="r3"))["surprising"]
    )
    assert text_of(WELL, BAD, replace(BAD, id="r3")).count("passed at first") == 1
    assert "passed at first" not in text_of(BAD, WELL)
    hour = facts(WELL, first_hour=Tally(5, 1_000, "requests of users"))["surprising"]
    assert hour == ("5 of 1,000 requests of users failed in the first hour (0.5 %)",)
    assert facts(WELL, first_hour=Tally(0, 1_000, "requests of users"))["surprising"] == ()
    assert facts(WELL, slowdown={"api-p95": 1.25})["surprising"] == (
        "api-p95 is 1.25 times that of the good deployment before",
    )
    assert facts(WELL, slowdown={"api-p95": 1.24})["surprising"] == ()


def test_what_would_have_prevented_it_is_told() -> None:
    found = facts(BAD)["preventing"]
    assert f"failed: {SIGN_IN} is well; known as: The secret" in found
    assert "no preflight run of this commit is recorded" in found
    assert any(one.startswith("nothing was known of the time before") for one in found)
    looked = run("r0", phases=(Phase.PREFLIGHT,))
    assert f"the preflight said proceed: {looked.verdict.headline}" in facts(looked, BAD)["preventing"]
    assert facts(BAD)["another"] == ()


# Incidents


def test_an_incident_tells_what_users_lose_and_which_levels_were_reached() -> None:
    of = file(
        BAD, began_at=at(0), restored_at=at(16 * 60), downtime_s=3.0, first_hour=Tally(5, 1_000, "requests")
    )
    found = incident(RUNBOOK, of, BAD)
    assert found.impact == (
        "users: something",
        "to be taken back: kamiyo-frontend",
        "5 of 1,000 requests failed in the first hour (0.5 %)",
        "3 s of downtime while it was deployed",
    )
    assert (found.since, found.since_deploy) == (at(0), True)
    assert (found.detected_s, found.called_s, found.recovered_s) == (70.0, 120.0, 960.0)
    assert [(one.level.who, one.reached) for one in found.levels] == [
        ("primary", True),
        ("secondary", True),
        ("manager", False),
        ("chief", True),
    ]


def test_an_incident_that_lasts_leaves_later_levels_open() -> None:
    lesser = run("r1", result(LIVE, FAILED))
    found = incident(RUNBOOK, file(lesser), lesser)
    assert [one.reached for one in found.levels] == [True, None, None, None]
    later = replace(
        lesser, decisions=(Decision(run="r1", deed=DecisionKind.KEPT, who="Ada", at=at(15 * 60)),)
    )
    assert [one.reached for one in incident(RUNBOOK, file(later), later).levels] == [True, True, None, None]
    assert (found.since, found.since_deploy, found.recovered_s) == (at(0), False, None)
    assert not any(one.startswith("to be taken back") for one in found.impact)


@pytest.mark.parametrize(
    ("one", "listed"),
    [
        (measured(ERRORS, errors=24, requests=1_200), True),
        (measured(ERRORS, errors=1, requests=1_200), True),
        (measured(ERRORS, errors=0, requests=1_200), False),
        (measured(ERRORS, errors=0, requests=12_000), False),
    ],
)
def test_failing_requests_are_an_impact_unless_their_objective_is_met(one: Result, *, listed: bool) -> None:
    of = run("r1", one)
    impact = incident(RUNBOOK, file(of), of).impact
    assert any(text.startswith("Error rate: ") for text in impact) is listed


def test_after_a_rollback_the_phase_is_told() -> None:
    assert file(run("r1", result(BACK), phases=(Phase.ROLLBACK,))).events[0].text == "checks began: rollback"

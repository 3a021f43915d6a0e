"""Several runs of one commit are judged together: another run adds evidence, and never takes any away."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kamiyo_verify.judge.conclusion import conclude
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo import objectives as slo
from kamiyo_verify.judge.slo.earlier import (
    counted,
    earlier_runs,
    may_pool,
    measurements_needed,
    of_these_addresses,
)
from kamiyo_verify.model.history.earlier import EarlierRuns, SampledRun
from kamiyo_verify.model.history.history import Deployed, PastRun
from kamiyo_verify.model.history.recorded_run import RecordedRun
from kamiyo_verify.model.result import Exchange, Measurement, Result
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, Phase, SloVerdict, Status, Stopping
from tests.support.evidence_for import COMMIT, ERRORS, HEALTH, RUNBOOK, evidence, result
from tests.support.recorded_runs import moment

MET, BREACHED = SloVerdict.MET, SloVerdict.BREACHED
OPEN = SloVerdict.INSUFFICIENT_EVIDENCE
A, B = "9c41d07" + "0" * 33, "3b0cca2" + "0" * 33
NOW = 600
"""Minutes after the beginning of all this at which the run that is judged began."""


def sample(pattern: str, *, stopping: Stopping = Stopping.SEQUENTIAL) -> tuple[Measurement, ...]:
    """One request a second: "x" failed, "." passed."""
    bad = tuple(float(char == "x") for char in pattern)
    return (
        Measurement("errors", int(sum(bad)), "count"),
        Measurement("requests", len(bad), "count"),
        Measurement("sent_at", tuple(map(float, range(len(bad)))), "s"),
        Measurement("outcomes", bad),
        Measurement("stopping", stopping.value),
    )


def spread(bad: int, total: int) -> str:
    """So many failures, evenly spread."""
    return "".join("x" if (n + 1) * bad // total > n * bad // total else "." for n in range(total))


def outage(seconds: int, total: int) -> str:
    return "." * (total // 3) + "x" * seconds + "." * (total - total // 3 - seconds)


def answering(**commits: str) -> tuple[Measurement, ...]:
    return tuple(Measurement(f"{service}_commit", commit) for service, commit in commits.items())


def ran(
    pattern: str, *, minute: float = NOW - 60, commit: str = A, answers: str = "", **more: Any
) -> SampledRun:
    """One earlier run."""
    measured = {ERRORS: sample(pattern)}
    if answers:
        measured[COMMIT] = answering(api=answers, frontend=answers)
    return SampledRun(
        id=f"run at {minute:g}",
        commit=commit,
        started_at=moment(minute),
        finished_at=moment(minute + 1),
        **{"measurements": measured, **more},
    )


def this(pattern: str, *results: Result, runbook: Runbook = RUNBOOK, **more: Any) -> Evidence:
    """The run that is judged, alone."""
    return evidence(
        result(ERRORS, measurements=sample(pattern, **more)),
        *results,
        commit=A,
        runbook=runbook,
        started_at=moment(NOW),
        finished_at=moment(NOW + 1),
    )


def after(alone: Evidence, *earlier: SampledRun, past: tuple[PastRun, ...] = ()) -> Evidence:
    """The same run, with what the ledger knows."""
    return replace(alone, earlier=earlier_runs(alone, earlier, past))


def report(of: Evidence) -> SloReport:
    return next(one for one in slo.judge(of) if one.id == "error-rate")


def looser(objective: float) -> Runbook:
    slos = (one.model_copy(update={"objective": objective}) for one in RUNBOOK.slos if one.id == "error-rate")
    return RUNBOOK.model_copy(update={"slos": tuple(slos)})


def alike(pattern: str, times: int) -> tuple[SampledRun, ...]:
    return tuple(ran(pattern, minute=NOW - 60 + 5 * n) for n in range(times))


CLEAN = "." * 1_200
ALONE: tuple[tuple[str, str, SloVerdict], ...] = (
    ("healthy", CLEAN, OPEN),
    ("two of 300", spread(2, 300), OPEN),
    ("an outage in progress", spread(30, 300), BREACHED),
)
STORIES: tuple[tuple[str, str, tuple[SampledRun, ...], SloVerdict, int], ...] = (
    ("healthy for the second time", CLEAN, alike(CLEAN, 1), OPEN, 2),
    ("healthy for the third time: met earlier than alone", CLEAN, alike(CLEAN, 2), MET, 3),
    ("two of 300, twice", spread(2, 300), alike(spread(2, 300), 1), OPEN, 2),
    ("two of 300, three times: breached though each alone is undecided", spread(2, 300),
     alike(spread(2, 300), 2), BREACHED, 3),
    ("well now, after two runs that were not: run again until it is green", "." * 300,
     alike(spread(3, 300), 2), BREACHED, 3),
    ("repaired without a deploy, long ago", CLEAN, (ran(spread(6, 300)), *alike(CLEAN, 8)), OPEN, 10),
    ("an old outage of 30 s, well since", "." * 300, (ran(outage(30, 300)),), OPEN, 2),
    ("an old run without any answer, well since", "." * 300, (ran("x" * 67),), OPEN, 2),
    ("this run alone is breached, and good runs do not outweigh it", spread(30, 300), alike(CLEAN, 9),
     BREACHED, 1),
    ("another commit's runs", spread(2, 300), tuple(
        replace(one, commit=B) for one in alike(spread(2, 300), 2)), OPEN, 1),
    ("the same commit, abbreviated", CLEAN, tuple(
        replace(one, commit=A[:7]) for one in alike(CLEAN, 2)), MET, 3),
    ("runs whose sampling was disturbed on our own side", spread(2, 300), tuple(
        replace(one, disturbed=frozenset({ERRORS})) for one in alike(spread(2, 300), 2)), OPEN, 1),
    ("runs that did not sample", CLEAN, (ran("", measurements={}),), OPEN, 1),
    ("runs older than a day", CLEAN, tuple(ran(CLEAN, minute=NOW - 1441 - n) for n in range(2)), OPEN, 1),
    ("a run before the release was live", CLEAN, (
        ran(CLEAN, minute=NOW - 90, answers=B), *alike(CLEAN, 1)), OPEN, 2),
    ("another commit was live between", CLEAN, (
        ran(CLEAN, minute=NOW - 90), ran(CLEAN, minute=NOW - 80, commit=B, answers=B), ran(CLEAN)), OPEN, 2),
    ("another commit was asked for between, and this one answered", CLEAN, (
        ran(CLEAN, minute=NOW - 90), ran(CLEAN, minute=NOW - 80, commit=B, answers=A), ran(CLEAN)), MET, 3),
)  # fmt: skip


@pytest.mark.parametrize(("pattern", "verdict"), [pytest.param(*row[1:], id=row[0]) for row in ALONE])
def test_alone(pattern: str, verdict: SloVerdict) -> None:
    assert report(this(pattern)).verdict is verdict
    first = report(after(this(pattern)))
    assert (first.verdict, first.runs) == (verdict, 1)
    assert "of this commit" not in first.message


@pytest.mark.parametrize(
    ("pattern", "earlier", "verdict", "runs"), [pytest.param(*row[1:], id=row[0]) for row in STORIES]
)
def test_together(pattern: str, earlier: tuple[SampledRun, ...], verdict: SloVerdict, runs: int) -> None:
    found = report(after(this(pattern), *earlier))
    assert (found.verdict, found.runs) == (verdict, runs), found.message


def test_the_sentence_says_what_was_pooled_with_this_runs_own_number_beside() -> None:
    assert report(after(this(CLEAN), *alike(CLEAN, 2))).message == (
        "0 errors in 3,600 requests in 3 runs of this commit since 23:00 UTC (this run: 0 in 1,200):"
        " below 0.094 % with 95 % confidence, whenever it ended; the objective is below 0.1 %"
        " (our own sampling: 3,600 requests)"
    )


def test_a_breach_of_an_earlier_run_says_how_many_good_requests_are_missing() -> None:
    found = report(after(this("." * 300), *alike(spread(3, 300), 2)))
    assert "6 errors in 900 requests in 3 runs of this commit since 23:00 UTC (this run: 0 in 300)" in (
        found.message
    )
    until = int(
        found.message.partition("and breached until ")[2].partition(" more requests")[0].replace(",", "")
    )

    def with_more(requests: int) -> SloVerdict:
        return report(after(this("." * requests), *alike(spread(3, 300), 2))).verdict

    assert with_more(300 + until - 1) is BREACHED
    assert with_more(300 + until) is OPEN


def test_what_is_still_needed_is_told() -> None:
    found = report(after(this(CLEAN), *alike(CLEAN, 1)))
    assert "0.1 % needs 3,402 clean requests, 1,002 more than there are" in found.message
    assert found.samples_needed == 3_402
    alone = report(after(this("." * 3_402)))
    assert alone.verdict is MET


def test_a_breach_of_this_run_alone_names_all_runs_beside() -> None:
    message = report(after(this(spread(30, 300)), *alike(CLEAN, 9))).message
    assert message.startswith("30 errors in 300 requests: at least ")
    assert "all together: 30 errors in 11,100 requests in 10 runs of this commit since 23:00 UTC" in message


def test_spells_are_told() -> None:
    assert "failures come in spells: worth " in report(after(this(CLEAN), ran(outage(30, 300)))).message


def test_an_unknown_past_is_said_and_changes_nothing() -> None:
    alone = this(spread(2, 300))
    away = report(replace(alone, earlier=EarlierRuns(unknown="the ledger could not be read")))
    assert away.verdict is report(alone).verdict
    assert away.message == report(alone).message[:-1] + (
        "; earlier runs of this commit are not known: the ledger could not be read)"
    )


def test_whoever_may_run_again_gets_no_fixed_size_interval() -> None:
    """2,995 clean requests meet 0.1 % in one look of a settled size; runs that may follow are looks too."""
    fixed = this("." * 2_995, stopping=Stopping.FIXED)
    assert report(fixed).verdict is MET
    assert report(after(fixed)).verdict is OPEN


def test_other_objectives_are_left_to_their_own_samples() -> None:
    alone, together = this(CLEAN), after(this(CLEAN), *alike(spread(6, 300), 3))
    for one, other in zip(slo.judge(alone), slo.judge(together), strict=True):
        assert one.id == "error-rate" or one == other


def test_above_is_the_mirror_image() -> None:
    slos = tuple(
        one.model_copy(update={"objective": 0.999, "better": "above"}) if one.id == "error-rate" else one
        for one in RUNBOOK.slos
    )
    runbook = RUNBOOK.model_copy(update={"slos": slos})
    assert report(after(this(CLEAN, runbook=runbook), *alike(CLEAN, 2))).verdict is MET
    assert report(after(this("." * 300, runbook=runbook), *alike(spread(3, 300), 2))).verdict is BREACHED


@pytest.mark.parametrize("pattern", ["." * 300, spread(2, 300), spread(20, 300), spread(60, 300)])
@pytest.mark.parametrize("old", ["x" * 300, outage(150, 300), spread(60, 300), CLEAN])
def test_earlier_runs_change_no_call_but_by_the_objective(pattern: str, old: str) -> None:
    """An outage that ended in an earlier run rolls nothing back, and good runs hide no rollback."""
    alone = decide(this(pattern)).recommendation
    together = decide(after(this(pattern), *alike(old, 5))).recommendation
    assert together is alone or {alone, together} == {Action.PROCEED, Action.FIX_FORWARD}


def test_a_breach_by_an_earlier_run_asks_for_a_fix_of_the_commit() -> None:
    verdict = decide(after(this("." * 300), *alike(spread(3, 300), 2)))
    assert verdict.recommendation is Action.FIX_FORWARD
    assert verdict.headline == "1 objective of this commit breached"
    assert decide(this("." * 300)).recommendation is Action.PROCEED


def test_a_run_that_met_another_commit_is_judged_by_itself() -> None:
    other = this(CLEAN, result(COMMIT, measurements=answering(api=B, frontend=B)))
    assert report(after(other, *alike(CLEAN, 2))).runs == 1


@pytest.mark.parametrize(
    ("read", "runs"),
    [
        ({"commit": A}, 3),
        ({"commit": B}, 1),
        ({"deployed": B}, 1),
        ({"unread": "no header"}, 1),
        ({"silent": "no answer"}, 3),
    ],
    ids=str,
)
def test_a_run_that_met_another_commit_is_left_out_whatever_item_read_it(
    read: dict[str, str], runs: int
) -> None:
    """A team's own item about one service, in a runbook without an item about all of them."""
    own = RUNBOOK.model_copy(update={"items": tuple(item for item in RUNBOOK.items if item.id != COMMIT)})
    measured = tuple(Measurement(name, value) for name, value in {"expected": A, **read}.items())
    earlier = [replace(one, measurements={**one.measurements, HEALTH: measured}) for one in alike(CLEAN, 2)]
    alone = this(CLEAN)
    results = tuple(one for one in alone.results if one.item != COMMIT)
    expected = tuple(one for one in alone.expected if one != COMMIT)
    alone = replace(alone, runbook=own, results=results, expected=expected)
    assert report(after(alone, *earlier)).runs == runs


def test_only_runs_since_the_latest_deployment_began() -> None:
    old, new = ran(CLEAN, minute=NOW - 90), ran(CLEAN)
    item = "deploy.duration"
    row = RUNBOOK.items[0].model_copy(update={"id": item, "phase": Phase.DEPLOY})
    runbook = RUNBOOK.model_copy(update={"items": (*RUNBOOK.items, row)})

    def runs(began: str) -> int:
        seen = Result(item, Phase.DEPLOY, Status.PASSED, measurements=(Measurement("began_at", began),))
        return report(after(this(CLEAN, seen, runbook=runbook), old, new)).runs

    assert runs(moment(NOW - 75)) == 2
    assert runs(moment(NOW - 120)) == 3
    assert runs("yesterday") == 3, "what cannot be read is not known"


@pytest.mark.parametrize(
    ("past", "runs"),
    [
        ({"deeds": (("rolled_back", moment(NOW - 75)),)}, 2),
        ({"deeds": (("rolled_back", moment(NOW - 75)), ("kept", moment(NOW - 70)))}, 3),
        ({"phases": (Phase.ROLLBACK,), "started_at": moment(NOW - 75)}, 2),
        ({"phases": (Phase.ROLLBACK,), "recommendation": Action.INCONCLUSIVE}, 3),
    ],
)
def test_a_second_deploy_after_a_rollback_starts_anew(past: dict[str, Any], runs: int) -> None:
    given: dict[str, Any] = {
        "id": "r",
        "phases": (Phase.POSTDEPLOY,),
        "started_at": moment(NOW - 90),
        "recommendation": Action.PROCEED,
        "blamed": False,
        "deployed": Deployed(commit=A),
        **past,
    }
    earlier = (ran(CLEAN, minute=NOW - 90), ran(CLEAN))
    assert report(after(this(CLEAN), *earlier, past=(PastRun(**given),))).runs == runs


def test_without_a_commit_or_for_a_baseline_nothing_is_pooled() -> None:
    assert may_pool(this(CLEAN))
    assert not may_pool(replace(this(CLEAN), commit=""))
    assert not may_pool(replace(this(CLEAN), records_baseline=True))


def test_a_sample_that_a_second_one_replaced_counts_too() -> None:
    """Leaving the first one out, because it was bad, would be another way to run until it is green."""
    first = tuple(replace(taken, name=f"{taken.name}[first sample]") for taken in sample(outage(30, 90)))
    slo_ = next(one for one in RUNBOOK.slos if one.id == "error-rate")
    found = counted(slo_, (*sample("." * 90), *first))
    assert found is not None
    assert (found.bad, found.total) == (30, 180)
    assert found.effect >= 30, "one spell"
    assert {"errors", "errors[first sample]"} <= {*measurements_needed(RUNBOOK)[ERRORS]}


@pytest.mark.parametrize(
    ("pattern", "least", "most"),
    [
        ("." * 300, 1, 1),
        (spread(3, 300), 1, 1),
        (outage(30, 300), 30, 300),
        ("x" * 67, 67, 67),
        ("x" * 66 + ".", 66, 67),
    ],
)
def test_failures_in_a_row_are_one_event(pattern: str, least: float, most: float) -> None:
    slo_ = next(one for one in RUNBOOK.slos if one.id == "error-rate")
    found = counted(slo_, sample(pattern))
    assert found is not None
    assert least <= found.effect <= most


def test_failures_whose_times_are_unknown_are_one_event() -> None:
    slo_ = next(one for one in RUNBOOK.slos if one.id == "error-rate")
    found = counted(slo_, sample(spread(6, 300))[:2])
    assert found is not None
    assert found.effect == 6
    assert counted(slo_, (Measurement("errors", 2), Measurement("requests", 1))) is None


def test_an_older_recording_is_judged_as_it_was() -> None:
    assert this(CLEAN).earlier is None
    assert conclude(this(CLEAN), 0) == conclude(replace(this(CLEAN), earlier=None), 0)


def test_more_bad_requests_are_never_better_and_more_good_ones_never_worse() -> None:
    order = [MET, OPEN, BREACHED]
    rng = random.Random(5)  # noqa: S311 - the same stories each time
    runbook = looser(0.02)
    for _ in range(40):
        history = [
            ran(rng.choice([spread(rng.randint(0, 12), 200), outage(rng.randint(1, 60), 200)]), minute=n)
            for n in range(rng.randint(1, 5))
        ]
        now = this("." * 100, runbook=runbook)
        before = order.index(report(after(now, *history)).verdict)
        worse = order.index(report(after(now, *history, ran("x" * 200, minute=20))).verdict)
        better = order.index(report(after(now, *history, ran("." * 200, minute=20))).verdict)
        assert better <= before <= worse


def simulated(share: float, rng: random.Random, *, spell: int = 1, requests: int = 60) -> str:
    """Requests of which this share fails, in spells of this length."""
    pattern = ""
    while len(pattern) < requests:
        start = share / (spell * (1 - share) + share)
        pattern += "x" * spell if rng.random() < start else "."
    return pattern[:requests]


def ever_met(runs: int, runbook: Runbook, patterns: Any) -> bool:
    earlier: list[SampledRun] = []
    for n in range(runs):
        pattern = patterns(n)
        if report(after(this(pattern, runbook=runbook), *earlier)).verdict is MET:
            return True
        earlier.append(ran(pattern, minute=n))
    return False


def most_of(commits: int) -> float:
    """5 % of so many commits, and what chance adds to it."""
    return commits * 0.05 + 2 * math.sqrt(commits * 0.05 * 0.95)


LONG = pytest.mark.exhaustive


@pytest.mark.parametrize(
    ("objective", "commits", "runs"),
    [
        (0.001, 30, 6),
        pytest.param(0.001, 100, 20, marks=LONG),
        pytest.param(0.01, 100, 20, marks=LONG),
    ],
)
def test_running_until_it_is_green_gets_nowhere(objective: float, commits: int, runs: int) -> None:
    """A true 1 %: hardly a commit ever shows "met", however often it is run."""
    runbook, green = looser(objective), 0
    for seed in range(commits):
        rng = random.Random(seed)  # noqa: S311 - the same stories each time
        green += ever_met(runs, runbook, lambda _n, rng=rng: simulated(0.01, rng, requests=100))
    assert green <= most_of(commits)


@pytest.mark.parametrize(
    ("objective", "spell", "chance", "commits"),
    [
        (0.05, 20, 0.25, 20),
        pytest.param(0.05, 50, 0.1, 100, marks=LONG),
        pytest.param(0.01, 10, 0.1, 100, marks=LONG),
    ],
)
def test_clean_runs_between_spells_do_not_outweigh_them(
    objective: float, spell: int, chance: float, commits: int
) -> None:
    """The first run met a spell; others do so now and then, and the objective's share fails over all."""
    runbook, green = looser(objective), 0
    for seed in range(commits):
        rng = random.Random(seed)  # noqa: S311 - the same stories each time

        def pattern(n: int, rng: random.Random = rng) -> str:
            return outage(spell, 100) if n == 0 or rng.random() < chance else "." * 100

        green += ever_met(20, runbook, pattern)
    assert green <= most_of(commits)


def requesting(*urls: str) -> Result:
    exchanges = tuple(Exchange("GET", url, 200, 5.0) for url in urls)
    return result(HEALTH, Status.PASSED, exchanges=exchanges)


@pytest.mark.parametrize(
    ("then", "runs"),
    [
        (requesting("https://api.example/health"), 2),
        (requesting("https://staging.example/health"), 1),
        (requesting("http://api.example/health"), 1),
        (requesting("https://api.example/other", "https://login.example/"), 2),
        (requesting(), 2),
    ],
)
def test_a_run_that_asked_another_address_does_not_count(then: Result, runs: int) -> None:
    alone = this("." * 40, requesting("https://api.example/health"))
    before = ran("." * 40)
    found = earlier_runs(alone, [before])
    recorded = cast("RecordedRun", SimpleNamespace(id=before.id, results=(then,)))
    judged = report(replace(alone, earlier=of_these_addresses(alone, found, [recorded])))
    assert judged.runs == runs

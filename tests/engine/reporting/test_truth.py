"""Every sentence of a report is true: read over all stories of the judgement, against the verdict's data."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Phase, SloVerdict, Status
from kamiyo_verify.reporting import html, summary
from kamiyo_verify.reporting.markdown import deployment_md
from kamiyo_verify.reporting.terminal import lines
from tests.engine.judge.test_stories import STORIES
from tests.support.evidence_for import FAILED, HEALTH, LATENCY, RUNBOOK, WEBHOOK, evidence, result
from tests.support.example_reports import EXAMPLES

TOLD = [*STORIES, *((name, make(), None) for name, make in EXAMPLES.items())]
OWN_HOURS = 720
UNSEEN: dict[str, Any] = {"attempts": (), "confirmation": None, "exchanges": (), "measurements": ()}
OPEN = SloVerdict.INSUFFICIENT_EVIDENCE


RULES: list[Callable[[Evidence], None]] = []
"""What has to be true of each story's reports."""


def of_every_story(rule: Callable[[Evidence], None]) -> Callable[[Evidence], None]:
    """Note a rule; `test_every_sentence_is_true` calls it with each story's evidence."""
    RULES.append(rule)
    return rule


@pytest.mark.parametrize("of", [pytest.param(of, id=name) for name, of, _ in TOLD])
def test_every_sentence_is_true(of: Evidence) -> None:
    broken: list[AssertionError] = []
    for rule in RULES:
        try:
            rule(of)
        except AssertionError as error:
            error.add_note(f"rule: {rule.__name__}")
            broken.append(error)
    if broken:
        raise ExceptionGroup("rules of reports", broken)


def terminal(verdict: Verdict) -> str:
    shown = lines(verdict, report_path="report.html", width=400)
    return "\n".join("".join(span.text for span in line) for line in shown)


_DECIDED: dict[int, Verdict] = {}
_READ: dict[int, str] = {}
"""By the identity of a story's evidence, which this module keeps, and of the verdict kept above."""


def verdict_of(of: Evidence) -> Verdict:
    """The verdict of a story, reached once for all tests."""
    if id(of) not in _DECIDED:
        _DECIDED[id(of)] = decide(of)
    return _DECIDED[id(of)]


def text(verdict: Verdict) -> str:
    """All that the reports say of a story's verdict, without markup."""
    if not any(verdict is one for one in _DECIDED.values()):
        return _text(verdict)
    if id(verdict) not in _READ:
        _READ[id(verdict)] = _text(verdict)
    return _READ[id(verdict)]


def _text(verdict: Verdict) -> str:
    page = re.sub(r"<style>.*?</style>|<[^>]*>", " ", "".join(html.fragments(verdict)), flags=re.DOTALL)
    return " ".join(f"{page} {terminal(verdict)} {deployment_md(verdict)}".split())


@of_every_story
def introduced_needs_proof_of_how_it_was_before(of: Evidence) -> None:
    verdict = verdict_of(of)
    # Rows that are gone since the baseline are a reason of an item that passes.
    by = [item.attribution for item in verdict.items] + [reason.attribution for reason in verdict.reasons]
    introduced = Attribution.INTRODUCED in by
    assert ("introduced by this deploy" in text(verdict)) is bool(introduced and verdict.compared)


@of_every_story
def what_is_measured_against_before_is_not_called_unknown_before(of: Evidence) -> None:
    for reason in decide(of).reasons:
        if "before the deployment" in reason.message:
            assert reason.attribution is not Attribution.UNKNOWN


@of_every_story
def a_service_stays_only_where_another_goes(of: Evidence) -> None:
    verdict = verdict_of(of)
    assert bool(summary.stays(verdict)) <= bool(summary.goes_back(verdict))
    if verdict.recommendation is not Action.ROLL_BACK:
        assert not re.search(r"kamiyo-\w+ stays?\b", text(verdict))
    assert "is not broken" not in text(verdict)


@of_every_story
def only_who_has_to_act_is_named_and_duties_only_where_they_apply(of: Evidence) -> None:
    verdict = verdict_of(of)
    idle = verdict.recommendation in {Action.PROCEED, Action.HOLD} or (of.deploy_minutes or 0) > OWN_HOURS
    if idle or (of.interrupted and verdict.recommendation is not Action.ROLL_BACK):
        assert verdict.escalation == ""
    if verdict.recommendation is not Action.ROLL_BACK:
        assert not any(row.does and row.does in verdict.escalation for row in of.runbook.escalation)
    minute = re.search(r"minute (\d+) of the deployment", verdict.escalation)
    known = verdict.deploy_minutes
    assert (minute is None) or (known is not None and int(minute[1]) == round(known))


@of_every_story
def a_clause_is_cited_for_what_it_says(of: Evidence) -> None:
    for reason in verdict_of(of).reasons:
        line = next((one for one in of.runbook.policy.do_not_roll_back if one.text == reason.clause), None)
        if line is not None and line.impact is not None:
            assert line.impact is reason.impact
            assert line.limit is None or "slower" in reason.message


@of_every_story
def breached_objectives_are_counted_right(of: Evidence) -> None:
    verdict = verdict_of(of)
    count = re.search(r"(\d+) objectives? of this run breached", verdict.headline)
    if count:
        breached = {report.id for report in verdict.slos if report.verdict is SloVerdict.BREACHED}
        named = {reason.item for reason in verdict.reasons} & {report.id for report in verdict.slos}
        assert len(named) == int(count[1])
        assert named <= breached


@of_every_story
def a_remedy_is_offered_and_not_claimed(of: Evidence) -> None:
    verdict = verdict_of(of)
    shown = text(verdict)
    for remedy in {item.remedy.title for item in verdict.items if item.remedy}:
        claimed = re.findall(rf"(.{{22}}){re.escape(remedy)}", shown)
        assert all(before.endswith("if this is the cause: ") for before in claimed)


@of_every_story
def the_counts_of_the_confidence_are_those_of_the_run(of: Evidence) -> None:
    verdict = verdict_of(of)
    statuses = {item.id: item.status for item in verdict.items}
    if seen := re.search(r"(\d+) of (\d+) required items? passed", verdict.confidence):
        applicable = [
            statuses[item.id]
            for item, _ in of.outcomes
            if item.impact in of.runbook.policy.required_impacts
            and item.id not in of.no_check
            and statuses[item.id] is not Status.NOT_APPLICABLE
            and not (item.optional and statuses[item.id] is Status.UNVERIFIED)
        ]
        assert (int(seen[1]), int(seen[2])) == (applicable.count(Status.PASSED), len(applicable))
        assert (seen[1] == seen[2]) or not verdict.confidence.startswith("high")
    if seen := re.search(r"failed in ([\d,]+) of ([\d,]+) tries and rechecks", verdict.confidence):
        bad, total = (int(number.replace(",", "")) for number in seen.groups())
        failed = [one for one in verdict.reasons if statuses.get(one.item) is FAILED]
        assert bad <= total
        assert bad >= len({one.item for one in failed})
    if seen := re.search(r"confidence for ([^;]+)", verdict.confidence):
        feeds = {slo.id: {slo.id, slo.item} for slo in of.runbook.slos}
        shown = (one for one in verdict.slos if one.samples and one.interval and one.verdict is not OPEN)
        proven = {name for one in shown for name in feeds[one.id]}
        assert {one for one in re.split(r", | and \d+ more", seen[1]) if one} <= proven
    word = verdict.confidence.partition(":")[0]
    assert word in {"", "high", "moderate", "low", "none"} or verdict.recommendation is Action.PROCEED
    assert (word == "none") is (verdict.recommendation is Action.INCONCLUSIVE)


@of_every_story
def causes_are_those_of_their_exchanges(of: Evidence) -> None:
    verdict = verdict_of(of)
    for cause in verdict.causes:
        if answered := re.search(r" answers (\d{3})\b", cause.title):
            assert int(answered[1]) == cause.status
        if cause.title.endswith("in every try"):
            results = [found for item in cause.items if (found := of.result(item))]
            assert all(one.status is not Status.PASSED for found in results for one in found.attempts)
            sampled = [found.confirmation.share for found in results if found.confirmation]
            assert all(share is None or share.count == len(share.failed) for share in sampled)
    if since := re.search(r"seen since (\d\d:\d\d) UTC", summary.cause(verdict)):
        assert any(f"T{since[1]}" in cause.at for cause in verdict.causes)


@of_every_story
def what_failed_is_never_told_by_its_expectation(of: Evidence) -> None:
    verdict = verdict_of(of)
    shown = terminal(verdict)
    for item in verdict.items:
        if item.status is FAILED:
            assert item.title not in shown
            assert f"- [ ] {item.title} – failed" not in shown


@of_every_story
def nothing_is_cut_in_the_middle_of_a_sentence_with_a_count(of: Evidence) -> None:
    assert "characters more" not in text(verdict_of(of))


@of_every_story
def what_a_rollback_is_for_and_is_kept_says_why_in_the_first_screen(of: Evidence) -> None:
    verdict = decide(of)
    policy = of.runbook.policy
    grave = any(one.impact and policy.rollback_clause(one.impact) for one in verdict.reasons)
    lost = grave and Phase.ROLLBACK not in of.phases
    shown = "keep this version because" in terminal(verdict)
    if verdict.recommendation is Action.FIX_FORWARD:
        assert shown <= bool(lost)
        assert shown or not lost or all_ended(of, verdict)
        assert ("it failed before too" in verdict.next_step) <= bool(verdict.compared)
    else:
        assert not shown


def all_ended(of: Evidence, verdict: Verdict) -> bool:
    """Every item that a rollback would be for answers again, or is an objective's."""
    feeds = {slo.item for slo in of.runbook.slos}
    named = {one.item for one in verdict.reasons if one.item} - feeds
    return all(item.status is Status.PASSED for item in verdict.items if item.id in named)


@of_every_story
def no_value_is_shown_as_python_prints_it(of: Evidence) -> None:
    assert not re.search(r"[{\[]'|object at 0x|<class ", text(decide(of)))


@of_every_story
def what_was_not_finished_is_nobodys_fault(of: Evidence) -> None:
    """Every story, ended before its last item was tried."""
    [*done, last] = of.results
    untried = replace(
        last,
        status=Status.ERROR,
        message="the run stopped before it was tried",
        attribution=None,
        failure=FailureKind.NOT_TRIED,
        **UNSEEN,
    )
    verdict = decide(replace(of, results=(*done, untried), interrupted=True))
    [found] = [item for item in verdict.items if item.id == last.item]
    assert found.attribution is None
    assert found.id not in verdict.next_step
    assert verdict.recommendation is not Action.PROCEED


@of_every_story
def a_credential_is_called_refused_only_where_a_request_carried_one(of: Evidence) -> None:
    verdict = decide(of)
    if "our own credentials are refused" in verdict.headline:
        assert any(found.refusal or sent.credential for found in of.results for sent in found.exchanges)
    if "this runner is shut out" in verdict.headline:
        assert verdict.recommendation is Action.INCONCLUSIVE
        assert any(not sent.credential for found in of.results for sent in found.exchanges)


@of_every_story
def an_outage_is_told_with_its_own_length(of: Evidence) -> None:
    verdict = verdict_of(of)
    if ended := re.search(r"(\w+) failed for ([\d.]+) s from", summary.cause(verdict)):
        assert any(
            outage.service == ended[1] and outage.ended and abs(outage.seconds - float(ended[2])) < 1
            for outage in verdict.outages
        )


@of_every_story
def a_repair_is_not_verified_as_the_broken_commit(of: Evidence) -> None:
    verdict = verdict_of(of)
    if verdict.recommendation in {Action.FIX_FORWARD, Action.HOLD}:
        assert not (verdict.commit and verdict.commit[:7] in verdict.next_step)


@pytest.mark.parametrize(
    ("phases", "step"),
    [
        ((Phase.PREFLIGHT,), "announce the deployment, then deploy"),
        ((Phase.POSTDEPLOY, Phase.PERFORMANCE), "announce that the deployment succeeded"),
        ((Phase.ROLLBACK,), "announce that the previous version is back"),
        ((Phase.FOLLOWUP,), "nothing now: this follow-up is complete"),
        ((Phase.PERFORMANCE,), "continue with pytest -m postdeploy --env staging"),
    ],
)
def test_the_next_step_is_that_of_the_phase(phases: tuple[Phase, ...], step: str) -> None:
    of = evidence(phases=phases)
    if not any(item.phase in phases for item in RUNBOOK.items):
        item = RUNBOOK.items[2].model_copy(update={"id": "followup.well", "phase": Phase.FOLLOWUP})
        runbook = RUNBOOK.model_copy(update={"items": (*RUNBOOK.items, item)})
        of = evidence(result("followup.well"), phases=phases, runbook=runbook)
    assert decide(of).next_step.startswith(step)


def test_required_items_that_do_not_count_are_named() -> None:
    spare = {HEALTH: {"optional": True}}
    items = tuple(one.model_copy(update=spare.get(one.id, {})) for one in RUNBOOK.items)
    runbook = RUNBOOK.model_copy(update={"items": items})
    away = result(WEBHOOK, Status.NOT_APPLICABLE, "there are no payments")
    verdict = decide(evidence(result(HEALTH, Status.UNVERIFIED, "no browser"), away, runbook=runbook))
    assert verdict.recommendation is Action.PROCEED
    assert verdict.confidence.startswith(
        f"high: 3 of 3 required items passed; 1 optional one not verified ({HEALTH});"
        f" 1 not applicable in staging ({WEBHOOK}); "
    )


def test_an_item_that_fails_for_a_share_does_not_cost_everybody_everything() -> None:
    verdict = decide(evidence(result(HEALTH, FAILED, "502")))
    cause = replace(verdict.causes[0], title="GET /x answers 502 in 30 of 60 requests", status=502)
    told = summary.cause(replace(verdict, causes=(cause,)))
    assert told.startswith("GET /x answers 502 in 30 of 60 requests")
    assert told.endswith("for these requests: something")


def test_a_second_choice_of_a_measurement_is_named_beside_its_verdict() -> None:
    verdict = decide(EXAMPLES["proceed"]())
    assert "(measured by first bytes instead of load times)" in text(verdict)


def test_a_slowdown_clause_is_not_cited_for_errors() -> None:
    verdict = decide(evidence(result(LATENCY, FAILED, "2 % of the requests failed")))
    assert not any("slower by" in reason.clause for reason in verdict.reasons)


def test_a_rollback_of_an_interrupted_run_says_in_every_report_that_it_was_interrupted() -> None:
    [of] = [of for name, of, _ in STORIES if name == "8: interrupted, payments confirmed broken"]
    verdict = decide(of)
    assert verdict.recommendation is Action.ROLL_BACK
    for report in (terminal(verdict), deployment_md(verdict), "".join(html.fragments(verdict))):
        assert "the run was interrupted" in report.lower()


def test_the_way_back_by_git_is_the_same_in_the_page_and_in_the_verdict() -> None:
    verdicts = [decide(make()) for make in EXAMPLES.values()]
    steps = [(verdict, step) for verdict in verdicts for step in verdict.rollback.services if step.revert]
    assert steps
    for verdict, step in steps[:5]:
        page = " ".join(re.sub(r"<[^>]*>", "", "".join(html.fragments(verdict))).split())
        assert step.how.partition("by git: ")[2] in page

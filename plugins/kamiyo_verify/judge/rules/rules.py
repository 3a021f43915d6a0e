"""The rules that turn evidence into an action, in one written order of priority.

If a premise does not hold, the evaluation ends: no failure is then evidence about this deployment.
Otherwise the first rule with a finding sets the action, and every later rule that calls for the same action
adds its reasons. If no rule has a finding, the deployment may proceed. As the last step, a rollback that the
schema forbids is replaced by another call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from kamiyo_verify.judge.attribution.rate_limits import refusals_headline, turned_away
from kamiyo_verify.judge.evidence import NO_CHECK_FOUND, Evidence
from kamiyo_verify.judge.rules.clauses import fails_for_few, roll_back, share_undecided
from kamiyo_verify.judge.rules.data_loss import rows_gone, rows_in_doubt
from kamiyo_verify.judge.rules.endpoints import endpoint_fails, lesser_endpoint_fails
from kamiyo_verify.judge.rules.finding import (
    NOT_OURS,
    Finding,
    about_items,
    about_the_run,
    spared_share,
)
from kamiyo_verify.judge.rules.measured import (
    a_persons_call,
    errors_reach_many,
    not_confirmed,
    slower_by_far,
    slower_within_objective,
)
from kamiyo_verify.judge.rules.not_on_release import (
    another_commit_answers,
    commit_in_doubt,
    commit_not_read,
    not_on_the_release,
    release_not_shown,
)
from kamiyo_verify.judge.rules.possible import possible
from kamiyo_verify.judge.rules.recurring import falls_silent_again
from kamiyo_verify.judge.slo import objectives as slo
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Part, Phase, SloVerdict, Status

Rule = Callable[[Evidence], Finding | None]


def interrupted(evidence: Evidence) -> Finding | None:
    """An interrupted run has not checked everything; failures that it confirmed remain confirmed."""
    if not evidence.interrupted:
        return None
    seen = len(evidence.with_status(Status.PASSED)) + len(evidence.failed())
    description = f"{seen} of {counted(len(evidence.items), 'item')} had been answered when it was cut short"
    if confirmed := () if evidence.records_baseline else roll_back(evidence, confirmed_only=True):
        headline = "; ".join(found.headline for found in confirmed)
        reasons = tuple(reason for found in confirmed for reason in found.reasons)
        return Finding(Action.ROLL_BACK, f"{headline}; the run was interrupted after that", reasons)
    failed = about_items(evidence, Action.INCONCLUSIVE, "", evidence.failed())
    run = about_the_run("the run was interrupted", description)
    return Finding(run.action, run.headline, (*run.reasons, *(failed.reasons if failed else ())))


def nothing_verified(evidence: Evidence) -> Finding | None:
    """An empty selection, or a run in which no item got an answer, is not evidence of anything."""
    seen = Counter(result.status for _, result in evidence.outcomes)
    if seen[Status.PASSED] or seen[Status.FAILED]:
        return None
    whys = Counter(result.message for _, result in evidence.outcomes if result.message)
    tally = ", ".join(f"{count} {status}" for status, count in seen.items()) or "nothing was selected"
    commonest = f"; most often: {whys.most_common(1)[0][0]}" if whys else ""
    idle = {*evidence.not_run, *evidence.no_check}
    if all(item.manual or item.id in idle for item, _ in evidence.outcomes):
        commonest += f"; the phases are {', '.join(Phase)}"
    return about_the_run("nothing was verified", tally + commonest)


def not_ready(evidence: Evidence) -> Finding | None:
    """A baseline judges whether the platform is ready for a deployment; there is nothing to roll back yet."""
    if not evidence.records_baseline:
        return None
    failed = [one for one in evidence.failed() if evidence.attribution(one) is not Attribution.PROBER]
    headline = f"{counted(len(failed), 'item')} failing before the deployment"
    return about_items(evidence, Action.HOLD, headline, failed)


def preflight_failed(evidence: Evidence) -> Finding | None:
    """Nothing has been deployed yet, so there is nothing to roll back: do not start the deployment."""
    failed = [result for result in evidence.failed() if result.phase is Phase.PREFLIGHT]
    headline = f"{counted(len(failed), 'item')} failed before the deployment"
    return about_items(evidence, Action.HOLD, headline, failed)


def prober_disturbed(evidence: Evidence) -> Finding | None:
    """A failure that our own network or credentials explain is not evidence about the platform."""
    retried = [one for one in evidence.with_status(Status.PASSED) if one.attribution is Attribution.PROBER]
    ours = (*evidence.blamed_on(Attribution.PROBER), *retried, *turned_away(evidence))
    headline = refusals_headline(evidence) or "our own side was disturbed"
    return about_items(evidence, Action.INCONCLUSIVE, headline, ours)


def not_selected(evidence: Evidence) -> Finding | None:
    """Items excluded by -k, a path, --lf or a file that cannot be imported may be the broken ones."""
    left_out = [
        replace(result, message=evidence.not_run[item.id])
        for item, result in evidence.outcomes
        if item.id in evidence.not_run and not item.optional and result.status is not Status.NOT_APPLICABLE
    ]
    impacts = evidence.runbook.policy.required_impacts
    required = sum(evidence.item(result.item).impact in impacts for result in left_out)
    count = required or len(left_out)
    description = counted(count, "required item" if required else "item")
    if all(result.message == NO_CHECK_FOUND for result in left_out):
        headline = f"{description} {'has' if count == 1 else 'have'} no check"
    else:
        headline = f"{description} {'was' if count == 1 else 'were'} not selected"
    return about_items(evidence, Action.INCONCLUSIVE, headline, left_out)


def phase_without_items(evidence: Evidence) -> Finding | None:
    """A phase without an applicable item, or that is no longer in the runbook, was not verified."""
    for phase in evidence.phases:
        of_phase = [(item, result) for item, result in evidence.outcomes if item.phase is phase]
        if not of_phase:
            return about_the_run("nothing was verified", f"runbook.toml has no item of the phase {phase}")
        # Load is put on only where the run asks for it: its absence says nothing of the phase.
        due = [one for item, one in of_phase if not (item.optional and item.part is Part.LOAD)]
        if due and all(result.status is Status.NOT_APPLICABLE for result in due):
            whys = "; ".join(dict.fromkeys(result.message for result in due[:3] if result.message))
            description = f"no item of the phase {phase} applies to {evidence.environment}: {whys}"
            return about_the_run(f"nothing of {phase} was verified", description)
    return None


def required_not_verified(evidence: Evidence) -> Finding | None:
    """Every item that could trigger a rollback must be verified before "proceed"."""
    unproven = [result for result in evidence.unproven() if result.item not in evidence.not_run]
    headline = f"{counted(len(unproven), 'required item')} not verified"
    return about_items(evidence, Action.INCONCLUSIVE, headline, unproven)


def not_measured(evidence: Evidence) -> Finding | None:
    """An item that was tried without an answer may hide any failure."""
    unproven = (*evidence.unproven(), *turned_away(evidence))
    errors = [result for result in evidence.with_status(Status.ERROR) if result not in unproven]
    untried = sum(result.failure is FailureKind.NOT_TRIED for result in errors)
    whats = {"could not be measured": len(errors) - untried, "not finished": untried}
    kind = "other item" if unproven else "item"
    headline = "; ".join(f"{counted(many, kind)} {what}" for what, many in whats.items() if many)
    return about_items(evidence, Action.INCONCLUSIVE, headline, errors)


def not_well_after_rollback(evidence: Evidence) -> Finding | None:
    """The old version is restored and something still fails: another rollback does not help."""
    failed = [result for result in evidence.failed() if result.phase is Phase.ROLLBACK]
    return about_items(evidence, Action.FIX_FORWARD, "the platform is not well after the rollback", failed)


def not_this_deployment(evidence: Evidence) -> Finding | None:
    """A rollback does not repair what was broken before the deployment, or is broken elsewhere."""
    failed = evidence.blamed_on(*NOT_OURS)
    headline = "failures that this deployment did not cause"
    found = about_items(evidence, Action.FIX_FORWARD, headline, failed)
    return replace(found, kept=_kept_despite(evidence, failed)) if found else None


def _kept_despite(evidence: Evidence, failed: tuple[Result, ...]) -> str:
    """Return why nothing is rolled back for failures for which the policy would; "" if it would for none."""
    policy = evidence.runbook.policy
    grave = [one for one in failed if policy.rollback_clause(evidence.item(one.item).impact) is not None]
    whose = {evidence.attribution(one) for one in grave}
    known = {
        Attribution.PRE_EXISTING: "it failed before too",
        Attribution.THIRD_PARTY: "a third party is down",
    }
    return " and ".join(text for attribution, text in known.items() if attribution in whose)


def lesser_failures(evidence: Evidence) -> Finding | None:
    """Failures for which the policy keeps the deployment and requires a repair."""
    failed = evidence.failed()
    return about_items(evidence, Action.FIX_FORWARD, f"{counted(len(failed), 'item')} failed", failed)


def objective_breached(evidence: Evidence) -> Finding | None:
    """A breached objective within the policy's limits (slow, or failing for few users) requires a fix.

    An objective over many runs is reported and decides nothing: it includes other deployments.
    """
    policy = evidence.runbook.policy
    kinds = {objective.id: objective.kind for objective in evidence.runbook.slos}
    reasons, runs = [], 1
    for report in slo.judge(evidence):
        if report.verdict is SloVerdict.BREACHED and kinds[report.id] != "history":
            clause = spared_share(policy, report.interval) if kinds[report.id] == "ratio" else ""
            reasons.append(Reason(report.id, None, None, clause, f"{report.title}: {report.message}"))
            runs = max(runs, report.runs)
    if not reasons:
        return None
    headline = f"{counted(len(reasons), 'objective')} of this {'run' if runs == 1 else 'commit'} breached"
    return Finding(Action.FIX_FORWARD, headline, tuple(reasons))


PREMISES: tuple[Rule, ...] = (another_commit_answers, commit_not_read, interrupted, nothing_verified)

RULES: tuple[Rule, ...] = (
    rows_gone,
    errors_reach_many,
    endpoint_fails,
    slower_by_far,
    not_ready,
    preflight_failed,
    not_on_the_release,
    commit_in_doubt,
    release_not_shown,
    prober_disturbed,
    phase_without_items,
    not_selected,
    required_not_verified,
    not_measured,
    rows_in_doubt,
    share_undecided,
    a_persons_call,
    not_confirmed,
    not_well_after_rollback,
    not_this_deployment,
    fails_for_few,
    lesser_failures,
    lesser_endpoint_fails,
    objective_breached,
    slower_within_objective,
    falls_silent_again,
)


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """Return the findings, all with the same action, worst first; empty if nothing prevents "proceed"."""
    for premise in PREMISES:
        if (found := premise(evidence)) is not None:
            return possible(evidence, (found,))
    spoken = [*roll_back(evidence), *(found for rule in RULES if (found := rule(evidence)) is not None)]
    if evidence.records_baseline:
        spoken = [found for found in spoken if found.action is not Action.ROLL_BACK]
    return possible(evidence, tuple(found for found in spoken if found.action is spoken[0].action))

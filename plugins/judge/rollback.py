"""The rules: what this evidence calls for. One written order decides which of them speaks.

A premise that does not hold ends the matter, for then no failure says anything of this deployment.
Otherwise the first rule that finds something names the action, and every later rule that calls for the same
action adds its reasons. Where none finds anything, the deployment may proceed. A rollback that the schema
forbids becomes another call at the very end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from plugins.judge import slo
from plugins.judge.evidence import Evidence
from plugins.judge.finding import (
    NOT_OURS,
    Finding,
    about_items,
    about_the_run,
    nothing_about_this_deploy,
    roll_back,
    spared,
    spared_share,
)
from plugins.judge.held_back import held_back
from plugins.judge.measured import (
    a_persons_call,
    errors_reach_many,
    slower_by_far,
    slower_within_objective,
)
from plugins.model.figures import counted
from plugins.model.verdict import Reason
from plugins.model.words import Action, Attribution, Impact, Phase, SloVerdict, Status

COMMIT_ITEM = "postdeploy.commit-answering"

Rule = Callable[[Evidence], Finding | None]


def interrupted(evidence: Evidence) -> Finding | None:
    """A run that was cut short has not seen what it would have seen next."""
    if not evidence.interrupted:
        return None
    seen = len(evidence.with_status(Status.PASSED)) + len(evidence.failed())
    told = f"{seen} of {counted(len(evidence.items), 'item')} had been answered when it was cut short"
    return about_the_run("the run was interrupted", told)


def nothing_verified(evidence: Evidence) -> Finding | None:
    """An empty selection, or a run in which no item was answered, is no evidence for anything."""
    seen = Counter(result.status for _, result in evidence.outcomes)
    if seen[Status.PASSED] or seen[Status.FAILED]:
        return None
    whys = Counter(result.message for _, result in evidence.outcomes if result.message)
    tally = ", ".join(f"{count} {status}" for status, count in seen.items()) or "nothing was selected"
    commonest = f"; most often: {whys.most_common(1)[0][0]}" if whys else ""
    return about_the_run("nothing was verified", tally + commonest)


def another_commit_answers(evidence: Evidence) -> Finding | None:
    """What failed, or passed, is then not this deployment's."""
    result = evidence.result(COMMIT_ITEM)
    if result is None or result.status is not Status.FAILED:
        return None
    commits = {str(taken.value) for taken in result.measurements if taken.name.endswith("commit")}
    if evidence.commit:
        others = {commit for commit in commits if not same_commit(commit, evidence.commit)}
    else:
        others = commits if len(commits) > 1 else set()
    return nothing_about_this_deploy(evidence, result) if others else None


def commit_not_read(evidence: Evidence) -> Finding | None:
    """A commit was asked for, the platform answers, and nothing tells which commit it is.

    Where the platform does not answer at all, that is a failure of its own, and the other rules see it.
    """
    result = evidence.result(COMMIT_ITEM)
    if not evidence.commit or result is None or result.status in {Status.PASSED, Status.NOT_APPLICABLE}:
        return None
    answered = any(sent.status is not None and sent.status < 500 for sent in result.exchanges)
    silent = result.status in {Status.FAILED, Status.ERROR} and not answered
    return None if silent else nothing_about_this_deploy(evidence, result)


def security_hole(evidence: Evidence) -> Finding | None:
    """A hole is open from the first minute, and one look proves it."""
    return roll_back(evidence, Impact.SECURITY, "a security hole is open")


def data_corrupted(evidence: Evidence) -> Finding | None:
    """Each further minute writes on top of what is already wrong."""
    return roll_back(evidence, Impact.DATA, "data is damaged or gone")


def authentication_broken(evidence: Evidence) -> Finding | None:
    """Nobody who is signed out comes in again."""
    return roll_back(evidence, Impact.AUTH, "authentication is broken")


def payments_fail(evidence: Evidence) -> Finding | None:
    """A charge that went wrong cannot be fixed forward, so one confirmed failure is enough."""
    return roll_back(evidence, Impact.PAYMENTS, "payments are failing")


def core_broken(evidence: Evidence) -> Finding | None:
    """Users do not get what they came for."""
    return roll_back(evidence, Impact.CORE, "core functionality is broken")


def preflight_failed(evidence: Evidence) -> Finding | None:
    """Nothing has been deployed yet, so there is nothing to take back: do not begin."""
    failed = [result for result in evidence.failed() if result.phase is Phase.PREFLIGHT]
    headline = f"{counted(len(failed), 'item')} failed before the deployment"
    return about_items(evidence, Action.HOLD, headline, failed)


def prober_disturbed(evidence: Evidence) -> Finding | None:
    """A failure that our own network or credentials explain says nothing of the platform."""
    ours = evidence.blamed_on(Attribution.PROBER)
    return about_items(evidence, Action.INCONCLUSIVE, "our own side was disturbed", ours)


def required_not_verified(evidence: Evidence) -> Finding | None:
    """Whatever could trigger a rollback must have been seen to work before anyone proceeds."""
    unproven = evidence.unproven()
    headline = f"{counted(len(unproven), 'required item')} not verified"
    return about_items(evidence, Action.INCONCLUSIVE, headline, unproven)


def not_measured(evidence: Evidence) -> Finding | None:
    """An item that was tried and gave no answer may hide anything."""
    unproven = evidence.unproven()
    errors = [result for result in evidence.with_status(Status.ERROR) if result not in unproven]
    headline = f"{counted(len(errors), 'other item')} could not be measured"
    return about_items(evidence, Action.INCONCLUSIVE, headline, errors)


def not_well_after_rollback(evidence: Evidence) -> Finding | None:
    """The old version is back and something still fails: a further rollback is no way out."""
    failed = [result for result in evidence.failed() if result.phase is Phase.ROLLBACK]
    return about_items(evidence, Action.FIX_FORWARD, "the platform is not well after the rollback", failed)


def not_this_deployment(evidence: Evidence) -> Finding | None:
    """What was broken before, or is broken elsewhere, does not come back by a rollback."""
    others = evidence.blamed_on(*NOT_OURS)
    return about_items(evidence, Action.FIX_FORWARD, "failures that this deployment did not cause", others)


def lesser_failures(evidence: Evidence) -> Finding | None:
    """The policy asks to keep the deployment and to repair it."""
    failed = evidence.failed()
    return about_items(evidence, Action.FIX_FORWARD, f"{counted(len(failed), 'item')} failed", failed)


def objective_breached(evidence: Evidence) -> Finding | None:
    """Slow, or failing for few: the policy has a line for each, and both ask for a fix.

    An objective over many runs is told and decides nothing: other deployments are not this one's doing.
    """
    policy = evidence.runbook.policy
    kinds = {objective.id: objective.kind for objective in evidence.runbook.slos}
    reasons = []
    for report in slo.judge(evidence):
        if report.verdict is SloVerdict.BREACHED and kinds[report.id] != "history":
            clause = spared(policy, Impact.PERFORMANCE)
            if kinds[report.id] == "ratio":
                clause = spared_share(policy, report.interval)
            reasons.append(Reason(report.id, None, None, clause, f"{report.title}: {report.message}"))
    if not reasons:
        return None
    return Finding(Action.FIX_FORWARD, f"{counted(len(reasons), 'objective')} breached", tuple(reasons))


PREMISES: tuple[Rule, ...] = (interrupted, nothing_verified, another_commit_answers, commit_not_read)

RULES: tuple[Rule, ...] = (
    security_hole,
    data_corrupted,
    authentication_broken,
    payments_fail,
    core_broken,
    errors_reach_many,
    slower_by_far,
    preflight_failed,
    prober_disturbed,
    required_not_verified,
    not_measured,
    a_persons_call,
    not_well_after_rollback,
    not_this_deployment,
    lesser_failures,
    objective_breached,
    slower_within_objective,
)


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """What the rules call for, all of one action, worst first; empty where nothing forbids to proceed."""
    for premise in PREMISES:
        if (found := premise(evidence)) is not None:
            return (found,)
    spoken = [found for rule in RULES if (found := rule(evidence)) is not None]
    return held_back(evidence, tuple(found for found in spoken if found.action is spoken[0].action))


def same_commit(one: str, other: str) -> bool:
    """Equal, or one the abbreviation of the other (seven characters at least, as git has it)."""
    short, full = sorted((one.casefold(), other.casefold()), key=len)
    return short == full or (len(short) >= 7 and full.startswith(short))

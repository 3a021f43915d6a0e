"""The next step after the call: a command or an action."""

from __future__ import annotations

from kamiyo_verify.judge.attribution.caches import PAST_CACHES, answered_by_copies
from kamiyo_verify.judge.attribution.in_place import FROM_ELSEWHERE, answered_by_substitutes
from kamiyo_verify.judge.attribution.rate_limits import challenged_items, failed_on_this_machine, rate_limited
from kamiyo_verify.judge.attribution.refusals import ways_out
from kamiyo_verify.judge.attribution.shut_out import ELSEWHERE, ways_in
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.targets import target_of
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Phase, Status

_SHORT = 12
"""Characters of a commit id in a command; enough to be unambiguous."""


def next_step(evidence: Evidence, action: Action, kept: str = "") -> str:
    """Return the command or action to take now; `kept` is why this version is not rolled back, or ""."""
    again = _command(evidence)
    match action:
        case Action.PROCEED if evidence.records_baseline:
            return "deploy: the state before the deployment is recorded"
        case Action.PROCEED:
            return _proceed(evidence)
        case Action.HOLD:
            return f"do not deploy: repair what is listed below, then run {_command(evidence, repaired=True)}"
        case Action.FIX_FORWARD if evidence.phases == (Phase.ROLLBACK,) and _not_carried_out(evidence):
            return f"the rollback was not carried out: run {_carried_out(evidence)}"
        case Action.FIX_FORWARD if evidence.phases == (Phase.ROLLBACK,):
            return f"do not roll back again: repair what is listed below, then run {again}"
        case Action.FIX_FORWARD:
            repaired = _command(evidence, repaired=True)
            why = f" because {kept}" if kept else ""
            return f"keep this version{why}: repair what is listed below, deploy that, then run {repaired}"
        case Action.ROLL_BACK:
            known = any(target_of(one, evidence.bad_commits).deploy for one in evidence.hosted)
            although = "the run was interrupted after it had confirmed this: " if evidence.interrupted else ""
            if known:
                return f"{although}run {_carried_out(evidence)}"
            if not any(item.phase is Phase.ROLLBACK for item in evidence.runbook.items):
                return f"{although}roll back manually"
            return f"{although}roll back manually, then run {_command(evidence, Phase.ROLLBACK)}"
        case Action.INCONCLUSIVE:
            return f"decide nothing from this run: {_missing(evidence)}run {again}"


def _not_carried_out(evidence: Evidence) -> bool:
    """Return whether the rollback phase measured of every service that nothing was taken back."""
    taken = [one for result in evidence.failed() for one in result.measurements]
    missing = [one.value for one in taken if one.name.partition("[")[0] == "rollback_missing"]
    return bool(missing) and all(one is True for one in missing)


def _carried_out(evidence: Evidence) -> str:
    """Return the command that rolls back, and what it does."""
    command = f"kamiyo-verify rollback --env {evidence.environment}"
    return f"{command}: it shows the plan, asks, rolls back and verifies"


def _missing(evidence: Evidence) -> str:
    """Return what to do before an inconclusive run is repeated."""
    here = "mend this machine, or look from another one" if failed_on_this_machine(evidence) else ""
    elsewhere = ways_in(evidence) or (ELSEWHERE if challenged_items(evidence) else "")
    if way_out := "; ".join(filter(None, (here, elsewhere, ways_out(evidence)))):
        return f"{way_out}, then "
    if rate_limited(evidence):
        return "wait until the rate limit allows requests again, then "
    if answered_by_copies(evidence):
        return f"{PAST_CACHES}, then "
    if answered_by_substitutes(evidence):
        return f"{FROM_ELSEWHERE}, then "
    if evidence.interrupted or not evidence.items:
        return ""
    if gone := _answered_before(evidence):
        return f"find out why {gone} no longer answers, then "
    if any(one.differs and one.result.status is not Status.PASSED for one in evidence.comparisons):
        return "see that the commit is live on every instance, then "
    if evidence.not_run or any(result.status is Status.UNVERIFIED for result in evidence.unproven()):
        return "supply what is missing, then "
    errors = [one for one in evidence.with_status(Status.ERROR) if one.failure is not FailureKind.NOT_TRIED]
    if errors:
        more = f" and {counted(len(errors) - 1, 'other item')}" if len(errors) > 1 else ""
        return f"find out why {errors[0].item}{more} could not be measured, then "
    return ""


def _proceed(evidence: Evidence) -> str:
    """Return the step that follows a successful run of these phases."""
    done = set(evidence.phases)
    if done == {Phase.PREFLIGHT}:
        return "announce the deployment, then deploy"
    if Phase.ROLLBACK in done:
        return "announce that the previous version is back, then write the incident report"
    if Phase.FOLLOWUP in done:
        return "nothing now: this follow-up is complete"
    if Phase.POSTDEPLOY in done:
        return "announce that the deployment succeeded; follow up within the hour"
    later = _command(evidence, Phase.POSTDEPLOY, keep_commit=True)
    return f"continue with {later}: this run did not cover that phase"


def _answered_before(evidence: Evidence) -> str:
    """Return the first item that could be measured before the deployment and cannot be now, or ""."""
    errors = evidence.with_status(Status.ERROR)
    tried = (one for one in errors if not one.attempts or any(attempt.started_at for attempt in one.attempts))
    return next((one.item for one in tried if one.attribution is Attribution.INTRODUCED), "")


def _command(evidence: Evidence, *phases: Phase, keep_commit: bool = False, repaired: bool = False) -> str:
    """Return the command that runs these (or the same) phases again; postdeploy includes performance.

    With `repaired` its commit is a placeholder, because a repair is another commit.
    """
    wanted = phases or evidence.phases
    names = [name for name in wanted if name is not Phase.PERFORMANCE or Phase.POSTDEPLOY not in wanted]
    marks = " or ".join(names)
    selection = f" -m {marks}" if len(names) == 1 else f' -m "{marks}"' if names else " -m PHASE"
    sha = "SHA" if repaired else evidence.commit[:_SHORT]
    commit = f" --commit {sha}" if evidence.commit and (keep_commit or not phases) else ""
    baseline = " --baseline" if evidence.records_baseline and not phases else ""
    return f"pytest{selection} --env {evidence.environment}{commit}{baseline}"

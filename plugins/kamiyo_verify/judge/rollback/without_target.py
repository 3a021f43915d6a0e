"""Replace a rollback that has no target by another call: repair, and what to do instead."""

from __future__ import annotations

from kamiyo_verify.judge.attribution.services import behind, changed, to_take_back
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.targets import target_of
from kamiyo_verify.judge.rules.finding import Finding
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.figures import listed
from kamiyo_verify.model.hosting.services import ServiceState
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.words import Action

NO_TARGET = "there is no deploy that it could be rolled back to"


def _serves_another(evidence: Evidence, state: ServiceState | None) -> bool:
    """Return whether the host says that a service serves another commit than the one under verification."""
    live = state.live if state is not None else None
    if live is None or not live.commit_id or not evidence.commit:
        return False
    return not same_commit(live.commit_id, evidence.commit)


def without_target(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings unchanged, or the replacement if no service to roll back has a target.

    A commit that the host does not have live on any of them is no ground: something else is broken.

    If the host was not asked, or did not report a service, its targets are unknown and the call is kept: a
    person uses the dashboard. If one of several services has a target, that one is rolled back.
    """
    if not found or found[0].action is not Action.ROLL_BACK:
        return found
    states = {one.service: one for one in evidence.hosted}
    items = [evidence.item(reason.item) for one in found for reason in one.reasons if reason.item]
    back, broken = to_take_back(evidence, items), behind(evidence, items)
    if broken and not back:
        names = listed(map(evidence.runbook.services.name, broken))
        headline = f"{'; '.join(one.headline for one in found)}; this deployment did not change {names}"
        reasons = tuple(reason for one in found for reason in one.reasons)
        return (Finding(Action.INCONCLUSIVE, headline, reasons),)
    if back and all(_serves_another(evidence, states.get(service)) for service in back):
        serving = "; ".join(
            f"{states[service].name} still serves {live.commit_id[:12]}"
            for service in back
            if (live := states[service].live) is not None
        )
        headline = (
            f"{'; '.join(one.headline for one in found)}; the commit {evidence.commit[:12]} is not live there"
        )
        reasons = tuple(reason for one in found for reason in one.reasons)
        return (Finding(Action.INCONCLUSIVE, headline, (*reasons, Reason("", None, None, "", serving))),)
    suspended = {one.service for one in evidence.hosted if one.suspended or one.live is None}
    known = {one.service for one in changed(evidence)} | suspended
    if not back or not set(back) <= known:
        return found
    choices = {service: target_of(states[service], evidence.bad_commits) for service in back}
    if any(choice.deploy for choice in choices.values()):
        return found
    why = "; ".join(f"{states[service].name}: {choice.instead}" for service, choice in choices.items())
    headline = f"{'; '.join(one.headline for one in found)}; there is nothing to roll back to"
    grounds = tuple(reason for one in found for reason in one.reasons)
    return (Finding(Action.FIX_FORWARD, headline, (*grounds, Reason("", None, None, "", why)), NO_TARGET),)

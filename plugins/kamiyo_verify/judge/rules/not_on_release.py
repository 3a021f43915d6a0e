"""The rules for services that do not run the release, or of which nobody knows whether they do."""

from __future__ import annotations

from kamiyo_verify.judge.attribution.failures import about_the_commit
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.comparisons import Comparison
from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM, JUDGED, Serves, measured
from kamiyo_verify.judge.rules.finding import (
    Finding,
    about_items,
    about_the_run,
    nothing_about_this_deploy,
)
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.figures import listed
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.words import Action, Phase, Status


def another_commit_answers(evidence: Evidence) -> Finding | None:
    """If no service runs the release, failed and passed items are not about this deployment."""
    if evidence.release_answers:
        return None
    for one in evidence.comparisons:
        failed = one.result.status is Status.FAILED and not one.of_worker
        if failed and Serves.ANOTHER in one.serves.values():
            return nothing_about_this_deploy(evidence, one.result)
    return None


def commit_not_read(evidence: Evidence) -> Finding | None:
    """A commit was requested and the platform answers, but the commit that it runs is unknown.

    If the platform does not answer at all, that is a failure of its own, which the other rules handle.
    """
    if not evidence.commit or evidence.release_answers:
        return None  # another rule handles the other services
    for one in evidence.comparisons:
        result = one.result
        if one.of_worker or result.status in {Status.PASSED, Status.NOT_APPLICABLE}:
            continue
        answered = any(sent.status is not None and sent.status < 500 for sent in result.exchanges)
        silent = result.status in {Status.FAILED, Status.ERROR} and not answered
        if not silent:
            return nothing_about_this_deploy(evidence, result)
    return None


def not_on_the_release(evidence: Evidence) -> Finding | None:
    """Find services that do not run the release: they are no evidence about it, whatever others show."""
    if not evidence.elsewhere:
        return None
    switching = [one for one in evidence.elsewhere if evidence.serving[one] is Serves.SWITCHING]
    others = [one for one in evidence.elsewhere if one not in switching]
    name = evidence.runbook.services.name
    headlines = []
    if others:
        headlines.append(f"nothing was verified about this deploy on {listed(map(name, others))}")
    if switching:
        have = "has" if len(switching) == 1 else "have"
        headlines.append(f"{listed(map(name, switching))} {have} not switched to this deploy yet")
    reasons = []
    for one in evidence.comparisons:
        away = [
            service
            for service, serves in one.serves.items()
            if service in evidence.elsewhere and serves not in JUDGED
        ]
        if away:
            description = "; ".join(f"{name(service)} {_what(evidence, one, service)}" for service in away)
            item = evidence.item(one.result.item)
            attribution = evidence.attribution(one.result)
            reasons.append(Reason(item.id, item.impact, attribution, "", description))
    return Finding(Action.INCONCLUSIVE, "; ".join(headlines), tuple(reasons))


def commit_in_doubt(evidence: Evidence) -> Finding | None:
    """Find failed comparisons of commits: which version answers is not known well enough to judge it."""
    failed = [result for result in evidence.failed() if about_the_commit(evidence, result)]
    return about_items(evidence, Action.INCONCLUSIVE, "nothing was verified about this deploy", failed)


def release_not_shown(evidence: Evidence) -> Finding | None:
    """A commit was given to verify, and no item of this runbook shows that it answers."""
    has_to_show = evidence.commit and Phase.POSTDEPLOY in evidence.phases and not evidence.records_baseline
    if not has_to_show or evidence.runbook.item(COMMIT_ITEM) is not None:
        return None
    seen = (
        str(taken.value)
        for result in evidence.with_status(Status.PASSED)
        for taken in result.measurements
        if taken.name.partition("[")[0].endswith("commit")
    )
    if any(same_commit(one, evidence.commit) for one in seen):
        return None
    why = f"no item that passed has read that a service runs {evidence.commit[:12]}"
    return about_the_run("nothing shows that the commit of --commit answers", why)


def _what(evidence: Evidence, compared: Comparison, service: str) -> str:
    """Return what a service runs, and why."""
    result = compared.result
    runs = measured(result, service, "commit")[:12]
    match compared.serves[service]:
        case Serves.SWITCHING if not runs:
            return f"runs nothing yet: {measured(result, service, 'switching')}"
        case Serves.SWITCHING:
            return f"still runs {runs}: {measured(result, service, 'switching')}"
        case Serves.UNREAD:
            return f"does not tell which commit it runs: {measured(result, service, 'unread')}"
        case _:
            wanted = measured(result, service, "expected") or evidence.commit
            return f"runs {runs} where {wanted[:12]} was expected"

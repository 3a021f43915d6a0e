"""The state before the deployment: which earlier run shows it, and whether a failure is worse now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from kamiyo_verify.judge.attribution.failures import failure_of, origin
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.observations import commit_answering
from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM
from kamiyo_verify.judge.statistics.exact import EXACT
from kamiyo_verify.model.circumstances import Before, FailedBefore
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.loopback import is_loopback
from kamiyo_verify.model.result import Exchange, Measurement, Result
from kamiyo_verify.model.words import FailureKind, Status

Addresses = Mapping[str, tuple[str, ...]]
"""The addresses (scheme, host and port) that items asked, by id."""

_SEVERITY = {
    FailureKind.NO_ANSWER: 3,
    FailureKind.SERVER_ERROR: 2,
    FailureKind.WRONG_FORMAT: 2,
}
"""Severity by kind of failure; a higher number is worse, and every other kind is 1."""

_MISSING = "missing"
"""The name of a check's measurement of what is missing: a count, or names separated by commas."""


def before_of(evidence: Evidence) -> Before | None:
    """Return the run that shows the state before the deployment; None if no run is reliable."""
    return evidence.before if not why_unusable(evidence) else None


def why_unusable(evidence: Evidence) -> str:
    """Return in a sentence why the state before the deployment is unknown; "" if it is known."""
    before = evidence.before
    if before is None:
        return "no earlier run shows how it was before this deployment"
    kind = "the baseline" if before.baseline else "the last good run"
    if elsewhere := other_address(evidence):
        return f"{kind} {before.run} asked another address, {elsewhere}, so it shows nothing of this one"
    own = own_commits(evidence)
    same = next((one for one in own if before.commit and same_commit(before.commit, one)), "")
    if same:
        return f"{kind} {before.run} is of the same commit, {same[:7]}, so it shows nothing of before"
    if not own and not _commit_looked_up(evidence):
        return f"this run did not read which commit answers, so {kind} {before.run} may be of the same one"
    if is_too_old(evidence):
        most = duration(evidence.baseline_max_age_h * 3600)
        return f"{kind} {before.run} is {duration(before.age_s)} old, and at most {most} count"
    return ""


def why_not_compared(evidence: Evidence) -> str:
    """Return why no number is compared with a baseline, or with a run of another address; "" if they are."""
    before = evidence.before
    if before is None:
        return ""
    unused = other_address(evidence) or (before.baseline and is_too_old(evidence))
    return why_unusable(evidence) if unused else ""


def other_address(evidence: Evidence) -> str:
    """Return an address that the earlier run asked in place of this run's; "" if none is known."""
    before = evidence.before
    return changed_address(before.addresses, addresses(evidence.results)) if before is not None else ""


def changed_address(earlier: Addresses, now: Addresses) -> str:
    """Return an address that an item of an earlier run asked, if it asks none of its addresses now."""
    both = ((then, now[item]) for item, then in earlier.items() if item in now)
    return next((then[0] for then, here in both if then and not set(then) & set(here)), "")


def addresses(results: Iterable[Result]) -> Addresses:
    """Return the addresses that each item asked over HTTP, by id; items that asked none are left out.

    All of this machine are one: their ports are given anew with each start.
    """
    found = {
        result.item: tuple(sorted({_address(sent) for sent in result.exchanges if _over_http(sent)}))
        for result in results
    }
    return {item: asked for item, asked in found.items() if asked}


def _address(sent: Exchange) -> str:
    address = origin(sent)
    return "this machine" if is_loopback(address) else address


def _over_http(sent: Exchange) -> bool:
    return urlsplit(sent.url).scheme in {"http", "https", "ws", "wss"}


def own_commits(evidence: Evidence) -> tuple[str, ...]:
    """Return the commits that this run verified: the given or measured one, else those live at the host."""
    if commit := evidence.commit or commit_answering(evidence.results):
        return (commit,)
    live = (deploy.commit_id for one in evidence.hosted if (deploy := one.live) is not None)
    return tuple(sorted({commit for commit in live if commit}))


def _commit_looked_up(evidence: Evidence) -> bool:
    """Return whether the item that reads the commit passed, or the runbook has none."""
    result = next((one for one in evidence.results if one.item == COMMIT_ITEM), None)
    if result is None:
        return evidence.runbook.item(COMMIT_ITEM) is None
    return result.status is Status.PASSED


def is_too_old(evidence: Evidence) -> bool:
    """Return whether the earlier run is older than the environment allows."""
    before = evidence.before
    return before is not None and before.age_s > evidence.baseline_max_age_h * 3600


def failed_alike(evidence: Evidence, result: Result) -> bool:
    """Return whether the item did not pass before either, and is not worse now."""
    before = before_of(evidence)
    if before is None or before.statuses.get(result.item) not in {Status.FAILED, Status.ERROR}:
        return False
    if before.statuses[result.item] is Status.ERROR and result.status is Status.FAILED:
        return False
    return not why_worse(result, before.failures.get(result.item))


def why_worse(result: Result, then: FailedBefore | None) -> str:
    """Return in a few words what is worse than before; "" if no measurement is worse."""
    if then is None:
        return ""
    if then.failure is not None and _severity(failure_of(result)) > _severity(then.failure):
        return (
            f"it was {then.failure.replace('_', ' ')} before, and is {failure_of(result).replace('_', ' ')}"
        )
    now = _counts(result)
    if now[1] and then.tries:
        lower = EXACT.lower_bound(*now, 0.95)
        if lower > EXACT.upper_bound(then.failed, then.tries, 0.95):
            return f"{then.failed} of {then.tries} requests failed before, and {now[0]} of {now[1]} now"
    return _missing_more(result.measurements, then.measurements)


def failed_before(result: Result) -> FailedBefore:
    """Return the data of a failure that a later failure is compared with."""
    failed, tries = _counts(result)
    kept = tuple(taken for taken in result.measurements if not isinstance(taken.value, tuple))
    return FailedBefore(failure=failure_of(result), measurements=kept, failed=failed, tries=tries)


def _severity(kind: FailureKind) -> int:
    return _SEVERITY.get(kind, 1)


def _counts(result: Result) -> tuple[int, int]:
    share = result.confirmation.share if result.confirmation else None
    return (share.count, len(share.failed)) if share else (0, 0)


def _missing_more(now: tuple[Measurement, ...], then: tuple[Measurement, ...]) -> str:
    known = {taken.name: taken.value for taken in then}
    for taken in now:
        if taken.name.partition("[")[0] != _MISSING or taken.name not in known:
            continue
        was = known[taken.name]
        if isinstance(taken.value, str) and isinstance(was, str):
            more = sorted(_names(taken.value) - _names(was))
            if more:
                return f"{', '.join(more)} {'was' if len(more) == 1 else 'were'} not missing before"
        elif isinstance(taken.value, int | float) and isinstance(was, int | float) and taken.value > was:
            return f"{was:g} were missing before, and {taken.value:g} are"
    return ""


def _names(text: str) -> set[str]:
    return {name.strip().casefold() for name in text.split(",") if name.strip()}

"""Attribute a refused credential to the platform, or to us: revoked, expired, rotated or mistyped.

By default the refusal is our fault. It is the platform's only if one of these shows it: other requests of
this run accepted the same value, a run against an earlier commit accepted the same value, or a path that
does not use the credential fails as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from kamiyo_verify.judge.attribution.before import failed_alike
from kamiyo_verify.judge.attribution.explained import explaining, is_stranger, is_turned_away
from kamiyo_verify.judge.attribution.shut_out import refused_every_request
from kamiyo_verify.judge.confirmation.confirmed import FailureState
from kamiyo_verify.judge.confirmation.rechecked import rechecked_failure
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.observations import commit_answering
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.credentials import CredentialUse, Refusal, RefusalKind
from kamiyo_verify.model.figures import counted, duration, listed
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Attribution, FailureKind, Phase, Status

_SAID = {
    RefusalKind.UNAUTHORIZED: "is refused (401)",
    RefusalKind.FORBIDDEN: "is refused (403)",
    RefusalKind.LOCKED_OUT: "is locked out",
    RefusalKind.WRONG_TIER: "is of another tier than expected",
    RefusalKind.UNKNOWN_SESSION: "holds a session that the platform does not know",
    RefusalKind.PASSWORD: "is not accepted as a password",
    RefusalKind.SIGNATURE: "makes signatures that are refused",
    RefusalKind.SECRET: "does not match the secret that the platform runs with",
}
_EXCUSED = frozenset({Attribution.PROBER, Attribution.PRE_EXISTING, Attribution.THIRD_PARTY})
_OF_A_MOMENT = frozenset({RefusalKind.LOCKED_OUT})
"""Temporary refusals: another value does not fix them, and the platform may issue them."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The attribution of a refused credential.

    Attributes:
        ours: whether only the credential is known to be wrong.
        why: the reason, in a sentence.
        of_credential: whether the credential is what is refused, and not every request of that kind.
    """

    ours: bool
    why: str
    of_credential: bool = True


def refused(evidence: Evidence, result: Result) -> Refused | None:
    """Return the attribution of a refused credential; None if the item failed for another reason."""
    if result.refusal is not None:
        return _judged(evidence, result.refusal, result)
    return _ours(evidence, result, explaining(evidence, result))


def served_as_stranger(evidence: Evidence, result: Result) -> bool:
    """Return whether the item's requests were served, but not as the credential's owner, by our own fault."""
    names = {sent.credential for sent in result.exchanges if is_stranger(sent)}
    return _ours(evidence, result, names) is not None


def with_refused_samples(evidence: Evidence) -> Iterator[Result]:
    """Yield the results; a sample that passed, and whose requests were refused by our fault, is an error."""
    sampling = {slo.item for slo in evidence.runbook.slos if slo.item}
    for result in evidence.results:
        turned_away = [sent for sent in result.exchanges if is_turned_away(sent)]
        names = {sent.credential for sent in turned_away}
        sampled = result.status is Status.PASSED and result.item in sampling
        if not sampled or _ours(evidence, result, names) is None:
            yield result
            continue
        many = f"{len(turned_away):,} of its {counted(len(result.exchanges), 'request')}"
        yield replace(
            result,
            status=Status.ERROR,
            message=f"{many} were refused with {listed(sorted(names))}: they show nothing about the platform",
            failure=FailureKind.CREDENTIAL_REFUSED,
            refusal=Refusal(min(names), RefusalKind.UNAUTHORIZED),
        )


def _ours(evidence: Evidence, result: Result, names: Collection[str]) -> Refused | None:
    """Return the refusal of one of these credentials that is our fault alone, if there is one."""
    for other in evidence.results:
        if other.refusal is not None and other.refusal.variable in names:
            found = _judged(evidence, other.refusal, other)
            if found.ours:
                return found
    for use in sorted(evidence.credentials, key=lambda one: one.variable):
        if use.variable in names and not use.accepted:
            found = _judged(evidence, Refusal(use.variable, RefusalKind.UNAUTHORIZED), result)
            if found.ours:
                return found
    return None


def ways_out(evidence: Evidence) -> str:
    """Return what to do about refused credentials; "" if none is refused that only we are to blame for."""
    found = [
        result.refusal
        for _, result in evidence.outcomes
        if result.refusal is not None
        and result.status in {Status.FAILED, Status.ERROR}
        and not refused_every_request(evidence, result)
        and _judged(evidence, result.refusal, result).ours
    ]
    renew, wait = (
        ", ".join(
            dict.fromkeys(one.named for one in found if (one.kind in _OF_A_MOMENT) is locked and one.named)
        )
        for locked in (False, True)
    )
    description = (
        f"renew {renew}" if renew else "",
        f"wait until {wait} is no longer locked out" if wait else "",
    )
    return "; ".join(filter(None, description))


def _judged(evidence: Evidence, refusal: Refusal, result: Result) -> Refused:
    name = refusal.variable or "a credential of ours"
    said = f"{name} {_SAID[refusal.kind]}"
    if refusal.kind in _OF_A_MOMENT:
        return Refused(ours=True, why=f"{said}: nothing was learnt of the platform; try again later")
    if refusal.kind is RefusalKind.UNKNOWN_SESSION and (other := _fresh_sign_in(evidence, refusal, result)):
        return Refused(
            ours=True,
            why=f"{said}, while a fresh sign-in works ({other}): the stored session expired; renew {name}",
        )
    if refusal.fails_alike:
        why = f"{said}, and {refusal.independent}, so it is not the credential"
        return Refused(ours=False, why=why, of_credential=False)
    use = next((one for one in evidence.credentials if one.variable == refusal.variable), None)
    if use is not None and (found := _by_use(evidence, refusal, use, said)) is not None:
        return found
    if other := _fails_without(evidence, result):
        return Refused(ours=False, why=f"{said}, and {other} fails without any credential of ours")
    tried = f", and {refusal.independent}" if refusal.independent else ""
    return Refused(
        ours=True,
        why=f"{said}{tried}: nothing else shows that the platform is at fault; renew {refusal.named or name}",
    )


def _by_use(evidence: Evidence, refusal: Refusal, use: CredentialUse, said: str) -> Refused | None:
    """Judge by how other requests of this run, and earlier runs, answered the same value."""
    tiers = any(
        one.refusal is not None
        and one.refusal.variable == use.variable
        and one.refusal.kind is RefusalKind.WRONG_TIER
        for one in evidence.results
    )
    if use.accepted and not tiers and refusal.kind is not RefusalKind.WRONG_TIER:
        why = f"{said}, and other requests of this run were accepted with it, so it is not the credential"
        return Refused(ours=False, why=why, of_credential=False)
    earlier = use.accepted_before
    if earlier is None:
        return None
    age_s = _age_s(earlier.at, evidence.finished_at)
    commit = evidence.commit or commit_answering(evidence.results)
    if age_s is None or age_s > evidence.baseline_max_age_h * 3600 or not (commit and earlier.commit):
        return None
    when = f"{duration(max(age_s, 0.0))} ago"
    if same_commit(earlier.commit, commit):
        why = f"{said}, and this very commit accepted it {when}: this deployment did not change that"
        return Refused(ours=True, why=f"{why}; renew {use.variable}")
    return Refused(ours=False, why=f"{said}, and commit {earlier.commit[:7]} accepted the same value {when}")


def _fresh_sign_in(evidence: Evidence, refusal: Refusal, result: Result) -> str:
    """Return the item that completed a new sign-in in this run, or ""."""
    impact = evidence.item(result.item).impact
    for item, other in evidence.outcomes:
        if item.impact is impact and other.status is Status.PASSED and other.item != result.item:
            for sent in other.exchanges:
                if sent.method == "POST" and sent.accepted and sent.credential != refusal.variable:
                    return other.item
    return ""


def _fails_without(evidence: Evidence, result: Result) -> str:
    """Return an item of the same impact and service that fails without any credential of ours, or ""."""
    mine = evidence.item(result.item)
    for item, other in evidence.outcomes:
        if (
            other.status is Status.FAILED
            and item.impact is mine.impact
            and item.id != mine.id
            and (not item.services or not mine.services or item.services[0] == mine.services[0])
            and item.phase not in {Phase.PREFLIGHT, Phase.ROLLBACK}
            and other.refusal is None
            and other.attribution not in _EXCUSED
            and (seen := rechecked_failure(evidence, other)) is not None
            and seen.standing is FailureState.BROKEN
            and not failed_alike(evidence, other)
            and not any(sent.accepted is False for sent in other.exchanges)
        ):
            return item.id
    return ""


def _age_s(then: str, now: str) -> float | None:
    try:
        return (datetime.fromisoformat(now) - datetime.fromisoformat(then)).total_seconds()
    except (ValueError, TypeError):
        return None

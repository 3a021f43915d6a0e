"""Which of an item's own exchanges let a refused credential explain its failure.

A request is turned away (401, 403, a bad signature), or is served as a stranger's: without the tier or the
session of the credential. Neither explains a failure that requests without the credential show as well.
"""

from __future__ import annotations

from kamiyo_verify.judge.attribution.failures import SILENCE, failing, failure_of, unanswered
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import FailureKind, Status


def is_turned_away(sent: Exchange) -> bool:
    """Return whether the request was refused because of its credential."""
    return bool(sent.credential) and sent.accepted is False and not is_stranger(sent)


def is_stranger(sent: Exchange) -> bool:
    """Return whether the request was served without regard to its credential."""
    served = sent.status is not None and sent.status < 400
    return bool(sent.credential) and sent.accepted is False and served


def explaining(evidence: Evidence, result: Result) -> frozenset[str]:
    """Return the credentials whose refusal, as the item's exchanges show it, can be why it failed.

    - No answer, a 5xx, an unreadable format and a security hole are explained only if the exchange that shows
      the failure was itself turned away: what a stranger may read is open to every stranger.
    - An item whose last try passed did so with the credential as it is: its failures have another cause.
    - A wrong status is explained if a request with the credential was answered 400 or above.
    - Wrong content is not explained if the last request carried no credential, and none that was served as a
      stranger's if another one got no answer or a 5xx. The last request decides nothing in an item of several
      tests.
    """
    shown, kind = failing(result), failure_of(result)
    passed_at_last = bool(result.attempts) and result.attempts[-1].status is Status.PASSED
    if shown is None or passed_at_last:
        return frozenset()
    if kind in SILENCE or _opens_a_hole(evidence, result):
        return frozenset({shown.credential}) if is_turned_away(shown) else frozenset()
    refused = {sent.credential for sent in result.exchanges if is_turned_away(sent)}
    if not any(unanswered(sent) or (sent.status or 0) >= 500 for sent in result.exchanges):
        refused |= {sent.credential for sent in result.exchanges if is_stranger(sent)}
    if kind is FailureKind.WRONG_STATUS:
        refused &= {sent.credential for sent in result.exchanges if (sent.status or 0) >= 400}
    elif not shown.credential and len(result.nodeids) <= 1:
        refused = set()
    return frozenset(refused)


def _opens_a_hole(evidence: Evidence, result: Result) -> bool:
    clause = evidence.runbook.policy.rollback_clause(evidence.item(result.item).impact)
    return clause is not None and clause.proof == "content" and not clause.data_damage

"""Recognise that a service refuses this runner as a whole: a firewall, an allow list or a ban, not a fault.

If every request of a run to one address is answered by a status that speaks of the client and not of what was
requested, also those without any credential, it cannot be seen from here whether users are served. That is
neither a security hole nor damaged data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from kamiyo_verify.judge.attribution.failures import origin
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.figures import listed
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import Status

_PAYMENT = 402

_REFUSALS = frozenset({401, _PAYMENT, 403, 406, 407, 417, 421, 423, 425, 426, 428, 431, 451})
"""Statuses about who asks, from where and how (RFC 9110, 15.5; RFC 6585, 7725, 8470).

A release that lost its routes or its host answers 400, 404, 405 or 410: these are its own.
"""

_FEWEST_PATHS = 3
"""Fewer different paths may all be such that need a credential."""

ELSEWHERE = "look from another network, or let this runner in"
"""What to do about it, for a next step."""


def shut_out(evidence: Evidence, result: Result) -> str:
    """Return why an item's failure may concern this runner alone; "" if its service let it in anywhere."""
    refusing = _refusing(evidence, result)
    sent = tuple(_sent_to(evidence, refusing))
    if len({urlsplit(one.url).path for one in sent}) < _FEWEST_PATHS:
        return ""
    may = "this runner may be shut out by a firewall or an allow list; look from another network"
    return f"{_answers(refusing, sent)}: {may}"


def refused_every_request(evidence: Evidence, result: Result) -> str:
    """Return how the item's address refused all requests: "… answered 403 to every request of this run".

    It is "" also where only requests with a credential, or those that have to be refused, show it: the
    credential may then be what is refused.
    """
    refusing = _refusing(evidence, result)
    if not refusing or not shut_out(evidence, result):
        return ""
    unwell = (one for one in evidence.results if one.status in {Status.FAILED, Status.ERROR})
    plain = any(
        not sent.credential and sent.status is not None and origin(sent) in refusing
        for one in unwell
        for sent in one.exchanges
    )
    return _answers(refusing, tuple(_sent_to(evidence, refusing))) if plain else ""


def shut_out_headline(evidence: Evidence) -> str:
    """Return in a headline's words which addresses shut this runner out; "" if none does."""
    shut = _shut_out(evidence)
    if not shut:
        return ""
    refusing = ", and ".join(dict.fromkeys(shut.values()))
    waits = "its host may wait for a payment, which no rollback makes"
    return f"this runner is shut out: {refusing}; {waits if _unpaid(shut) else 'users may be served'}"


def ways_in(evidence: Evidence) -> str:
    """Return what lets this runner in again, for a next step; "" if nothing shuts it out."""
    shut = _shut_out(evidence)
    if not shut:
        return ""
    return "see whether the host's bill is paid, or look from another network" if _unpaid(shut) else ELSEWHERE


def _shut_out(evidence: Evidence) -> dict[Result, str]:
    unwell = [result for _, result in evidence.outcomes if result.status in {Status.FAILED, Status.ERROR}]
    return {result: why for result in unwell if (why := refused_every_request(evidence, result))}


def _unpaid(shut: Iterable[Result]) -> bool:
    return any(sent.status == _PAYMENT for result in shut for sent in result.exchanges)


def _refusing(evidence: Evidence, result: Result) -> frozenset[str]:
    """Return the addresses that refused each of the item's requests and never let another one in."""
    answered = [sent for sent in result.exchanges if sent.status is not None]
    refusing = frozenset(origin(sent) for sent in answered)
    everything = (*answered, *_sent_to(evidence, refusing))
    return refusing if all(sent.status in _REFUSALS for sent in everything) else frozenset()


def _sent_to(evidence: Evidence, addresses: frozenset[str]) -> Iterator[Exchange]:
    """Yield the answered requests of the run to these addresses."""
    for other in evidence.results:
        for sent in other.exchanges:
            if sent.status is not None and origin(sent) in addresses:
                yield sent


def _answers(refusing: frozenset[str], sent: tuple[Exchange, ...]) -> str:
    """Describe the refusal, and whether the requests carried a credential."""
    *others, last = sorted({str(one.status) for one in sent})
    statuses = f"{', '.join(others)} or {last}" if others else last
    carried = {bool(one.credential) for one in sent}
    of = " of this run" if carried == {False} else ", each with a credential of ours"
    if len(carried) > 1:
        of = ", with or without a credential"
    return f"{listed(sorted(refusing))} answered {statuses} to every request{of}"

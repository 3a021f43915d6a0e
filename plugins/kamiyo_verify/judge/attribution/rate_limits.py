"""Requests of ours that were turned away: as too many (429), by a firewall that asks for a browser, or here.

They show nothing of what users are served, and refuse no credential.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kamiyo_verify.judge.attribution.refusals import ways_out
from kamiyo_verify.judge.attribution.shut_out import refused_every_request, shut_out_headline
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.outcomes import OWN_SIDE
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Attribution, FailureKind, Status

TOO_MANY = "our requests are refused as too many (429)"
CHALLENGES = "a firewall asks this runner to prove that it is a browser"


def turned_away(evidence: Evidence) -> tuple[Result, ...]:
    """Return the items that could not be measured because our requests were turned away."""
    ways = {FailureKind.RATE_LIMITED, FailureKind.CHALLENGED, FailureKind.OWN_SIDE}
    errors = evidence.with_status(Status.ERROR)
    return tuple(one for one in errors if one.failure in ways or refused_every_request(evidence, one))


def challenged_items(evidence: Evidence) -> tuple[Result, ...]:
    """Return the items that could not be measured because a firewall answered in place of the service."""
    errors = evidence.with_status(Status.ERROR)
    return tuple(one for one in errors if one.failure is FailureKind.CHALLENGED)


def failed_on_this_machine(evidence: Evidence) -> str:
    """Return why requests never left this machine, such as "its proxy answers 407"; "" if all did."""
    ours = (one for one in evidence.with_status(Status.ERROR) if one.failure is FailureKind.OWN_SIDE)
    whys = (one.message.partition(f"{OWN_SIDE}, as ")[2].partition(";")[0].rstrip(".") for one in ours)
    return ", and ".join(filter(None, dict.fromkeys(whys)))


def rate_limited(evidence: Evidence) -> tuple[Result, ...]:
    """Return the items that could not be measured because of a rate limit, in the runbook's order."""
    errors = evidence.with_status(Status.ERROR)
    return tuple(one for one in errors if one.failure is FailureKind.RATE_LIMITED)


def refusals_headline(evidence: Evidence) -> str:
    """Return in a headline's words how our own requests and credentials are refused; "" if none is."""
    way_out = ways_out(evidence)
    refused = f"our own credentials are refused, which shows nothing about the platform: {way_out}"
    too_many = TOO_MANY if rate_limited(evidence) else ""
    challenges = f"{CHALLENGES}; users may be served" if challenged_items(evidence) else ""
    here = failed_on_this_machine(evidence)
    local = f"requests {OWN_SIDE}, as {here}; users may be served" if here else ""
    told = (local, shut_out_headline(evidence), challenges, refused if way_out else "", too_many)
    return "; ".join(filter(None, told))


def without_limited_tiers(evidence: Evidence) -> Iterator[Result]:
    """Yield the results; a tier that only answers of 429 name refuses no credential: not measured."""
    sent = [one for result in evidence.results for one in result.exchanges]
    refused = {one.credential for one in sent if one.accepted is False}
    limited = any(one.status == 429 for one in sent)
    for result in evidence.results:
        refusal = result.refusal
        if (
            limited
            and refusal is not None
            and refusal.kind is RefusalKind.WRONG_TIER
            and refusal.variable not in refused
        ):
            yield replace(
                result,
                status=Status.ERROR,
                message=f"{result.message}; only a 429 names that tier, which refuses no credential",
                attribution=Attribution.PROBER,
                failure=FailureKind.RATE_LIMITED,
                refusal=None,
            )
        else:
            yield result

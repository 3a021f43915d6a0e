"""Recognise that something else may answer in place of a service, whichever path is asked for.

A page of maintenance, a parked domain, a challenge or a proxy of this network answers every path with one and
the same page; a sign-in wall, a portal or an address that moved redirects every path to another origin. None
of that is the application's own answer: it shows neither that the release works nor that it does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from kamiyo_verify.judge.attribution.failures import origin
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import Attribution, FailureKind, Status

FROM_ELSEWHERE = "see what answers there in a browser and from another network"
"""What to do about it, for a next step."""

_FEWEST_PATHS = 3
"""Fewer paths may all lead to one page, or to one other origin, of the application's own will."""


def without_substitutes(evidence: Evidence) -> Iterator[Result]:
    """Yield the results; what failed by answers that may not be the service's own could not be measured."""
    for result in evidence.results:
        why = _answered_in_place(evidence, result) if result.status is Status.FAILED else ""
        if not why:
            yield result
            continue
        yield replace(
            result,
            status=Status.ERROR,
            message=why,
            attribution=Attribution.UNKNOWN,
            failure=FailureKind.ANSWERED_IN_PLACE,
            refusal=None,
            confirmation=None,
        )


def answered_by_substitutes(evidence: Evidence) -> bool:
    """Return whether an item could not be measured because something else may have answered."""
    errors = evidence.with_status(Status.ERROR)
    return any(result.failure is FailureKind.ANSWERED_IN_PLACE for result in errors)


def _answered_in_place(evidence: Evidence, result: Result) -> str:
    """Return how one page, or redirects elsewhere, answer for any path of the item's address; or ""."""
    addresses = {origin(sent) for sent in result.exchanges if sent.status is not None}
    sent = tuple(_answers(evidence, addresses))
    if len(addresses) != 1 or len({urlsplit(one.url).path for one in sent}) < _FEWEST_PATHS:
        return ""
    [address] = addresses
    targets, pages = {one.leads_to for one in sent}, {one.page for one in sent}
    if len(targets) == 1 and "" not in targets:
        return f"{address} redirects every request of this run to {targets.pop()}"
    if len(pages) == 1 and "" not in pages and not _is_the_applications(evidence, address):
        status = "/".join(sorted({str(one.status) for one in sent}))
        one_page = f"{address} answers every request of this run with one and the same page ({status})"
        return f"{one_page}, which may not be the service's own"
    return ""


def _answers(evidence: Evidence, addresses: set[str]) -> Iterator[Exchange]:
    """Yield the answered requests of the run to these addresses."""
    for result in evidence.results:
        for sent in result.exchanges:
            if sent.status is not None and origin(sent) in addresses:
                yield sent


def _is_the_applications(evidence: Evidence, address: str) -> bool:
    """Return whether an item that read a title or a commit passed by what the address answers."""
    return any(
        any(origin(sent) == address for sent in result.exchanges)
        and any(_identifies(one.name.partition("[")[0]) for one in result.measurements)
        for result in evidence.with_status(Status.PASSED)
    )


def _identifies(measurement: str) -> bool:
    return measurement == "title" or measurement.endswith("commit")

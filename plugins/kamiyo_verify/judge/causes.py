"""Group the reasons of a call by cause: the request that fails, and how."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from urllib.parse import urlsplit

from kamiyo_verify.judge.attribution.failures import (
    answering,
    before_the_service,
    failing,
    failure_of,
    origin,
)
from kamiyo_verify.judge.attribution.rate_limits import TOO_MANY
from kamiyo_verify.judge.attribution.refusals import refused
from kamiyo_verify.judge.attribution.shut_out import refused_every_request
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.reasons import Cause, Reason
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import FailureKind, Status

_LONGEST = 140

_BY_STATUS = frozenset({FailureKind.SERVER_ERROR, FailureKind.WRONG_STATUS})

_ADDRESS = re.compile(r"https?://[^/\s]+")
_CLAUSE_END = re.compile(r"(?<=\w)[.;] | – ")
"""Where the first statement of a failure message ends."""


def causes(evidence: Evidence, reasons: Iterable[Reason]) -> tuple[Cause, ...]:
    """Group failed items by what is broken: those of the reasons first, then all others."""
    named = [reason.item for reason in reasons if evidence.runbook.item(reason.item)]
    others = [result.item for _, result in evidence.outcomes if result.status is Status.FAILED]
    groups: dict[str, list[Result]] = {}
    for item in dict.fromkeys((*named, *others)):
        result = evidence.result(item)
        if result is not None and result.status in {Status.FAILED, Status.ERROR}:
            groups.setdefault(cause_title(evidence, result), []).append(result)
    return tuple(_cause(title, results) for title, results in groups.items())


def cause_title(evidence: Evidence, result: Result) -> str:
    """Return what is broken, such as "GET /api/auth/csrf answers 500 in every try": one printable line."""
    title = "".join(char if char.isprintable() else " " for char in _title(evidence, result))
    return textwrap.shorten(title, _LONGEST, placeholder=" …") or evidence.item(result.item).title


def _title(evidence: Evidence, result: Result) -> str:
    kind, sent = failure_of(result), failing(result)
    if kind is FailureKind.RATE_LIMITED:
        return TOO_MANY
    if everything := refused_every_request(evidence, result):
        return everything
    found = refused(evidence, result) if result.refusal is not None else None
    at_fault = found is not None and found.of_credential
    if result.refusal is not None and result.refusal.variable and at_fault:
        return f"{result.refusal.variable} is refused"
    share = result.confirmation.share if result.confirmation else None
    if share is not None and 0 < share.count < len(share.failed):
        return f"{share.request} fails in {share.count:,} of {len(share.failed):,} requests"
    if kind is FailureKind.COMMAND_FAILED and sent is not None and sent.command:
        return f"`{sent.command}` {sent.ending}"
    if kind is FailureKind.NO_ANSWER and not (sent is not None and sent.command):
        return _without_answer(evidence, result, sent)
    if sent is not None and sent.status is not None:
        request = f"{sent.method} {urlsplit(sent.url).path or '/'}"
        # Of an item that passed in between, the kept requests may be those of the try that passed.
        if kind in _BY_STATUS and (kind is not FailureKind.SERVER_ERROR or sent.status >= 500):
            return f"{request} answers {sent.status}{_how_often(result)}"
        if found is not None and sent.status >= 400:
            return f"{request} answers {sent.status}"
        if kind is FailureKind.WRONG_FORMAT:
            return f"{request} answers in a format that cannot be read{_how_often(result)}"
    return _CLAUSE_END.split(result.message)[0]


def _without_answer(evidence: Evidence, result: Result, sent: Exchange | None) -> str:
    """Return what gets no answer: a service, or a request to one that answers others."""
    if sent is None:  # it was not asked any more, whichever path was
        named = _ADDRESS.match(result.message)
        silent = named is not None and named[0] not in answering(evidence)
        said = _CLAUSE_END.split(result.message)[0]
        return f"{named[0]} does not answer" if named is not None and silent else said
    if before_the_service(sent.problem):
        return sent.problem
    if origin(sent) not in answering(evidence):
        return f"{origin(sent)} does not answer"
    often = " in any try" if _how_often(result) else ""
    return f"{sent.method} {urlsplit(sent.url).path or '/'} gets no whole answer{often}"


def _how_often(result: Result) -> str:
    """Return "in every try", unless a try, a recheck or a sampled request did not fail."""
    share = result.confirmation.share if result.confirmation else None
    if share is not None and share.count < len(share.failed):
        return ""
    tries = [attempt.status for attempt in result.attempts]
    looks = [one.status for one in result.confirmation.rechecks] if result.confirmation else []
    every = [*tries, *looks]
    return " in every try" if len(every) > 1 and Status.PASSED not in every else ""


def _cause(title: str, results: list[Result]) -> Cause:
    sent: Exchange | None = next((found for result in results if (found := _failing(result))), None)
    return Cause(
        title=title,
        items=tuple(result.item for result in results),
        status=sent.status if sent else None,
        request_id=sent.request_id if sent else "",
        at=(sent.at if sent else "") or results[0].started_at,
    )


def _failing(result: Result) -> Exchange | None:
    """Return the exchange that shows the failure; None if a later try passed, whose exchanges are kept."""
    return None if result.attempts and result.attempts[-1].status is Status.PASSED else failing(result)

"""Classify how an item failed, and detect services that do not answer properly.

A service does not answer properly if it does not answer, answers 5xx, or answers in an unreadable format.
Such a failure shows nothing more: it does not prove damaged data or a security hole. Nor does a
failed command of the team's own, which is no service at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.outcomes import CHALLENGED, OWN_SIDE, UNRESOLVED, UNTRUSTED
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import FailureKind, Status

SILENCE = frozenset(
    {
        FailureKind.NO_ANSWER,
        FailureKind.SERVER_ERROR,
        FailureKind.WRONG_FORMAT,
        FailureKind.COMMAND_FAILED,
    }
)
"""The kinds of failure in which the service does not answer properly, or a command failed."""

GATEWAY = frozenset({502, 503, 504})
"""The statuses that a proxy answers if the service behind it does not answer."""


def failure_of(result: Result) -> FailureKind:
    """Return how an item failed; recordings of older versions show it only by their last exchange."""
    if result.failure is not None:
        return result.failure
    return failure_by(result.exchanges[-1] if result.exchanges else None)


def failure_by(last: Exchange | None) -> FailureKind:
    """Return how an item failed, as far as its last exchange shows it."""
    if last is not None and last.command and last.problem:
        return FailureKind.COMMAND_FAILED
    if last is not None and unanswered(last):
        return FailureKind.NO_ANSWER
    if last is not None and last.status is not None and last.status >= 500:
        return FailureKind.SERVER_ERROR
    return FailureKind.WRONG_CONTENT


def unanswered(sent: Exchange) -> bool:
    """Return whether no answer came. SQL has a problem only if it failed, and a command no answer at all."""
    return sent.status is None and bool(sent.problem) and not sent.command


def challenged(sent: Exchange) -> bool:
    """Return whether a firewall answered in place of the service, to see whether a browser asks."""
    return CHALLENGED in sent.problem


def not_of_the_service(sent: Exchange) -> bool:
    """Return whether nothing of the service came: a firewall or a cache answered, or this machine failed."""
    return challenged(sent) or bool(sent.cached) or failed_here(sent)


def failed_here(sent: Exchange) -> bool:
    """Return whether the request never left this machine or its proxy."""
    return OWN_SIDE in sent.problem


def beyond_code_because(result: Result) -> str:
    """Return why a failure lies before the service, which code has no part in; "" if it may not.

    Each of the item's requests that got no proper answer met a certificate that is not trusted, or a name
    that is not found.
    """
    if failure_of(result) is not FailureKind.NO_ANSWER:
        return ""
    bad = [sent for sent in result.exchanges if unanswered(sent) or (sent.status or 0) >= 500]
    problems = [sent.problem for sent in bad] or [result.message]
    return problems[0] if all(before_the_service(problem) for problem in problems) else ""


def before_the_service(problem: str) -> bool:
    """Return whether a message is about a certificate that is not trusted, or a name that is not found."""
    return UNTRUSTED in problem or UNRESOLVED in problem


def about_the_commit(evidence: Evidence, result: Result) -> bool:
    """Return whether an item failed as another commit answers than it should, or an unknown one.

    That says which version was looked at, and nothing about whether it works. A service that does not answer
    at all is another failure.
    """
    if failure_of(result) in {FailureKind.NO_ANSWER, FailureKind.SERVER_ERROR}:
        return False
    found = (one for one in evidence.comparisons if one.result.item == result.item)
    return any(one.differs or one.alone for one in found)


def failing(result: Result) -> Exchange | None:
    """Return the exchange that shows the failure; None if there is no exchange.

    It is the first one without a proper answer where that is the failure, else the last one whose path the
    message names: a check may have sent others after it, to compare. Else it is the last one.
    """
    kind = failure_of(result)
    if kind is FailureKind.COMMAND_FAILED:
        bad = (sent for sent in reversed(result.exchanges) if sent.command and sent.problem)
    else:
        bad = (sent for sent in result.exchanges if unanswered(sent) or (sent.status or 0) >= 500)
    if kind in SILENCE and (found := next(bad, None)) is not None:
        return found
    named = (sent for sent in reversed(result.exchanges) if _names(result.message, sent))
    return next(named, None) or next(reversed(result.exchanges), None)


def _names(message: str, sent: Exchange) -> bool:
    path = urlsplit(sent.url).path
    return len(path) > 1 and re.search(rf"(?<![\w/.-]){re.escape(path)}(?![\w/-])", message) is not None


def origin(sent: Exchange) -> str:
    """Return scheme, host and port of the request; a WebSocket's origin is that of its API."""
    parts = urlsplit(sent.url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}" if parts.netloc else sent.url


def whole_service_silent(evidence: Evidence, result: Result) -> bool:
    """Return whether the service behind the failure answered no request of this run properly."""
    kind, sent = failure_of(result), failing(result)
    if kind not in SILENCE or kind is FailureKind.COMMAND_FAILED:
        return False
    if sent is None:
        return kind is FailureKind.NO_ANSWER
    if origin(sent) in set(answering(evidence)):
        return False
    return kind is not FailureKind.SERVER_ERROR or sent.status in GATEWAY


def answering(evidence: Evidence) -> Iterator[str]:
    """Yield the origins that answered some request of this run properly."""
    for result in evidence.results:
        if result.status is Status.PASSED or (
            result.status is Status.FAILED and failure_of(result) not in SILENCE
        ):
            for sent in result.exchanges:
                if sent.status is not None and sent.status < 500 and not not_of_the_service(sent):
                    yield origin(sent)

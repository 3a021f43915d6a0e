"""Why a WebSocket did not open, or did not stay open."""

from __future__ import annotations

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.frames import Close

from plugins.clients.problems import chain, no_answer
from plugins.clients.readable import readable, without
from plugins.model.outcomes import NoAnswer, NoAnswerKind, WrongAnswer

_MEANINGS = {
    1000: "a normal end",
    1001: "the server goes away",
    1011: "an error within the server",
    1012: "the server restarts",
    4000: "an internal error of the platform",
    4001: "the key is unknown",
    4003: "no key, or one of too low a tier",
}
_OUR_COMPLAINTS = {
    1002: "broke the WebSocket protocol",
    1007: "sent text that is not UTF-8",
    1009: "sent a frame of more than 1 MiB",
}


def refusal(
    problem: BaseException, origin: str, shown: str, waited_s: float
) -> tuple[NoAnswer | WrongAnswer, int | None]:
    """Why there is no stream, and the HTTP status where one came.

    Args:
        problem: what was caught while it was opened.
        origin: whom it was asked of, as http(s).
        shown: the address, fit to show.
        waited_s: seconds since the beginning.
    """
    links = chain(problem)  # a redirect that is not followed lies upon the status
    for link in links:
        if isinstance(link, InvalidStatus):
            status = link.response.status_code
            return _by_status(status, origin, shown), status
    for link in links:
        match link:
            case NoAnswer():
                return link, None
            case ProxyError() | InvalidProxy() | ImportError():
                message = f"{origin} cannot be reached: the proxy of this machine cannot be used"
                return NoAnswer(NoAnswerKind.UNREACHABLE, message, origin), None
            case InvalidURI():
                message = f"{shown} was not asked: that is no WebSocket address"
                return NoAnswer(NoAnswerKind.UNUSABLE, message, origin), None
            case InvalidHandshake() if not isinstance(link, InvalidMessage):
                return WrongAnswer(f"{shown} agreed to a WebSocket, but not as one opens"), None
    return no_answer(problem, origin, waited_s), None


def closed(end: ConnectionClosed, shown: str, secret: str) -> NoAnswer | WrongAnswer:
    """Why an open stream ended.

    Args:
        end: what websockets raised.
        shown: the address, fit to show.
        secret: the token; the server's reason could quote it.
    """
    received, sent = end.rcvd, end.sent
    if received is not None and (sent is None or end.rcvd_then_sent):
        return WrongAnswer(f"{shown} closed the stream with {_meant(received, secret)}")
    if sent is not None and sent.code in _OUR_COMPLAINTS:
        return WrongAnswer(f"{shown} {_OUR_COMPLAINTS[sent.code]}")
    if sent is not None:
        return NoAnswer(NoAnswerKind.TIMEOUT, f"{shown} no longer answers on the open stream", shown)
    return NoAnswer(NoAnswerKind.CUT, f"{shown} broke off without closing the stream", shown)


def _by_status(status: int, origin: str, shown: str) -> NoAnswer | WrongAnswer:
    if status == 429:
        message = f"{shown} answered 429: the rate limit leaves no stream"
        return NoAnswer(NoAnswerKind.RATE_LIMITED, message, origin)
    if status == 403:
        return WrongAnswer(
            f"{shown} refused before accept with HTTP 403 (4001 or 4003: key unknown or tier too low)"
        )
    return WrongAnswer(f"{shown} answered HTTP {status} where a WebSocket was expected")


def _meant(close: Close, secret: str) -> str:
    meaning = _MEANINGS.get(close.code) or readable(without([secret] if secret else [], close.reason), 100)
    return f"{close.code} ({meaning})" if meaning else str(close.code)

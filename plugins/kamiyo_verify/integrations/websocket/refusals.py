"""Explain why a WebSocket did not open, or did not stay open."""

from __future__ import annotations

from ssl import SSLWantWriteError

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.frames import Close

from kamiyo_verify.http.problems import chain, challenge_in, no_answer, on_this_machine, proxy_trouble
from kamiyo_verify.http.readable import readable, without
from kamiyo_verify.integrations.websocket.conventions import Conventions
from kamiyo_verify.integrations.websocket.token import Token
from kamiyo_verify.model.credentials import RefusalKind
from kamiyo_verify.model.outcomes import (
    ImproperAnswer,
    ImproperKind,
    NoAnswer,
    NoAnswerKind,
    Refused,
    ServerBroke,
    StreamClosed,
    WrongAnswer,
    WrongStatus,
)

_MEANINGS = {
    1000: "normal end",
    1001: "going away: the server ends or restarts",
    1005: "no reason given",
    1008: "policy violation",
    1011: "internal error of the server",
    1012: "service restart",
    1013: "try again later: the server is overloaded",
    1014: "bad gateway",
}
"""RFC 6455, 7.4.1, and the IANA registry of close codes."""

_NO_UPGRADE = frozenset({200, 400, 426})
_REFUSED = {401: RefusalKind.UNAUTHORIZED, 403: RefusalKind.FORBIDDEN}
_OUR_COMPLAINTS = {
    1002: "broke the WebSocket protocol",
    1007: "sent text that is not UTF-8",
    1009: "sent a frame of more than 1 MiB",
}


def refusal(
    problem: BaseException,
    origin: str,
    shown: str,
    waited_s: float,
    conventions: Conventions,
    credential: str = "",
) -> tuple[NoAnswer | WrongAnswer, int | None]:
    """Why there is no stream, and the HTTP status if there is one.

    Args:
        problem: the exception caught while opening it.
        origin: of the request, as http(s).
        shown: the address, safe to show.
        waited_s: seconds since the start.
        conventions: explains what the platform means by 401 and 403.
        credential: the variable whose value was sent; "" for none.
    """
    links = chain(problem)  # a redirect that is not followed wraps the status
    for link in links:
        if isinstance(link, InvalidStatus):
            status = link.response.status_code
            headers = {name.lower(): value for name, value in link.response.headers.raw_items()}
            if (challenge := challenge_in(status, headers, origin)) is not None:
                return challenge, status
            return _by_status(status, origin, shown, conventions, credential), status
    for link in links:
        match link:
            case NoAnswer() | ImproperAnswer():
                return link, None
            case InvalidProxyStatus():
                kind, trouble = proxy_trouble(str(link.response.status_code))
                return NoAnswer(kind, f"{origin} {trouble}", origin), None
            case ProxyError() | InvalidProxy() | ImportError():
                trouble = on_this_machine("the proxy that its variables name cannot be used")
                return NoAnswer(NoAnswerKind.LOCAL, f"{origin} {trouble}", origin), None
            case InvalidURI():
                message = f"{shown} was not asked: that is no WebSocket address"
                return NoAnswer(NoAnswerKind.UNUSABLE, message, origin), None
            case InvalidHandshake() if not isinstance(link, InvalidMessage):
                return WrongAnswer(f"{shown} agreed to a WebSocket, but not as one opens"), None
    return no_answer(problem, origin, waited_s), None


def closed(
    end: ConnectionClosed, shown: str, token: Token, conventions: Conventions
) -> NoAnswer | WrongAnswer:
    """Why an open stream ended.

    Args:
        end: the exception of websockets.
        shown: the address, safe to show.
        token: the credential; the server's reason could quote it.
        conventions: names the platform's own close codes.
    """
    received, sent = end.rcvd, end.sent
    if received is not None and (sent is None or end.rcvd_then_sent):
        description = f"{shown}: the stream was closed with {_meant(received, token, conventions)}"
        if token.variable and received.code in conventions.refusals:
            return Refused(description, token.variable, conventions.refusals[received.code])
        return StreamClosed(description, received.code)
    if sent is not None and sent.code in _OUR_COMPLAINTS:
        return WrongAnswer(f"{shown} {_OUR_COMPLAINTS[sent.code]}")
    if sent is not None:
        return NoAnswer(NoAnswerKind.TIMEOUT, f"{shown} no longer answers on the open stream", shown)
    if isinstance(end.__cause__, (BlockingIOError, SSLWantWriteError)):
        return NoAnswer(NoAnswerKind.TIMEOUT, f"{shown} reads nothing on the open stream", shown)
    return NoAnswer(NoAnswerKind.CUT, f"{shown} broke off without closing the stream", shown)


def _by_status(
    status: int, origin: str, shown: str, conventions: Conventions, credential: str
) -> NoAnswer | WrongAnswer:
    if status == 429:
        message = f"{shown} answered 429: the rate limit leaves no stream"
        return NoAnswer(NoAnswerKind.RATE_LIMITED, message, origin)
    if status in _REFUSED:
        meaning = conventions.forbidden()
        message = f"{shown} refused the WebSocket with HTTP {status}{f': {meaning}' if meaning else ''}"
        return Refused(message, credential, _REFUSED[status]) if credential else WrongStatus(message)
    description = f"{shown} answered HTTP {status} where a WebSocket was expected"
    if status >= 500:
        return ServerBroke(description)
    if 300 <= status < 400:
        return ImproperAnswer(description, ImproperKind.REDIRECT)
    if status in _NO_UPGRADE:
        return ImproperAnswer(
            f"{description}: a proxy between may not pass the upgrade on", ImproperKind.STATUS
        )
    return WrongStatus(description)


def _meant(close: Close, token: Token, conventions: Conventions) -> str:
    known = conventions.meanings.get(close.code) or _MEANINGS.get(close.code)
    meaning = known or readable(without(token.secrets, close.reason), 100)
    return f"{close.code} ({meaning})" if meaning else str(close.code)

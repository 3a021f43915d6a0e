"""Convert network exceptions, and a firewall's answers, into a `NoAnswer` of the right kind."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Mapping

from kamiyo_verify.http.readable import readable
from kamiyo_verify.model.outcomes import CHALLENGED, OWN_SIDE, UNRESOLVED, UNTRUSTED, NoAnswer, NoAnswerKind

_BY_ERRNO = {
    errno.ECONNREFUSED: (NoAnswerKind.REFUSED, "refuses the connection"),
    errno.EHOSTUNREACH: (NoAnswerKind.UNREACHABLE, "cannot be reached: no route to the host"),
    errno.EHOSTDOWN: (NoAnswerKind.UNREACHABLE, "cannot be reached: the host is down"),
    errno.ETIMEDOUT: (NoAnswerKind.TIMEOUT, "does not answer: the connection timed out"),
    errno.ECONNRESET: (NoAnswerKind.CUT, "reset the connection"),
    errno.EPIPE: (NoAnswerKind.CUT, "closed the connection while the request was sent"),
}

_ON_THIS_MACHINE = {  # what connect(2) and socket(2) raise before anything is sent
    errno.ENETUNREACH: "it has no route to that network",
    errno.ENETDOWN: "its network is down",
    errno.EADDRNOTAVAIL: "it has no address or port left to send from",
    errno.EADDRINUSE: "it has no address or port left to send from",
    errno.EACCES: "it forbids the connection",
    errno.EPERM: "it forbids the connection",
    errno.EMFILE: "its limit of open files is reached",
    errno.ENFILE: "its limit of open files is reached",
    errno.ENOBUFS: "it has no memory left for the connection",
    errno.ENOMEM: "it has no memory left for the connection",
    errno.EAFNOSUPPORT: "it does not support this kind of address, such as IPv6",
    errno.EPROTONOSUPPORT: "it does not support this kind of address, such as IPv6",
}

_BY_CERTIFICATE = {  # X509_V_ERR_*, from OpenSSL's x509_vfy.h
    9: "its certificate is not valid yet",
    10: "its certificate has expired",
    18: "its certificate is self-signed",
    19: "its certificate ends in a self-signed one that nobody here trusts",
    20: "nobody here knows the issuer of its certificate",
    21: "its certificate comes without the issuer's",
    62: "its certificate is for another host",
    64: "its certificate is for another address",
}

_CHALLENGES = {
    "cf-mitigated": frozenset({"challenge"}),
    "x-amzn-waf-action": frozenset({"challenge", "captcha"}),
    "x-vercel-mitigated": frozenset({"challenge"}),
}
"""Headers by which a firewall names its own answer: of Cloudflare, AWS WAF and Vercel, as they document them.

The status shows nothing of it: AWS answers 202 or 405, Cloudflare 403 or 503.
"""


GATEWAY_STATUSES = frozenset({502, 503, 504})
"""A gateway or proxy answers these if it reached nobody behind it."""


class ProxyUnreached(ConnectionError):
    """The proxy of this machine took no connection: no request was sent to the service."""


class LookupTimeout(TimeoutError):
    """The name server gave no answer in time: the address itself was not asked."""


def network_errors() -> tuple[type[Exception], ...]:
    """Return what httpcore2, ssl and the socket module raise if no whole answer comes."""
    import httpcore2  # noqa: PLC0415 - a plan sends nothing and does without

    return (
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.ProxyError,
        httpcore2.TimeoutException,
        httpcore2.UnsupportedProtocol,
        OSError,
        UnicodeError,
    )


def no_answer(problem: BaseException, origin: str, waited_s: float, *, connected: bool = True) -> NoAnswer:
    """Convert an exception of httpx2, httpcore2, h11, ssl or the socket module into a `NoAnswer`.

    Args:
        problem: the caught exception.
        origin: scheme, host and port of the request; without user and password.
        waited_s: seconds since the request began.
        connected: the connection was established, so that a timeout concerns the answer.
    """
    awaited = "gave no whole answer" if connected else "took no connection"
    kind, sentence = _classify(problem, f"{awaited} within {waited_s:.1f} s")
    return NoAnswer(kind, f"{origin} {sentence}", origin)


def challenge_in(status: int, headers: Mapping[str, str], origin: str) -> NoAnswer | None:
    """The answer as none of the service's own, if a firewall names it a challenge; else None.

    Browsers pass a challenge, so it shows nothing of what users are served.

    Args:
        status: of the answer.
        headers: of the answer; names are looked up in lower case.
        origin: scheme, host and port of the request.
    """
    for header, words in _CHALLENGES.items():
        word = headers.get(header, "").strip().lower()
        if word in words:
            shown = f"{header}: {readable(word, longest=20)}"
            message = f"a firewall before {origin} {CHALLENGED} ({status}, {shown})"
            return NoAnswer(NoAnswerKind.CHALLENGED, message, origin)
    return None


def chain(problem: BaseException) -> list[BaseException]:
    """The exception and its causes, outermost first."""
    links = [problem]
    while (cause := links[-1].__cause__ or links[-1].__context__) is not None and cause not in links:
        links.append(cause)
    return links


def certificate_trouble(code: int, otherwise: str) -> str:
    """Describe OpenSSL's verification code of the server's certificate."""
    return f"{UNTRUSTED}: {_BY_CERTIFICATE.get(code, otherwise)}"


def socket_trouble(number: int | None) -> tuple[NoAnswerKind, str] | None:
    """Describe an errno, if it is one that connections raise."""
    if number is None:
        return None
    if (why := _ON_THIS_MACHINE.get(number)) is not None:
        return NoAnswerKind.LOCAL, on_this_machine(why)
    return _BY_ERRNO.get(number)


def on_this_machine(why: str) -> str:
    """The part of a message, after the address, about a request that this machine could not send."""
    return f"was not reached: the request {OWN_SIDE}, as {why}"


def proxy_trouble(text: str) -> tuple[NoAnswerKind, str]:
    """Describe how a proxy refuses a tunnel, by the words of httpcore2, which begin with the status.

    A gateway's status says that the proxy reached nobody: another address shows whether it can.
    """
    status = text.partition(" ")[0]
    if status.isdigit() and int(status) in GATEWAY_STATUSES:
        return NoAnswerKind.UNREACHABLE, f"cannot be reached: the proxy of this machine answers {status}"
    shown = f"answers {status}" if status.isdigit() else "refuses to connect"
    return NoAnswerKind.LOCAL, on_this_machine(f"its proxy {shown}")


def _classify(problem: BaseException, too_late: str) -> tuple[NoAnswerKind, str]:
    links = chain(problem)
    if any(isinstance(link, ProxyUnreached) for link in links):  # its cause is not about the service
        return NoAnswerKind.LOCAL, on_this_machine("its proxy takes no connection")
    for link in reversed(links):  # the innermost exception is the most specific
        known = _classify_link(link, too_late)
        if known is not None:
            return known
    return NoAnswerKind.CUT, "broke off before a whole answer came"


def _classify_link(link: BaseException, too_late: str) -> tuple[NoAnswerKind, str] | None:
    import httpcore2  # noqa: PLC0415 - as above

    match link:
        case socket.gaierror() | UnicodeError() | LookupTimeout():
            late = isinstance(link, LookupTimeout)
            why = "no name server answered in time" if late else "its name does not resolve"
            return NoAnswerKind.NAME, f"{UNRESOLVED}: {why}"
        case ssl.SSLCertVerificationError():
            return NoAnswerKind.TLS, certificate_trouble(link.verify_code, "its certificate is not valid")
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return NoAnswerKind.CUT, "closed the encrypted connection before a whole answer came"
        case ssl.SSLError():
            return NoAnswerKind.TLS, _tls_trouble(link.reason)
        case TimeoutError() | httpcore2.TimeoutException():
            return NoAnswerKind.TIMEOUT, too_late
        case httpcore2.ProxyError():
            return proxy_trouble(str(link))
        case httpcore2.LocalProtocolError():
            return NoAnswerKind.CUT, "was not asked: the request cannot be put into HTTP"
        case httpcore2.RemoteProtocolError():
            return NoAnswerKind.CUT, _protocol_trouble(str(link))
        case OSError():
            return socket_trouble(link.errno)
    return None


def _tls_trouble(reason: str | None) -> str:
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return "speaks no TLS on that port"
    return f"breaks off the TLS handshake ({(reason or 'no reason given').lower().replace('_', ' ')})"


def _protocol_trouble(text: str) -> str:
    """Describe two messages of h11 and httpcore2; other messages could quote the answer."""
    if "disconnected without" in text:
        return "closed the connection without an answer"
    if "complete message body" in text or "incomplete chunked" in text:
        return "broke off in the middle of its answer"
    return "answered with something that is not HTTP"

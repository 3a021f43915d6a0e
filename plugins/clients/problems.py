"""What can go wrong on the way to an answer, told as a `NoAnswer` of the right kind in one sentence."""

from __future__ import annotations

import errno
import socket
import ssl

import httpcore

from plugins.model.outcomes import NoAnswer, NoAnswerKind

_BY_ERRNO = {
    errno.ECONNREFUSED: (NoAnswerKind.REFUSED, "refuses the connection"),
    errno.EHOSTUNREACH: (NoAnswerKind.UNREACHABLE, "cannot be reached: no route to the host"),
    errno.ENETUNREACH: (NoAnswerKind.UNREACHABLE, "cannot be reached: the network is unreachable"),
    errno.ENETDOWN: (NoAnswerKind.UNREACHABLE, "cannot be reached: the network is down"),
    errno.EHOSTDOWN: (NoAnswerKind.UNREACHABLE, "cannot be reached: the host is down"),
    errno.EADDRNOTAVAIL: (NoAnswerKind.UNREACHABLE, "cannot be reached: the address is not available"),
    errno.EACCES: (NoAnswerKind.UNREACHABLE, "cannot be reached: this machine forbids the connection"),
    errno.EPERM: (NoAnswerKind.UNREACHABLE, "cannot be reached: this machine forbids the connection"),
    errno.ETIMEDOUT: (NoAnswerKind.TIMEOUT, "does not answer: the connection timed out"),
    errno.ECONNRESET: (NoAnswerKind.CUT, "reset the connection"),
    errno.EPIPE: (NoAnswerKind.CUT, "closed the connection while the request was sent"),
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


def no_answer(problem: BaseException, origin: str, waited_s: float, *, connected: bool = True) -> NoAnswer:
    """Tell an exception of httpx, httpcore, h11, ssl or the socket module.

    Args:
        problem: what was caught.
        origin: scheme, host and port that was asked; no user, no password.
        waited_s: seconds since the request began.
        connected: the connection stood, so that a timeout is about the answer.
    """
    awaited = "gave no whole answer" if connected else "took no connection"
    kind, sentence = _told(problem, f"{awaited} within {waited_s:.1f} s")
    return NoAnswer(kind, f"{origin} {sentence}", origin)


def chain(problem: BaseException) -> list[BaseException]:
    """The problem and what lies beneath it, outermost first."""
    links = [problem]
    while (cause := links[-1].__cause__ or links[-1].__context__) is not None and cause not in links:
        links.append(cause)
    return links


def certificate_trouble(code: int, otherwise: str) -> str:
    """What OpenSSL's verification code says of the server's certificate."""
    return f"cannot be trusted: {_BY_CERTIFICATE.get(code, otherwise)}"


def socket_trouble(number: int | None) -> tuple[NoAnswerKind, str] | None:
    """What an errno says, where it is one that connections meet."""
    return _BY_ERRNO.get(number) if number is not None else None


def _told(problem: BaseException, too_late: str) -> tuple[NoAnswerKind, str]:
    for link in reversed(chain(problem)):  # the innermost knows most
        told = _told_link(link, too_late)
        if told is not None:
            return told
    return NoAnswerKind.CUT, "broke off before a whole answer came"


def _told_link(link: BaseException, too_late: str) -> tuple[NoAnswerKind, str] | None:
    match link:
        case socket.gaierror() | UnicodeError():
            return NoAnswerKind.NAME, "cannot be found: its name does not resolve"
        case ssl.SSLCertVerificationError():
            return NoAnswerKind.TLS, certificate_trouble(link.verify_code, "its certificate is not valid")
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError():
            return NoAnswerKind.CUT, "closed the encrypted connection before a whole answer came"
        case ssl.SSLError():
            return NoAnswerKind.TLS, _tls_trouble(link.reason)
        case TimeoutError() | httpcore.TimeoutException():
            return NoAnswerKind.TIMEOUT, too_late
        case httpcore.ProxyError():
            return NoAnswerKind.UNREACHABLE, "cannot be reached: the proxy of this machine refuses to connect"
        case httpcore.LocalProtocolError():
            return NoAnswerKind.CUT, "was not asked: the request cannot be put into HTTP"
        case httpcore.RemoteProtocolError():
            return NoAnswerKind.CUT, _protocol_trouble(str(link))
        case OSError():
            return socket_trouble(link.errno)
    return None


def _tls_trouble(reason: str | None) -> str:
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return "speaks no TLS on that port"
    return f"breaks off the TLS handshake ({(reason or 'no reason given').lower().replace('_', ' ')})"


def _protocol_trouble(text: str) -> str:
    """Two of h11's and httpcore's messages are worth telling apart; the others could quote the answer."""
    if "disconnected without" in text:
        return "closed the connection without an answer"
    if "complete message body" in text or "incomplete chunked" in text:
        return "broke off in the middle of its answer"
    return "answered with something that is not HTTP"

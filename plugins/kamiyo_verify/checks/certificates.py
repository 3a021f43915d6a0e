"""Read the end of validity of the certificate that an origin serves."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from urllib.parse import urlsplit

from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.problems import certificate_trouble, no_answer
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, NotApplicable, Unverified


def certificate_end(http: HttpClient) -> datetime:
    """Return when the certificate of an origin ends, UTC; its chain and name are verified.

    Raises:
        NotApplicable: the origin is not https.
        NoAnswer: TLS, as the certificate is not trusted or is of another name, or there is no connection.
        Unverified: the origin is reached by a proxy alone.
    """
    parts = urlsplit(http.origin)
    if parts.scheme != "https":
        raise NotApplicable(f"{http.origin} has no certificate: it is not https")
    host, seconds = (
        parts.hostname or "",
        min(http.context.timeouts.connect, max(http.context.remaining(), 0.1)),
    )
    from kamiyo_verify.http.pool import proxy_for, trusted_certificates  # noqa: PLC0415 - brings httpx2 with it

    trusted = trusted_certificates(http.origin)
    try:
        with (
            socket.create_connection((host, parts.port or 443), timeout=seconds) as plain,
            trusted.wrap_socket(plain, server_hostname=host) as secure,
        ):
            found = secure.getpeercert() or {}
    except ssl.SSLCertVerificationError as why:
        message = f"{http.origin} {certificate_trouble(why.verify_code, why.verify_message)}"
        raise NoAnswer(NoAnswerKind.TLS, message, http.origin) from None
    except ssl.SSLError as why:
        message = f"{http.origin} has no trusted certificate: {why.reason or 'TLS failed'}"
        raise NoAnswer(NoAnswerKind.TLS, message, http.origin) from None
    except OSError as why:
        if proxy_for(http.origin):
            message = (
                f"{http.origin} is reached by a proxy, which shows no certificate: {why.strerror or why}"
            )
            raise Unverified(message) from None
        raise no_answer(why, http.origin, seconds, connected=False) from None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(found["notAfter"])), tz=UTC)

"""Describe problems between this machine and PostgreSQL, without the server's text, which quotes values.

Each is a problem of the operators' path: users reach the database through the API alone.
"""

from __future__ import annotations

import psycopg

from kamiyo_verify.http.problems import no_answer
from kamiyo_verify.model.credentials import Refusal, RefusalKind
from kamiyo_verify.model.outcomes import NoAnswerKind, OperatorPathFailed

_Told = tuple[NoAnswerKind, str]

_BUSY: _Told = (NoAnswerKind.REFUSED, "takes no further connections")
_NOT_UP: _Told = (NoAnswerKind.REFUSED, "is starting, stopping or recovering")
_WHO: _Told = (NoAnswerKind.CREDENTIAL, "refuses the user or the password of {name}")
_NO_DATABASE: _Told = (NoAnswerKind.CREDENTIAL, "has no database of the name in {name}")
_START_UP: _Told = (
    NoAnswerKind.CREDENTIAL,
    "is a pooler that refuses a start-up parameter of {name}: remove its `options` or use the direct address",
)
_VALUE: _Told = (
    NoAnswerKind.CREDENTIAL,
    "was not asked: {name} has a parameter with a value that PostgreSQL's own library does not take",
)
_BINDING: _Told = (
    NoAnswerKind.CREDENTIAL,
    "offers no channel binding, which channel_binding of {name} requires: remove that parameter",
)
_METHOD: _Told = (
    NoAnswerKind.CREDENTIAL,
    "authenticates in another way than require_auth of {name} allows",
)
_OTHER_SERVER: _Told = (
    NoAnswerKind.CREDENTIAL,
    "is no server of the kind that target_session_attrs of {name} asks for",
)
_POOL_MODE: _Told = (
    NoAnswerKind.CREDENTIAL,
    "is a pooler whose mode allows no transactions of several statements: {name} needs the direct address",
)
_TENANT: _Told = (
    NoAnswerKind.CREDENTIAL,
    "is a pooler that does not know the project or branch in {name} (user, `options`)",
)
_BEHIND_POOLER: _Told = (
    NoAnswerKind.REFUSED,
    "is a pooler that answers, and cannot reach its own database server",
)
_TLS_MISSING: _Told = (NoAnswerKind.TLS, "takes no connection without TLS: write sslmode=require in {name}")
_NOT_ALLOWED: _Told = (
    NoAnswerKind.CREDENTIAL,
    "does not admit this machine's address, or the user from it (pg_hba.conf, allow list)",
)
_NO_TLS: _Told = (
    NoAnswerKind.TLS,
    'refuses TLS, so the password was not sent: correct {name}, or write tls = "insecure" in [database]',
)
_CERTIFICATE: _Told = (
    NoAnswerKind.TLS,
    "shows a certificate that the authority of {name} (sslrootcert) does not vouch for",
)
_NO_AUTHORITY: _Told = (
    NoAnswerKind.TLS,
    "cannot be verified: the file that sslrootcert of {name} names is not on this machine, or cannot be read",
)
_OTHER_NAME: _Told = (NoAnswerKind.TLS, "shows a certificate for another name than the host of {name}")
_EXPIRED: _Told = (NoAnswerKind.TLS, "shows a certificate that has expired")
_CLOSED: _Told = (
    NoAnswerKind.CUT,
    "closes the connection before it answers: is this machine's address on the database's IP allow list?",
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html; the longest prefix wins.
_BY_SQLSTATE: dict[str, _Told] = {
    "08": (NoAnswerKind.CUT, "lost the connection"),
    "25006": (NoAnswerKind.UNUSABLE, "refuses to write, as it was asked to"),
    "28": _WHO,
    "3D000": _NO_DATABASE,
    "42501": (NoAnswerKind.CREDENTIAL, "does not let the user of {name} read that"),
    "53300": _BUSY,
    "55P03": (NoAnswerKind.TIMEOUT, "did not get at a locked table in time"),
    "57014": (NoAnswerKind.TIMEOUT, "did not answer within the statement timeout"),
    "57P0": _NOT_UP,
}

# Before the connection is established, libpq gives no SQLSTATE, only text, including the server's; poolers
# and proxies use 08P01 and XX000 for everything. The first match is used.
_BY_TEXT: tuple[tuple[tuple[str, ...], _Told], ...] = (
    (("connection is bad: invalid", "connection is bad: weak", "for connection option"), _VALUE),
    (("channel binding",), _BINDING),
    (("authentication method requirement",), _METHOD),
    (
        ("session is read-only", "session is not read-only", "in hot standby mode"),
        _OTHER_SERVER,
    ),
    (
        (
            "unsupported startup parameter",
            "unrecognized configuration parameter",
            "support command-line options",
        ),
        _START_UP,
    ),
    (("transaction blocks not allowed", "long transactions not allowed"), _POOL_MODE),
    (
        (
            "tenant or user not found",
            "endpoint id is not specified",
            "endpoint could not be found",
            "(enotfound)",
        ),
        _TENANT,
    ),
    (
        (
            "server login has been failing",
            "server login failed",
            "cannot connect to server",
            "query_wait_timeout",
            "server_login_retry",
            "client_login_timeout",
            "pgbouncer cannot connect",
            "unable to check out process from the pool",
        ),
        _BEHIND_POOLER,
    ),
    (
        (
            "too many clients",
            "connection slots",
            "too many connections",
            "no more connections",
            "max client conn",
        ),
        _BUSY,
    ),
    (("starting up", "shutting down", "recovery mode", "not accepting connections"), _NOT_UP),
    (
        ("no encryption", "ssl off", "connection is insecure", "ssl required", "ssl connection is required"),
        _TLS_MISSING,
    ),
    (("pg_hba.conf",), _NOT_ALLOWED),
    (
        ("expected authentication request", "received invalid response", "invalid message length"),
        (NoAnswerKind.CUT, "does not answer as PostgreSQL does: look at host and port"),
    ),
    (("authentication", "password", 'role "', "not permitted to log in", "no such user"), _WHO),
    (('database "', "no such database"), _NO_DATABASE),
    (
        ("could not translate host name",),
        (NoAnswerKind.NAME, "cannot be found: its name does not resolve from this machine"),
    ),
    (("connection refused", "no such file"), (NoAnswerKind.REFUSED, "refuses the connection")),
    (("timeout expired", "timed out"), (NoAnswerKind.TIMEOUT, "took no connection in time")),
    (
        ("unreachable", "no route", "cannot assign requested address"),
        (NoAnswerKind.UNREACHABLE, "cannot be reached"),
    ),
    (("server does not support ssl",), _NO_TLS),
    (("root certificate file", "could not load root"), _NO_AUTHORITY),
    (("does not match host name", "certificate for another"), _OTHER_NAME),
    (("certificate has expired", "certificate expired"), _EXPIRED),
    (("certificate", "root ca"), _CERTIFICATE),
    (("ssl error", "ssl syscall"), (NoAnswerKind.TLS, "breaks off while TLS is agreed upon")),
    (("closed the connection unexpectedly", "connection reset", "server closed the connection"), _CLOSED),
)


def operator_path_failure(
    problem: Exception, address: str, waited_s: float, *, name: str, advice: str = ""
) -> OperatorPathFailed:
    """Convert an exception of psycopg or of the network to an `OperatorPathFailed`.

    Args:
        problem: the caught exception.
        address: host and port, safe to show.
        waited_s: seconds since the start.
        name: of the credential that holds the address.
        advice: why the address may be unreachable from here, or "".
    """
    refusal = None
    if isinstance(problem, psycopg.Error):
        kind, sentence = found = _by_sqlstate(problem) or _without_sqlstate(problem)
        refusal = Refusal(name, RefusalKind.PASSWORD) if found == _WHO else None
        message = f"{address} {sentence.format(name=name)}"
    else:
        lost = no_answer(problem, address, waited_s, connected=False)
        kind, message = lost.kind, str(lost)
    if advice and kind in _ON_THE_WAY:
        message += f"; {advice} ({name})"
    return OperatorPathFailed(kind, message, address, refusal)


_ON_THE_WAY = frozenset(
    {
        NoAnswerKind.NAME,
        NoAnswerKind.REFUSED,
        NoAnswerKind.UNREACHABLE,
        NoAnswerKind.TIMEOUT,
        NoAnswerKind.CUT,
        NoAnswerKind.TLS,
    }
)


def unverifiable(problem: psycopg.Error) -> bool:
    """The server supports TLS, and its certificate could not be verified."""
    text = str(problem).lower()
    return not problem.sqlstate and ("certificate" in text or "root ca" in text)


def _by_sqlstate(problem: psycopg.Error) -> _Told | None:
    state = problem.sqlstate
    if not state:
        return None
    if state[:2] in {"08", "XX", "28"} and (meaning := _by_text(problem)) is not None:
        return meaning
    for length in (5, 4, 2):
        if state[:length] in _BY_SQLSTATE:
            return _BY_SQLSTATE[state[:length]]
    return NoAnswerKind.UNUSABLE, f"answered with the error {state} ({type(problem).__name__})"


def _without_sqlstate(problem: psycopg.Error) -> _Told:
    if not isinstance(problem, psycopg.OperationalError):
        return NoAnswerKind.UNUSABLE, f"gave an answer that cannot be read ({type(problem).__name__})"
    return _by_text(problem) or (NoAnswerKind.CUT, "broke off before it answered")


def _by_text(problem: psycopg.Error) -> _Told | None:
    text = str(problem).lower()
    return next((meaning for needles, meaning in _BY_TEXT if any(needle in text for needle in needles)), None)

"""What can go wrong between us and PostgreSQL, without its own words: those quote users and values."""

from __future__ import annotations

import psycopg

from plugins.clients.problems import no_answer
from plugins.model.outcomes import NoAnswer, NoAnswerKind

_Told = tuple[NoAnswerKind, str]

_BUSY: _Told = (NoAnswerKind.REFUSED, "takes no further connections")
_NOT_UP: _Told = (NoAnswerKind.REFUSED, "is starting, stopping or recovering")
_WHO: _Told = (NoAnswerKind.CREDENTIAL, "refuses the user or the password")

# https://www.postgresql.org/docs/current/errcodes-appendix.html; the longest prefix wins.
_BY_SQLSTATE: dict[str, _Told] = {
    "08": (NoAnswerKind.CUT, "lost the connection"),
    "25006": (NoAnswerKind.UNUSABLE, "refuses to write, as it was asked to"),
    "28": _WHO,
    "3D000": (NoAnswerKind.CREDENTIAL, "has no database of that name"),
    "42501": (NoAnswerKind.CREDENTIAL, "does not let the user read that"),
    "53300": _BUSY,
    "55P03": (NoAnswerKind.TIMEOUT, "did not get at a locked table in time"),
    "57014": (NoAnswerKind.TIMEOUT, "did not answer within the statement timeout"),
    "57P0": _NOT_UP,
}

# Before the connection stands libpq gives no SQLSTATE, only text, the server's included.
_BY_TEXT: tuple[tuple[tuple[str, ...], _Told], ...] = (
    (("too many clients", "connection slots", "too many connections"), _BUSY),
    (("starting up", "shutting down", "recovery mode", "not accepting connections"), _NOT_UP),
    (("authentication", "password", "pg_hba.conf", 'role "', "not permitted to log in"), _WHO),
    (('database "',), _BY_SQLSTATE["3D000"]),
    (("could not translate host name",), (NoAnswerKind.NAME, "cannot be found: its name does not resolve")),
    (("connection refused", "no such file"), (NoAnswerKind.REFUSED, "refuses the connection")),
    (("timeout expired", "timed out"), (NoAnswerKind.TIMEOUT, "took no connection in time")),
    (("unreachable", "no route"), (NoAnswerKind.UNREACHABLE, "cannot be reached")),
    (("certificate", "does not support ssl", "ssl error"), (NoAnswerKind.TLS, "cannot be trusted with TLS")),
)


def told(problem: Exception, address: str, waited_s: float) -> NoAnswer:
    """Tell an exception of psycopg or of the way to the server.

    Args:
        problem: what was caught.
        address: host and port, fit to show.
        waited_s: seconds since the beginning.
    """
    if not isinstance(problem, psycopg.Error):
        return no_answer(problem, address, waited_s, connected=False)
    kind, sentence = _by_sqlstate(problem) or _without_sqlstate(problem)
    return NoAnswer(kind, f"{address} {sentence}", address)


def _by_sqlstate(problem: psycopg.Error) -> _Told | None:
    state = problem.sqlstate
    if not state:
        return None
    for length in (5, 4, 2):
        if state[:length] in _BY_SQLSTATE:
            return _BY_SQLSTATE[state[:length]]
    return NoAnswerKind.UNUSABLE, f"answered with the error {state} ({type(problem).__name__})"


def _without_sqlstate(problem: psycopg.Error) -> _Told:
    if not isinstance(problem, psycopg.OperationalError):
        return NoAnswerKind.UNUSABLE, f"gave an answer that cannot be read ({type(problem).__name__})"
    text = str(problem).lower()
    for needles, meaning in _BY_TEXT:
        if any(needle in text for needle in needles):
            return meaning
    return NoAnswerKind.CUT, "broke off before it answered"

"""The use of our credentials in a run, identified by a keyed fingerprint and never by value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RefusalKind(StrEnum):
    """How a credential of ours was refused."""

    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    LOCKED_OUT = "locked_out"
    WRONG_TIER = "wrong_tier"
    UNKNOWN_SESSION = "unknown_session"
    PASSWORD = "password"  # noqa: S105 - a kind, not a password
    SIGNATURE = "signature"
    SECRET = "secret"  # noqa: S105 - a kind, not a secret


@dataclass(frozen=True, slots=True)
class Refusal:
    """A credential of ours that was refused.

    Attributes:
        variable: the environment variable that holds it, such as "KAMIYO_API_KEY"; "" if unknown.
        independent: result of a path that does not use it, such as "the same request without a key answers
            200"; "" if none was tried.
        fails_alike: whether that path fails as well, so that the credential is not the cause.
        beside: another variable that the same answer may refuse, such as that of the account; "" if none.
    """

    variable: str
    kind: RefusalKind
    independent: str = ""
    fails_alike: bool = False
    beside: str = ""

    @property
    def named(self) -> str:
        """The variables of which one is to be renewed, in words."""
        return f"{self.beside} or {self.variable}" if self.beside else self.variable


@dataclass(frozen=True, slots=True)
class Accepted:
    """A run in which a credential with the same fingerprint was accepted.

    Attributes:
        commit: the commit that answered then, or "".
        at: when that run ended, UTC, ISO 8601.
    """

    commit: str
    at: str


@dataclass(frozen=True, slots=True)
class CredentialUse:
    """The use of one credential in a run.

    Attributes:
        variable: the name of the environment variable that holds it, such as "KAMIYO_API_KEY".
        fingerprint: keyed hash of the value, hexadecimal; the key stays in the ledger's folder.
        accepted: number of requests whose answer shows that it was accepted.
        refused: number of refused requests (401, 403, unknown session, bad signature …).
        accepted_before: the newest earlier run that accepted the same value; None if none is known.
    """

    variable: str
    fingerprint: str
    accepted: int = 0
    refused: int = 0
    accepted_before: Accepted | None = None

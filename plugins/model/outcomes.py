"""Why a check ended otherwise than by passing.

An `AssertionError` says that the platform answered, and wrongly. Everything here says something else:
that nobody asked, that there is nothing to ask, or that no usable answer came.
"""

from enum import StrEnum


class Unverified(Exception):
    """The item was not checked: something is not configured, or a person has to speak."""


class NotApplicable(Exception):
    """The environment has no such part, so there is nothing to check."""


class NoAnswerKind(StrEnum):
    """How an answer failed to come, from the name to the last byte, or what of ours kept it from us."""

    NAME = "name"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    CUT = "cut"
    UNUSABLE = "unusable"
    RATE_LIMITED = "rate_limited"
    CREDENTIAL = "credential"
    BROWSER = "browser"


class NoAnswer(Exception):
    """The item was tried and could not be measured.

    Args:
        kind: where the answer was lost.
        message: one sentence with the address (no credentials in it) and what happened.
        origin: scheme, host and port that was asked, or "" where that is no one place.
    """

    def __init__(self, kind: NoAnswerKind, message: str, origin: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.origin = origin


class WrongAnswer(AssertionError):
    """The platform answered, and not in the agreed form: a failure, found while reading the answer."""


class Unrecognised(WrongAnswer):
    """A page came whole and lacks what was looked for on it, or calls it otherwise than we know."""


class ServerBroke(WrongAnswer):
    """The platform answered 5xx where an answer was due: a failure, but one that says nothing of the data."""

"""The exceptions with which a check ends if it does not pass.

    Exception
    ├── Unverified              not checked: not configured, or a person must confirm it
    │   └── NotRead             an answer or a file is complete, but in an unsupported format
    ├── NotApplicable           the environment has no such part
    ├── NoAnswer                no answer, or no readable one; `kind` says how
    │   └── CommandTooSlow      a command of the team's own that was stopped after its time
    └── AssertionError          the platform gave a wrong answer
        └── WrongAnswer         found by a client while it read the answer
            ├── Refused         a credential of ours was refused
            ├── Unrecognised    a complete page on which something is not found
            ├── StreamClosed    an open stream that the server closed; `code` says why
            ├── WrongStatus     an unexpected status
            └── ImproperAnswer  not an answer of that service at all; `kind` says how
                ├── WrongFormat HTML instead of JSON, or invalid JSON
                └── ServerBroke 5xx

An `ImproperAnswer` shows only that the service does not answer properly. It does not show that access was
granted or refused, or that data are lost or damaged.
"""

from enum import StrEnum

from kamiyo_verify.model.credentials import Refusal, RefusalKind
from kamiyo_verify.model.words import FailureKind

GIVEN_ONLY = "was given only the"
"""The start of a message about a request with a shortened timeout: it is no evidence about the service."""

UNTRUSTED = "cannot be trusted"
UNRESOLVED = "cannot be found"
"""Parts of messages about a certificate and about a name: they lie before the service."""

OWN_SIDE = "failed on this machine"
"""Part of a message about a request that never left this machine, or its proxy."""

CHALLENGED = "asks this runner to prove that it is a browser"
"""Part of a message about a firewall's answer: it is no evidence about the service, which browsers reach."""


class Unverified(Exception):
    """The item was not checked: something is not configured, or a person must confirm it."""


class NotRead(Unverified):
    """An answer or a file is complete, but in an unsupported format, so that it proves nothing."""


class NotApplicable(Exception):
    """The environment has no such part, so there is nothing to check."""


class NoAnswerKind(StrEnum):
    """Why no answer came: the step that failed, from DNS to the last byte, or a problem on our side."""

    NAME = "name"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    CUT = "cut"
    UNUSABLE = "unusable"
    RATE_LIMITED = "rate_limited"
    CHALLENGED = "challenged"
    LOCAL = "local"
    CREDENTIAL = "credential"
    BROWSER = "browser"
    COMMAND = "command"


NOT_OF_THE_SERVICE = frozenset({NoAnswerKind.CHALLENGED, NoAnswerKind.LOCAL})
"""Nothing of the service came, so that such a request is neither a failing nor a good one."""


class NoAnswer(Exception):
    """The item was tried and could not be measured.

    Args:
        kind: the step that failed.
        message: one sentence with the address (no credentials in it) and what happened.
        origin: scheme, host and port of the request, or "" if there is no single origin.
        refusal: the credential of ours that was refused; None for every kind but CREDENTIAL.
    """

    def __init__(
        self, kind: NoAnswerKind, message: str, origin: str = "", refusal: Refusal | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.origin = origin
        self.refusal = refusal


class CommandTooSlow(NoAnswer):
    """A command of the team's own was stopped after its time: no evidence about the platform.

    Args:
        message: one sentence with the command and the time.
    """

    def __init__(self, message: str) -> None:
        super().__init__(NoAnswerKind.TIMEOUT, message)


class OperatorPathFailed(NoAnswer):
    """An address that only operators use did not answer, such as the database's from the runner.

    Users do not use this path: it is no evidence about their experience, and not a platform failure.
    """


class KnownToHang(NoAnswer):
    """A request was not sent because its service did not answer earlier ones: it would show nothing new.

    Args:
        message: one sentence with the address and what happened.
        origin: scheme, host and port of the request that was not sent.
        kind: the step at which the last one timed out: NAME where no name server answered.
    """

    def __init__(self, message: str, origin: str, kind: NoAnswerKind = NoAnswerKind.TIMEOUT) -> None:
        super().__init__(kind, message, origin)


class WrongAnswer(AssertionError):
    """The platform's answer does not match the agreed format: a failure, found while reading it."""

    @property
    def failure(self) -> FailureKind:
        """The kind of failure that it shows."""
        return FailureKind.WRONG_CONTENT


class Unrecognised(WrongAnswer):
    """A page is complete, but the expected content is missing or has another name."""


class ImproperKind(StrEnum):
    """Why an answer is not a proper one."""

    SERVER_ERROR = "server_error"
    NOT_JSON = "not_json"
    NOT_A_PAGE = "not_a_page"
    REDIRECT = "redirect"
    TOO_LARGE = "too_large"
    STATUS = "status"


class ImproperAnswer(WrongAnswer):
    """The answer is not the service's own: its gateway's error, a redirect, a page instead of JSON.

    Args:
        message: one sentence with the request and the answer.
        kind: why it is not a proper answer.
    """

    def __init__(self, message: str = "", kind: ImproperKind = ImproperKind.STATUS) -> None:
        super().__init__(message)
        self.kind = kind

    @property
    def failure(self) -> FailureKind:
        """The kind of failure that it shows."""
        return _FAILURES.get(self.kind, FailureKind.WRONG_FORMAT)


_FAILURES = {
    ImproperKind.SERVER_ERROR: FailureKind.SERVER_ERROR,
    ImproperKind.REDIRECT: FailureKind.WRONG_STATUS,
    ImproperKind.STATUS: FailureKind.WRONG_STATUS,
}


class ServerBroke(ImproperAnswer):
    """The platform answered 5xx: a failure, but no evidence about the data."""

    def __init__(self, message: str = "", kind: ImproperKind = ImproperKind.SERVER_ERROR) -> None:
        super().__init__(message, kind)


class StreamClosed(WrongAnswer):
    """The server closed a stream of live updates.

    Args:
        message: one sentence with the code and its meaning.
        code: of the close frame (RFC 6455, 7.4).
    """

    def __init__(self, message: str = "", code: int = 0) -> None:
        super().__init__(message)
        self.code = code

    @property
    def draining(self) -> bool:
        """Whether the server closed it because it stops or restarts, as an old instance after a deploy."""
        return self.code in {1001, 1012, 1013}


class WrongFormat(ImproperAnswer):
    """The answer cannot be parsed, such as HTML instead of JSON; it is no evidence about the data."""

    def __init__(self, message: str = "", kind: ImproperKind = ImproperKind.NOT_JSON) -> None:
        super().__init__(message, kind)


class WrongStatus(WrongAnswer):
    """The platform answered with an unexpected status; it is no evidence about the data."""

    @property
    def failure(self) -> FailureKind:
        """The kind of failure that it shows."""
        return FailureKind.WRONG_STATUS


class Refused(WrongAnswer):
    """A credential of ours was refused: without other evidence, it is revoked, expired or mistyped.

    Args:
        message: the request, and how it was refused; never the value.
        variable: the environment variable that holds the credential.
        kind: how it was refused.
        independent: another path that was tried without the credential, in words; "" for none.
        fails_alike: whether that path fails as well.
        beside: another variable that the same answer may refuse; "" for none.
    """

    @property
    def failure(self) -> FailureKind:
        """The kind of failure that it shows."""
        return FailureKind.CREDENTIAL_REFUSED

    def __init__(
        self,
        message: str,
        variable: str,
        kind: RefusalKind,
        *,
        independent: str = "",
        fails_alike: bool = False,
        beside: str = "",
    ) -> None:
        super().__init__(message)
        self.refusal = Refusal(variable, kind, independent, fails_alike, beside)

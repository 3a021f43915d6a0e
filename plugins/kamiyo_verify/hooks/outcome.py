"""Convert the exception that ended a check into a status, a message and an attribution."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb
from types import TracebackType

import pluggy
import pytest

from kamiyo_verify.hooks.clock import NotTried, OutOfTime
from kamiyo_verify.http.control_probe import ControlResult
from kamiyo_verify.http.readable import masked_url
from kamiyo_verify.http.sending.ways import another_way
from kamiyo_verify.judge.attribution.failures import failure_by
from kamiyo_verify.model.credentials import Refusal
from kamiyo_verify.model.outcomes import (
    CommandTooSlow,
    KnownToHang,
    NoAnswer,
    NoAnswerKind,
    NotApplicable,
    OperatorPathFailed,
    Refused,
    Unverified,
    WrongAnswer,
)
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.words import Attribution, FailureKind, Status
from kamiyo_verify.model.writing.plain import without_reprs

NetworkProbe = Callable[[], ControlResult]
"""Tests whether an external address answers, to rule out a problem of the runner's own network."""

_LONGEST = 600

_PYTEST = tuple(
    Path(module.__file__ or "/nowhere").parent for module in (pytest, pluggy, sys.modules["_pytest"])
)

_NEVER_FAILED = {
    NoAnswerKind.RATE_LIMITED: Attribution.PROBER,
    NoAnswerKind.CHALLENGED: Attribution.PROBER,
    NoAnswerKind.LOCAL: Attribution.PROBER,
    NoAnswerKind.CREDENTIAL: Attribution.PROBER,
    NoAnswerKind.BROWSER: Attribution.PROBER,
    NoAnswerKind.COMMAND: Attribution.PROBER,
    NoAnswerKind.UNUSABLE: Attribution.UNKNOWN,
}
"""The attribution when an answer came that does not allow a conclusion on the item."""

_REPEATABLE = frozenset(
    {NoAnswerKind.UNUSABLE, NoAnswerKind.LOCAL, NoAnswerKind.BROWSER, NoAnswerKind.COMMAND}
)

_LACKS = {
    NoAnswerKind.NAME: "whose name cannot be resolved",
    NoAnswerKind.TLS: "to which no connection over TLS can be made",
    NoAnswerKind.CUT: "that gives no whole answer",
}
"""What an origin lacks while others answer; the rest do not answer at all."""

_FAILURES = {
    NoAnswerKind.CREDENTIAL: FailureKind.CREDENTIAL_REFUSED,
    NoAnswerKind.RATE_LIMITED: FailureKind.RATE_LIMITED,
    NoAnswerKind.CHALLENGED: FailureKind.CHALLENGED,
    NoAnswerKind.LOCAL: FailureKind.OWN_SIDE,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one attempt.

    Attributes:
        message: one or two sentences; "" if it passed.
        repeatable: whether another attempt could have another outcome.
        failure: the kind of failure; None if it did not fail or only its last exchange shows the kind.
        refusal: our credential that was refused.
    """

    status: Status
    message: str = ""
    attribution: Attribution | None = None
    repeatable: bool = False
    failure: FailureKind | None = None
    refusal: Refusal | None = None


def outcome_of(
    error: BaseException, network: NetworkProbe, *, proven_at_once: bool = False, of_check: bool = True
) -> Outcome:
    """Convert an exception into an outcome.

    Args:
        error: the exception that ended the attempt.
        network: called only if the platform gave no answer.
        proven_at_once: the content of an answer proves the failure, as for lost data or a security hole.
            These are not temporary, and each further attempt adds harm.
        of_check: the check itself raised the exception. An assertion that fails in a fixture, a client or a
            library is our own error and shows nothing about the platform.
    """
    match error:
        case NotApplicable():
            return Outcome(Status.NOT_APPLICABLE, sentence(str(error)))
        case Unverified() | pytest.skip.Exception() | pytest.xfail.Exception():
            return Outcome(Status.UNVERIFIED, sentence(str(error)) or "it was skipped without a reason")
        case OperatorPathFailed():
            repeatable = error.kind not in {NoAnswerKind.CREDENTIAL, NoAnswerKind.TLS}
            failure = FailureKind.CREDENTIAL_REFUSED if error.refusal else None
            message = sentence(str(error))
            return Outcome(Status.ERROR, message, Attribution.PROBER, repeatable, failure, error.refusal)
        case NoAnswer():
            return _no_answer(error, network)
        case NotTried():
            return Outcome(Status.ERROR, sentence(str(error)), failure=FailureKind.NOT_TRIED)
        case OutOfTime():
            return Outcome(Status.ERROR, sentence(str(error)), Attribution.UNKNOWN)
        case Refused():
            message, failure = sentence(str(error)), error.failure
            return Outcome(Status.FAILED, message, repeatable=True, failure=failure, refusal=error.refusal)
        case WrongAnswer() if error.failure is not FailureKind.WRONG_CONTENT:
            # A malformed answer proves neither lost data nor a security hole, and the service may recover.
            return Outcome(Status.FAILED, sentence(str(error)), repeatable=True, failure=error.failure)
        case AssertionError() | pytest.fail.Exception() if of_check or isinstance(error, WrongAnswer):
            return Outcome(Status.FAILED, _asserted(str(error)), repeatable=not proven_at_once)
        case _:
            cause = f"{type(error).__name__}: {sentence(str(error))}".rstrip(": ")
            message = f"the check itself broke: {cause} ({_place(error)})"
            return Outcome(Status.ERROR, message, Attribution.PROBER, repeatable=True)


def raised_by_check(traceback: TracebackType | None, roots: Sequence[Path]) -> bool:
    """Return whether code in the folders of checks raised the exception; pytest's own frames are ignored."""
    frames = [Path(frame.filename) for frame in extract_tb(traceback)]
    own = [path for path in frames if not any(path.is_relative_to(folder) for folder in _PYTEST)]
    return bool(own) and any(own[-1].is_relative_to(root) for root in roots)


def sentence(text: str) -> str:
    """Return the text on one line, Python's own notation of values as words, shortened to 600 characters."""
    return textwrap.shorten(without_reprs(text), _LONGEST, placeholder=" …")


def _no_answer(error: NoAnswer, network: NetworkProbe) -> Outcome:
    message = sentence(str(error))
    if isinstance(error, CommandTooSlow):
        return Outcome(Status.ERROR, message, Attribution.UNKNOWN, repeatable=True)
    if error.kind in _NEVER_FAILED:
        repeatable = error.kind in _REPEATABLE
        blamed = _NEVER_FAILED[error.kind]
        failure = _FAILURES.get(error.kind)
        return Outcome(Status.ERROR, message, blamed, repeatable, failure, error.refusal)
    control = network()
    elsewhere = another_way(control.address, error.origin) if control.ok else ""
    if control.ok and not elsewhere and (control.by_name or error.kind is not NoAnswerKind.NAME):
        where = error.origin or "the platform"
        lacks = _LACKS.get(error.kind, "that does not answer")
        message = f"{message.rstrip('.')}; {control.message}: it is {where} {lacks}"
        again = not isinstance(error, KnownToHang)
        return Outcome(Status.FAILED, sentence(message), repeatable=again, failure=FailureKind.NO_ANSWER)
    if elsewhere:
        way = f"{masked_url(control.address)} answers, but {elsewhere}"
        why = f"{way}: not known whether it is the network of this machine"
    elif control.ok:
        why = "no control address was found by name: not known whether names are resolved on this machine"
    else:
        why = f"{control.message}: not known whether it is the network of this machine (DNS, proxy, VPN)"
    message = sentence(f"{message.rstrip('.')}; {why}")
    return Outcome(Status.ERROR, message, Attribution.UNKNOWN, repeatable=True, failure=FailureKind.NO_ANSWER)


def failure_seen(outcome: Outcome, last: Exchange | None) -> FailureKind | None:
    """Return the kind of failure, from the exception or else from the last exchange."""
    if outcome.failure is not None or outcome.status is not Status.FAILED:
        return outcome.failure
    return failure_by(last)


def _asserted(text: str) -> str:
    """Return the message of an assertion, without the text that pytest's introspection adds."""
    explicit = re.split(r"\nassert ", text, maxsplit=1)[0]
    if explicit.startswith("assert "):
        explicit = explicit.partition("\n")[0]
    return sentence(explicit) or "an assertion without a message failed"


def _place(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"

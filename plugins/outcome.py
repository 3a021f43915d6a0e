"""From the exception that ended a check to the status of its item, in words for the reader."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb

import pytest

from plugins.clients.control import ControlResult
from plugins.clock import OutOfTime
from plugins.model.outcomes import NoAnswer, NoAnswerKind, NotApplicable, ServerBroke, Unverified
from plugins.model.words import Attribution, Impact, Status

NetworkProbe = Callable[[], ControlResult]
"""Whether an address that is not ours answers, so that the runner's own network is fine."""

_LONGEST = 600

_NEVER_FAILED = {
    NoAnswerKind.RATE_LIMITED: Attribution.PROBER,
    NoAnswerKind.CREDENTIAL: Attribution.PROBER,
    NoAnswerKind.BROWSER: Attribution.PROBER,
    NoAnswerKind.UNUSABLE: Attribution.UNKNOWN,
}
"""Whose doing it is when an answer came, but none that says anything of the item."""

_FINAL_IMPACTS = {Impact.DATA, Impact.SECURITY}
"""Lost data and an open hole do not come and go: one look is proof, and each further one adds harm."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try came to.

    Attributes:
        message: one or two sentences; "" where it passed.
        repeatable: another try could tell more.
    """

    status: Status
    message: str = ""
    attribution: Attribution | None = None
    repeatable: bool = False


def outcome_of(error: BaseException, impact: Impact, network: NetworkProbe) -> Outcome:
    """The outcome that an exception stands for.

    Args:
        error: what ended the try.
        impact: of the item; it decides whether a failure is tried again.
        network: asked only where no answer came.
    """
    match error:
        case NotApplicable():
            return Outcome(Status.NOT_APPLICABLE, sentence(str(error)))
        case Unverified() | pytest.skip.Exception() | pytest.xfail.Exception():
            return Outcome(Status.UNVERIFIED, sentence(str(error)) or "it was skipped without a reason")
        case NoAnswer():
            return _no_answer(error, network)
        case OutOfTime():
            return Outcome(Status.ERROR, sentence(str(error)), Attribution.UNKNOWN)
        case ServerBroke() if impact in _FINAL_IMPACTS:
            # A server that breaks shows neither lost data nor an open hole; others say that it breaks.
            return Outcome(Status.ERROR, sentence(str(error)), Attribution.UNKNOWN, repeatable=True)
        case AssertionError() | pytest.fail.Exception():
            repeatable = impact not in _FINAL_IMPACTS
            return Outcome(Status.FAILED, _asserted(str(error)), repeatable=repeatable)
        case _:
            told = f"{type(error).__name__}: {sentence(str(error))}".rstrip(": ")
            message = f"the check itself broke: {told} ({_place(error)})"
            return Outcome(Status.ERROR, message, Attribution.PROBER, repeatable=True)


def sentence(text: str) -> str:
    """Text on one line, bounded."""
    return textwrap.shorten(text, _LONGEST, placeholder=" …")


def _no_answer(error: NoAnswer, network: NetworkProbe) -> Outcome:
    message = sentence(str(error))
    if error.kind in _NEVER_FAILED:
        repeatable = error.kind in {NoAnswerKind.UNUSABLE, NoAnswerKind.BROWSER}
        return Outcome(Status.ERROR, message, _NEVER_FAILED[error.kind], repeatable)
    control = network()
    if control.ok and (control.by_name or error.kind is not NoAnswerKind.NAME):
        where = error.origin or "the platform"
        told = f"{message.rstrip('.')}; {control.message}: it is {where} that does not answer"
        return Outcome(Status.FAILED, sentence(told), repeatable=True)
    if control.ok:
        # Some address answered, but nobody had to look it up: whether names are found here is not known.
        told = f"{message.rstrip('.')}; no name is known to be found from here: check the DNS of this machine"
        return Outcome(Status.ERROR, sentence(told), Attribution.PROBER)
    told = f"{message.rstrip('.')}; {control.message}; check the network of this machine (DNS, proxy, VPN)"
    return Outcome(Status.ERROR, sentence(told), Attribution.PROBER)


def _asserted(text: str) -> str:
    """The message of an assertion, without what pytest's introspection adds to it."""
    explicit = re.split(r"\nassert ", text, maxsplit=1)[0]
    if explicit.startswith("assert "):
        explicit = explicit.partition("\n")[0]
    return sentence(explicit) or "an assertion without a message failed"


def _place(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"

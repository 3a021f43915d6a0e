"""Notifications of a run: settings, messages and deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kamiyo_verify.model.tables import Address, Credential, Table
from kamiyo_verify.model.words import Phase

OF_A_DEPLOYMENT = (
    "project",
    "environment",
    "services",
    "doing",
    "expected",
    "commit",
    "branch",
    "who",
    "urls",
)
"""The fields of an announcement template that are known when a run begins; and see `url_field`."""

OF_A_VERDICT = (
    "call",
    "headline",
    "because",
    "next_step",
    "rollback",
    "escalation",
    "issues",
    "duration",
)
"""The fields that a verdict adds."""


def url_field(service: str) -> str:
    """Return the field of an announcement template that has the URL of a service, such as "api_url"."""
    return f"{service}_url"


class Moment(StrEnum):
    """When to notify. A failure is every call except "proceed", and includes an interrupted run."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"


class Notifications(Table):
    """Notification settings of an environment.

    Attributes:
        channels: credentials, each with one Apprise URL; the whole URL is a secret.
        tell: when to notify.
        phases: phases whose runs are reported.
        drills: whether runs with --fault and with --baseline are reported too.
        report_url: base URL of the reports; the run's folder is appended. Without it, the link is that of the
            CI run, or the report's path on the machine that wrote it.
        patience_s: maximum seconds for one message, and for which the end of a run waits.
    """

    channels: tuple[Credential, ...] = ()
    tell: tuple[Moment, ...] = tuple(Moment)
    phases: tuple[Phase, ...] = (Phase.DEPLOY, Phase.POSTDEPLOY)
    drills: bool = False
    report_url: Address | None = None
    patience_s: Annotated[float, Field(gt=0, le=15)] = 5


@dataclass(frozen=True, slots=True)
class Message:
    """A notification. The title is the summary; the body has one fact per line, and the link comes last.

    Attributes:
        lines: the most important first; if a channel limits the length, the last lines are cut.
        more: where the details are; never cut.
    """

    moment: Moment
    title: str
    lines: tuple[str, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """The delivery of a message to one channel.

    Attributes:
        channel: the name of its credential.
        kind: "discord", "slack" …; "" if its URL is invalid.
        problem: why it was not accepted; "" if it was.
    """

    channel: str
    kind: str = ""
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.channel} ({self.kind})" if self.kind else self.channel

"""Who is told of a run, when, and what it becomes on its way there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from plugins.model.tables import Address, Credential, Table
from plugins.model.words import Phase


class Moment(StrEnum):
    """When somebody is told. A failure is every call but "proceed", an interrupted run included."""

    START = "start"
    SUCCESS = "success"
    FAILURE = "failure"


class Notifications(Table):
    """Who is told of a run.

    Attributes:
        channels: each credential holds one address as Apprise writes it, and all of it is a secret.
        tell: which moments.
        phases: a run of any of these is told.
        drills: runs with --fault and with --baseline are told too.
        report_url: where the reports can be opened; the run's folder is put after it. Without it the link is
            that of the CI's run, or the path of the report on the machine that made it.
        patience_s: seconds that one message may take, and that the end of a run waits at most.
    """

    channels: tuple[Credential, ...] = ()
    tell: tuple[Moment, ...] = tuple(Moment)
    phases: tuple[Phase, ...] = (Phase.DEPLOY, Phase.POSTDEPLOY)
    drills: bool = False
    report_url: Address | None = None
    patience_s: Annotated[float, Field(gt=0, le=15)] = 5


@dataclass(frozen=True, slots=True)
class Message:
    """What is told. The title says it all; the body is one fact a line, and the last of them leads on.

    Attributes:
        lines: the most important first; what does not fit into a channel is cut from below.
        more: where the rest is; kept whatever is cut.
    """

    moment: Moment
    title: str
    lines: tuple[str, ...]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message in one channel.

    Attributes:
        channel: the name of its credential.
        kind: "discord", "slack"; "" where its address could not be read.
        problem: why it was not taken; "" where it was.
    """

    channel: str
    kind: str = ""
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.channel} ({self.kind})" if self.kind else self.channel

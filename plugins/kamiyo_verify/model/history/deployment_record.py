"""The ledger's complete data on one deployment, for retrospectives and incident pages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kamiyo_verify.model.history.history import DeploymentRecord
from kamiyo_verify.model.history.recorded_run import Decision, RecordedRun
from kamiyo_verify.model.runbook import Escalation
from kamiyo_verify.model.verdict import ItemReport, SloReport


class Happened(StrEnum):
    """The kind of an event."""

    COMMITTED = "committed"
    BEGAN = "began"
    LIVE = "live"
    CHECKED = "checked"
    FAILED = "failed"
    CALLED = "called"
    DECIDED = "decided"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the deployment.

    Attributes:
        at: UTC, ISO 8601.
        text: what happened, in a few words.
        run: id of the event's run, or "".
    """

    at: str
    what: Happened
    text: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class FailedItem:
    """An item that failed.

    Attributes:
        item: the item's report in the last run that saw it fail.
        run: id of that run.
        times: number of runs that saw it fail.
        over: whether a later run saw it pass.
    """

    item: ItemReport
    run: str
    times: int
    over: bool


@dataclass(frozen=True, slots=True)
class ToDo:
    """An action that the facts suggest; people decide who does it, and by when."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFile:
    """The complete record of one deployment.

    Attributes:
        drill: whether the platform was broken intentionally.
        runs: oldest first; `earlier_runs` more are left out.
        events: oldest first.
        troubles: failed items in the runbook's order, those of the last run first.
        slos: the last report on each objective.
        decisions: oldest first.
        todos: suggested actions.
        usual_s: median duration of earlier deployments, in seconds; None if unknown.
    """

    environment: str
    record: DeploymentRecord
    drill: bool
    runs: tuple[RecordedRun, ...]
    earlier_runs: int
    events: tuple[Event, ...]
    troubles: tuple[FailedItem, ...]
    slos: tuple[SloReport, ...]
    decisions: tuple[Decision, ...]
    todos: tuple[ToDo, ...]
    usual_s: float | None = None

    @property
    def last(self) -> RecordedRun:
        """The newest run."""
        return self.runs[-1]

    def first(self, what: Happened) -> Event | None:
        """Return the first event of that kind."""
        return next((event for event in self.events if event.what is what), None)


@dataclass(frozen=True, slots=True)
class Answered:
    """One of the runbook's questions, with the ledger's facts about it. People give the answer."""

    question: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retrospective:
    """The retrospective of a deployment."""

    deployment_file: DeploymentFile
    answers: tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """A level of the escalation path, and whether the incident lasted long enough to reach it.

    Attributes:
        reached: None if the end is unknown.
    """

    level: Escalation
    reached: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What went wrong with a deployment, and how long it lasted.

    Attributes:
        run: the run that found the incident.
        impact: the known impact on users, in sentences.
        since: start of the measured times, UTC, ISO 8601: the deployment's beginning, if known.
        since_deploy: whether `since` is the deployment's beginning.
        detected_s: seconds from `since` to the first failing try; None if nothing failed.
        called_s: seconds from `since` to the suite's call; None if unknown.
        recovered_s: seconds from `since` until service was restored; None if unknown.
        levels: escalation levels in order of time, critical ones last.
    """

    deployment_file: DeploymentFile
    run: RecordedRun
    impact: tuple[str, ...]
    since: str
    since_deploy: bool
    detected_s: float | None
    called_s: float | None
    recovered_s: float | None
    levels: tuple[Reached, ...]

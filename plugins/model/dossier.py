"""One deployment with all that the ledger knows of it, as a retrospective or an incident page tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from plugins.model.history import DeploymentRecord
from plugins.model.recorded import Decision, RecordedRun
from plugins.model.runbook import Escalation
from plugins.model.verdict import ItemReport, SloReport


class Happened(StrEnum):
    """What kind of moment it was."""

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
    """A moment of the deployment.

    Attributes:
        at: UTC, ISO 8601.
        text: what happened, in a few words.
        run: the id of the run that it is of, or "".
    """

    at: str
    what: Happened
    text: str
    run: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An item that failed.

    Attributes:
        item: as the last run that saw it fail left it.
        run: that run's id.
        times: how many runs saw it fail.
        over: a later run saw it pass.
    """

    item: ItemReport
    run: str
    times: int
    over: bool


@dataclass(frozen=True, slots=True)
class ToDo:
    """Something that the facts suggest; who does it, and by when, is for people to say."""

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One deployment.

    Attributes:
        drill: the platform was broken on purpose.
        runs: oldest first; `earlier_runs` more are not among them.
        events: oldest first.
        troubles: in the runbook's order, those of the last run first.
        slos: the last word on each objective.
        decisions: oldest first.
        todos: what all of it suggests.
        usual_s: how long deployments before it took, at the median; None where nobody knows.
    """

    environment: str
    record: DeploymentRecord
    drill: bool
    runs: tuple[RecordedRun, ...]
    earlier_runs: int
    events: tuple[Event, ...]
    troubles: tuple[Trouble, ...]
    slos: tuple[SloReport, ...]
    decisions: tuple[Decision, ...]
    todos: tuple[ToDo, ...]
    usual_s: float | None = None

    @property
    def last(self) -> RecordedRun:
        """The newest run."""
        return self.runs[-1]

    def first(self, what: Happened) -> Event | None:
        """The first moment of that kind."""
        return next((event for event in self.events if event.what is what), None)


@dataclass(frozen=True, slots=True)
class Answered:
    """One of the runbook's questions, and what the ledger can say to it. The answer itself is people's."""

    question: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Retrospective:
    """A deployment, looked back at."""

    dossier: Dossier
    answers: tuple[Answered, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """A level of the escalation path, and whether the clock had come to it before the end.

    Attributes:
        reached: None where the end is not known.
    """

    level: Escalation
    reached: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What went wrong with a deployment, and how long it lasted.

    Attributes:
        run: the one that it is about.
        impact: what is known of whom it concerned, in sentences.
        since: when the clock began, UTC, ISO 8601: the deployment's beginning where that is known.
        since_deploy: it is.
        detected_s: from then until the first failing try; None where nothing failed, so are the other two
            where they are not known.
        called_s: until the suite's call.
        recovered_s: until service was restored.
        levels: in the order of the clock, the critical ones last.
    """

    dossier: Dossier
    run: RecordedRun
    impact: tuple[str, ...]
    since: str
    since_deploy: bool
    detected_s: float | None
    called_s: float | None
    recovered_s: float | None
    levels: tuple[Reached, ...]

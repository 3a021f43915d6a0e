"""A run in the ledger, and people's decisions about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from kamiyo_verify.model.history.history import Deployed, TrafficSlice
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Phase


class Ending(StrEnum):
    """How a run ended: by itself, or cut short by a signal, a crash or kill -9."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"


class DecisionKind(StrEnum):
    """What people did with a deployment after they read the verdict."""

    ROLLED_BACK = "rolled_back"
    KEPT = "kept"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's decision.

    Attributes:
        run: id of the run that the decision follows.
        at: UTC, ISO 8601.
    """

    run: str
    deed: DecisionKind
    who: str
    at: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A summary of one run, for lists of runs.

    Attributes:
        started_at: UTC, ISO 8601; so is `finished_at`.
        place: the place that it looked from; "" if it was not named.
        combined: whether it is no run but a call made from the runs of several places.
        values: values of its objectives, by id, each in the objective's unit.
    """

    id: str
    environment: str
    phases: tuple[Phase, ...]
    commit: str
    baseline: bool
    drill: bool
    started_at: str
    ending: Ending
    folder: str
    recommendation: Action
    headline: str
    finished_at: str = ""
    place: str = ""
    combined: bool = False
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """One recorded run.

    Attributes:
        id: unique among all runs of all machines.
        commit: the requested commit, else the commit that answered; "" if neither is known.
        baseline: whether it recorded the state before a deployment.
        drill: whether the platform was broken intentionally, so that the run does not count in statistics.
        started_at: UTC, ISO 8601; so is `finished_at`. A killed run ended with its last result.
        folder: folder of its report.
        verdict: its verdict; for a killed run, the verdict that it would have reached.
        decisions: oldest first.
    """

    id: str
    environment: str
    phases: tuple[Phase, ...]
    commit: str
    baseline: bool
    drill: bool
    started_at: str
    finished_at: str
    ending: Ending
    folder: str
    verdict: Verdict
    results: tuple[Result, ...]
    decisions: tuple[Decision, ...] = ()

    def age(self, now: datetime) -> timedelta:
        """Return how long ago it ended."""
        return now - datetime.fromisoformat(self.finished_at)

    def result(self, item: str) -> Result | None:
        """Return the result of an item, if it ran."""
        return next((result for result in self.results if result.item == item), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A run with all data needed to judge it again.

    Attributes:
        evidence: the judge's input, JSON-safe, without the runbook.
        runbook: the runbook of that evidence, JSON-safe.
        exitstatus: pytest's exit status, before the verdict.
        problem: the error while it was judged or written; "" if there was none.
        deployed: what it saw of a deployment.
        traffic: the known requests, and how many of them failed.
    """

    run: RecordedRun
    evidence: Mapping[str, Any]
    runbook: Mapping[str, Any]
    exitstatus: int
    problem: str
    deployed: Deployed | None
    traffic: tuple[TrafficSlice, ...]

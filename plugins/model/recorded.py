"""A run as the ledger keeps it, and what people then did about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from plugins.model.history import Deployed, TrafficSlice
from plugins.model.result import Result
from plugins.model.verdict import Verdict
from plugins.model.words import Action, Phase


class Ending(StrEnum):
    """How a run ended: by itself, or cut short by a signal, a crash or kill -9."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"


class Deed(StrEnum):
    """What people did with a deployment after they had read the verdict."""

    ROLLED_BACK = "rolled_back"
    KEPT = "kept"
    FIXED = "fixed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Somebody's deed.

    Attributes:
        run: the id of the run that it answers.
        at: UTC, ISO 8601.
    """

    run: str
    deed: Deed
    who: str
    at: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One run, as lists of runs tell it.

    Attributes:
        started_at: UTC, ISO 8601.
        values: of its objectives, by id, each in the objective's unit.
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
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """One run.

    Attributes:
        id: unique among all runs of all machines.
        commit: the one that was asked for, or the one that answered; "" where neither is known.
        baseline: it recorded the state before a deployment.
        drill: the platform was broken on purpose, so it says nothing of how we deploy.
        started_at: UTC, ISO 8601; so is `finished_at`. A run that was killed ended with its last result.
        folder: where its report was written.
        verdict: what it said; of a run that was killed, what it would have said.
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
        """How long ago it ended."""
        return now - datetime.fromisoformat(self.finished_at)

    def result(self, item: str) -> Result | None:
        """What became of an item, if it ran."""
        return next((result for result in self.results if result.item == item), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A run with all that it takes to judge it again.

    Attributes:
        evidence: what the judge was given, JSON-safe, without the runbook …
        runbook: … which is this one, JSON-safe.
        exitstatus: pytest's own, before the verdict.
        problem: what broke while it was judged or written; "" where nothing did.
        deployed: what it saw of a deployment.
        traffic: how many requests it knows of, and how many of them failed.
    """

    run: RecordedRun
    evidence: Mapping[str, Any]
    runbook: Mapping[str, Any]
    exitstatus: int
    problem: str
    deployed: Deployed | None
    traffic: tuple[TrafficSlice, ...]

"""An environment's deployments in their order: what the page of its history shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from plugins.model.history import (
    Availability,
    DeploymentRecord,
    Dora,
    Ended,
    PastDeployment,
    PastRun,
    TrafficSlice,
)
from plugins.model.recorded import Decision, Outline
from plugins.model.runbook import Slo
from plugins.model.verdict import SloReport
from plugins.model.words import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a ledger gave of one environment.

    Attributes:
        ledger: where it is, without a password.
        past: the runs that count, oldest first; `outlines` has all of them.
        traffic: as far back as any objective looks.
    """

    environment: str
    ledger: str
    past: tuple[PastRun, ...]
    outlines: tuple[Outline, ...]
    decisions: tuple[Decision, ...]
    traffic: tuple[TrafficSlice, ...]


class Uncounted(StrEnum):
    """Why a run is of no deployment."""

    DRILL = "drill"
    BASELINE = "baseline"
    CUT_SHORT = "cut_short"
    NAMELESS = "nameless"
    BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Aside:
    """A run that is of no deployment."""

    run: Outline
    why: Uncounted


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment and what came of it.

    Attributes:
        gravest: of its runs the one that called for most; a call beats one that decides nothing.
        runs: oldest first.
        decision: the last word that people had.
        values: of its objectives, by id, as its last runs had them.
    """

    record: DeploymentRecord
    ended: Ended
    gravest: Outline
    runs: tuple[Outline, ...]
    decision: Decision | None
    values: Mapping[str, float]

    @property
    def action(self) -> Action:
        """What was recommended."""
        return self.gravest.recommendation


@dataclass(frozen=True, slots=True, kw_only=True)
class Chronicle:
    """One environment.

    Attributes:
        at: when this was put together; UTC, ISO 8601.
        lasting: the objectives that many runs judge together.
        measured: the objectives that each deployment has a value of.
        days: the window of `dora`.
        recent: the last deployments as a trend, oldest first.
        deployments: the newest first; `earlier` more are not among them.
        asides: likewise.
    """

    environment: str
    ledger: str
    at: str
    lasting: tuple[SloReport, ...]
    measured: tuple[Slo, ...]
    availability: Availability | None
    dora: Dora
    days: int
    recent: tuple[PastDeployment, ...]
    deployments: tuple[Deployment, ...]
    earlier: int
    asides: tuple[Aside, ...]
    earlier_asides: int

"""An environment's deployments in order, for its history page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from kamiyo_verify.model.history.history import (
    Availability,
    DeploymentRecord,
    Dora,
    Ended,
    PastDeployment,
    PastRun,
    TrafficSlice,
)
from kamiyo_verify.model.history.recorded_run import Decision, Outline
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The ledger's data on one environment.

    Attributes:
        ledger: address of the ledger, without a password.
        past: the runs that count, oldest first; `outlines` has all runs.
        traffic: traffic over the longest window of any objective.
    """

    environment: str
    ledger: str
    past: tuple[PastRun, ...]
    outlines: tuple[Outline, ...]
    decisions: tuple[Decision, ...]
    traffic: tuple[TrafficSlice, ...]


class Uncounted(StrEnum):
    """Why a run does not belong to a deployment."""

    DRILL = "drill"
    BASELINE = "baseline"
    CUT_SHORT = "cut_short"
    NAMELESS = "nameless"
    BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Aside:
    """A run that does not belong to a deployment."""

    run: Outline
    why: Uncounted


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """One deployment and its result.

    Attributes:
        gravest: the run with the most severe call; a decisive call ranks before an indecisive one.
        runs: oldest first.
        decision: the last decision of a person.
        values: values of its objectives, by id, from its last runs.
    """

    record: DeploymentRecord
    ended: Ended
    gravest: Outline
    runs: tuple[Outline, ...]
    decision: Decision | None
    values: Mapping[str, float]

    @property
    def action(self) -> Action:
        """The recommended action."""
        return self.gravest.recommendation


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentHistory:
    """The history of one environment.

    Attributes:
        at: when this history was created; UTC, ISO 8601.
        lasting: reports on the objectives that need many runs.
        measured: the objectives of which each deployment has a value.
        days: the window of `dora`, in days.
        recent: the last deployments for a trend chart, oldest first.
        deployments: newest first; `earlier` more are left out.
        asides: runs without a deployment, newest first.
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

"""What many runs say together: availability, deployments, how fast and how safely they come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from plugins.model.words import Action, Phase


class Source(StrEnum):
    """Whose requests they were; the better source first."""

    USERS = "users"
    SAMPLES = "samples"


@dataclass(frozen=True, slots=True)
class TrafficSlice:
    """The requests of a stretch of time.

    Attributes:
        service: whose; the same slice of a service that two runs saw counts once.
        began_at: seconds since the epoch.
        seconds: how long it is.
        bad: of `total`, those that failed.
    """

    source: Source
    service: str
    began_at: float
    seconds: float
    total: int
    bad: int


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of bad ones, and of all.

    Attributes:
        what: what was counted, such as "deployments".
    """

    bad: int
    total: int
    what: str

    @property
    def share_bad(self) -> float | None:
        """The share of bad ones; None where there were none at all."""
        return self.bad / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast the error budget is spent: 1 spends all of it in exactly the objective's window.

    Attributes:
        long_s, short_s: the two windows, in seconds.
        long, short: the rate over each; None where no request is known.
        threshold: the rate from which somebody should be woken.
    """

    long_s: float
    short_s: float
    long: float | None
    short: float | None
    threshold: float

    @property
    def alarming(self) -> bool:
        """It burns too fast, and still does."""
        return all(rate is not None and rate >= self.threshold for rate in (self.long, self.short))


@dataclass(frozen=True, slots=True)
class Availability:
    """Of the requests of a window, how many were served.

    Attributes:
        tally: users' requests where any are known, else our own samples.
        objective: the share that should be served.
        window_s: seconds; `observed_s` of them hold a request that is known.
        downtime_s: of the deployments in the window, as they were watched.
        budget_left: the share of the error budget that is not spent; negative where it is overspent, None
            where nothing was seen.
        burns: by pairs of windows that end now.
    """

    tally: Tally
    source: Source | None
    objective: float
    window_s: float
    observed_s: float
    downtime_s: float
    budget_left: float | None
    burns: tuple[Burn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What one run saw of a deployment; None and "" stand for what it did not see.

    Attributes:
        commit: what was deployed.
        began_at: UTC, ISO 8601; so is `committed_at`.
        failed: its builds did not go live; None where the run did not look.
        first_hour: requests of its first hour.
    """

    commit: str
    began_at: str = ""
    committed_at: str = ""
    duration_s: float | None = None
    downtime_s: float | None = None
    deployer: str = ""
    branch: str = ""
    failed: bool | None = None
    first_hour: Tally | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """What the history needs of one run.

    Attributes:
        blamed: it calls for a fix or a rollback, for something that the deployment did.
        quantiles: the values of its quantile objectives, by id.
        shares: the values of its other objectives, by id.
        deeds: what people then did, and when (UTC, ISO 8601), oldest first.
    """

    id: str
    phases: tuple[Phase, ...]
    started_at: str
    recommendation: Action
    blamed: bool
    deployed: Deployed
    quantiles: Mapping[str, float] = field(default_factory=dict)
    shares: Mapping[str, float] = field(default_factory=dict)
    deeds: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """One deployment, put together from every run that saw it: what the runbook tracks after each.

    Attributes:
        seen_at: when the first run saw it, UTC, ISO 8601.
        runs: their ids, oldest first.
        succeeded: None while nobody knows.
        restored_at: when service was restored, after a failure; "" where it was not, or never failed.
        slowdown: the ratio of each quantile objective's value to that of the good deployment before.
    """

    commit: str
    seen_at: str
    runs: tuple[str, ...]
    succeeded: bool | None
    rolled_back: bool
    seen: Deployed
    restored_at: str = ""
    slowdown: Mapping[str, float] = field(default_factory=dict)

    @property
    def began_at(self) -> str:
        """When it began, or else when it was first seen."""
        return self.seen.began_at or self.seen_at


class Ended(StrEnum):
    """How a deployment ended; what people did counts more than what was recommended."""

    GOOD = "good"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDeployment:
    """One of the last deployments, as a trend shows it; None is what nobody measured.

    Attributes:
        began_at: UTC, ISO 8601.
        values: of the objectives that its runs measured, by id, each in the objective's unit.
    """

    commit: str
    began_at: str
    ended: Ended
    duration_s: float | None = None
    downtime_s: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dora:
    """The four key metrics of DORA, over a window.

    Attributes:
        per_week: deployments a week.
        lead_time_s: from commit to live, at the median; None where no commit's time is known.
        failures: deployments that needed a rollback or a fix, of those whose end is known.
        recovery_s: from a failed deployment's beginning to service restored, at the median.
    """

    per_week: float
    lead_time_s: float | None
    failures: Tally
    recovery_s: float | None


@dataclass(frozen=True, slots=True)
class History:
    """What the ledger knows of an environment when a run is judged.

    Attributes:
        availability: None where the runbook has no such objective.
        deployments: failed ones of all whose end is known.
        current: the deployment of this run's commit, as far as earlier runs saw it.
        previous: the deployment before it.
        recent: the last deployments before this one, oldest first.
    """

    availability: Availability | None
    deployments: Tally
    current: DeploymentRecord | None = None
    previous: DeploymentRecord | None = None
    recent: tuple[PastDeployment, ...] = ()

    def tally(self, objective: str) -> Tally | None:
        """What feeds the objective of that id, if the ledger does."""
        match objective:
            case "availability":
                return self.availability.tally if self.availability else None
            case "deployment-success":
                return self.deployments
            case _:
                return None

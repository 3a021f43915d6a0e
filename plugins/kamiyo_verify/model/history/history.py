"""Data from many runs: availability, deployments, and their speed and safety."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kamiyo_verify.model.words import Action, Phase


class Source(StrEnum):
    """The source of requests; the preferred source first."""

    USERS = "users"
    SAMPLES = "samples"


@dataclass(frozen=True, slots=True)
class TrafficSlice:
    """The requests in a time span.

    Attributes:
        service: name of the service; a slice of it that two runs saw counts once.
        began_at: seconds since the epoch.
        seconds: length of the span.
        bad: number of failed requests out of `total`.
    """

    source: Source
    service: str
    began_at: float
    seconds: float
    total: int
    bad: int


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of bad events, and of all events.

    Attributes:
        what: what was counted, such as "deployments".
    """

    bad: int
    total: int
    what: str

    @property
    def share_bad(self) -> float | None:
        """The share of bad events; None if there were no events."""
        return self.bad / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Burn:
    """The burn rate of the error budget: 1 spends all of it in exactly the objective's window.

    Attributes:
        long_s, short_s: the two windows, in seconds.
        long, short: the rate over each; None if no request is known.
        threshold: the rate from which someone should be paged.
    """

    long_s: float
    short_s: float
    long: float | None
    short: float | None
    threshold: float

    @property
    def alarming(self) -> bool:
        """Whether the rate is over the threshold in both windows."""
        return all(rate is not None and rate >= self.threshold for rate in (self.long, self.short))


@dataclass(frozen=True, slots=True)
class Availability:
    """Availability: the share of a window's requests that were served.

    Attributes:
        tally: users' requests if any are known, else our own samples.
        objective: the share that should be served.
        window_s: length in seconds; known requests cover `observed_s` of them.
        downtime_s: observed downtime of the deployments in the window, in seconds.
        budget_left: the remaining share of the error budget; negative if overspent, None without data.
        burns: burn rates by pairs of windows that end now.
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
    """What one run saw of a deployment; None and "" mean unknown.

    Attributes:
        commit: the deployed commit.
        began_at: UTC, ISO 8601; so is `committed_at`.
        failed: whether its builds did not go live; None if the run did not check.
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
    """The data of one run that the history needs.

    Attributes:
        blamed: whether it calls for a fix or a rollback because of the deployment.
        quantiles: values of its quantile objectives, by id.
        shares: values of its other objectives, by id.
        deeds: (decision, time in UTC, ISO 8601) of people after the run, oldest first.
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
    """One deployment, combined from every run that saw it: the data that the runbook tracks.

    Attributes:
        seen_at: when the first run saw it, UTC, ISO 8601.
        runs: ids of the runs, oldest first.
        succeeded: None while unknown.
        restored_at: when service was restored after a failure; "" if it was not, or never failed.
        slowdown: ratio of each quantile objective's value to that of the previous good deployment.
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
        """When it began; if unknown, when it was first seen."""
        return self.seen.began_at or self.seen_at


class Ended(StrEnum):
    """How a deployment ended; people's decisions override recommendations."""

    GOOD = "good"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDeployment:
    """One of the last deployments, for a trend chart; None means not measured.

    Attributes:
        began_at: UTC, ISO 8601.
        values: values of the objectives that its runs measured, by id, each in the objective's unit.
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
        per_week: deployments per week.
        lead_time_s: median seconds from commit to live; None if no commit time is known.
        failures: deployments that needed a rollback or a fix, out of those whose end is known.
        recovery_s: median seconds from a failed deployment's beginning to restored service.
    """

    per_week: float
    lead_time_s: float | None
    failures: Tally
    recovery_s: float | None


@dataclass(frozen=True, slots=True)
class History:
    """The ledger's history of an environment when a run is judged.

    Attributes:
        availability: None if the runbook has no such objective.
        deployments: failed deployments out of all whose end is known.
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
        """Return the counts for the objective with that id, if the ledger has them."""
        match objective:
            case "availability":
                return self.availability.tally if self.availability else None
            case "deployment-success":
                return self.deployments
            case _:
                return None

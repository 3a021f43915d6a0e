"""The verdict of a run. `Verdict` is the schema of verdict.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from kamiyo_verify.model.adapters import adapter
from kamiyo_verify.model.downtime.outages import ServiceOutage
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.history.history import Deployed
from kamiyo_verify.model.places.places import PlaceReport
from kamiyo_verify.model.reasons import Cause, Reason
from kamiyo_verify.model.result import Attempt, Measurement, Screenshot
from kamiyo_verify.model.runbook import Remedy
from kamiyo_verify.model.words import Action, Attribution, Impact, Phase, SloVerdict, Status

SCHEMA = "kamiyo-verify/1"


@dataclass(frozen=True, slots=True)
class SloReport:
    """The report on one objective in this run.

    Attributes:
        value: the point estimate in the objective's unit; None without samples.
        interval: lower and upper bound, each one-sided at the policy's confidence (together they cover 90 %
            if the policy says 95 %); None without samples, a bound may be None (unbounded).
        samples: number of samples judged.
        samples_needed: total number of samples needed for "met" if no further one is bad; None if no number
            of samples in one run is enough.
        runs: number of runs of this commit whose samples are judged together; 1 for this run alone.
    """

    id: str
    title: str
    objective: float
    better: Literal["below", "above"]
    unit: str
    verdict: SloVerdict
    value: float | None
    interval: tuple[float | None, float | None] | None
    samples: int
    samples_needed: int | None
    message: str
    runs: int = 1


@dataclass(frozen=True, slots=True)
class Missing:
    """An item that was not verified, and the reason."""

    item: str
    why: str


@dataclass(frozen=True, slots=True)
class RollbackStep:
    """One service to roll back. Unknown values are "", or empty.

    Attributes:
        current: the live deploy; "from" in JSON.
        to: the deploy to roll back to.
        how: all methods, one sentence each: by dashboard, by API, by git.
        current_commit, to_commit: the commits of both deploys.
        live_until: when `to` was replaced; UTC, ISO 8601.
        dashboard: URL for a manual rollback.
        calls: calls to the host's API, or commands, in order, without the credential.
        revert: the git command.
    """

    service: str
    current: Annotated[str, Field(alias="from")]
    to: str
    how: str
    current_commit: Annotated[str, Field(alias="from_commit")] = ""
    to_commit: str = ""
    live_until: str = ""
    dashboard: str = ""
    calls: tuple[str, ...] = ()
    revert: str = ""


@dataclass(frozen=True, slots=True)
class Rollback:
    """The services to roll back, the steps, and what to know before acting on the verdict.

    Attributes:
        stays: names of the known services that must not be changed.
    """

    services: tuple[RollbackStep, ...] = ()
    warnings: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The run that shows the state before the deployment.

    Attributes:
        baseline: whether it was recorded for this purpose; else it is the last good run.
        commit: the commit that answered then, or "".
        finished_at: UTC, ISO 8601.
        age_s: its age, in seconds.
    """

    run: str
    baseline: bool
    commit: str
    finished_at: str
    age_s: float

    def __str__(self) -> str:
        kind = "the baseline" if self.baseline else "the last good run"
        commit = f", commit {self.commit[:7]}" if self.commit else ""
        return f"{kind} {self.run}, {duration(self.age_s)} old{commit}"


@dataclass(frozen=True, slots=True)
class Entry:
    """The deployment log's data on this deployment, in addition to the verdict.

    Attributes:
        seen: what this run saw of it, completed by earlier runs.
        previous: the commit that was deployed before, or "".
        rolled_back: whether people have rolled it back.
        fields: the log's fields for each deployment, in the runbook's order; empty for all known fields.
        services: names of the services.
    """

    seen: Deployed
    previous: str = ""
    rolled_back: bool = False
    fields: tuple[str, ...] = ()
    services: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemReport:
    """One item of the checklist with its result in this run.

    Attributes:
        message: why it did not pass; "" if it passed.
        duration_s: duration of its check in seconds, all attempts together.
        user_impact: what users lose by its failure.
        remedy: the runbook's remedy, if the item failed and there is one.
        attempts: every try, in order; empty if it was tried once or never.
        flaky: whether it passed after a try that did not.
        screenshots: browser screenshots, step by step.
    """

    id: str
    title: str
    section: str
    phase: Phase
    status: Status
    impact: Impact
    attribution: Attribution | None
    message: str
    measurements: tuple[Measurement, ...]
    duration_s: float
    user_impact: str = ""
    remedy: Remedy | None = None
    attempts: tuple[Attempt, ...] = ()
    flaky: bool = False
    screenshots: tuple[Screenshot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The call, and all data that a person or a program needs to act on it.

    Attributes:
        phase: the selected phases, joined by "+".
        commit: the requested commit, or "".
        started_at: UTC, ISO 8601; so is `finished_at`.
        headline: the call in one sentence.
        confidence: the confidence of the call and its basis.
        flip: what would change the call, or "".
        next_step: the command or action to take now.
        escalation: who acts, by the minutes since the deployment, or by severity.
        reasons: worst first.
        items: every item of the selected phases, in the runbook's order.
        compared: the run that shows the state before the deployment; None if there is none.
        not_compared: why the earlier state is unknown; "" if it is known.
        causes: what is broken, each with its items: first the reasons of the call, then all other failures.
        deploy_minutes: minutes since the deployment began; None if unknown.
        outages: time spans in which a service answered no request of this run properly, by beginning.
        place: the name of the place that the run looked from; "" if it was not named.
        network_in_doubt: items without an answer while no control address showed that its network works.
        places: for the verdict of several places: each of them, by name; else empty.
    """

    schema: str = SCHEMA
    project: str
    environment: str
    phase: str
    commit: str
    started_at: str
    finished_at: str
    recommendation: Action
    exit_code: int
    headline: str
    flip: str
    next_step: str
    escalation: str
    reasons: tuple[Reason, ...]
    slos: tuple[SloReport, ...]
    items: tuple[ItemReport, ...]
    unverified: tuple[Missing, ...]
    rollback: Rollback
    deployment: Entry = Entry(Deployed(commit=""))
    confidence: str = ""
    compared: Compared | None = None
    not_compared: str = ""
    causes: tuple[Cause, ...] = ()
    deploy_minutes: float | None = None
    outages: tuple[ServiceOutage, ...] = ()
    place: str = ""
    network_in_doubt: tuple[str, ...] = ()
    places: tuple[PlaceReport, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return JSON-safe data in the order of the fields."""
        data: dict[str, Any] = adapter(Verdict).dump_python(self, mode="json", by_alias=True)
        return data

    @staticmethod
    def from_json(data: object) -> Verdict:
        """Create a verdict from its JSON-safe data.

        Raises:
            pydantic.ValidationError: the data do not match the schema.
        """
        return adapter(Verdict).validate_python(data)

    def count(self, status: Status) -> int:
        """Return the number of items with that status."""
        return sum(item.status is status for item in self.items)

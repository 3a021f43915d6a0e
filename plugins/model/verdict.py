"""What a run concludes. `Verdict` is the shape of verdict.json."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from plugins.model.figures import duration
from plugins.model.history import Deployed
from plugins.model.result import Attempt, Measurement, Screenshot
from plugins.model.runbook import Remedy
from plugins.model.words import Action, Attribution, Impact, Phase, SloVerdict, Status

SCHEMA = "kamiyo-verify/1"


@dataclass(frozen=True, slots=True)
class SloReport:
    """One objective against this run's evidence.

    Attributes:
        value: the point estimate in the objective's unit; None without samples.
        interval: the lower and the upper bound, each of them one-sided at the policy's confidence (together
            they cover 90 % where the policy says 95 %); None without samples, an end may be None (unbounded).
        samples: how many were judged.
        samples_needed: how many there must be in all, with no further bad one among them, to call it met;
            None where no number of samples of one run would do.
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


@dataclass(frozen=True, slots=True)
class Reason:
    """One ground of the recommendation: the item, whose doing it is, and the policy's clause.

    Attributes:
        item: its id; an objective's id where an SLO is the ground; "" where the whole run is.
        impact: None where no item is the ground.
        attribution: None where nothing failed.
        clause: the policy's own words, or "" where the ground is no clause of it.
    """

    item: str
    impact: Impact | None
    attribution: Attribution | None
    clause: str
    message: str


@dataclass(frozen=True, slots=True)
class Missing:
    """An item that was not verified, and why."""

    item: str
    why: str


@dataclass(frozen=True, slots=True)
class RollbackStep:
    """One service to take back. What is not known is "", or empty.

    Attributes:
        current: the deploy that serves now; "from" in JSON.
        to: the deploy to go back to.
        how: all ways in a sentence each: by dashboard, by API, by git.
        current_commit, to_commit: the commits of both.
        live_until: when `to` was replaced; UTC, ISO 8601.
        dashboard: where to do it by hand.
        calls: what to send to Render's API, in order, without the key.
        revert: the command.
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
    """Which services to take back and how, and what to know before acting on the verdict.

    Attributes:
        stays: the services that are known and not to be touched, by name.
    """

    services: tuple[RollbackStep, ...] = ()
    warnings: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The run that shows how things were before the deployment.

    Attributes:
        baseline: it was recorded for that; else it is the last good run.
        commit: the one that answered then, or "".
        finished_at: UTC, ISO 8601.
        age_s: how old it was, in seconds.
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
    """What the deployment log says of this deployment, beside the verdict.

    Attributes:
        seen: by this run, and for the rest by earlier ones.
        previous: the commit that was deployed before, or "".
        rolled_back: people have taken it back.
    """

    seen: Deployed
    previous: str = ""
    rolled_back: bool = False


@dataclass(frozen=True, slots=True)
class ItemReport:
    """One line of the checklist, as this run left it.

    Attributes:
        message: why it is not passed; "" where it passed.
        duration_s: seconds that its check took, all attempts together.
        loses: what users lose by its failure.
        remedy: the runbook's way out, where the item failed and there is one.
        attempts: every try, in order; empty where it was tried once or never.
        flaky: it passed in the end, after a try that did not.
        screenshots: what a browser saw, step by step.
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
    loses: str = ""
    remedy: Remedy | None = None
    attempts: tuple[Attempt, ...] = ()
    flaky: bool = False
    screenshots: tuple[Screenshot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The call, and all that a person or a program needs to act on it.

    Attributes:
        phase: the phases that were selected, joined by "+".
        commit: the commit that was asked for, or "".
        started_at: UTC, ISO 8601; so is `finished_at`.
        headline: the call in one sentence.
        confidence: how sure the call is, and by what.
        flip: what would change the call, or "".
        next_step: the command or action to take now.
        escalation: who, by the minutes since the deployment, or by severity.
        reasons: worst first.
        items: every item of the selected phases, in the runbook's order.
        compared: how things were before is known from that run; None where it is not known.
        deploy_minutes: since the deployment began; None where that is not known.
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
    deploy_minutes: float | None = None

    def as_json(self) -> dict[str, Any]:
        """JSON-safe data in the order of the fields."""
        data: dict[str, Any] = _SHAPE.dump_python(self, mode="json", by_alias=True)
        return data

    @staticmethod
    def from_json(data: object) -> Verdict:
        """The verdict that gave this data.

        Raises:
            pydantic.ValidationError: it is not the shape of a verdict.
        """
        return _SHAPE.validate_python(data)

    def count(self, status: Status) -> int:
        """How many items have that status."""
        return sum(item.status is status for item in self.items)


_SHAPE = TypeAdapter(Verdict)

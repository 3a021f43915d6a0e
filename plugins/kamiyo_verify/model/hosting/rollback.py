"""A rollback that is to be carried out: what stands at the host, what is to go where, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from kamiyo_verify.model.hosting.services import ServiceState
from kamiyo_verify.model.services import ServiceName
from kamiyo_verify.model.verdict import RollbackStep

SCHEMA = "kamiyo-verify-rollback/1"


class CannotRollBack(Exception):
    """It is not carried out; the message says why, and what to do instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One service, from which deploy to which; both deploys have commits.

    Attributes:
        id, name, dashboard, api: as of `ServiceState`.
        calls: what a person sends to the host's API for the same, in order.
        live_until: when `to` was replaced; UTC, ISO 8601, or "".
        host: the host's name in messages.
        auto_deploy: what deploys automatically: the host's own word, else "on" or "off".
        anew: how to build and deploy the commit of `to` again, if its build is gone.
    """

    service: ServiceName
    id: str
    name: str
    dashboard: str
    api: str
    current: str
    current_commit: str
    to: str
    to_commit: str
    calls: tuple[str, ...] = ()
    live_until: str = ""
    host: str = "the host"
    auto_deploy: str = ""
    anew: str = ""

    @property
    def manually(self) -> str:
        """How a person goes back: on the dashboard, else by the calls."""
        if self.dashboard:
            return f"{self.dashboard} → Rollbacks → {self.to} (auto-deploy off first)"
        return ", then ".join(self.calls)

    @property
    def step(self) -> RollbackStep:
        """The same as a verdict tells it."""
        return RollbackStep(
            service=self.name,
            current=self.current,
            to=self.to,
            how="",
            current_commit=self.current_commit,
            to_commit=self.to_commit,
            live_until=self.live_until,
            dashboard=self.dashboard,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done, in this order: auto-deploy off on every target, then one target after the other.

    Attributes:
        run: the id of the run whose verdict calls for it; "" where a person named the deploys.
        why_order: why in this order; "" where nothing speaks for one.
        stays: the services that are left as they are.
        warnings: what to know before saying yes.
    """

    environment: str
    run: str
    targets: tuple[Target, ...]
    why_order: str = ""
    stays: tuple[ServiceState, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def bad_commit(self) -> str:
        """The commit that is taken back; "" where the services are not of one."""
        commits = {target.current_commit for target in self.targets}
        return commits.pop() if len(commits) == 1 else ""


class Position(StrEnum):
    """How far the rollback of one service is."""

    BEFORE = "before"
    """What is to be taken back serves, and nothing is under way."""
    UNDER_WAY = "under_way"
    """A deploy of the commit to go back to is on its way."""
    BACK = "back"
    """The commit to go back to serves."""
    CHANGED = "changed"
    """It is as nobody has planned for."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where one service is on its way back.

    Attributes:
        deploy: the one that is under way, or serves.
        why: of CHANGED: what is otherwise, and what to do.
    """

    position: Position
    deploy: str = ""
    why: str = ""


class CallOutcome(StrEnum):
    """What became of a call that changes something."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    LOST = "lost"
    """It was sent and no usable answer came: it may or may not have been carried out, or will be yet."""


@dataclass(frozen=True, slots=True)
class CallResult:
    """A call and its outcome.

    Attributes:
        deploy: what the host began by it, where it said so.
        why: what was answered instead; "" where it was accepted.
    """

    outcome: CallOutcome
    deploy: str = ""
    why: str = ""


class End(StrEnum):
    """How an execution ended."""

    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """How far one service came.

    Attributes:
        state: in words, such as "back since 14:09:12 UTC (dep-…)".
        back: the commit to go back to serves.
        deploy: the deploy that brought it back, or is to; "" where there is none.
        auto_deploy: as it was seen last; None where it was not seen.
        took_s: from the call to live, in seconds; None where that was not seen.
        resume: the call that switches auto-deploy back to what it was; "" if it was not switched off.
    """

    target: Target
    state: str
    back: bool = False
    deploy: str = ""
    auto_deploy: bool | None = None
    took_s: float | None = None
    resume: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one execution did.

    Attributes:
        began_at, ended_at: UTC, ISO 8601.
        why: why it ended before its end, and what to do; "" where it is done.
    """

    end: End
    why: str
    services: tuple[Progressed, ...]
    began_at: str
    ended_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything about one rollback that its files tell.

    Attributes:
        by: who had it done.
        how: "by hand", or what did it.
        verified: the exit code of the rollback phase; None where it was not run.
        report: where that phase wrote its report, or "".
        recorded: the ledger's answer: "" where it has the decision, else why not.
    """

    plan: Plan
    outcome: Outcome
    by: str
    how: str
    verified: int | None = None
    report: str = ""
    recorded: str = "not yet"

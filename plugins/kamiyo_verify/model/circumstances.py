"""The context of a run, read once at its end: the state before, third parties, deploys, migrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.words import FailureKind, Status, Supplier


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedBefore:
    """How an item failed before the deployment, for comparison with its failure now.

    Attributes:
        failure: the kind of failure; None if unknown.
        measurements: its measurements: numbers and text, no series.
        failed, tries: failed and total requests of its sample, else of its tries; 0 and 0 if unknown.
    """

    failure: FailureKind | None = None
    measurements: tuple[Measurement, ...] = ()
    failed: int = 0
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The run that shows the state before the deployment.

    Attributes:
        run: id of the run.
        baseline: whether it was recorded for this purpose (--baseline); else it is the last good run.
        commit: the commit that answered then, or "".
        finished_at: UTC, ISO 8601.
        age_s: its age when the judged run ended, in seconds.
        statuses: statuses of its items, by id.
        failures: how its items failed, by id.
        addresses: the addresses that its items asked, by id, as `judge/attribution/before.py` has them; empty
            if unknown.
    """

    run: str
    baseline: bool
    commit: str
    finished_at: str
    age_s: float
    statuses: Mapping[str, Status] = field(default_factory=dict)
    failures: Mapping[str, FailedBefore] = field(default_factory=dict)
    addresses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SupplierReport:
    """The report of a third party's own status page.

    Attributes:
        troubles: relevant components with a problem, such as "Webhooks: major outage"; empty if there is no
            problem.
        unknown: why the state is unknown; "" if the page reported it.
        incidents: incidents that are still open, also where every component is operational.
    """

    supplier: Supplier
    troubles: tuple[str, ...] = ()
    unknown: str = ""
    incidents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Migrated:
    """The names of the migrations that this deployment applied.

    Attributes:
        safe: migrations after which the previous code works.
        grave: migrations after which it may not work, each with the statement and the reason.
        unread: migrations with unknown effect: the checkout does not have them as they were applied.
    """

    safe: tuple[str, ...] = ()
    grave: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

"""What the ledger knows, as lines of text: objectives, deployments, DORA's four metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plugins.model.figures import counted, duration, percent, quantity
from plugins.model.history import Availability, DeploymentRecord, Dora, Tally
from plugins.model.recorded import Decision
from plugins.model.verdict import SloReport
from plugins.writers import words
from plugins.writers.inert import one_line

_UNKNOWN = "not known"


def objective_lines(reports: Sequence[SloReport]) -> Iterator[str]:
    """The objectives that need many runs."""
    for report in reports:
        sign, told = words.OBJECTIVES[report.verdict]
        yield f"{sign} {report.title}: {told}. {report.message}"


def availability_lines(found: Availability) -> Iterator[str]:
    """The error budget and how fast it burns."""
    if found.budget_left is not None:
        yield f"  error budget left: {percent(found.budget_left)} of {duration(_budget_s(found))}"
    watched = percent(found.observed_s / found.window_s)
    yield f"  downtime of deployments: {duration(found.downtime_s)}; {watched} of the window is known at all"
    for burn in found.burns:
        rates = " and ".join(_UNKNOWN if rate is None else f"{rate:.1f}" for rate in (burn.long, burn.short))
        alarm = "ALARM" if burn.alarming else "no alarm"
        yield (
            f"  burn rate over {duration(burn.long_s)} and {duration(burn.short_s)}: {rates}"
            f" (from {burn.threshold:g} on both: alarm): {alarm}"
        )


def dora_lines(found: Dora, days: int) -> Iterator[str]:
    """The four key metrics."""
    yield f"DORA's key metrics, last {days} days"
    yield f"  deployment frequency: {found.per_week:.1f} a week"
    yield f"  lead time for changes: {_seconds(found.lead_time_s)} at the median"
    yield f"  change failure rate: {_share(found.failures)}"
    yield f"  recovery from a failed deployment: {_seconds(found.recovery_s)} at the median"


def deployment_lines(records: Sequence[DeploymentRecord]) -> Iterator[str]:
    """What the runbook tracks after each deployment, the newest first."""
    rolled_back = sum(record.rolled_back for record in records)
    yield f"{counted(len(records), 'deployment')}, {rolled_back} rolled back"
    for record in reversed(records):
        seen = record.seen
        ends = {True: "succeeded", False: "failed", None: "nobody knows how it ended"}
        told = "rolled back" if record.rolled_back else ends[record.succeeded]
        yield f"  {record.commit[:12]}  {words.moment(record.began_at)}  {told}"
        yield (
            f"    took {_seconds(seen.duration_s)}, downtime {_seconds(seen.downtime_s)},"
            f" errors in the first hour {_share(seen.first_hour)}"
        )
        for slo, ratio in record.slowdown.items():
            yield f"    {slo}: {quantity(ratio)} times that of the good deployment before"


def decision_line(decision: Decision) -> str:
    """What somebody did."""
    note = f": {one_line(decision.note)}" if decision.note else ""
    done = f"{decision.deed.replace('_', ' ')} by {one_line(decision.who)}"
    return f"  {decision.run}  {decision.at}  {done}{note}"


def _budget_s(found: Availability) -> float:
    return (1 - found.objective) * found.window_s


def _share(tally: Tally | None) -> str:
    share = tally.share_bad if tally else None
    if tally is None or share is None:
        return _UNKNOWN
    return f"{percent(share)} ({tally.bad:,} of {tally.total:,})"


def _seconds(seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else duration(seconds)

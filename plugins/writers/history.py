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
    for name, figure, note in dora_figures(found):
        yield f"  {name[:1].lower()}{name[1:]}: {figure}{note}"


def dora_figures(found: Dora) -> Iterator[tuple[str, str, str]]:
    """The four key metrics: the name of each, its figure, and what belongs to that."""
    yield "Deployment frequency", f"{found.per_week:.1f}", " a week"
    yield "Lead time for changes", _seconds(found.lead_time_s), " at the median"
    yield "Change failure rate", *_share_of(found.failures)
    yield "Recovery from a failed deployment", _seconds(found.recovery_s), " at the median"


def deployment_lines(records: Sequence[DeploymentRecord]) -> Iterator[str]:
    """What the runbook tracks after each deployment, the newest first."""
    rolled_back = sum(record.rolled_back for record in records)
    yield f"{counted(len(records), 'deployment')}, {rolled_back} rolled back"
    for record in reversed(records):
        seen = record.seen
        yield f"  {record.commit[:12]}  {words.moment(record.began_at)}  {ended(record)}"
        yield (
            f"    took {_seconds(seen.duration_s)}, downtime {_seconds(seen.downtime_s)},"
            f" errors in the first hour {_share(seen.first_hour)}"
        )
        for slo, ratio in record.slowdown.items():
            yield f"    {slo}: {quantity(ratio)} times that of the good deployment before"


def decision_line(decision: Decision) -> str:
    """What somebody did."""
    note = f": {one_line(decision.note)}" if decision.note else ""
    return f"  {decision.run}  {decision.at}  {deed(decision)}{note}"


def deed(decision: Decision) -> str:
    """What was done, and by whom."""
    return f"{decision.deed.replace('_', ' ')} by {one_line(decision.who)}"


def ended(record: DeploymentRecord) -> str:
    """How a deployment ended."""
    ends = {True: "succeeded", False: "failed", None: "nobody knows how it ended"}
    return "rolled back" if record.rolled_back else ends[record.succeeded]


def _budget_s(found: Availability) -> float:
    return (1 - found.objective) * found.window_s


def _share(tally: Tally | None) -> str:
    return "".join(_share_of(tally)) if tally else _UNKNOWN


def _share_of(tally: Tally) -> tuple[str, str]:
    share = tally.share_bad
    return (_UNKNOWN, "") if share is None else (percent(share), f" ({tally.bad:,} of {tally.total:,})")


def _seconds(seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else duration(seconds)

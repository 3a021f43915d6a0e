"""The ledger's history as lines of text: objectives, deployments, and the four DORA metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kamiyo_verify.model.figures import counted, duration, percent, quantity
from kamiyo_verify.model.history.history import Availability, DeploymentRecord, Dora, Tally
from kamiyo_verify.model.history.recorded_run import Decision
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.inert import one_line

_UNKNOWN = "not known"


def objective_lines(reports: Sequence[SloReport]) -> Iterator[str]:
    """Format the objectives that need many runs."""
    for report in reports:
        sign, label = words.OBJECTIVES[report.verdict]
        yield f"{sign} {report.title}: {label}. {report.message}"


def availability_lines(found: Availability) -> Iterator[str]:
    """Format the error budget and its burn rates."""
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
    """Format the four key metrics."""
    yield f"DORA's key metrics, last {days} days"
    for name, figure, note in dora_figures(found):
        yield f"  {name[:1].lower()}{name[1:]}: {figure}{note}"


def dora_figures(found: Dora) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the value and a note for each of the four key metrics."""
    yield "Deployment frequency", f"{found.per_week:.1f}", " a week"
    yield "Lead time for changes", _seconds(found.lead_time_s), " at the median"
    yield "Change failure rate", *_share_of(found.failures)
    yield "Recovery from a failed deployment", _seconds(found.recovery_s), " at the median"


def deployment_lines(records: Sequence[DeploymentRecord]) -> Iterator[str]:
    """Format what the runbook tracks after each deployment, newest first."""
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
    """Format one decision."""
    note = f": {one_line(decision.note)}" if decision.note else ""
    return f"  {decision.run}  {decision.at}  {deed(decision)}{note}"


def deed(decision: Decision) -> str:
    """Format what was done, and by whom."""
    return f"{decision.deed.replace('_', ' ')} by {one_line(decision.who)}"


def ended(record: DeploymentRecord) -> str:
    """Describe how a deployment ended."""
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

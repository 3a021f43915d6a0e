"""The words and signs by which every report tells the same things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from plugins.model.figures import counted, duration, quantity
from plugins.model.picture import Sent
from plugins.model.result import Exchange, Measurement
from plugins.model.verdict import ItemReport, Reason, RollbackStep, SloReport, Verdict
from plugins.model.words import Action, Attribution, SloVerdict, Status

CALLS = {
    Action.PROCEED: "PROCEED",
    Action.HOLD: "HOLD",
    Action.FIX_FORWARD: "FIX FORWARD",
    Action.ROLL_BACK: "ROLL BACK",
    Action.INCONCLUSIVE: "INCONCLUSIVE",
}
STATUSES = {
    Status.PASSED: ("✓", "passed"),
    Status.FAILED: ("✗", "failed"),
    Status.ERROR: ("!", "not measured"),
    Status.UNVERIFIED: ("?", "unverified"),
    Status.NOT_APPLICABLE: ("–", "not applicable"),
}
OBJECTIVES = {
    SloVerdict.MET: ("✓", "met"),
    SloVerdict.BREACHED: ("✗", "breached"),
    SloVerdict.INSUFFICIENT_EVIDENCE: ("?", "not enough seen"),
}
ATTRIBUTIONS = {
    Attribution.INTRODUCED: "introduced by this deploy",
    Attribution.PRE_EXISTING: "there before this deploy",
    Attribution.THIRD_PARTY: "a third party's doing",
    Attribution.PROBER: "our own side's doing",
    Attribution.UNKNOWN: "nobody knows whose doing",
}


def moment(text: str) -> str:
    """An ISO time as "2026-11-23 14:09 UTC"; as it is where it is none, and "" for none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return text


def seconds_taken(verdict: Verdict) -> float | None:
    """How long the run took; None where its times are not known."""
    try:
        began, ended = map(datetime.fromisoformat, (verdict.started_at, verdict.finished_at))
    except ValueError:
        return None
    return (ended - began).total_seconds()


def objective(report: SloReport) -> str:
    """What was agreed, such as "below 500 ms"."""
    return f"{report.better} {quantity(report.objective, objective_unit(report))}"


def short_title(title: str) -> str:
    """A title without what it explains in brackets at its end."""
    return title.partition(" (")[0]


def objective_unit(report: SloReport) -> str:
    """Its unit; an objective without one is a share."""
    return report.unit or "share"


def interval(report: SloReport) -> str:
    """Both bounds, such as "188 – 240 ms"; an end that is not known is told as "…"."""
    if report.interval is None:
        return ""
    unit = objective_unit(report)
    lower, upper = ("…" if end is None else quantity(end, unit) for end in report.interval)
    sign = quantity(0, unit).removeprefix("0")
    return f"{lower.removesuffix(sign) if upper != '…' else lower} – {upper}"


def value(taken: Measurement) -> str:
    """A measurement in short; a series as its count, median and largest value."""
    if isinstance(taken.value, tuple):
        if not taken.value:
            return "no values"
        ordered = sorted(taken.value)
        median = quantity(ordered[(len(ordered) - 1) // 2], taken.unit)
        return f"{len(ordered):,} values, median {median}, largest {quantity(ordered[-1], taken.unit)}"
    if taken.value is None:
        return "unknown"
    if isinstance(taken.value, bool):
        return "yes" if taken.value else "no"
    if isinstance(taken.value, str):
        return taken.value
    return quantity(taken.value, "" if taken.unit == "count" else taken.unit)


def why_unverified(verdict: Verdict) -> tuple[tuple[str, int], ...]:
    """Each reason for not having verified an item, with the number of items, the most frequent first."""
    return tuple(Counter(missing.why for missing in verdict.unverified).most_common())


def alike(reasons: Iterable[Reason]) -> tuple[tuple[Reason, ...], ...]:
    """Reasons that differ in nothing but their item together, in the order of the first of each."""
    groups: dict[tuple[str, str, Attribution | None], list[Reason]] = {}
    for reason in reasons:
        groups.setdefault((reason.message, reason.clause, reason.attribution), []).append(reason)
    return tuple(map(tuple, groups.values()))


def by_clause(reasons: Iterable[Reason]) -> tuple[tuple[Reason, ...], ...]:
    """Reasons under one clause of the policy together; those under none where they say the same."""
    groups: dict[tuple[str, str, Attribution | None], list[Reason]] = {}
    for reason in reasons:
        alike = "" if reason.clause else reason.message
        groups.setdefault((reason.clause, alike, reason.attribution), []).append(reason)
    return tuple(map(tuple, groups.values()))


def unwell(verdict: Verdict) -> tuple[ItemReport, ...]:
    """What failed, then what could not be measured, each in the runbook's order."""
    return tuple(
        item for status in (Status.FAILED, Status.ERROR) for item in verdict.items if item.status is status
    )


def services_told(verdict: Verdict) -> str:
    """Which service goes back to what, such as "kamiyo-frontend to its last good deploy", and which stays."""
    if not verdict.rollback.services:
        return ""
    back = [f"{step.service} to {target(step)}" for step in verdict.rollback.services]
    known = any(step.to for step in verdict.rollback.services)
    stays = [f"{service} stays" for service in verdict.rollback.stays if known]
    return ", ".join(back) + "".join(f"; {service}" for service in stays)


def source(step: RollbackStep) -> str:
    """What is to be taken back, such as "dep-9d21 (commit 9c41d07)"."""
    commit = f" (commit {step.current_commit[:7]})" if step.current_commit else ""
    return f"{step.current or 'an unknown deploy'}{commit}"


def target(step: RollbackStep) -> str:
    """What to go back to, such as "dep-7fk2 (commit 3b0cca2, live until 2026-11-23 14:02 UTC)"."""
    if not step.to:
        return "its last good deploy"
    until = f", live until {moment(step.live_until)}" if step.live_until else ""
    return f"{step.to} (commit {step.to_commit[:7]}{until})" if step.to_commit else step.to


def compared(verdict: Verdict) -> str:
    """The run that shows how things were before, with its age; "" where there is none."""
    return str(verdict.compared) if verdict.compared else ""


def telling(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Those that say something to a reader: none that are empty, and no moments, which the timeline shows."""
    return [
        taken
        for taken in measurements
        if taken.value not in {"", ()}
        and not (isinstance(taken.value, tuple) and taken.name.partition("[")[0].endswith("_began"))
    ]


def requests(sent: Sent) -> str:
    """An item's requests, such as "67 requests: 65 × 200, 2 × no answer", or "67 requests: 200"."""
    if len(sent.answers) == 1:
        return f"{counted(sent.total, 'request')}: {sent.answers[0][0]}"
    answers = ", ".join(f"{count:,} × {answer}" for answer, count in sent.answers)
    return f"{counted(sent.total, 'request')}: {answers}"


def exchange(one: Exchange) -> str:
    """One request, such as "GET https://…/health → 200 in 12 ms (request 7fe1)"."""
    came = one.status if one.status is not None else one.problem or "done"
    request = f" (request {one.request_id})" if one.request_id else ""
    return f"{one.method} {one.url} → {came} in {duration(one.duration_ms / 1000)}{request}"


def beside(file: str) -> str:
    """The relative address of a file in the report's folder; nothing that it holds makes another of it."""
    return "./" + quote(file.lstrip("/"))

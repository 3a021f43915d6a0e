"""Wording and symbols that all reports share."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from kamiyo_verify.model.figures import counted, duration, listed, quantity
from kamiyo_verify.model.history.chart_data import Sent
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Exchange, Measurement
from kamiyo_verify.model.verdict import ItemReport, RollbackStep, SloReport, Verdict
from kamiyo_verify.model.words import Action, Attribution, SloVerdict, Status

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
    SloVerdict.INSUFFICIENT_EVIDENCE: ("?", "undecided"),
}
ATTRIBUTIONS = {
    Attribution.INTRODUCED: "introduced by this deploy",
    Attribution.PRE_EXISTING: "already so before this deploy",
    Attribution.THIRD_PARTY: "caused by a third party",
    Attribution.PROBER: "no evidence about the platform",
    Attribution.UNKNOWN: "not known whether it was so before",
}


def attribution(verdict: Verdict, found: Attribution | None) -> str:
    """Describe an attribution; "introduced by this deploy" needs an earlier run that shows it was well."""
    if found is None:
        return ""
    if found is Attribution.INTRODUCED and verdict.compared is None:
        return f"caused by the platform; {ATTRIBUTIONS[Attribution.UNKNOWN]}"
    return ATTRIBUTIONS[found]


def moment(text: str) -> str:
    """Format an ISO time as "2026-11-23 14:09 UTC"; return other text unchanged."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return text


_LEAD = 180
_RAW = re.compile(r"[:;,–-]?\s+(?=[{\[<][\s\"'\w!/{\[])|\n")
"""Where raw text of an answer, such as JSON or HTML, begins within a message; or its second line."""


def lead(message: str) -> tuple[str, bool]:
    """Return the beginning of a message without raw text, and whether it is only a part of the message."""
    found = _RAW.search(message)
    kept = message[: found.start()] if found and found.start() else message
    if len(kept) > _LEAD:
        kept = textwrap.shorten(kept, _LEAD, placeholder=" …")
    return kept, kept != message


def seconds_taken(verdict: Verdict) -> float | None:
    """Return the duration of the run in seconds; None if its times are unknown."""
    try:
        began, ended = map(datetime.fromisoformat, (verdict.started_at, verdict.finished_at))
    except ValueError:
        return None
    return (ended - began).total_seconds()


def objective(report: SloReport) -> str:
    """Format the objective, such as "below 500 ms"."""
    return f"{report.better} {quantity(report.objective, objective_unit(report))}"


def short_title(title: str) -> str:
    """Return the title without an explanation in brackets at its end."""
    return title.partition(" (")[0]


def title_note(title: str) -> str:
    """Return the explanation in brackets at the title's end, or ""."""
    return title.partition(" (")[2].removesuffix(")")


def objective_unit(report: SloReport) -> str:
    """Return the objective's unit; an objective without a unit is a share."""
    return report.unit or "share"


def interval(report: SloReport) -> str:
    """Format both bounds, such as "188 – 240 ms"; an unknown bound is "…"."""
    if report.interval is None:
        return ""
    unit = objective_unit(report)
    lower, upper = ("…" if end is None else quantity(end, unit) for end in report.interval)
    sign = quantity(0, unit).removeprefix("0")
    return f"{lower.removesuffix(sign) if upper != '…' else lower} – {upper}"


def value(taken: Measurement) -> str:
    """Format a measurement in short; a series as its count, median and largest value."""
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
    """Return each reason for unverified items with the number of items, most frequent first."""
    return tuple(Counter(missing.why for missing in verdict.unverified).most_common())


def alike(reasons: Iterable[Reason]) -> tuple[tuple[Reason, ...], ...]:
    """Group reasons that differ only in their item, in order of first appearance."""
    groups: dict[tuple[str, str, Attribution | None], list[Reason]] = {}
    for reason in reasons:
        groups.setdefault((reason.message, reason.clause, reason.attribution), []).append(reason)
    return tuple(map(tuple, groups.values()))


def by_clause(reasons: Iterable[Reason]) -> tuple[tuple[Reason, ...], ...]:
    """Group reasons by policy clause; group reasons without a clause by message."""
    groups: dict[tuple[str, str, Attribution | None], list[Reason]] = {}
    for reason in reasons:
        alike = "" if reason.clause else reason.message
        groups.setdefault((reason.clause, alike, reason.attribution), []).append(reason)
    return tuple(map(tuple, groups.values()))


def unwell(verdict: Verdict) -> tuple[ItemReport, ...]:
    """Return failed items, then items that could not be measured, each in the runbook's order."""
    return tuple(
        item for status in (Status.FAILED, Status.ERROR) for item in verdict.items if item.status is status
    )


def describe_services(verdict: Verdict) -> str:
    """Describe each service's target, such as "kamiyo-frontend to its last good deploy", and which stay."""
    if not verdict.rollback.services:
        return ""
    back = [f"{step.service} to {target(step)}" for step in verdict.rollback.services]
    known = any(step.to for step in verdict.rollback.services)
    stays = verdict.rollback.stays if known else ()
    if not stays:
        return ", ".join(back)
    return f"{', '.join(back)}; {listed(stays)} {'stays' if len(stays) == 1 else 'stay'}"


def source(step: RollbackStep) -> str:
    """Describe the deploy to roll back, such as "dep-9d21 (commit 9c41d07)"."""
    commit = f" (commit {step.current_commit[:7]})" if step.current_commit else ""
    return f"{step.current or 'an unknown deploy'}{commit}"


def target(step: RollbackStep) -> str:
    """Describe the target deploy, such as "dep-7fk2 (commit 3b0cca2, live until 2026-11-23 14:02 UTC)"."""
    if not step.to:
        return "its last good deploy"
    until = f", live until {moment(step.live_until)}" if step.live_until else ""
    return f"{step.to} (commit {step.to_commit[:7]}{until})" if step.to_commit else step.to


def compared(verdict: Verdict) -> str:
    """Describe the earlier run used for comparison, with its age, or why there is none."""
    return str(verdict.compared) if verdict.compared else verdict.not_compared


def telling(measurements: Sequence[Measurement]) -> list[Measurement]:
    """Return the measurements worth showing: not empty, and not times, which the timeline shows."""
    return [
        taken
        for taken in measurements
        if taken.value not in {"", ()}
        and not (isinstance(taken.value, tuple) and taken.name.partition("[")[0].endswith("_began"))
    ]


def requests(sent: Sent) -> str:
    """Summarise an item's requests, such as "67 requests: 65 × 200, 2 × no answer", or "67 requests: 200"."""
    if len(sent.answers) == 1:
        return f"{counted(sent.total, sent.noun)}: {sent.answers[0][0]}"
    answers = ", ".join(f"{count:,} × {answer}" for answer, count in sent.answers)
    return f"{counted(sent.total, sent.noun)}: {answers}"


def exchange(one: Exchange) -> str:
    """Format one request, such as "GET https://…/health → 200 in 12 ms (request 7fe1)"; or a command."""
    if one.command:
        return f"`{one.command}` {one.ending} in {duration(one.duration_ms / 1000)}"
    came = one.status if one.status is not None else one.problem or "done"
    request = f" (request {one.request_id})" if one.request_id else ""
    return f"{one.method} {one.url} → {came} in {duration(one.duration_ms / 1000)}{request}"


def beside(file: str) -> str:
    """Return the relative URL of a file in the report's folder, quoted so that it cannot be another URL."""
    return "./" + quote(file.lstrip("/"))

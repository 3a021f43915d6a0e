"""Incident page in Markdown: impact and times are filled in; people add the cause."""

from __future__ import annotations

from collections.abc import Iterator

from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.history.deployment_record import Incident, Reached
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.markup import code, unlinked
from kamiyo_verify.reporting.pages.parts import (
    BLANK,
    Links,
    about,
    clock,
    decisions,
    evidence,
    table,
    timeline,
    title,
    todos,
)

_REACHED = {True: "yes", False: "no", None: "not known"}


def incident_md(page: Incident, links: Links, *, at: str) -> str:
    """Format the whole page.

    Args:
        page: the known facts.
        links: relative URLs of existing reports, by run id.
        at: the time of writing; UTC, ISO 8601.
    """
    deployment_file, verdict = page.deployment_file, page.run.verdict
    lines = [
        f"# Incident: {title(deployment_file)}, {unlinked(verdict.headline)}",
        "",
        *about(deployment_file, links, at),
        f"- **The call:** {words.CALLS[verdict.recommendation]} by run {code(page.run.id)}",
        f"- **Severity:** {BLANK}",
        f"- **Led by:** {BLANK}",
        "",
        "## Impact",
        "",
        *(f"- {unlinked(known)}" for known in page.impact),
        f"- Users concerned, how many and how they noticed: {BLANK}",
        "",
        "## Times",
        "",
        *_times(page),
        "",
        "## Escalation, by the clock",
        "",
        *_escalation(page),
        "",
        "## Timeline",
        "",
        *timeline(deployment_file, links),
        "",
        "## Evidence",
        "",
        *evidence(deployment_file, links),
        "",
        "## The way back, as it was told",
        "",
        *_way_back(page),
        "",
        "## What was decided, and by whom",
        "",
        *decisions(deployment_file),
        "",
        "## Cause",
        "",
        f"What broke, and why: {BLANK}",
        "",
        f"Why nothing told of it before: {BLANK}",
        "",
        "## Action items",
        "",
        *todos(deployment_file),
    ]
    return "\n".join(lines) + "\n"


def _escalation(page: Incident) -> Iterator[str]:
    if not page.levels:
        yield f"The runbook has no levels of escalation. Who was called, and when: {BLANK}"
        return
    yield from table(("Level", "From", "Who", "Does", "Reached", "Answered at, by"), map(_level, page.levels))


def _times(page: Incident) -> Iterator[str]:
    unknown = "The run began; when the deployment did is not known"
    rows = [
        ("The deployment began" if page.since_deploy else unknown, clock(page.since), ""),
        ("The first failing try", "", _after(page.detected_s)),
        ("The call", "", _after(page.called_s)),
        ("Service was restored", "", _after(page.recovered_s)),
    ]
    yield from table(("What", "When (UTC)", "After"), rows)


def _after(seconds: float | None) -> str:
    return f"not known; {BLANK}" if seconds is None else duration(seconds)


def _level(one: Reached) -> tuple[str, ...]:
    row = one.level
    since = "by severity" if row.critical else f"minute {row.from_minute or 0:g}"
    return f"{row.level}", since, unlinked(row.who), unlinked(row.does), _REACHED[one.reached], BLANK


def _way_back(page: Incident) -> Iterator[str]:
    rollback = page.run.verdict.rollback
    for step in rollback.services:
        source, target = unlinked(words.source(step)), unlinked(words.target(step))
        yield f"- {unlinked(step.service)}: from {source} to {target}"
    yield from (f"- Mind: {unlinked(warning)}" for warning in rollback.warnings)
    if not rollback.services:
        yield "No service was to be taken back."

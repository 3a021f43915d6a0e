"""An incident page in Markdown: how bad, how soon seen, how long; the cause is left to people."""

from __future__ import annotations

from collections.abc import Iterator

from plugins.model.dossier import Incident, Reached
from plugins.model.figures import duration
from plugins.writers import words
from plugins.writers.markup import code, unlinked
from plugins.writers.pages.parts import (
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
    """The whole page.

    Args:
        page: what is known.
        links: by a run's id, where its report is from the page; of those whose report is still there.
        at: when it is written; UTC, ISO 8601.
    """
    dossier, verdict = page.dossier, page.run.verdict
    lines = [
        f"# Incident: {title(dossier)}, {unlinked(verdict.headline)}",
        "",
        *about(dossier, links, at),
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
        *table(("Level", "From", "Who", "Does", "Reached", "Told at, by"), map(_level, page.levels)),
        "",
        "## Timeline",
        "",
        *timeline(dossier, links),
        "",
        "## Evidence",
        "",
        *evidence(dossier, links),
        "",
        "## The way back, as it was told",
        "",
        *_way_back(page),
        "",
        "## What was decided, and by whom",
        "",
        *decisions(dossier),
        "",
        "## Cause",
        "",
        f"What broke, and why: {BLANK}",
        "",
        f"Why nothing told of it before: {BLANK}",
        "",
        "## Action items",
        "",
        *todos(dossier),
    ]
    return "\n".join(lines) + "\n"


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

"""Retrospective page in Markdown: facts are filled in; people add the answers."""

from __future__ import annotations

from collections.abc import Iterator

from kamiyo_verify.model.history.deployment_record import Answered, Retrospective
from kamiyo_verify.reporting.markup import unlinked
from kamiyo_verify.reporting.pages.parts import (
    BLANK,
    Links,
    about,
    decisions,
    evidence,
    timeline,
    title,
    todos,
)


def retrospective_md(page: Retrospective, links: Links, *, at: str) -> str:
    """Format the whole page.

    Args:
        page: the known facts.
        links: relative URLs of existing reports, by run id.
        at: the time of writing; UTC, ISO 8601.
    """
    deployment_file = page.deployment_file
    commit = deployment_file.record.commit[:12] or "no known commit"
    lines = [
        f"# Retrospective: {title(deployment_file)}, {unlinked(commit)}",
        "",
        *about(deployment_file, links, at),
        f"- **Who looked back, and when:** {BLANK}",
        "",
        "## Timeline",
        "",
        *timeline(deployment_file, links),
        "",
        "## Evidence",
        "",
        *evidence(deployment_file, links),
        "",
        "## What was decided, and by whom",
        "",
        *decisions(deployment_file),
        "",
        "## Questions",
        *_questions(page),
        "",
        "## Action items",
        "",
        *todos(deployment_file),
    ]
    return "\n".join(lines) + "\n"


def _questions(page: Retrospective) -> Iterator[str]:
    if not page.answers:
        yield ""
        yield f"The runbook asks none. What went well, and what did not: {BLANK}"
    for number, one in enumerate(page.answers, 1):
        yield from _answered(number, one)


def _answered(number: int, one: Answered) -> Iterator[str]:
    yield ""
    yield f"### {number}. {unlinked(one.question)}"
    yield ""
    if one.facts:
        yield "The ledger says:"
        yield ""
        yield from (f"- {unlinked(fact)}" for fact in one.facts)
        yield ""
    yield f"People say: {BLANK}"

"""A retrospective in Markdown: the facts filled in, the answers left to people."""

from __future__ import annotations

from collections.abc import Iterator

from plugins.model.dossier import Answered, Retrospective
from plugins.writers.markup import unlinked
from plugins.writers.pages.parts import BLANK, Links, about, decisions, evidence, timeline, title, todos


def retrospective_md(page: Retrospective, links: Links, *, at: str) -> str:
    """The whole page.

    Args:
        page: what is known.
        links: by a run's id, where its report is from the page; of those whose report is still there.
        at: when it is written; UTC, ISO 8601.
    """
    dossier = page.dossier
    commit = dossier.record.commit[:12] or "no known commit"
    lines = [
        f"# Retrospective: {title(dossier)}, {unlinked(commit)}",
        "",
        *about(dossier, links, at),
        f"- **Who looked back, and when:** {BLANK}",
        "",
        "## Timeline",
        "",
        *timeline(dossier, links),
        "",
        "## Evidence",
        "",
        *evidence(dossier, links),
        "",
        "## What was decided, and by whom",
        "",
        *decisions(dossier),
        "",
        "## Questions",
        *(line for n, one in enumerate(page.answers, 1) for line in _answered(n, one)),
        "",
        "## Action items",
        "",
        *todos(dossier),
    ]
    return "\n".join(lines) + "\n"


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

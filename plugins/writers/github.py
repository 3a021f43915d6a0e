"""What GitHub shows of a round of runs: step summary, annotations, outputs and the commit's comment.

Limits: a step's summary 1 MiB, ten annotations of each level a step, a comment 65,536 characters.
Sources: docs.github.com, workflow commands; the runner's own ActionCommandManager for what is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from plugins.model.round import Round, Turn
from plugins.model.verdict import ItemReport, Verdict
from plugins.model.words import Action, Status
from plugins.writers import words
from plugins.writers.github_parts import (
    checklist,
    cut,
    entry_of,
    grounds,
    objectives,
    turns_table,
    unverified,
)
from plugins.writers.inert import one_line
from plugins.writers.markup import code, unlinked

SUMMARY_BYTES = 1024 * 1024
COMMENT_CHARACTERS = 65_536
ANNOTATIONS = 10
"""Of each level; GitHub drops the rest of a step's without a word."""

_MESSAGE, _TITLE = 1_000, 120
_SIGNS = {
    Action.PROCEED: "✅",
    Action.HOLD: "✋",
    Action.FIX_FORWARD: "🔧",
    Action.ROLL_BACK: "⛔",
    Action.INCONCLUSIVE: "❔",
}


@dataclass(frozen=True, slots=True)
class Links:
    """Where more is to be seen; "" where it is not known.

    Attributes:
        run: the job that ran.
        report: the reports, to be downloaded.
    """

    run: str = ""
    report: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the repository something is told."""

    file: str
    line: int


def summary_md(found: Round, links: Links = Links()) -> str:
    """The step summary: the call and its grounds, then all that was looked at."""
    return cut([*_head(found, links), *_all_of(found)], SUMMARY_BYTES, lambda text: len(text.encode()))


def comment_md(found: Round, links: Links = Links(), *, mark: str = "") -> str:
    """The comment: the call and its grounds.

    Args:
        found: what is told.
        links: where more is to be seen.
        mark: by which the comment is found again; nobody sees it.
    """
    hidden = [mark_of(mark)] if mark else []
    return cut([*hidden, *_head(found, links), *_below_the_fold(found)], COMMENT_CHARACTERS, len)


def mark_of(mark: str) -> str:
    """The line of a comment by which it is found again."""
    kept = "".join(letter for letter in mark if letter.isalnum() or letter in "._/")
    return f"<!-- kamiyo-verify {kept} -->"


def annotated(found: Round, places: Mapping[str, Place]) -> tuple[str, ...]:
    """Workflow commands: an error for the call and each failed item, a warning for what was not measured.

    Args:
        found: what is told.
        places: where items are written down, by their ids.
    """
    level = "notice" if found.recommendation is Action.PROCEED else "error"
    title = f"{words.CALLS[found.recommendation]}: {entry_of(found).subject}"
    rows = [_command(level, title, entry_of(found).headline)]
    for status, kind in ((Status.FAILED, "error"), (Status.ERROR, "warning")):
        items = [item for verdict in found.verdicts for item in verdict.items if item.status is status]
        spare = ANNOTATIONS - (1 if kind == level else 0)
        shown = items if len(items) <= spare else items[: spare - 1]
        rows += [_of_item(kind, item, places) for item in shown]
        if rest := len(items) - len(shown):
            rows.append(_command(kind, f"{rest:,} more", "they are in the summary and in the report"))
    return tuple(rows)


def warning(title: str, message: str) -> str:
    """A workflow command of our own."""
    return _command("warning", title, message)


def outputs(found: Round, *, report: str) -> dict[str, str]:
    """What later steps read; each value is a single line."""
    return {
        "recommendation": found.recommendation.value,
        "exit-code": str(found.recommendation.exit_code),
        "commit": one_line(found.commit),
        "report": one_line(report, 4_000),
    }


def in_plain_text(found: Round) -> str:
    """The call and its grounds, for logs that know no markup."""
    entry = entry_of(found)
    lines = [f"{words.CALLS[found.recommendation]}: {entry.subject}", f"  {one_line(entry.headline)}"]
    lines += [f"  {turn.phase}: {one_line(_told(turn))}" for turn in found.turns]
    return "\n".join(lines)


def _head(found: Round, links: Links) -> Iterator[str]:
    entry = entry_of(found)
    yield f"## {_SIGNS[found.recommendation]} {words.CALLS[found.recommendation]} · {unlinked(entry.subject)}"
    yield ""
    yield f"**{unlinked(entry.headline)}**"
    yield ""
    decisive = found.decisive.verdict if found.decisive else None
    if decisive:
        yield from grounds(decisive)
    yield from turns_table(found)
    linked = [f"[{text}](<{url}>)" for text, url in _linked(links)]
    if linked:
        yield " · ".join(linked)
        yield ""


def _linked(links: Links) -> Iterator[tuple[str, str]]:
    for text, url in (("The reports", links.report), ("The job", links.run)):
        if url.startswith(("https://", "http://")) and not set(url) & set(" <>\n\r\\"):
            yield text, url


def _all_of(found: Round) -> Iterator[str]:
    for verdict in found.verdicts:
        yield from objectives(verdict)
    yield from _below_the_fold(found)
    for verdict in found.verdicts:
        yield from checklist(verdict)


def _below_the_fold(found: Round) -> Iterator[str]:
    items = _unwell(found.verdicts)
    if items:
        yield "### What failed"
        yield ""
        yield from (_line(item) for item in items)
        yield ""
    yield from unverified(found.verdicts)


def _unwell(verdicts: Iterable[Verdict]) -> list[ItemReport]:
    return [item for verdict in verdicts for item in words.unwell(verdict)]


def _line(item: ItemReport) -> str:
    sign, told = words.STATUSES[item.status]
    mend = f" → {unlinked(item.remedy.title)}: {unlinked(' '.join(item.remedy.steps))}" if item.remedy else ""
    why = unlinked(item.message)
    return f"- {sign} **{unlinked(item.title)}** {told} ({code(item.id)}): {why}{mend}"


def _of_item(level: str, item: ItemReport, places: Mapping[str, Place]) -> str:
    title = f"{item.id}: {words.STATUSES[item.status][1]}"
    return _command(level, title, item.message or item.title, places.get(item.id))


def _command(level: str, title: str, message: str, place: Place | None = None) -> str:
    """One workflow command on one line, in which nothing begins another."""
    about = {"file": place.file, "line": str(place.line)} if place else {}
    told = {**about, "title": one_line(title, _TITLE)}
    properties = ",".join(f"{name}={_property(value)}" for name, value in told.items())
    return f"::{level} {properties}::{_data(one_line(message, _MESSAGE))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _told(turn: Turn) -> str:
    if turn.verdict is None or turn.why:
        return turn.why
    return f"{words.CALLS[turn.verdict.recommendation]}: {turn.verdict.headline}"

"""GitHub output for a round of runs: step summary, annotations, outputs and the commit comment.

Limits: 1 MiB for a step's summary, ten annotations of each level a step, 65,536 characters for a comment.
Sources: docs.github.com, workflow commands; the runner's ActionCommandManager for the escaping rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kamiyo_verify.model.history.round import Round, Turn
from kamiyo_verify.model.verdict import ItemReport, Verdict
from kamiyo_verify.model.words import Action, Status
from kamiyo_verify.reporting import words
from kamiyo_verify.reporting.github_parts import (
    checklist,
    cut,
    entry_of,
    grounds,
    objectives,
    turns_table,
    unverified,
)
from kamiyo_verify.reporting.inert import one_line
from kamiyo_verify.reporting.markup import code, unlinked

SUMMARY_BYTES = 1024 * 1024
COMMENT_CHARACTERS = 65_536
ANNOTATIONS = 10
"""Annotations of each level; GitHub silently drops the others of a step."""

ADVISORY = "Advisory: the job succeeds whatever the call is. Set `advisory: false` to let it fail."

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
    """Links to more details; "" if unknown.

    Attributes:
        run: the URL of the job.
        report: the URL of the reports, for download.
    """

    run: str = ""
    report: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A file and line in the repository."""

    file: str
    line: int


def summary_md(found: Round, links: Links = Links(), *, advisory: bool = False) -> str:
    """Format the step summary: the recommendation and its reasons, then all details.

    Args:
        found: the round.
        links: links to more details.
        advisory: the job succeeds whatever the recommendation is.
    """
    note = [f"> {ADVISORY}", ""] if advisory else []
    return cut([*_head(found, links), *note, *_all_of(found)], SUMMARY_BYTES, lambda text: len(text.encode()))


def comment_md(found: Round, links: Links = Links(), *, mark: str = "") -> str:
    """Format the comment: the recommendation and its reasons.

    Args:
        found: the round.
        links: links to more details.
        mark: an invisible mark by which the comment can be found and updated.
    """
    hidden = [mark_of(mark)] if mark else []
    return cut([*hidden, *_head(found, links), *_below_the_fold(found)], COMMENT_CHARACTERS, len)


def mark_of(mark: str) -> str:
    """Format the invisible line by which a comment can be found."""
    kept = "".join(letter for letter in mark if letter.isalnum() or letter in "._/")
    return f"<!-- kamiyo-verify {kept} -->"


def annotated(found: Round, places: Mapping[str, Place]) -> tuple[str, ...]:
    """Return workflow commands: an error for each failed item, a warning for each item not measured.

    The first command gives the recommendation.

    Args:
        found: the round.
        places: where items are defined, by their ids.
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


def add_mask(value: str) -> str:
    """Format the workflow command that masks a value in the rest of the job's log.

    GitHub does not echo this command. Source: docs.github.com, "Masking a value in a log".
    """
    return f"::add-mask::{_data(value)}"


def warning(title: str, message: str) -> str:
    """Format a warning as a workflow command."""
    return _command("warning", title, message)


def outputs(found: Round, *, report: str) -> dict[str, str]:
    """Return the outputs for later steps; each value is a single line."""
    return {
        "recommendation": found.recommendation.value,
        "exit-code": str(found.recommendation.exit_code),
        "commit": one_line(found.commit),
        "report": one_line(report, 4_000),
    }


def in_plain_text(found: Round) -> str:
    """Format the recommendation and its reasons for logs without markup."""
    entry = entry_of(found)
    lines = [f"{words.CALLS[found.recommendation]}: {entry.subject}", f"  {one_line(entry.headline)}"]
    lines += [f"  {turn.phase}: {one_line(_describe(turn))}" for turn in found.turns]
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
    sign, label = words.STATUSES[item.status]
    mend = f" → {unlinked(item.remedy.title)}: {unlinked(' '.join(item.remedy.steps))}" if item.remedy else ""
    why = unlinked(item.message)
    return f"- {sign} **{unlinked(item.title)}** {label} ({code(item.id)}): {why}{mend}"


def _of_item(level: str, item: ItemReport, places: Mapping[str, Place]) -> str:
    title = f"{item.id}: {words.STATUSES[item.status][1]}"
    return _command(level, title, item.message or item.title, places.get(item.id))


def _command(level: str, title: str, message: str, place: Place | None = None) -> str:
    """Format one workflow command on one line, escaped so that its text cannot start another command."""
    about = {"file": place.file, "line": str(place.line)} if place else {}
    fields = {**about, "title": one_line(title, _TITLE)}
    properties = ",".join(f"{name}={_property(value)}" for name, value in fields.items())
    return f"::{level} {properties}::{_data(one_line(message, _MESSAGE))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _describe(turn: Turn) -> str:
    if turn.verdict is None or turn.why:
        return turn.why
    return f"{words.CALLS[turn.verdict.recommendation]}: {turn.verdict.headline}"

"""The verdict of several places, for the terminal and as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from kamiyo_verify.model.places.places import PlaceReport
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.reporting import summary, words
from kamiyo_verify.reporting.inert import one_line
from kamiyo_verify.reporting.markup import plain

_LABEL = 14
_WIDTH = 110
_PLACES = 6


def places_lines(verdict: Verdict, report: str) -> Iterator[str]:
    """Yield at most twelve lines: the call, what to do, what goes back, each place, and the file."""
    commit = f" · commit {verdict.commit[:12]}" if verdict.commit else ""
    yield one_line(f"{verdict.project} · {verdict.environment} · {verdict.phase}{commit}", _WIDTH)
    yield _line(words.CALLS[verdict.recommendation], verdict.headline)
    yield _line("  Do", verdict.next_step)
    if back := "; ".join(summary.goes_back(verdict)):
        yield _line("  Goes back", back)
    shown = verdict.places if len(verdict.places) <= _PLACES else verdict.places[: _PLACES - 1]
    for number, place in enumerate(shown):
        yield _line("" if number else "Places", _describe(place))
    if more := len(verdict.places) - len(shown):
        yield _line("", f"and {more} more, in the report")
    yield f"{'Report':<{_LABEL}}{one_line(report)}"


def places_md(verdict: Verdict) -> str:
    """Format the call and a table of the places."""
    rows = (_row(one) for one in verdict.places)
    named = ((f"{one.item}: " if one.item else "", one.message) for one in verdict.reasons)
    grounds = [f"- {plain(item + message)}" for item, message in named]
    return "\n".join(
        [
            f"# {plain(verdict.project)} {plain(verdict.environment)}: several places",
            "",
            f"**{words.CALLS[verdict.recommendation]}**: {plain(verdict.headline)}",
            "",
            f"- Do: {plain(verdict.next_step)}",
            *(f"- Goes back: {plain(one)}" for one in summary.goes_back(verdict)),
            "",
            "| Place | Its own call | Counts | Why | Ended |",
            "| --- | --- | --- | --- | --- |",
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
            *grounds,
            "",
        ]
    )


def _row(place: PlaceReport) -> tuple[str, ...]:
    return (
        plain(place.place or "no name"),
        words.CALLS[place.recommendation],
        plain((place.left_out and f"no: {place.left_out}") or "yes"),
        plain(place.headline),
        words.moment(place.finished_at),
    )


def _describe(place: PlaceReport) -> str:
    why = f"left out: {place.left_out}" if place.left_out else place.headline
    return f"{place.place or 'no name'}: {words.CALLS[place.recommendation]}, {why}"


def _line(label: str, text: str) -> str:
    kept = textwrap.shorten(one_line(text, 4 * _WIDTH), _WIDTH - _LABEL, placeholder=" …")
    return f"{label:<{_LABEL}}{kept}"

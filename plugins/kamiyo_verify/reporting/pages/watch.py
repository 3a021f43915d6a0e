"""The page of a watch: where it stands, as one page that makes no request but for itself."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from jinja2 import Environment

from kamiyo_verify.model.history.watch import EventKind, WatchView
from kamiyo_verify.model.words import Action
from kamiyo_verify.reporting import html, words
from kamiyo_verify.reporting.templating import TEMPLATES, templates

REFRESHED_S = 5
"""Seconds after which a browser loads the page of a watch that goes on again."""

_MOST_EVENTS = 100
_MOST_ROUNDS = 20

_TONES = {
    EventKind.CALLED: "failed",
    EventKind.UPGRADED: "failed",
    EventKind.WITHDRAWN: "passed",
    EventKind.OPENED: "error",
    EventKind.PASSED: "passed",
    EventKind.OUTAGE: "error",
    EventKind.GAP: "unverified",
}


def watch_html(view: WatchView, *, reports: frozenset[int] = frozenset()) -> str:
    """Render the whole page.

    Args:
        view: what is shown.
        reports: the numbers of the rounds whose report can be opened.
    """
    state = view.state
    call = state.call if state.rounds and not view.over else state.final
    numbers = range(state.rounds, max(0, state.rounds - _MOST_ROUNDS), -1)
    return (
        _templates()
        .get_template("watch.html")
        .render(
            view=view,
            call=call,
            title=_title(view, call),
            since_s=_since_s(view),
            events=[*reversed(state.events)][:_MOST_EVENTS],
            earlier=max(0, len(state.events) - _MOST_EVENTS),
            reports=[number for number in numbers if number in reports],
            css=_css(),
        )
    )


def _title(view: WatchView, call: Action) -> str:
    if view.over:
        return words.CALLS[call]
    if not view.state.rounds:
        return "THE FIRST ROUND RUNS"
    return "WELL SO FAR" if call is Action.PROCEED else words.CALLS[call]


def _since_s(view: WatchView) -> float:
    """The time from the beginning of the watch to the end of its latest round."""
    if view.latest is None:
        return 0.0
    began, ended = (datetime.fromisoformat(at) for at in (view.plan.started_at, view.latest.finished_at))
    return max(0.0, (ended - began).total_seconds())


@cache
def _css() -> str:
    return html.css() + (TEMPLATES / "history.css").read_text(encoding="utf-8")


@cache
def _templates() -> Environment:
    return templates(tones=_TONES, refreshed_s=REFRESHED_S)

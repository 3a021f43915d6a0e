"""Visit all places at the same time, say how far each is, and end all of them together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from kamiyo_verify.cli.places.here import GRACE_S
from kamiyo_verify.cli.places.visit import Visit
from kamiyo_verify.model.figures import duration, listed
from kamiyo_verify.processes.terminate import interrupted_by_terminate
from kamiyo_verify.reporting import words

_EVERY_S = 15.0
_POLL_S = 0.1
_PATIENCE_S = GRACE_S + 10
"""Seconds in which a place that is asked to end can do so, before its connection is cut."""


class Interrupted(Exception):
    """The command was interrupted, and the places were ended; the message says whether all confirmed it."""


def visit_all(
    visits: Sequence[Visit], within_s: float, say: Callable[[str], None], every_s: float = _EVERY_S
) -> None:
    """Visit all places, and return once each has ended or was left out.

    Args:
        visits: none of them has started.
        within_s: seconds that a place may take.
        say: prints a line.
        every_s: seconds between two lines of a place that is still running.

    Raises:
        Interrupted: by Ctrl-C or SIGTERM.
    """
    wide = max((len(visit.remote.name) for visit in visits), default=0)
    with interrupted_by_terminate():
        try:
            for visit in visits:
                visit.start()
                say(f"{visit.remote.name:<{wide}}  started: {visit.remote.address}")
            _wait(visits, within_s, lambda visit, text: say(f"{visit.remote.name:<{wide}}  {text}"), every_s)
        except KeyboardInterrupt:
            raise Interrupted(_end_all(visits, say)) from None


def _wait(
    visits: Sequence[Visit], within_s: float, say: Callable[[Visit, str], None], every_s: float
) -> None:
    began = time.monotonic()
    waiting, next_line = [*visits], began + every_s
    while waiting:
        now = time.monotonic()
        for visit in [visit for visit in waiting if visit.finished.is_set()]:
            waiting.remove(visit)
            say(visit, _describe(visit))
        if now - began > within_s:
            for visit in waiting:
                visit.stop(f"it was not done after {duration(within_s)}")
        if now - began > within_s + _PATIENCE_S:
            for visit in waiting:
                visit.kill()
        if now >= next_line:
            next_line += every_s
            for visit in waiting:
                say(visit, f"running for {duration(round(now - began))}")
        if waiting:
            waiting[0].finished.wait(_POLL_S)


def _describe(visit: Visit) -> str:
    took = duration(round(visit.took_s, 1))
    if visit.verdict is None:
        return f"left out after {took}: {visit.left_out}"
    call = words.CALLS[visit.verdict.recommendation]
    return f"ended after {took}: {call} (exit code {visit.verdict.exit_code})"


def _end_all(visits: Sequence[Visit], say: Callable[[str], None]) -> str:
    """End the runs at all places; return in words whether they have ended."""
    running = [visit for visit in visits if visit.started and not visit.finished.is_set()]
    try:
        for visit in running:
            visit.stop("it was interrupted")
        say(f"ending the runs at {listed(visit.remote.name for visit in running)}")
        until = time.monotonic() + _PATIENCE_S
        while time.monotonic() < until and not all(visit.finished.is_set() for visit in running):
            time.sleep(_POLL_S)
    except KeyboardInterrupt:
        pass
    unknown = [visit.remote.name for visit in running if not visit.finished.is_set()]
    for visit in running:
        visit.kill()
    if unknown:
        return f"whether the runs at {listed(unknown)} have ended is not known: they end without a connection"
    return "the runs at all places have ended"

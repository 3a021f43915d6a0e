"""Export a call that no single run has made: that of a CI job, of a watch or of several places."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.hooks.session_end.exports import is_sent, write_files
from kamiyo_verify.hooks.session_end.publishing import ExportedVerdict, publish, systems
from kamiyo_verify.model.outside.own_job import run_url
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Phase
from kamiyo_verify.reporting.exports.prometheus import prometheus_text


def export_call(
    environment: Environment,
    verdict: Verdict,
    words: Sequence[str] = (),
    folder: Path | None = None,
    phases: str = "",
) -> Iterator[str]:
    """Export a call as a run exports its own; yield a line for whatever was not written or sent.

    Args:
        environment: names the files and the systems, and the phases whose calls are sent.
        verdict: without secrets.
        words: pytest's arguments of the runs, which may hold --notify, --no-notify, --fault or --baseline.
        folder: receives the files; None if they are not wanted.
        phases: what was selected, joined by "+", for a verdict that names none.
    """
    metrics = partial(prometheus_text, verdict)
    exported = ExportedVerdict(verdict, run_url(os.environ), metrics, started={})
    for problem in write_files(environment.exports, folder, verdict, metrics) if folder else ():
        yield f"Export       not written; the call does not change: {problem}"
    if is_call_sent(environment, verdict.phase or phases, words):
        for problem in publish(environment, [*systems(environment, exported)]):
            yield f"Export       not sent; the call does not change: {problem}"


def phases_in(words: Sequence[str]) -> str:
    """Return the phases that these arguments of pytest name, joined by "+"."""
    named = (phase for phase in Phase if any(re.search(rf"\b{phase}\b", word) for word in words))
    return "+".join(named)


def is_call_sent(environment: Environment, phases: str, words: Sequence[str]) -> bool:
    """Return whether the call of these phases, joined by "+", is sent to other systems.

    Args:
        environment: says which phases are.
        phases: of the runs.
        words: pytest's arguments of the runs.
    """
    notify, drill = choices_in(words)
    return is_sent(environment.exports, phases.split("+"), drill=drill, notify=notify)


def choices_in(words: Sequence[str]) -> tuple[bool | None, bool]:
    """Return what these arguments of pytest say of --notify, or None; and whether the runs are a drill."""
    names = [word.partition("=")[0] for word in words]
    chosen = [name for name in names if name in {"--notify", "--no-notify"}]
    drill = any(name in {"--fault", "--baseline"} for name in names)
    return chosen[-1] == "--notify" if chosen else None, drill

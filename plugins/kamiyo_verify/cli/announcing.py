"""Announce in a team's channels a call that several runs make together, as a run announces its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from kamiyo_verify.cli.exporting import choices_in
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import load_runbook
from kamiyo_verify.hooks.session_end.notifications import Announcer, deployment, is_announced
from kamiyo_verify.model.outside.own_job import run_url
from kamiyo_verify.model.words import Phase


def call_announcer(
    environment: Environment,
    runbook: Path,
    mask: Callable[[str], str],
    words: Sequence[str],
    *,
    phases: str,
    commit: str,
    page: Path,
) -> Announcer | None:
    """Return what announces such a call; None if it is announced in no channel.

    Args:
        environment: has the channels, and says when they are used.
        runbook: the path of runbook.toml, which has the templates.
        mask: masks secrets.
        words: pytest's arguments of the runs, which may hold --notify, --no-notify, --fault or --baseline.
        phases: what is run, joined by "+".
        commit: what was deployed.
        page: the page of the call, which a message names.

    Raises:
        ConfigurationError: the channels are used, and the runbook cannot be read.
    """
    table = environment.notifications
    named = tuple(Phase(name) for name in phases.split("+") if name)
    notify, drill = choices_in(words)
    if not is_announced(table, named, drill=drill, notify=notify):
        return None
    report = run_url(os.environ) or os.path.relpath(page)
    known = deployment(environment, named, commit=commit, report=report)
    return Announcer(table, load_runbook(runbook), known, mask)

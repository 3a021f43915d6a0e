"""Announce in a team's channels a call that several runs make together, as a run announces its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from kamiyo_verify.cli.exporting import choices_in
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import load_runbook
from kamiyo_verify.hooks.session_end.notifications import deployment, is_announced, masked, undelivered
from kamiyo_verify.model.notifications import Message
from kamiyo_verify.model.outside.own_job import run_url
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Phase
from kamiyo_verify.notifications import announcements
from kamiyo_verify.notifications.channels import Channels


class CallAnnouncer:
    """Announces the beginning of such runs and their call.

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

    def __init__(
        self,
        environment: Environment,
        runbook: Path,
        mask: Callable[[str], str],
        words: Sequence[str],
        *,
        phases: str,
        commit: str,
        page: Path,
    ) -> None:
        table = environment.notifications
        named = tuple(Phase(name) for name in phases.split("+") if name)
        notify, drill = choices_in(words)
        self._tell = table.tell if is_announced(table, named, drill=drill, notify=notify) else ()
        self._channels = Channels(table)
        self._mask = mask
        if self._tell:
            self._runbook = load_runbook(runbook)
            report = run_url(os.environ) or os.path.relpath(page)
            self._deployment = deployment(environment, named, commit=commit, report=report)

    def begin(self) -> None:
        """Announce that the runs begin."""
        if self._tell:
            self._announce(announcements.start(self._runbook, self._deployment))

    def finish(self, verdict: Verdict) -> str:
        """Announce the call; return which channels did not accept a message, and why, or ""."""
        if not self._tell:
            return ""
        try:
            self._announce(announcements.outcome(self._runbook, self._deployment, verdict))
            return undelivered(self._channels.deliveries())
        except Exception as error:  # noqa: BLE001 - a call does not depend on its announcement
            return f"{type(error).__name__}: {error}"

    def _announce(self, message: Message) -> None:
        if message.moment in self._tell:
            self._channels.tell(masked(message, self._mask))

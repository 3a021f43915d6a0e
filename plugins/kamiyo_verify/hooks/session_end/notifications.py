"""Notify a team's channels of the start and the result of a run; never delays the verdict."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.hooks.selection import Selection
from kamiyo_verify.model.notifications import Delivery, Message, Notifications
from kamiyo_verify.model.outside.own_job import run_url, started_by
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Phase
from kamiyo_verify.notifications import announcements
from kamiyo_verify.notifications.announcements import Deployment
from kamiyo_verify.notifications.channels import Channels
from kamiyo_verify.rollback.actor import login


class Announcer:
    """Announces the beginning and the call of one deployment in an environment's channels.

    Args:
        table: has the channels, and the moments at which they are used.
        runbook: has the templates.
        deployment: what is known before the verdict.
        mask: masks secrets.
    """

    def __init__(
        self, table: Notifications, runbook: Runbook, deployment: Deployment, mask: Callable[[str], str]
    ) -> None:
        self._table = table
        self._runbook = runbook
        self._deployment = deployment
        self._mask = mask
        self._channels = Channels(table)

    def begin(self) -> None:
        """Announce the beginning."""
        self._announce(announcements.start(self._runbook, self._deployment))

    def finish(self, verdict: Verdict) -> str:
        """Announce the call; return which channels did not accept a message, and why, or ""."""
        try:
            self._announce(announcements.outcome(self._runbook, self._deployment, verdict))
            return undelivered(self._channels.deliveries())
        except Exception as error:  # noqa: BLE001 - a verdict does not depend on notifications
            return f"{type(error).__name__}: {error}"

    def _announce(self, message: Message) -> None:
        if message.moment in self._table.tell:
            self._channels.tell(masked(message, self._mask))


class Notifying:
    """Sends the notifications of a run, in the controller process."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._announcer: Announcer | None = None

    def begin(self, selection: Selection) -> None:
        """Decide from the selection whether to notify, and send the start notification."""
        run = self._run
        if not selection.chosen or not _wanted(run, selection):
            return
        report = report_link(run.configured, run.report_dir)
        known = deployment(run.configured, selection.phases, commit=run.options.commit, report=report)
        self._announcer = Announcer(run.configured.notifications, run.runbook, known, run.masker.text)
        self._announcer.begin()

    def finish(self, verdict: Verdict) -> str:
        """Send the result; return which channels did not accept a message, and why, or ""."""
        return self._announcer.finish(verdict) if self._announcer is not None else ""


def deployment(
    environment: Environment,
    phases: tuple[Phase, ...] = (),
    *,
    commit: str = "",
    branch: str = "",
    report: str = "",
) -> Deployment:
    """Return the facts of a deployment that are known before the verdict."""
    return Deployment(
        project=environment.title,
        environment=environment.name,
        phases=phases,
        commit=commit,
        branch=branch,
        who=started_by(os.environ) or login(),
        urls=environment.public,
        report=report,
    )


def masked(message: Message, mask: Callable[[str], str]) -> Message:
    """Return the message with secrets masked."""
    lines = tuple(mask(line) for line in message.lines)
    return Message(message.moment, mask(message.title), lines, mask(message.more))


def undelivered(deliveries: tuple[Delivery, ...]) -> str:
    """Return which channels did not accept a message, each once, and why; "" if all did."""
    problems = {str(one): one.problem for one in deliveries if one.problem}
    return "; ".join(f"{channel} {problem}" for channel, problem in problems.items())


def report_link(environment: Environment, folder: Path | None) -> str:
    """Return the report's address: a URL of the environment, the CI page, or a path; "" without a report."""
    if folder is None:
        return ""
    if environment.notifications.report_url:
        return f"{environment.notifications.report_url}/{folder.name}/report.html"
    return run_url(os.environ) or os.path.relpath(folder / "report.html")


def is_announced(table: Notifications, phases: Iterable[Phase], *, drill: bool, notify: bool | None) -> bool:
    """Return whether a run of these phases is announced in channels.

    Args:
        table: the environment's [notifications].
        phases: of the run.
        drill: whether it is one.
        notify: what the command line wants, or None.
    """
    if notify is not None or not table.channels:
        return bool(notify) and bool(table.channels)
    return (table.drills or not drill) and any(phase in table.phases for phase in phases)


def _wanted(run: Run, selection: Selection) -> bool:
    drill = bool(run.options.faults) or run.options.baseline
    table = run.configured.notifications
    return is_announced(table, selection.phases, drill=drill, notify=run.options.notify)

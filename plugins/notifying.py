"""Tells a team's channels of a run: when it begins, and what came of it. The verdict never waits for them."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

import pytest

from plugins.channels import Channels
from plugins.model.environment import Environment
from plugins.model.notifications import Delivery, Message, Moment
from plugins.model.verdict import Verdict
from plugins.model.words import Phase
from plugins.run import Run
from plugins.selection import Selection
from plugins.writers import announcements
from plugins.writers.announcements import Deployment


class NotifyingPlugin:
    """Tells of a run, in the process that began it.

    Args:
        run: the run.
        verdict: what it concluded, without secrets; None before that.
    """

    def __init__(self, run: Run, verdict: Callable[[], Verdict | None]) -> None:
        self._run = run
        self._verdict = verdict
        self._table = run.configured.notifications
        self._channels = Channels(self._table)
        self._told_of: Deployment | None = None

    def begin(self, selection: Selection) -> None:
        """What the run is about is known: decide whether anybody is told of it, and tell that it begins."""
        if not selection.chosen or not _wanted(self._run, selection):
            return
        commit = self._run.options.commit
        report = report_link(self._run.configured, self._run.report_dir)
        self._told_of = deployment(self._run.configured, selection.phases, commit=commit, report=report)
        self._tell(Moment.START, announcements.start(self._run.runbook, self._told_of))

    # Outside the verdict's own, which is first otherwise: by then all of the report is written and told.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        """Tell what came of it, and say which channels did not take what they were told."""
        yield
        verdict, told_of = self._verdict(), self._told_of
        if verdict is None or told_of is None:
            return
        try:
            message = announcements.outcome(self._run.runbook, told_of, verdict)
            self._tell(message.moment, message)
            problem = untold(self._channels.deliveries())
        except Exception as error:  # noqa: BLE001 - a verdict does not depend on who hears of it
            problem = f"{type(error).__name__}: {error}"
        except KeyboardInterrupt:
            problem = "the wait for the channels was interrupted"
        if problem and session.config.pluginmanager.getplugin("terminalreporter") is not None:
            line = f"Notify       not told, which changes nothing above: {problem}"
            session.config.get_terminal_writer().line(self._run.masker.text(line))

    def _tell(self, moment: Moment, message: Message) -> None:
        if moment in self._table.tell:
            self._channels.tell(masked(message, self._run.masker.text))


def deployment(
    environment: Environment,
    phases: tuple[Phase, ...] = (),
    *,
    commit: str = "",
    branch: str = "",
    report: str = "",
) -> Deployment:
    """What is known of a deployment before it has a verdict."""
    return Deployment(
        project=environment.title,
        environment=environment.name,
        phases=phases,
        commit=commit,
        branch=branch,
        who=who_began(os.environ),
        api_url=environment.api.url,
        frontend_url=environment.frontend.url,
        report=report,
    )


def masked(message: Message, mask: Callable[[str], str]) -> Message:
    """The message without secrets."""
    lines = tuple(mask(line) for line in message.lines)
    return Message(message.moment, mask(message.title), lines, mask(message.more))


def untold(deliveries: tuple[Delivery, ...]) -> str:
    """Which channels did not take a message, each once, and why; "" where all did."""
    problems = {str(one): one.problem for one in deliveries if one.problem}
    return "; ".join(f"{channel} {problem}" for channel, problem in problems.items())


def report_link(environment: Environment, folder: Path | None) -> str:
    """Where a person can open the report: by the environment's address, at the CI, or as a path."""
    if folder is None:
        return ""
    if environment.notifications.report_url:
        return f"{environment.notifications.report_url}/{folder.name}/report.html"
    return ci_run(os.environ) or os.path.relpath(folder / "report.html")


def ci_run(variables: Mapping[str, str]) -> str:
    """The page of the CI's run that this is, or ""; GitHub's, GitLab's and most others' own variables."""
    if variables.get("GITHUB_RUN_ID"):
        server, repository = variables.get("GITHUB_SERVER_URL", ""), variables.get("GITHUB_REPOSITORY", "")
        return f"{server}/{repository}/actions/runs/{variables['GITHUB_RUN_ID']}"
    return variables.get("CI_JOB_URL") or variables.get("BUILD_URL") or ""


def who_began(variables: Mapping[str, str]) -> str:
    """Who began a run: by the CI's own word, else who is logged in; "" where nobody is."""
    told = variables.get("GITHUB_ACTOR") or variables.get("GITLAB_USER_LOGIN")
    try:
        return told or getpass.getuser()
    except (KeyError, OSError):
        return ""


def _wanted(run: Run, selection: Selection) -> bool:
    asked, table = run.options.notify, run.configured.notifications
    if asked is not None or not table.channels:
        return bool(asked) and bool(table.channels)
    drill = bool(run.options.faults) or run.options.baseline
    return (table.drills or not drill) and any(phase in table.phases for phase in selection.phases)

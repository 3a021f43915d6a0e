"""Changes by the team's own commands, for rollbacks: each ends as accepted, refused or of unknown result."""

from __future__ import annotations

from collections.abc import Mapping

from kamiyo_verify.integrations.command.hosting import CommandHosting
from kamiyo_verify.integrations.command.runner import Runner, read
from kamiyo_verify.integrations.command.settings import Command
from kamiyo_verify.model.hosting.rollback import CallOutcome, CallResult
from kamiyo_verify.model.hosting.services import Deploy, Neutral, ServiceState
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

_NOTHING_CHANGED = 2
"""The exit code with which a command says that it changed nothing."""


class BegunPrinted(Neutral):
    """What the command `roll_back` prints: the deploy that it began, if the host names it."""

    deploy: str = ""


class CommandGateway:
    """Reads and changes the host.

    Args:
        table: the environment's [command].
        ids: the host's id of each service, by name.
        runner: runs the commands.
    """

    def __init__(self, table: Command, ids: Mapping[str, str], runner: Runner) -> None:
        self._table = table
        self._ids = dict(ids)
        self._runner = runner
        self._hosting = CommandHosting(table, ids, runner)

    @property
    def services(self) -> tuple[str, ...]:
        """The services in this environment's hosting configuration."""
        return self._hosting.services

    def state(self, service: str) -> ServiceState:
        """The current state of a service. Raises `NoAnswer`."""
        return self._hosting.state(service)

    def deploy(self, service: str, deploy_id: str) -> Deploy:
        """One deploy. Raises `NoAnswer`."""
        return self._hosting.deploy(service, deploy_id)

    def switch_auto_deploy_off(self, service: str) -> CallResult:
        """Stop automatic deploys of pushes."""
        return self._change("auto_deploy_off", self._table.auto_deploy_off, {"service": self._ids[service]})

    def roll_back(self, service: str, deploy_id: str) -> CallResult:
        """Start a rollback to an earlier deploy."""
        values = {"service": self._ids[service], "deploy": deploy_id}
        return self._change("roll_back", self._table.roll_back, values)

    def close(self) -> None:
        """Nothing is open."""

    def _change(self, key: str, words: tuple[str, ...], values: Mapping[str, str]) -> CallResult:
        if not words:
            return CallResult(CallOutcome.REFUSED, why=f"[command] has no {key}")
        try:
            ran = self._runner.change(words, values)
        except NoAnswer as problem:
            never_ran = problem.kind is NoAnswerKind.UNUSABLE
            return CallResult(CallOutcome.REFUSED if never_ran else CallOutcome.LOST, why=str(problem))
        if ran.code == _NOTHING_CHANGED:
            return CallResult(CallOutcome.REFUSED, why=ran.last_line)
        if ran.code != 0:
            why = f"{ran.command} ended with exit code {ran.code}: {ran.last_line}"
            return CallResult(CallOutcome.LOST, why=why)
        try:
            return CallResult(CallOutcome.ACCEPTED, read(ran, BegunPrinted).deploy)
        except NoAnswer:
            return CallResult(CallOutcome.ACCEPTED)

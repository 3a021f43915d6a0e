"""Changes on Render for a rollback: each call ends as accepted, refused or of unknown result."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.render.client import Render
from kamiyo_verify.integrations.render.control import RenderControl
from kamiyo_verify.integrations.render.hosting import RenderHosting
from kamiyo_verify.integrations.render.settings import Render as Table
from kamiyo_verify.model.hosting.rollback import CallOutcome, CallResult
from kamiyo_verify.model.hosting.services import Deploy, ServiceState
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange
from kamiyo_verify.model.settings import Timeouts

CALL_S = 60.0
"""Seconds for one request, including waits for Render's rate limit."""

_TOO_LATE = 408
"""The server stopped waiting for the rest of a request; a server behind it may have received all of it."""

_NEVER_SENT = {NoAnswerKind.NAME, NoAnswerKind.REFUSED, NoAnswerKind.UNREACHABLE, NoAnswerKind.TLS}


class RenderGateway:
    """Reads and changes Render.

    Args:
        table: the environment's [render], with its key.
        ids: the id of each service, by name.
        timeouts: of the environment.
    """

    def __init__(self, table: Table, ids: Mapping[str, str], timeouts: Timeouts) -> None:
        self._ids = dict(ids)
        self._last: Exchange | None = None
        context = ClientContext(timeouts, self._note, lambda: CALL_S)
        render = Render(table, context, services=ids)
        self._hosting = RenderHosting(render, table.address, ids, builds_kept=table.builds_kept)
        self._control = RenderControl(table, context)

    @property
    def services(self) -> tuple[str, ...]:
        """The services in this environment's hosting configuration."""
        return self._hosting.services

    def state(self, service: str) -> ServiceState:
        """The current state of a service.

        Raises:
            NoAnswer: Render does not answer.
        """
        return self._hosting.state(service)

    def deploy(self, service: str, deploy_id: str) -> Deploy:
        """One deploy.

        Raises:
            NoAnswer: Render does not answer.
        """
        return self._hosting.deploy(service, deploy_id)

    def switch_auto_deploy_off(self, service: str) -> CallResult:
        """Stop automatic deploys of pushes."""
        return self._call(lambda: self._control.set_auto_deploy(self._ids[service], on=False))

    def roll_back(self, service: str, deploy_id: str) -> CallResult:
        """Start a rollback to an earlier deploy."""
        return self._call(lambda: self._control.roll_back(self._ids[service], deploy_id))

    def close(self) -> None:
        """Close the connections."""
        self._hosting.close()
        self._control.close()

    def _call(self, send: Callable[[], object]) -> CallResult:
        self._last = None
        try:
            answer = send()
        except NoAnswer as problem:
            return CallResult(self._outcome(problem.kind), why=str(problem))
        return CallResult(CallOutcome.ACCEPTED, answer.id if isinstance(answer, Deploy) else "")

    def _outcome(self, kind: NoAnswerKind) -> CallOutcome:
        """REFUSED for a 4xx except 408, or an unsent request: nothing changed. Otherwise LOST: unknown."""
        status = self._last.status if self._last else None
        if status is None:
            never_sent = kind in _NEVER_SENT or self._last is None
            return CallOutcome.REFUSED if never_sent else CallOutcome.LOST
        refused = 400 <= status < 500 and status != _TOO_LATE
        return CallOutcome.REFUSED if refused else CallOutcome.LOST

    def _note(self, exchange: Exchange) -> None:
        self._last = exchange

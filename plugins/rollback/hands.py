"""Looks at Render and acts on it; and says of each call whether it was accepted, refused, or lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from plugins.clients.render import Render
from plugins.clients.render_control import RenderControl
from plugins.model.environment import Timeouts
from plugins.model.hosting import Deploy
from plugins.model.outcomes import NoAnswer, NoAnswerKind
from plugins.model.outside import Render as Table
from plugins.model.result import Exchange
from plugins.model.rollback import Sending, Sent, Standing, Target
from plugins.model.words import WebService

CALL_S = 60.0
"""How long one question or call may take, with all that Render's rate limit makes it wait."""

_TOO_LATE = 408
"""Who answers so had waited for the rest of a request; what is behind it may have heard all of it."""

_NEVER_SENT = {NoAnswerKind.NAME, NoAnswerKind.REFUSED, NoAnswerKind.UNREACHABLE, NoAnswerKind.TLS}


class Hands(Protocol):
    """What an executor needs of a hosting."""

    def look(self, service: WebService) -> Standing:
        """How a service stands now. Raises `NoAnswer` where that is not told."""

    def deploy(self, target: Target, deploy_id: str) -> Deploy:
        """One deploy. Raises `NoAnswer`."""

    def switch_off(self, target: Target) -> Sent:
        """Auto-deploy off."""

    def roll_back(self, target: Target) -> Sent:
        """Begin to go back."""


class RenderHands:
    """Render's.

    Args:
        table: the environment's [render], with its key.
        timeouts: of the environment.
    """

    def __init__(self, table: Table, timeouts: Timeouts) -> None:
        self._table = table
        self._last: Exchange | None = None
        self._ask = Render(table, timeouts=timeouts, record=self._note, remaining=lambda: CALL_S)
        self._act = RenderControl(table, timeouts=timeouts, record=self._note, remaining=lambda: CALL_S)

    def look(self, service: WebService) -> Standing:
        """How a service stands now.

        Raises:
            NoAnswer: Render does not tell.
        """
        service_id = self._table.services[service.value]
        found = self._ask.service(service_id)
        return Standing(
            service=service,
            id=service_id,
            name=found.name,
            dashboard=found.dashboard_url,
            api=f"{self._table.address}/services/{service_id}",
            auto_deploy=found.auto_deploy,
            suspended=found.is_suspended,
            deploys=self._ask.deploys(service_id),
        )

    def deploy(self, target: Target, deploy_id: str) -> Deploy:
        """One deploy.

        Raises:
            NoAnswer: Render does not tell.
        """
        return self._ask.deploy(target.id, deploy_id)

    def switch_off(self, target: Target) -> Sent:
        """Auto-deploy off."""
        return self._sent(lambda: self._act.set_auto_deploy(target.id, on=False))

    def roll_back(self, target: Target) -> Sent:
        """Begin to bring the earlier deploy back."""
        return self._sent(lambda: self._act.roll_back(target.id, target.to))

    def close(self) -> None:
        """Close the connections."""
        self._ask.close()
        self._act.close()

    def _sent(self, call: Callable[[], object]) -> Sent:
        self._last = None
        try:
            answer = call()
        except NoAnswer as problem:
            return Sent(self._fate(problem.kind), why=str(problem))
        return Sent(Sending.ACCEPTED, answer.id if isinstance(answer, Deploy) else "")

    def _fate(self, kind: NoAnswerKind) -> Sending:
        """A 4xx was not carried out, nor what never left here; of anything else nobody can say."""
        status = self._last.status if self._last else None
        if status is None:
            return Sending.REFUSED if kind in _NEVER_SENT or self._last is None else Sending.LOST
        return Sending.REFUSED if 400 <= status < 500 and status != _TOO_LATE else Sending.LOST

    def _note(self, exchange: Exchange) -> None:
        self._last = exchange


def calls_of(target: Target) -> tuple[str, str]:
    """What is sent for a service, in order, as a person can send it: method, address, body; never the key."""
    return (
        f'PATCH {target.api} {{"autoDeploy": "no"}}',
        f'POST {target.api}/rollback {{"deployId": "{target.to}"}}',
    )

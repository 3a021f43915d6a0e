"""What changes something on Render: auto-deploy, rollbacks, deploys; apart, so that no check reaches it."""

from __future__ import annotations

from typing import Unpack

from plugins.clients.manner import Manner
from plugins.clients.render_access import id_hint, open_service, path_of
from plugins.model.hosting import Deploy, Service
from plugins.model.outside import Render as Table

_CREATED = frozenset({201})
_CREATED_OR_QUEUED = frozenset({201, 202})


class RenderControl:
    """Acts on Render. Every method raises `NoAnswer` where Render does not do as asked.

    Args:
        table: the environment's [render].
        manner: how to ask, see `Manner`.
    """

    def __init__(self, table: Table, **manner: Unpack[Manner]) -> None:
        self._table = table
        self._service = open_service(table, **manner)

    def set_auto_deploy(self, service_id: str, *, on: bool) -> Service:
        """Let pushes be deployed by themselves, or not; the service as it is then."""
        body = {"autoDeploy": "yes" if on else "no"}
        answer = self._service.send(
            "PATCH", path_of("services", service_id), json=body, hint=id_hint(self._table, service_id)
        )
        return self._service.read(answer, Service)

    def roll_back(self, service_id: str, deploy_id: str) -> Deploy:
        """Bring the build of an earlier deploy back; the new deploy that does so.

        Auto-deploy stays as it is, so that the next push undoes the rollback; the database's schema does too.
        """
        answer = self._service.send(
            "POST",
            path_of("services", service_id, "rollback"),
            json={"deployId": deploy_id},
            accepted=_CREATED,
            hint=f"no such service or deploy: {service_id}, {deploy_id}",
        )
        return self._service.read(answer, Deploy)

    def trigger(self, service_id: str, commit: str = "") -> Deploy | None:
        """Deploy a commit, or the branch's newest; None where Render queued it and names none yet."""
        answer = self._service.send(
            "POST",
            path_of("services", service_id, "deploys"),
            json={"commitId": commit} if commit else {},
            accepted=_CREATED_OR_QUEUED,
            hint=id_hint(self._table, service_id),
        )
        return self._service.read(answer, Deploy) if answer.status == 201 else None

    def cancel(self, service_id: str, deploy_id: str) -> Deploy:
        """Stop a deploy on its way; the deploy as it is then."""
        answer = self._service.send(
            "POST",
            path_of("services", service_id, "deploys", deploy_id, "cancel"),
            hint=f"no such service or deploy: {service_id}, {deploy_id}",
        )
        return self._service.read(answer, Deploy)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

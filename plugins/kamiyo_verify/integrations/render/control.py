"""Write to Render: auto-deploy, rollbacks, deploys; in its own module, so that checks cannot reach it."""

from __future__ import annotations

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.render.access import id_hint, open_service, path_of
from kamiyo_verify.integrations.render.settings import Render as Table
from kamiyo_verify.integrations.render.shapes import RenderDeploy, Service
from kamiyo_verify.model.hosting.services import Deploy

_CREATED = frozenset({201})
_CREATED_OR_QUEUED = frozenset({201, 202})


class RenderControl:
    """Changes Render. Every method raises `NoAnswer` if Render does not carry out the request.

    Args:
        table: the environment's [render].
        context: shared with other clients.
    """

    def __init__(self, table: Table, context: ClientContext) -> None:
        self._table = table
        self._service = open_service(table, context)

    def set_auto_deploy(self, service_id: str, *, on: bool) -> Service:
        """Switch automatic deploys of pushes on or off; return the service afterwards."""
        body = {"autoDeploy": "yes" if on else "no"}
        answer = self._service.send(
            "PATCH", path_of("services", service_id), json=body, hint=id_hint(self._table, service_id)
        )
        return self._service.read(answer, Service)

    def roll_back(self, service_id: str, deploy_id: str) -> Deploy:
        """Deploy the build of an earlier deploy again; return the new deploy.

        Auto-deploy does not change, so the next push undoes the rollback. The database schema stays as well.
        """
        answer = self._service.send(
            "POST",
            path_of("services", service_id, "rollback"),
            json={"deployId": deploy_id},
            accepted=_CREATED,
            hint=f"no such service or deploy: {service_id}, {deploy_id}",
        )
        return self._service.read(answer, RenderDeploy)

    def trigger(self, service_id: str, commit: str = "") -> Deploy | None:
        """Deploy a commit, or the branch's newest; None if Render queued it without an id."""
        answer = self._service.send(
            "POST",
            path_of("services", service_id, "deploys"),
            json={"commitId": commit} if commit else {},
            accepted=_CREATED_OR_QUEUED,
            hint=id_hint(self._table, service_id),
        )
        return self._service.read(answer, RenderDeploy) if answer.status == 201 else None

    def cancel(self, service_id: str, deploy_id: str) -> Deploy:
        """Stop a deploy in progress; return the deploy afterwards."""
        answer = self._service.send(
            "POST",
            path_of("services", service_id, "deploys", deploy_id, "cancel"),
            hint=f"no such service or deploy: {service_id}, {deploy_id}",
        )
        return self._service.read(answer, RenderDeploy)

    def close(self) -> None:
        """Close the connections."""
        self._service.close()

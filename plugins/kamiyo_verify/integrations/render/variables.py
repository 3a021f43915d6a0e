"""The effective variables of a service on Render: its own override those of the groups linked to it.

Source of the precedence: render.com/docs/configure-environment-variables, "Environment groups". The service's
own value wins; among groups, currently that of the group created last, without a guarantee.
"""

from __future__ import annotations

from pydantic import RootModel, SecretStr, model_validator

from kamiyo_verify.http.service import Service
from kamiyo_verify.integrations.render.access import path_of
from kamiyo_verify.integrations.render.pages import ROWS_A_PAGE, Pages, Rows
from kamiyo_verify.model.hosting.data import Shape, Variables
from kamiyo_verify.model.outside.shapes import Moment


class _Variable(Shape):
    key: str
    value: SecretStr


class _Link(Shape):
    id: str


class _Group(Shape):
    id: str
    created_at: Moment
    service_links: tuple[_Link, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _unwrapped(cls, group: object) -> object:
        """Unwrap a group: Render's reference shows plain groups, other lists have cursors; accept both."""
        return group["envGroup"] if isinstance(group, dict) and "envGroup" in group else group


class _GroupVariables(Shape):
    env_vars: tuple[_Variable, ...]


class _Groups(RootModel[tuple[_Group, ...]]):
    pass


def effective(service: Service, pages: Pages, owner: str, service_id: str, hint: str) -> Variables:
    """The effective variables of a service.

    Args:
        service: the client; a confidential one.
        pages: of the same client.
        owner: the workspace.
        service_id: of the service.
        hint: what to verify if there is no such service.

    Raises:
        NoAnswer: Render has no usable answer.
    """
    own = pages.rows(path_of("services", service_id, "env-vars"), Rows[_Variable], hint=hint)
    linked = [
        group
        for group in _groups(service, owner)
        if any(link.id == service_id for link in group.service_links)
    ]
    found: dict[str, SecretStr] = {}
    contested: set[str] = set()
    for group in sorted(linked, key=lambda group: group.created_at):
        answer = service.ask(path_of("env-groups", group.id), _GroupVariables)
        for variable in answer.env_vars:
            if found.get(variable.key, variable.value) != variable.value:
                contested.add(variable.key)
            found[variable.key] = variable.value
    found |= {variable.key: variable.value for variable in own}
    return Variables(found, frozenset(contested - {variable.key for variable in own}))


def _groups(service: Service, owner: str) -> tuple[_Group, ...]:
    params = {"ownerId": owner, "limit": ROWS_A_PAGE}
    groups = service.ask("/env-groups", _Groups, params=params).root
    if len(groups) >= ROWS_A_PAGE:
        service.unusable(f"Render lists {len(groups)} environment groups, and no way to more of them")
    return groups

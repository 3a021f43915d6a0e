"""What a service on Render runs with: its own variables over those of the groups linked to it.

Source of the precedence: render.com/docs/configure-environment-variables, "Environment groups". The service's
own value wins; among groups, currently that of the group created last, without a promise that it stays so.
"""

from __future__ import annotations

from pydantic import RootModel, SecretStr, model_validator

from plugins.clients.render_access import path_of
from plugins.clients.render_pages import ROWS_A_PAGE, Pages, Rows
from plugins.clients.service import Service
from plugins.model.hosting import Shape
from plugins.model.hosting_data import Variables
from plugins.model.platform import Moment


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
    def _unwrapped(cls, told: object) -> object:
        """The description shows groups bare, other lists wrap each row beside a cursor; both are read."""
        return told["envGroup"] if isinstance(told, dict) and "envGroup" in told else told


class _GroupVariables(Shape):
    env_vars: tuple[_Variable, ...]


class _Groups(RootModel[tuple[_Group, ...]]):
    pass


def effective(service: Service, pages: Pages, owner: str, service_id: str, hint: str) -> Variables:
    """The variables that a service runs with.

    Args:
        service: whom to ask; a confidential one.
        pages: of the same.
        owner: the workspace.
        service_id: whose variables.
        hint: what to look at when there is no such service.

    Raises:
        NoAnswer: Render does not tell.
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
        told = service.ask(path_of("env-groups", group.id), _GroupVariables)
        for variable in told.env_vars:
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

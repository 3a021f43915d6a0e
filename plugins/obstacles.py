"""Why an item cannot be checked in an environment, known before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from plugins.clients.chromium import lacking
from plugins.mistakes import table_within
from plugins.model.environment import Environment
from plugins.model.outcomes import NotApplicable, Unverified
from plugins.model.runbook import Item
from plugins.model.tables import Credential
from plugins.model.words import Mutations, Part


def obstacle(
    item: Item, needs: Sequence[str], writes: str, environment: Environment, *, launch_pending: bool = False
) -> Unverified | NotApplicable | None:
    """What stands before a check; None where nothing does.

    Args:
        item: the item that it checks.
        needs: the keys of the credentials, and the names of the tables, without which it cannot be run.
        writes: what it writes to the platform, or "".
        environment: where it would run.
        launch_pending: the platform will be started with the run, and will bring its credentials.
    """
    if item.part is not None and item.part in environment.absent:
        return NotApplicable(f"{environment.name} has no {item.part}")
    if writes and environment.mutations is Mutations.FORBIDDEN:
        return Unverified(f'it would write {writes}, and mutations = "forbidden" in {environment.name}')
    if item.part is Part.BROWSER and (why := lacking(environment.browser.executable)):
        return Unverified(why)
    tables = dict.fromkeys(key.partition(".")[0] for key in needs)
    if absent := [f"[{table}]" for table in tables if getattr(environment, table) is None]:
        return Unverified(f"{environment.name} has no {_listed(absent)}")
    if launch_pending:
        return None
    found = {key: environment.credentials[key] for key in needs if key not in optional_tables()}
    missing = [f"{credential.name} ({key})" for key, credential in found.items() if not credential.present]
    if missing:
        return Unverified(f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} not set")
    return None


@cache
def credential_keys() -> tuple[str, ...]:
    """The key of every credential that an environment can have, such as "api.key"."""
    return tuple(
        f"{table_name}.{name}"
        for table_name, table_field in Environment.model_fields.items()
        if (table := table_within(table_field.annotation)) is not None
        for name, field in table.model_fields.items()
        if field.annotation is Credential
    )


@cache
def optional_tables() -> tuple[str, ...]:
    """The name of every table that an environment can do without, such as "project"."""
    fields = Environment.model_fields.items()
    return tuple(name for name, field in fields if field.default is None and table_within(field.annotation))


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))

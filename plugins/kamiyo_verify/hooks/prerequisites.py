"""Prerequisites of a check: reasons, known before any request, why it cannot run in an environment."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.mistakes import table_within
from kamiyo_verify.integrations.browser import chromium
from kamiyo_verify.integrations.locust.settings import Permission
from kamiyo_verify.model.outcomes import NotApplicable, Unverified
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.model.words import Mutations, Part

if TYPE_CHECKING:
    from kamiyo_verify.model.runbook import Item

ONLY_WITH_LOAD = "only with --load"
"""Why there is no load: an optional item of load is then not applicable, and a required one unverified."""


def obstacle(
    item: Item,
    needs: Sequence[str],
    writes: str,
    environment: Environment,
    *,
    launch_pending: bool = False,
    load: bool = False,
) -> Unverified | NotApplicable | None:
    """Return the reason why a check cannot run; None if it can.

    Args:
        item: the item that it checks.
        needs: keys of required credentials and names of required tables.
        writes: what the check writes to the platform, or "".
        environment: the environment of the run.
        launch_pending: the run will start the platform, which then provides its own credentials.
        load: whether the run has --load.
    """
    if item.part is not None and item.part in environment.absent:
        return NotApplicable(f"{environment.name} has no {item.part}")
    if item.part is Part.REALTIME and not environment.api.tier.has_live_updates:
        return NotApplicable(
            f'a key of the tier "{environment.api.tier}" has no live updates: that takes pro'
        )
    if writes and environment.mutations is Mutations.FORBIDDEN:
        return Unverified(f'it would write {writes}, and mutations = "forbidden" in {environment.name}')
    if item.part is Part.BROWSER and (why := chromium.lacking(environment.browser.executable)):
        return Unverified(why)
    if item.part is Part.LOAD and item.optional and not load:
        return NotApplicable(ONLY_WITH_LOAD)
    if item.part is Part.LOAD and (why := load_refused(environment, asked_for=load)):
        return Unverified(why)
    tables = dict.fromkeys(key.partition(".")[0] for key in needs)
    if absent := [f"[{table}]" for table in tables if getattr(environment, table) is None]:
        return Unverified(f"{environment.name} has no {_listed(absent)}")
    if launch_pending:
        return None
    found = {key: environment.secrets[key] for key in needs if key not in optional_tables()}
    missing = [f"{credential.name} ({key})" for key, credential in found.items() if not credential.present]
    if missing:
        return Unverified(f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} not set")
    return None


def load_refused(environment: Environment, *, asked_for: bool) -> str:
    """Return why no load may be put on the platform, or cannot be; "" if nothing stands against it.

    Args:
        environment: the environment of the run.
        asked_for: whether the run has --load.
    """
    if environment.load is None:
        return f"{environment.name} has no [load]"
    if environment.load.permission is Permission.FORBIDDEN:
        return (
            f'it would put load on the platform, and permission = "forbidden" in [load] of {environment.name}'
        )
    if not asked_for:
        return ONLY_WITH_LOAD
    from kamiyo_verify.integrations.locust.client import lacking  # noqa: PLC0415 - only for a load

    return lacking(environment.load.executable)


@cache
def credential_keys() -> tuple[str, ...]:
    """Return the key of every credential that an environment can have, such as "api.key"."""
    return tuple(
        f"{table_name}.{name}"
        for table_name, table_field in Environment.model_fields.items()
        if (table := table_within(table_field.annotation)) is not None
        for name, field in table.model_fields.items()
        if field.annotation is Credential
    )


@cache
def optional_tables() -> tuple[str, ...]:
    """Return the name of every optional table of an environment, such as "project"."""
    fields = Environment.model_fields.items()
    return tuple(name for name, field in fields if field.default is None and table_within(field.annotation))


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))

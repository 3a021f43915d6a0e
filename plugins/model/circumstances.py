"""What surrounds a run, looked up once at its end: the state before, third parties, deploys, migrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plugins.model.words import Status, Supplier, WebService


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The run that shows how things were before the deployment.

    Attributes:
        run: its id.
        baseline: it was recorded for that (--baseline); else it is the last good run.
        commit: the one that answered then, or "".
        finished_at: UTC, ISO 8601.
        age_s: how old it was when the run that is judged ended, in seconds.
        statuses: of its items, by id.
    """

    run: str
    baseline: bool
    commit: str
    finished_at: str
    age_s: float
    statuses: Mapping[str, Status] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SupplierReport:
    """What a third party's own status page says.

    Attributes:
        troubles: components that count and are not well, such as "Webhooks: major outage"; empty where all is
            well.
        unknown: why nobody knows; "" where the page told.
    """

    supplier: Supplier
    troubles: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One deploy of a service.

    Attributes:
        deploy: Render's id, "dep-…".
        commit: whole, or "" where an image was deployed.
        began_at: when it was asked for, UTC, ISO 8601.
        live_at: when it was live, likewise; "" where that is not known.
    """

    deploy: str
    commit: str
    began_at: str
    live_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """One of our services, as it is on Render.

    Attributes:
        name: such as "kamiyo-api".
        dashboard: its page.
        api: its address at Render's API, to act on.
        auto_deploy: a push is deployed without being asked for.
        current: what is live; None where nothing is.
        last_good: what was live before, of another commit that is not known to be bad; None where there is
            none.
    """

    service: WebService
    name: str
    dashboard: str
    api: str
    auto_deploy: bool
    current: Version | None
    last_good: Version | None


@dataclass(frozen=True, slots=True)
class Migrated:
    """The migrations that this deployment applied; names.

    Attributes:
        safe: the code before works on the schema after them.
        grave: it may not: each with the statement and the reason.
        unread: nobody can see what they do: the checkout does not have them as they were applied.
    """

    safe: tuple[str, ...] = ()
    grave: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

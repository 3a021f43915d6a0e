"""Whether trouble would be seen, and by whom: what Sentry, PagerDuty, Stripe and status pages say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from plugins.judge.contacts import escalation_contacts, unreachable_contacts, unreachable_people
from plugins.judge.dsns import dsn_problems
from plugins.judge.variables import VariableRules
from plugins.model.deliveries import Deliveries
from plugins.model.environment import Environment
from plugins.model.oncall import Rota
from plugins.model.outcomes import Unverified, WrongAnswer
from plugins.model.status import Summary
from plugins.outside_fixtures import named
from plugins.run import RUN

if TYPE_CHECKING:
    from plugins.clients.pagerduty import PagerDuty
    from plugins.clients.sentry import Sentry
    from plugins.clients.status_pages import StatusPages
    from plugins.clients.stripe_account import StripeAccount

_HELD = timedelta(hours=24)
"""How far ahead somebody must be on call."""

_DELIVERED_SINCE = timedelta(days=3)
_ON_ITS_WAY = timedelta(minutes=15)
"""An event so young may still be on its way."""


@pytest.fixture
def deliveries(environment: Environment, stripe_account: StripeAccount) -> Deliveries:
    """Whether Stripe's latest events of ours arrived.

    Raises:
        Unverified: there was none to judge by.
    """
    types = named(environment, "stripe", environment.stripe).events
    now = datetime.now(UTC)
    since, until = now - _DELIVERED_SINCE, now - _ON_ITS_WAY
    recent = [event for event in stripe_account.recent_events(types, since) if event.created <= until]
    failed = [event for event in stripe_account.failed_deliveries(since, until) if event.type in types]
    found = Deliveries.of(recent, failed)
    if not found.events:
        raise Unverified(f"Stripe had no event for us in {_DELIVERED_SINCE.days} days: nothing to judge by")
    return found


@pytest.fixture
def supplier_page(environment: Environment, status_pages: StatusPages) -> Callable[[str], Summary]:
    """Reads the status page of one that we depend on, by its key in [status_pages]."""
    table = named(environment, "status_pages", environment.status_pages)
    return lambda supplier: status_pages.summary(getattr(table, supplier))


@pytest.fixture
def sentry_dsn_problems(
    environment: Environment, sentry: Sentry, request: pytest.FixtureRequest
) -> tuple[str, ...]:
    """What is wrong with the DSNs that are configured, here and on the services.

    Raises:
        Unverified: no place where one is configured can be looked at.
    """
    table = named(environment, "sentry", environment.sentry)
    texts = {table.dsn.name: table.dsn.reveal()} if table.dsn.present else {}
    if environment.render is not None and environment.render.key.present:
        rules: VariableRules = request.getfixturevalue("variables")
        texts |= rules.dsns()
    if not texts:
        raise Unverified(f"{table.dsn.name} (sentry.dsn) is not set, here or on the services")
    return dsn_problems(texts, [key for slug in table.projects for key in sentry.dsn_keys(slug)])


@pytest.fixture
def rota(environment: Environment, pagerduty: PagerDuty) -> Rota:
    """Who is on call for the next day."""
    table = named(environment, "pagerduty", environment.pagerduty)
    now = datetime.now(UTC)
    return pagerduty.on_calls(table.schedules, now, now + _HELD)


@pytest.fixture
def unreachable(environment: Environment, request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Everyone in the escalation path who cannot be reached, and what is missing.

    By PagerDuty where it is configured, else by the contacts of the runbook.

    Raises:
        Unverified: neither names anybody.
    """
    if environment.pagerduty is not None and environment.pagerduty.token.present:
        on_call: Rota = request.getfixturevalue("rota")
        if not on_call.people:
            raise WrongAnswer("nobody is on call, so nobody can be reached")
        return unreachable_people(on_call.people)
    contacts = escalation_contacts(request.config.stash[RUN].runbook)
    if not contacts:
        raise Unverified(
            "waiting for a person: neither [pagerduty] nor [[contacts]] of runbook.toml name anybody"
        )
    return unreachable_contacts(contacts)

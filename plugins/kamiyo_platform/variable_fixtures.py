"""Fixtures for the services' configuration: variables, database addresses, Sentry DSNs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kamiyo_platform.values import DatabaseAddress, database_address
from kamiyo_platform.variables import VariableRules
from kamiyo_verify.config.environment import Environment, configured
from kamiyo_verify.judge.preflight.dsns import dsn_problems
from kamiyo_verify.model.outcomes import Unverified, WrongAnswer

if TYPE_CHECKING:
    from kamiyo_verify.integrations.render.client import Render
    from kamiyo_verify.integrations.sentry.client import Sentry


@pytest.fixture
def variables(environment: Environment, render: Render) -> VariableRules:
    """The variables of the services that answer requests, checked against the rules; no value is shown."""
    web = {service: environment.hosted.get(service, "") for service in environment.public}
    if missing := [service for service, service_id in web.items() if not service_id]:
        raise Unverified(f"[services.{missing[0]}] has no hosting_id: `make render-ids` prints it")
    found = {service: render.variables(service_id) for service, service_id in web.items()}
    return VariableRules(found, environment)


@pytest.fixture
def database_addresses(environment: Environment, render: Render) -> tuple[DatabaseAddress, ...]:
    """The addresses of the database as Render reports them; empty if the environment does not name it.

    Raises:
        WrongAnswer: Render's addresses are not database URLs.
    """
    if not configured(environment, "render", environment.render).postgres:
        return ()
    info = render.connection_info()
    texts = (info.internal_connection_string, info.external_connection_string)
    try:
        return tuple(database_address(text.get_secret_value()) for text in texts)
    except ValueError as why:
        raise WrongAnswer(f"Render's own database address {why}") from None


@pytest.fixture
def sentry_dsn_problems(
    environment: Environment, sentry: Sentry, request: pytest.FixtureRequest
) -> tuple[str, ...]:
    """The problems of the configured DSNs, here and on the services.

    Raises:
        Unverified: no place where one is configured can be read.
    """
    table = configured(environment, "sentry", environment.sentry)
    texts = {table.dsn.name: table.dsn.reveal()} if table.dsn.present else {}
    if environment.render is not None and environment.render.key.present:
        rules: VariableRules = request.getfixturevalue("variables")
        texts |= rules.dsns()
    if not texts:
        raise Unverified(f"{table.dsn.name} (sentry.dsn) is not set, here or on the services")
    return dsn_problems(texts, [key for slug in table.projects for key in sentry.dsn_keys(slug)])

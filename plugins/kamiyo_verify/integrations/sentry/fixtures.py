"""Fixture for Sentry, which collects errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.config.environment import Environment, configured
from kamiyo_verify.http.context import ClientContext

if TYPE_CHECKING:
    from kamiyo_verify.integrations.sentry.client import Sentry


@pytest.fixture(scope="session")
def sentry(environment: Environment, outside_context: ClientContext) -> Iterator[Sentry]:
    """A client of Sentry, which collects errors."""
    from kamiyo_verify.integrations.sentry.client import Sentry  # noqa: PLC0415

    table = configured(environment, "sentry", environment.sentry)
    client = Sentry(table, outside_context)
    yield client
    client.close()

"""Fixture for PagerDuty, which holds the on-call schedules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.config.environment import Environment, configured
from kamiyo_verify.http.context import ClientContext

if TYPE_CHECKING:
    from kamiyo_verify.integrations.pagerduty.client import PagerDuty


@pytest.fixture(scope="session")
def pagerduty(environment: Environment, outside_context: ClientContext) -> Iterator[PagerDuty]:
    """A client of PagerDuty, which holds the on-call schedules."""
    from kamiyo_verify.integrations.pagerduty.client import PagerDuty  # noqa: PLC0415

    table = configured(environment, "pagerduty", environment.pagerduty)
    client = PagerDuty(table, outside_context)
    yield client
    client.close()

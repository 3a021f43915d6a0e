"""Fixture for GitHub, where code is reviewed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.config.environment import Environment, configured
from kamiyo_verify.http.context import ClientContext

if TYPE_CHECKING:
    from kamiyo_verify.integrations.github.client import GitHub


@pytest.fixture(scope="session")
def github(environment: Environment, outside_context: ClientContext) -> Iterator[GitHub]:
    """A client of GitHub, where code is reviewed."""
    from kamiyo_verify.integrations.github.client import GitHub  # noqa: PLC0415

    table = configured(environment, "github", environment.github)
    client = GitHub(table, outside_context)
    yield client
    client.close()

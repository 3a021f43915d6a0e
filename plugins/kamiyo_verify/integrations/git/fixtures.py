"""Fixture for git in the project's checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.processes.commands import Commands

if TYPE_CHECKING:
    from kamiyo_verify.integrations.git.client import Git


@pytest.fixture(scope="session")
def git(checkout_commands: Commands, environment: Environment) -> Git:
    """A git client for the checkout."""
    from kamiyo_verify.integrations.git.client import Git  # noqa: PLC0415

    return Git(checkout_commands, within_s=environment.timeouts.answer)

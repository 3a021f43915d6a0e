"""Fixture for NextAuth on the website."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.http.client import HttpClient

if TYPE_CHECKING:
    from kamiyo_verify.integrations.nextauth.client import SignInClient


@pytest.fixture(scope="session")
def sign_in(environment: Environment, connect: Callable[[str], HttpClient]) -> SignInClient:
    """A client of NextAuth on the website."""
    from kamiyo_verify.integrations.nextauth.client import SignInClient  # noqa: PLC0415

    return SignInClient(environment.sign_in, connect(environment.frontend_url))

"""Callers of the API and their permissions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from starlette.requests import HTTPConnection

from sandbox.platform import Platform


class Tier(StrEnum):
    """The tiers of API keys."""

    ANONYMOUS = "anonymous"
    FREE = "free"
    PRO = "pro"
    TEAM = "team"
    ENTERPRISE = "enterprise"


KEYED = (Tier.FREE, Tier.PRO, Tier.TEAM, Tier.ENTERPRISE)
WITH_LIVE_UPDATES = frozenset({Tier.PRO, Tier.TEAM, Tier.ENTERPRISE})


@dataclass(frozen=True, slots=True)
class Caller:
    """One caller.

    Attributes:
        name: the key or the address, by which its requests are counted.
        quota: the tier whose rate limits apply.
        tier: the tier whose data and features it gets. It differs from `quota` only under the fault
            `api-key-ignored`, which must not rate-limit the check that detects it.
    """

    name: str
    quota: Tier
    tier: Tier


class Callers:
    """The known API keys. They are read once, so that a key is valid while the database is down."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._tiers = {platform.secrets.tier_key(tier): tier for tier in KEYED}
        self._tiers[platform.secrets.admin_key] = Tier.ENTERPRISE

    def of(self, connection: HTTPConnection) -> Caller | None:
        """Return the caller of an HTTP request; None if its key is unknown."""
        key = presented_key(connection)
        if not key:
            address = connection.client.host if connection.client else "unknown"
            return Caller(address, Tier.ANONYMOUS, Tier.ANONYMOUS)
        quota = self._tiers.get(key)
        return Caller(key, quota, self._served_as(quota)) if quota else None

    def of_token(self, token: str) -> Tier | None:
        """Return the tier of a WebSocket's token; None if the key is unknown."""
        if not token:
            return Tier.ANONYMOUS
        tier = self._tiers.get(token)
        return self._served_as(tier) if tier else None

    def _served_as(self, tier: Tier) -> Tier:
        return Tier.ANONYMOUS if "api-key-ignored" in self._platform.faults else tier


def presented_key(connection: HTTPConnection) -> str:
    """Return the key in `X-API-Key` or `Authorization: Bearer`, or ""."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    return connection.headers.get("x-api-key") or (bearer.strip() if scheme.lower() == "bearer" else "")

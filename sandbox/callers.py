"""Who calls the API, and what that caller may do."""

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
        quota: the tier whose rate limits hold.
        tier: the tier as which it is served. It differs from `quota` only under the fault `api-key-ignored`:
            the fault takes away what the key is worth, but does not choke whoever wants to find that out.
    """

    name: str
    quota: Tier
    tier: Tier


class Callers:
    """Knows the API keys. They are read once: a key still counts while the database is away."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._tiers = {platform.secrets.tier_key(tier): tier for tier in KEYED}
        self._tiers[platform.secrets.admin_key] = Tier.ENTERPRISE

    def of(self, connection: HTTPConnection) -> Caller | None:
        """The caller of an HTTP request; None when it shows a key that nobody has."""
        key = presented_key(connection)
        if not key:
            address = connection.client.host if connection.client else "unknown"
            return Caller(address, Tier.ANONYMOUS, Tier.ANONYMOUS)
        quota = self._tiers.get(key)
        return Caller(key, quota, self._served_as(quota)) if quota else None

    def of_token(self, token: str) -> Tier | None:
        """The tier of a WebSocket's token; None when nobody has that key."""
        if not token:
            return Tier.ANONYMOUS
        tier = self._tiers.get(token)
        return self._served_as(tier) if tier else None

    def _served_as(self, tier: Tier) -> Tier:
        return Tier.ANONYMOUS if "api-key-ignored" in self._platform.faults else tier


def presented_key(connection: HTTPConnection) -> str:
    """The key of `X-API-Key` or `Authorization: Bearer`, or ""."""
    scheme, _, bearer = connection.headers.get("authorization", "").partition(" ")
    return connection.headers.get("x-api-key") or (bearer.strip() if scheme.lower() == "bearer" else "")

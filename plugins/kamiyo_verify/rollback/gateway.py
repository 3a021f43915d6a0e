"""The hosting gateway of a rollback."""

from __future__ import annotations

from kamiyo_verify.fixtures.hosts import open_gateway
from kamiyo_verify.model.hosting.port import HostingGateway

__all__ = ["HostingGateway", "open_gateway"]

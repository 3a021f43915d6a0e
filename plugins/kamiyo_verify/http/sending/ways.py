"""Whether a request to a control address takes the way on which an answer is missing."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from kamiyo_verify.http.pool import proxy_for
from kamiyo_verify.http.wire import resolve
from kamiyo_verify.model.loopback import is_loopback

_LOOKUP_S = 2.0


def another_way(control: str, origin: str) -> str:
    """How the control address is reached otherwise than an origin, such as "past the proxy"; "" if alike.

    A machine without IPv6 reaches every address but those that have nothing else, and a proxy that fails
    leaves every request well that goes past it. An origin on this machine needs no network.

    Args:
        control: the address that answered; "" if it is not known.
        origin: scheme, host and port of the request that was not answered.
    """
    if not control or not origin or is_loopback(origin):
        return ""
    proxy = proxy_for(origin)
    if proxy != proxy_for(control):
        return "past the proxy" if proxy else "by a proxy"
    if proxy is None and _versions(origin) == {6} and _versions(control) != {6}:
        return "by IPv4, which shows nothing of IPv6"
    return ""


def _versions(address: str) -> frozenset[int]:
    """4 and 6, as the host has addresses of; none if its name is not found."""
    parts = urlsplit(address)
    try:
        found = resolve(parts.hostname or "", parts.port or 0, _LOOKUP_S)
        return frozenset(ip_address(one.partition("%")[0]).version for one in found)
    except (OSError, ValueError):  # UnicodeError is a ValueError
        return frozenset()

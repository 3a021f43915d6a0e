"""Find from a database's host name who can reach it, and how."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from kamiyo_verify.integrations.postgres.address import DatabaseAddress

_INTERNAL: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), description)
    for pattern, description in (
        (r"dpg-[a-z0-9]+-[a-z]", "Render's internal name, known inside Render alone: use the external one"),
        (r".*\.railway\.internal", "Railway's internal name: use the public one (DATABASE_PUBLIC_URL)"),
        (r"(?:host|gateway)\.(?:docker|containers|lima)\.internal", "a name known inside a container alone"),
        (r".*\.(?:internal|flycast)", "an internal name (Fly.io, Google Cloud or AWS), known inside alone"),
        (r".*\.svc(?:\.cluster\.local)?|.*\.cluster\.local", "a name inside a Kubernetes cluster"),
        (r".*\.privatelink\..*|.*\.(?:private|vpc|consul)(?:\..*)?", "a name of a private network"),
        (r".*\.(?:local|localdomain|lan|intranet|corp|home\.arpa)", "a name of a local network"),
        (r"(?!localhost$)[a-z_][a-z0-9_-]*", "a name without a domain, as Docker and Kubernetes give"),
    )
)
"""Patterns of whole names; the first match is used."""

_POOLERS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), description)
    for pattern, description in (
        (r".*\.pooler\.supabase\.com", "Supabase's pooler"),
        (r".*-pooler\..*\.neon\.tech", "Neon's pooler"),
        (r".*\.proxy-[a-z0-9]+\..*\.rds\.amazonaws\.com", "Amazon's RDS Proxy"),
        (r".*(?:pgbouncer|pgcat|pgpool|odyssey|pooler).*", "a pooler"),
    )
)

_POOLER_PORTS = {
    6432: "PgBouncer's usual port",
    6543: "Supabase's transaction pooler's port",
    25061: "DigitalOcean's connection pool's port",
}


def internal(host: str) -> str:
    """Why a host is reachable only from inside some network; "" if nothing indicates that."""
    name = host.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name.strip("[]").partition("%")[0])
    except ValueError:
        return next((description for pattern, description in _INTERNAL if pattern.fullmatch(name)), "")
    shared = address in ipaddress.ip_network("100.64.0.0/10") if address.version == 4 else False
    if (address.is_private or address.is_link_local or shared) and not address.is_loopback:
        return "an address of a private network"
    return ""


def advice(address: DatabaseAddress, resolved: Iterable[str] = ()) -> str:
    """Why this machine may not reach the database, by its address; "" if nothing indicates that."""
    for host, _ in address.hosts:
        if host.startswith(("/", "@")):
            return f"{host} is a socket on the machine for which the address was written"
        if why := internal(host):
            return f"{host} is {why}"
        if host == "localhost" or host.startswith("127.") or host == "::1":
            return f"{host} is this machine itself: is a tunnel missing?"
    numbers = tuple(resolved)
    if private := next((one for one in numbers if internal(one)), ""):
        return f"its name leads to {private}, an address of a private network"
    if numbers and all(":" in one for one in numbers):
        return (
            "its name has IPv6 addresses only, which many CI runners cannot reach: use a pooler's IPv4 name"
        )
    return ""


def pooler(address: DatabaseAddress) -> str:
    """The pooler at the address, in words; "" if nothing indicates one."""
    for host, port in address.hosts:
        named = next(
            (description for pattern, description in _POOLERS if pattern.fullmatch(host.lower())), ""
        )
        if named:
            return named
        if port in _POOLER_PORTS:
            return f"a pooler ({_POOLER_PORTS[port]}, {port})"
    return "a pooler (pgbouncer=true)" if address.pooled else ""

"""Recognise the addresses of this machine: requests to them use no proxy, and their ports change."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(origin: str) -> bool:
    """The origin, or any address, is on this machine: localhost, 127.0.0.0/8 or ::1."""
    try:
        host = (urlsplit(origin).hostname or "").rstrip(".")
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

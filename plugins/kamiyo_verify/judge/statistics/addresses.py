"""Endpoints: the method and path of a request, without ids and other variable parts."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from kamiyo_verify.model.result import Exchange

_ID = re.compile(r"(?=.*\d)[\w.-]{12,}|\d+|0x\w+")


def endpoint_of(sent: Exchange) -> str:
    """Return the endpoint of a request, such as "GET /exploits/…"."""
    return f"{sent.method} {without_ids(urlsplit(sent.url).path or '/')}"


def without_ids(path: str) -> str:
    """Return a path with "…" in place of each id."""
    return "/".join("…" if _ID.fullmatch(part) else part for part in path.split("/"))

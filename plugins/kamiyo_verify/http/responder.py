"""Who gave an answer: the service itself, a cache before it, or something in its place."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import SplitResult, urljoin, urlsplit

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.readable import readable, without

if TYPE_CHECKING:
    import httpx2

_PARAMETER = "kamiyo-verify"
"""A query parameter that no stored answer has, so that a cache has to ask the service."""

_STATE = re.compile(r"(?:.*-)?cache(?:-status)?")
"""Names of headers in which a cache tells its part: X-Cache, CF-Cache-Status, Cache-Status (RFC 9211)."""

_OF_THE_BUILD = frozenset({"x-nextjs-cache"})
"""Caches within the application: what they hold was made by the build that runs."""

_SERVED = re.compile(r"(?<![a-z=])(?:hit|stale|updating)(?![a-z])", re.IGNORECASE)
"""Words for a stored answer; not those of one that the service has confirmed, such as REVALIDATED."""

_STALE_WARNING = re.compile(r"(?:^|,)\s*11[0-3]\b")
"""Warnings 110 to 113: a stored answer that is stale, or that could not be confirmed (RFC 7234, 5.5)."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}
_MARKUP_WITHIN = 100_000
_MARKUP = re.compile(
    rb"<title[^>]{0,200}>(.{0,500}?)</title>|<([a-z][a-z0-9-]{0,20})", re.IGNORECASE | re.DOTALL
)


class Facts(TypedDict, total=False):
    """The fields of an exchange that tell who answered; see `Exchange`."""

    cached: str
    stored_at: str
    page: str
    leads_to: str


@dataclass(frozen=True, slots=True)
class Copy:
    """An answer that a cache had stored.

    Attributes:
        shown: the headers that show it, such as "Age: 7200, X-Cache: HIT".
        age_s: seconds since the service gave or confirmed it; None if unknown.
    """

    shown: str
    age_s: int | None


def copy_in(answer: Answer) -> Copy | None:
    """The stored answer of a cache, as far as its headers show it; None if the service answered.

    A cache has to send `Age` with what it stored (RFC 9111, 4); those that do not name it in a header of
    their own.
    """
    age_s = _age_s(answer)
    shown = [f"Age: {age_s}"] if age_s else []
    for name, value in answer.headers.items():
        if name in _OF_THE_BUILD:
            continue
        stale = name == "warning" and _STALE_WARNING.search(value)
        if stale or (_STATE.fullmatch(name) and _SERVED.search(value)):
            shown.append(
                f"{name.title()}: {readable(without(answer.secrets, value.replace(';', '')), longest=60)}"
            )
    return Copy(", ".join(shown), age_s) if shown else None


def facts_of(answer: Answer, at: str) -> Facts:
    """Who gave an answer to a request that began at that time (UTC, ISO 8601)."""
    copy = copy_in(answer)
    stored_at = ""
    if copy is not None and copy.age_s is not None:
        stored_at = (datetime.fromisoformat(at) - timedelta(seconds=copy.age_s)).isoformat()
    return Facts(
        cached=copy.shown if copy else "",
        stored_at=stored_at,
        page=_page_in_place(answer),
        leads_to=_other_origin(answer),
    )


def past_caches(request: httpx2.Request) -> httpx2.Request:
    """The same request in a form that no cache has an answer to."""
    import httpx2  # noqa: PLC0415 - a plan sends nothing and does without

    url = request.url.copy_set_param(_PARAMETER, secrets.token_hex(4))
    headers = {**request.headers, "cache-control": "no-cache"}
    return httpx2.Request(request.method, url, headers=headers, content=request.read() or None)


def is_past_caches(request: httpx2.Request) -> bool:
    """Whether a request has been put into that form already."""
    return _PARAMETER in request.url.params


def tells_more(fresh: Answer, stored: Answer) -> bool:
    """Whether the answer to the request in that form shows how the service answers the original one.

    A service may refuse a parameter that it does not know, or redirect to the address without it.
    """
    own = fresh.ok or fresh.status >= 500 or fresh.status == stored.status
    return own and copy_in(fresh) is None


def _age_s(answer: Answer) -> int | None:
    """The largest of several ages, as each cache on the way may add one."""
    words = str(answer.headers.get("age", "")).replace(",", " ").split()
    return max(
        (int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 10), default=None
    )


def _page_in_place(answer: Answer) -> str:
    """A fingerprint of an HTML page that stands for an answer: of its title and its elements.

    Text is left out, since a request id or a time in it differs each time. A page of a server error is none,
    unless it says when the service is back: of a service that is down, a proxy shows one error for any path.
    """
    promised = answer.status == 503 and "retry-after" in answer.headers
    if not answer.is_html or not answer.body.strip() or not (answer.ok or promised):
        return ""
    found = _MARKUP.findall(answer.body[:_MARKUP_WITHIN])
    return hashlib.sha256(b"\0".join(title + tag.lower() for title, tag in found)).hexdigest()[:12]


def _other_origin(answer: Answer) -> str:
    """The origin of a redirect that leads to another one; "" if the answer is no such redirect."""
    location = answer.headers.get("location", "")
    if answer.status not in _REDIRECTS or not location:
        return ""
    try:
        here, there = urlsplit(answer.url), urlsplit(urljoin(answer.url, location))
        if there.scheme not in _PORTS or not there.hostname or _origin(here) == _origin(there):
            return ""
    except ValueError:
        return ""
    return readable(
        without(answer.secrets, f"{there.scheme}://{there.netloc.rpartition('@')[2]}"), longest=200
    )


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)

"""What is asked over HTTP: an address of the one origin, clean headers, and what in them is secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict
from urllib.parse import parse_qsl, quote, quote_plus

import httpx

from plugins.clients.readable import SECRET_KEYS
from plugins.model.outcomes import NoAnswer, NoAnswerKind

USER_AGENT = "kamiyo-verify/1 (+deployment verification)"

_SECRET_HEADERS = frozenset({"authorization", "cookie", "stripe-signature", "x-api-key"})
_SHORTEST_SECRET = 4  # masking shorter ones would shred the text and hide nothing
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Parts(TypedDict, total=False):
    """What a request may consist of, besides its method and path."""

    params: Mapping[str, object] | None
    headers: Mapping[str, str] | None
    cookies: Mapping[str, str] | None
    content: bytes | None
    form: Mapping[str, str] | None
    json: object


def build(method: str, origin: str, path: str, own: Mapping[str, str], parts: Parts) -> httpx.Request:
    """A request to the origin.

    Args:
        method: in capitals.
        origin: scheme, host and port.
        path: begins with "/"; may hold a query.
        own: headers of the client, sent with each of its requests; those of the request win.
        parts: the rest.

    Raises:
        NoAnswer: the address is none (UNUSABLE), or a header cannot be sent (CREDENTIAL).
    """
    headers = {
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        **own,
        **(parts.get("headers") or {}),
    }
    cookies = parts.get("cookies")
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    try:
        url = httpx.URL(origin).join(_absolute(path))
        params = parts.get("params")
        return httpx.Request(
            method,
            url.copy_merge_params(_texts(params)) if params else url,
            headers=sendable(headers, origin),
            content=parts.get("content"),
            data=parts.get("form"),
            json=parts.get("json"),
        )
    except (httpx.InvalidURL, UnicodeError):
        message = f"{origin} was not asked: a path or parameter cannot be put into an address"
        raise NoAnswer(NoAnswerKind.UNUSABLE, message, origin) from None


def sendable(headers: Mapping[str, str], origin: str) -> dict[str, str]:
    """The headers with outer whitespace off, as a line's end easily clings to a credential.

    Raises:
        NoAnswer: CREDENTIAL, as a value holds what no header may; names the header, never the value.
    """
    clean = {name: value.strip() for name, value in headers.items()}
    for name, value in clean.items():
        if not (value.isascii() and (value.isprintable() or value.replace("\t", "").isprintable())):
            message = (
                f"{origin} was not asked: the value for {name} holds characters that no header may carry"
            )
            raise NoAnswer(NoAnswerKind.CREDENTIAL, message, origin) from None
    return clean


def onward(request: httpx.Request, status: int, location: str) -> httpx.Request | None:
    """The request that a redirect asks for; None where it asks for none, or for one that is not made.

    Only GET is redirected (Stripe and browsers' preflights follow none), and only within the origin.
    """
    if request.method != "GET" or status not in _REDIRECTS or not location:
        return None
    try:
        target = request.url.join(location)
    except (httpx.InvalidURL, ValueError):
        return None
    return httpx.Request("GET", target, headers=request.headers) if same_origin(target, request.url) else None


def same_origin(one: httpx.URL, other: httpx.URL) -> bool:
    """Scheme, host and port are the same, with the scheme's own port filled in."""
    return _origin(one) == _origin(other)


def secrets_of(request: httpx.Request, form: Mapping[str, str] | None) -> frozenset[str]:
    """What of a request no message may show, should the server echo it."""
    values = [value for name, value in request.headers.items() if name.lower() in _SECRET_HEADERS]
    values += [pair.partition("=")[2] for pair in request.headers.get("cookie", "").split("; ")]
    values += [value.partition(" ")[2] for value in (request.headers.get("authorization", ""),)]
    values += [
        value for key, value in parse_qsl(request.url.query.decode("ascii")) if key.lower() in SECRET_KEYS
    ]
    values += [value for key, value in (form or {}).items() if key.lower() in SECRET_KEYS | {"email"}]
    long = [value for value in values if len(value) >= _SHORTEST_SECRET]
    return frozenset(form for value in long for form in (value, quote(value, safe=""), quote_plus(value)))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _absolute(path: str) -> str:
    """The path, if it can lead nowhere but into the origin."""
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        raise httpx.InvalidURL("no path within the origin")
    return path


def _texts(params: Mapping[str, object]) -> dict[str, str | list[str]]:
    """As a query writes them: None is left out, a list is a key said several times."""
    return {
        key: [_text(entry) for entry in value] if isinstance(value, list | tuple) else _text(value)
        for key, value in params.items()
        if value is not None
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

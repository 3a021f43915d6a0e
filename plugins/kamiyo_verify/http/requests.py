"""Build requests: an address within the origin, clean headers, and the secrets among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import parse_qsl, quote, quote_plus

from kamiyo_verify.http.credentials import Carried
from kamiyo_verify.http.readable import SECRET_KEYS
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind

if TYPE_CHECKING:
    import httpx2

USER_AGENT = "kamiyo-verify/1 (+deployment verification)"

_SECRET_HEADERS = frozenset({"authorization", "cookie", "stripe-signature", "x-api-key"})
_SHORTEST_SECRET = 4  # masking shorter values would make the text unreadable and protect nothing
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _OutsideOrigin(Exception):
    """A path that could leave the origin."""


class Parts(TypedDict, total=False):
    """The parts of a request, besides its method and path."""

    params: Mapping[str, object] | None
    headers: Mapping[str, str] | None
    cookies: Mapping[str, str] | None
    content: bytes | None
    form: Mapping[str, str] | None
    json: object
    carried: Carried | None


def build(method: str, origin: str, path: str, own: Mapping[str, str], parts: Parts) -> httpx2.Request:
    """Build a request to the origin.

    Args:
        method: in capitals.
        origin: scheme, host and port.
        path: begins with "/"; may contain a query.
        own: headers of the client, sent with each of its requests; `parts` overrides them.
        parts: the other parts of the request.

    Raises:
        NoAnswer: the address is not valid (UNUSABLE), or a header cannot be sent (CREDENTIAL).
    """
    import httpx2  # noqa: PLC0415 - a plan sends nothing and does without

    headers = {
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        **own,
        **with_cookies(parts.get("headers"), parts.get("cookies")),
    }
    try:
        url = httpx2.URL(origin).join(_absolute(path))
        params = parts.get("params")
        return httpx2.Request(
            method,
            url.copy_merge_params(_texts(params)) if params else url,
            headers=sendable(headers, origin),
            content=parts.get("content"),
            data=parts.get("form"),
            json=parts.get("json"),
        )
    except (httpx2.InvalidURL, UnicodeError, _OutsideOrigin):
        message = f"{origin} was not asked: a path or parameter cannot be put into an address"
        raise NoAnswer(NoAnswerKind.UNUSABLE, message, origin) from None


def with_cookies(headers: Mapping[str, str] | None, cookies: Mapping[str, str] | None) -> dict[str, str]:
    """The headers of a request, with that of its cookies if there are any."""
    found = {**(headers or {})}
    if cookies:
        found["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return found


def sendable(headers: Mapping[str, str], origin: str) -> dict[str, str]:
    """The headers with outer whitespace removed, as a copied credential often ends with a line break.

    Raises:
        NoAnswer: CREDENTIAL, as a value is not valid in a header; names the header, never the value.
    """
    clean = {name: value.strip() for name, value in headers.items()}
    for name, value in clean.items():
        if not (value.isascii() and (value.isprintable() or value.replace("\t", "").isprintable())):
            message = (
                f"{origin} was not asked: the value for {name} holds characters that no header may carry"
            )
            raise NoAnswer(NoAnswerKind.CREDENTIAL, message, origin) from None
    return clean


def onward(request: httpx2.Request, status: int, location: str) -> httpx2.Request | None:
    """The request that follows a redirect; None if there is none to follow.

    Only GET is redirected (Stripe and browsers' preflights follow none), and only within the origin.
    """
    import httpx2  # noqa: PLC0415 - as above

    if request.method != "GET" or status not in _REDIRECTS or not location:
        return None
    try:
        target = request.url.join(location)
    except (httpx2.InvalidURL, ValueError):
        return None
    return (
        httpx2.Request("GET", target, headers=request.headers) if same_origin(target, request.url) else None
    )


def same_origin(one: httpx2.URL, other: httpx2.URL) -> bool:
    """Scheme, host and port are the same, with default ports filled in."""
    return _origin(one) == _origin(other)


def secrets_of(request: httpx2.Request, form: Mapping[str, str] | None) -> frozenset[str]:
    """The parts of a request that no message may show, even if the server echoes them."""
    values = [value for name, value in request.headers.items() if name.lower() in _SECRET_HEADERS]
    values += [pair.partition("=")[2] for pair in request.headers.get("cookie", "").split("; ")]
    values += [value.partition(" ")[2] for value in (request.headers.get("authorization", ""),)]
    values += [
        value for key, value in parse_qsl(request.url.query.decode("ascii")) if key.lower() in SECRET_KEYS
    ]
    values += [value for key, value in (form or {}).items() if key.lower() in SECRET_KEYS | {"email"}]
    long = [value for value in values if len(value) >= _SHORTEST_SECRET]
    return frozenset(form for value in long for form in (value, quote(value, safe=""), quote_plus(value)))


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _absolute(path: str) -> str:
    """The path, if it is certain to stay within the origin."""
    if not path.startswith("/") or path.startswith(("//", "/\\")):
        raise _OutsideOrigin
    return path


def _texts(params: Mapping[str, object]) -> dict[str, str | list[str]]:
    """Query parameters as text: None is left out, a list becomes a repeated key."""
    return {
        key: [_text(entry) for entry in value] if isinstance(value, list | tuple) else _text(value)
        for key, value in params.items()
        if value is not None
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

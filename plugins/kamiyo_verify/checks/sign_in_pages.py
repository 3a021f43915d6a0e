"""Recognise sign-in pages, sessions and tokens in answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import SplitResult, parse_qs, urljoin, urlsplit

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.cookies import cookies_kept
from kamiyo_verify.model.outcomes import Unverified, WrongAnswer

_HIDDEN = frozenset({401, 403, 404})
_MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})

# Every repetition is bounded, so that no page takes quadratic time.
_PASSWORD_INPUT = re.compile(r"<input\b[^>]{0,1000}\btype\s{0,9}=\s{0,9}[\"']?password\b", re.IGNORECASE)
_CSRF_FIELD = re.compile(
    r"name\s{0,9}=\s{0,9}[\"']?"
    r"(?:_{0,2}[cx]srf[-_]?\w{0,40}|authenticity_token|__RequestVerificationToken|_token)\b",
    re.IGNORECASE,
)
_CSRF_WORDS = re.compile(r"[cx]srf|authenticity.?token|anti.?forgery|cross.?site request", re.IGNORECASE)
_SIGN_IN_PATH = re.compile(r"/(?:log|sign)[-_]?(?:in|on)(?:\.\w{1,5})?/?$", re.IGNORECASE)
_ERROR_WORD = re.compile(r"(?<![a-z])(?:error|fail|failed|failure|denied|invalid)(?![a-z])", re.IGNORECASE)
_SESSION_NAME = re.compile(
    r"sess|(?<![a-z])sid$|auth|token|jwt|remember|logged.?in|identity|login", re.IGNORECASE
)
_NO_SESSION = re.compile(
    r"[cx]srf|forgery|verification|callback|state|nonce|redirect|next.?url", re.IGNORECASE
)
_TOKEN_KEY = re.compile(
    r"(?:access|auth|id|session|bearer|refresh|api|)(?:token|key)|jwt|access|session|sessionid|sid|authorization"
)
_DEEPEST = 4
_SIGNATURE = re.compile(r"[\w.-]{16,}")


def sign_in_page(http: HttpClient, path: str) -> tuple[Answer, dict[str, str]]:
    """Return what the sign-in path shows, after redirects within the origin, and the cookies so far."""
    cookies: dict[str, str] = {}
    for _ in range(_MOST_REDIRECTS):
        page = http.first("GET", path, cookies=cookies)
        cookies |= cookies_kept(page.headers)
        target = redirect_of(page)
        if target is None or not stays(page, target):
            break
        path = path_of(target)
    return page, cookies


def shows_password_form(answer: Answer) -> bool:
    """Whether the answer is a page with a field for a password."""
    return answer.is_html and bool(_PASSWORD_INPUT.search(answer.text))


def wants_csrf_token(answer: Answer) -> bool:
    """Whether the answer is a page with a form that sends a CSRF token."""
    return answer.is_html and bool(_CSRF_FIELD.search(answer.text))


def speaks_of_csrf(text: str) -> bool:
    """Whether a text names a CSRF token."""
    return bool(_CSRF_WORDS.search(text))


def redirect_of(answer: Answer) -> SplitResult | None:
    """The address that a redirect leads to; None if the answer is no redirect, or an unreadable one."""
    location = answer.headers.get("location", "")
    if answer.status not in REDIRECTS or not location:
        return None
    try:
        target = urlsplit(urljoin(answer.url, location))
        _origin(target)
    except ValueError:
        return None
    return target


def stays(answer: Answer, target: SplitResult) -> bool:
    """Whether the target of a redirect is of the same origin."""
    return _origin(urlsplit(answer.url)) == _origin(target)


def path_of(target: SplitResult) -> str:
    """The path and query of an address, as a request takes them."""
    return f"{target.path or '/'}{'?' if target.query else ''}{target.query}"


def same_path(one: str, other: str) -> bool:
    """Whether two paths are equal, but for slashes at their ends."""
    return one.rstrip("/") == other.rstrip("/")


def is_sign_in_path(path: str) -> bool:
    """Whether a path is named as a sign-in page is, such as "/accounts/login/"."""
    return bool(_SIGN_IN_PATH.search(path))


def is_refusal(target: SplitResult, sign_in_path: str) -> bool:
    """Whether a redirect after a sign-in leads back to the sign-in page, or to an error."""
    sent_to = urlsplit(sign_in_path).path
    # A sign-in at "/" leads there as well where it succeeds.
    if (sent_to != "/" and same_path(target.path, sent_to)) or is_sign_in_path(target.path):
        return True
    return any(
        _ERROR_WORD.search(one) for one in (target.path, *parse_qs(target.query, keep_blank_values=True))
    )


def new_session(answer: Answer, before: Mapping[str, str]) -> dict[str, str]:
    """The session cookies that the answer sets anew or changes; of a CSRF token's it shows nothing."""
    kept = cookies_kept(answer.headers)
    return {
        name: value
        for name, value in kept.items()
        if before.get(name) != value and _SESSION_NAME.search(name) and not _NO_SESSION.search(name)
    }


def token_in(answer: Answer, secret: str) -> str:
    """The token of a JSON answer, such as {"access_token": "…"}; "" if it has none, or names an error."""
    if not answer.ok or answer.is_html:
        return ""
    try:
        data = answer.json()
    except WrongAnswer:
        return ""
    return "" if names_an_error(data) else next((one for one in _tokens(data) if one != secret), "")


def require_difference(answer: Answer, stranger: Answer) -> None:
    """Require that an answer to a credential is not what anybody gets.

    Args:
        answer: 2xx or 3xx, to the request with the credential.
        stranger: the answer to the same request without it.

    Raises:
        Unverified: it does not differ, or is a sign-in page or a redirect.
    """
    moved = stranger.path != answer.path or redirect_of(stranger) is not None
    if not answer.ok or shows_password_form(answer):
        what = "with a form for a password" if answer.ok else "with a redirect"
        raise Unverified(f"{status_of(answer)} {what}, which does not show whether it signed in")
    if not (moved or stranger.status in _HIDDEN or shows_password_form(stranger)):
        raise Unverified(
            f"{status_of(answer)} to our credential and {stranger.status} without it, which does not show"
            " whether it signed in: name a path that only a signed-in user can read"
        )


def status_of(answer: Answer) -> str:
    """The request and the status of its answer, for a message."""
    return f"{answer.method} {answer.path} answered {answer.status}"


def names_an_error(data: object) -> bool:
    """Whether JSON says of itself that it is an error, such as {"error": "…"} or {"success": false}."""
    if not isinstance(data, dict):
        return False
    wrong = any(data.get(key) for key in ("error", "errors", "error_description"))
    return wrong or any(data.get(key) is False for key in ("success", "ok", "authenticated", "valid"))


def _tokens(data: object, depth: int = 0) -> Iterator[str]:
    if not isinstance(data, dict) or depth >= _DEEPEST:
        return
    for key, value in data.items():
        name = re.sub(r"[-_.]", "", str(key)).lower()
        if isinstance(value, dict):
            yield from _tokens(value, depth + 1)
        elif isinstance(value, str) and _is_token(name, value):
            yield value


def _is_token(name: str, value: str) -> bool:
    """Devpi calls its token "password", with spaces in it; a sentence there is a remark on that field."""
    if name == "password":
        return any(any(map(str.isdigit, part)) for part in _SIGNATURE.findall(value))
    return bool(_TOKEN_KEY.fullmatch(name)) and not re.search(r"\s", value) and bool(value)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)

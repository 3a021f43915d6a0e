"""Check that a path refuses requests without a credential."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from kamiyo_verify.checks.client import ServiceClient
from kamiyo_verify.checks.requirement import Measure, require
from kamiyo_verify.checks.sign_in_pages import (
    is_sign_in_path,
    path_of,
    redirect_of,
    same_path,
    shows_password_form,
    stays,
)
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.model.outcomes import Unverified

_REFUSED = frozenset({401, 403, 404})
_MOST_REDIRECTS = 5
_UNKNOWN_PATH = "/kamiyo-verify-no-such-path"


def refuses_strangers(service: ServiceClient, path: str, measure: Measure) -> None:
    """The path refuses a request without a credential; `service` is opened with None.

    A redirect to another page is a refusal, such as one to the sign-in page; measures the status of the first
    answer. Only a complete answer of the path's own shows that a stranger is let in.

    Raises:
        Unverified: the answer does not show whether strangers are let in: a page that asks for a password,
            nothing at all, or what the service answers to a path that does not exist.
    """
    answer = service.first(path)
    measure("status", answer.status)
    asked = urlsplit(path).path
    for _ in range(_MOST_REDIRECTS):
        target = redirect_of(answer)
        if target is None:
            break
        if not same_path(target.path, asked):
            return _require_no_page_below(service, answer, target, asked)
        if not stays(answer, target):
            raise Unverified(f"{_status(answer, path)} with a redirect to the same page at another address")
        answer = service.first(path_of(target))
    if answer.status in _REFUSED:
        return None
    if 300 <= answer.status < 400:
        raise Unverified(f"{_status(answer, path)} with a redirect that leads to no page")
    if not answer.ok:
        answer.wanted()
    _require_content(service, answer, path)
    return require(true=False, otherwise=f"{_status(answer, path)} to a request without a credential")


def _require_no_page_below(service: ServiceClient, answer: Answer, target: SplitResult, asked: str) -> None:
    """A redirect below the path, or to it in another language, may lead to the page itself."""
    page = asked.rstrip("/")
    below = bool(page) and (target.path.startswith(f"{page}/") or target.path.rstrip("/").endswith(page))
    if not below or is_sign_in_path(target.path) or not stays(answer, target):
        return
    landed = service.get(path_of(target))
    moved = is_sign_in_path(landed.path) or not landed.ok
    if not moved and not shows_password_form(landed):
        raise Unverified(
            f"{_status(answer, asked)} with a redirect to {landed.path}, which answers {landed.status} to a"
            " request without a credential: name that path if nobody may read it"
        )


def _require_content(service: ServiceClient, answer: Answer, path: str) -> None:
    """The answer is content of the path's own, as far as that can be seen."""
    if shows_password_form(answer):
        raise Unverified(
            f"{_status(answer, path)} with a form for a password: whether it lets in is not known"
        )
    if not answer.body.strip():
        raise Unverified(f"{_status(answer, path)} with an empty body, which lets nobody in")
    unknown = service.get(_UNKNOWN_PATH)
    page = answer.is_html and unknown.is_html and answer.title == unknown.title
    if unknown.ok and (page or unknown.body == answer.body):
        raise Unverified(
            f"{_status(answer, path)} with what it answers to any path, such as a page of maintenance or an"
            " application that runs in the browser: name a path that serves data"
        )


def _status(answer: Answer, path: str) -> str:
    return f"GET {path} answered {answer.status}"

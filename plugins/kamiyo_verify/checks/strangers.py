"""Check that a path refuses requests without a credential."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

from kamiyo_verify.checks.client import ServiceClient
from kamiyo_verify.checks.requirement import Measure, require
from kamiyo_verify.checks.sign_in_pages import (
    is_sign_in_path,
    names_an_error,
    path_of,
    redirect_of,
    same_path,
    shows_password_form,
    stays,
)
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.model.outcomes import Unverified, WrongAnswer

_REFUSED = frozenset({400, 401, 403, 404, 407, 410, 422, 451})
"""Statuses that let nobody in: where the credential's header is missing, FastAPI answers 422, others 400."""

_MOST_REDIRECTS = 5
_SIGN_IN_TITLE = re.compile(
    r"\b(?:sign|log)[- ]?(?:in|on)\b|\banmeld|\beinlogg|\bconnexion\b|iniciar sesi|\baccedi\b", re.IGNORECASE
)
_REFUSAL_WORDS = re.compile(
    r"40[13]\b|unauthori[sz]ed|unauthenticated|forbidden|not[ _-](?:logged|signed)[ _-]in"
    r"|(?:authentication|login|sign[- ]in)[ _-](?:is[ _-])?required",
    re.IGNORECASE,
)
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
    if 400 <= answer.status < 500:
        raise Unverified(f"{_status(answer, path)}, which lets nobody in and does not show why")
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
    if answer.is_html and _SIGN_IN_TITLE.search(answer.title):
        raise Unverified(
            f'{_status(answer, path)} with a page titled "{answer.title}", which may ask to sign in'
        )
    if refused := _refused_in_json(answer):
        raise Unverified(f"{_status(answer, path)} with JSON that {refused}, which lets nobody in")
    unknown = service.get(_UNKNOWN_PATH)
    page = answer.is_html and unknown.is_html and answer.title == unknown.title
    if unknown.ok and (page or unknown.body == answer.body):
        raise Unverified(
            f"{_status(answer, path)} with what it answers to any path, such as a page of maintenance or an"
            " application that runs in the browser: name a path that serves data"
        )


def _refused_in_json(answer: Answer) -> str:
    """What JSON says in place of a status: "names an error", "holds nothing"; "" if it has content."""
    try:
        data = None if answer.is_html else answer.json()
    except WrongAnswer:
        return ""
    if answer.is_html:
        return ""
    if names_an_error(data) or (isinstance(data, dict) and any(map(_refuses, data.items()))):
        return "names an error"
    return "holds nothing" if _is_empty(data) else ""


def _refuses(pair: tuple[str, object]) -> bool:
    key, value = pair
    named = key.lower().replace("_", "") in {"status", "statuscode", "code", "type", "message", "detail"}
    return named and (value in {401, 403} or (isinstance(value, str) and bool(_REFUSAL_WORDS.match(value))))


def _is_empty(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(_is_empty, value.values()))
    return all(map(_is_empty, value)) if isinstance(value, list) else not value


def _status(answer: Answer, path: str) -> str:
    return f"GET {path} answered {answer.status}"

"""Recognise a sign-in that asks for a further step: a second factor, or a new password.

The password was taken, and nobody is signed in yet: the token or session of such an answer only leads on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from kamiyo_verify.checks.sign_in_pages import shows_password_form
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.model.outcomes import WrongAnswer

PASSWORD_EXPIRED = "a new password"  # noqa: S105 - a part of a sentence

_SECOND_FACTOR = "a second factor"
_FURTHER_STEP = "a further step"
_FACTOR = r"mfa|two[-_ ]?factor|second[-_ ]?factor|multi[-_ ]?factor|t?otp|one[-_ ]?time"
_FACTOR_NAMED = re.compile(rf"(?<![a-z])(?:{_FACTOR})(?![a-z])|[2-9]fa(?![a-z])", re.IGNORECASE)
_PASSWORD_NAMED = re.compile(
    r"(?:password|credentials?)[-_ ]?(?:has[-_ ])?(?:expired|must|change|reset|required)"
    r"|(?:new|change|reset|expired|update)[-_ ]?(?:the[-_ ]|your[-_ ])?password",
    re.IGNORECASE,
)
_PENDING = re.compile(
    r"require|need|pending|challenge|step|ticket|token|session|force|must|expired|reset|change", re.IGNORECASE
)
_STATES = frozenset(
    {
        *("status", "state", "code", "error", "errors", "result", "reason", "type", "stage", "flow"),
        *("step", "nextstep", "signinstep", "action", "nextaction"),
        *("challenge", "challengename", "challengetype"),
    }
)
_ABOUT_SOMEBODY = frozenset(
    {
        *("user", "users", "profile", "account", "accounts", "member", "settings", "preferences"),
        *("organization", "organisation", "org", "tenant", "permissions", "features"),
    }
)
_CODE_INPUT = re.compile(
    rf"<input\b[^>]{{0,1000}}(?:one-time-code|\b(?:name|id)\s{{0,9}}=\s{{0,9}}[\"']?[\w.\[\]-]{{0,40}}?"
    rf"(?<![a-z])(?:{_FACTOR}|verification[-_]?code|authenticator|passcode)(?![a-z]))",
    re.IGNORECASE,
)
_DEEPEST = 4


def further_step(answer: Answer) -> str:
    """What an answer to a sign-in asks for besides the password, such as "a second factor"; or ""."""
    if answer.is_html and shows_password_form(answer):
        return ""  # the form again, which may have a field for a code beside the password's
    if answer.is_html:
        on_page = _CODE_INPUT.search(answer.text) or _FACTOR_NAMED.search(urlsplit(answer.url).path)
        return _SECOND_FACTOR if on_page else ""
    try:
        data = answer.json()
    except WrongAnswer:
        return ""
    return next(filter(None, (_step_of(key, value) for key, value in _pairs(data))), "")


def _pairs(data: object, depth: int = 0) -> Iterator[tuple[str, object]]:
    """Yield each key with its value, without what is said of a person or an organisation."""
    if not isinstance(data, dict) or depth >= _DEEPEST:
        return
    for key, value in data.items():
        if isinstance(value, dict):
            if _bare(key) not in _ABOUT_SOMEBODY:
                yield from _pairs(value, depth + 1)
        else:
            yield str(key), value


def _step_of(key: str, value: object) -> str:
    words = _words(key)
    on = value is True or (isinstance(value, str) and bool(value) and value.lower() not in {"false", "no"})
    if on and _PENDING.search(words) and _FACTOR_NAMED.search(words):
        return _SECOND_FACTOR
    if value is True and _PASSWORD_NAMED.search(words) and _PENDING.search(words):
        return PASSWORD_EXPIRED
    return _step_in_state(_bare(key), value) if isinstance(value, str) and value else ""


def _step_in_state(key: str, value: str) -> str:
    if key not in _STATES:
        return ""
    if _FACTOR_NAMED.search(_words(value)):
        return _SECOND_FACTOR
    if _PASSWORD_NAMED.search(_words(value)):
        return PASSWORD_EXPIRED
    return _FURTHER_STEP if key == "challengename" else ""


def _words(name: str) -> str:
    """The name with its words apart: "mfaRequired" and "MFA_REQUIRED" are "mfa required"."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name[:200])
    return re.sub(r"[-_.]", " ", apart).lower()


def _bare(key: object) -> str:
    return re.sub(r"[-_. ]", "", str(key)).lower()

"""Look at what a service answers, to choose the checks that fit it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from kamiyo_verify.checks.certificates import certificate_end
from kamiyo_verify.cli.init.described import Description, description_of
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.http.client import HttpClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import NoAnswer, WrongAnswer
from kamiyo_verify.model.settings import Timeouts

_HEALTH = ("/health", "/healthz", "/api/health", "/server/health", "/up", "/status", "/+status")
_COMMIT_HEADERS = ("X-Commit", "X-Commit-Sha", "X-Git-Commit", "X-Git-Sha", "X-Revision", "X-Version")
_COMMIT_PATHS = ("/version", "/version.json", "/api/version", "/info")
_COMMIT_FIELDS = ("commit", "commit_sha", "git_commit", "git_sha", "sha", "revision")
_COMMIT = re.compile(r"[0-9a-fA-F]{7,64}")
_WHOLE = 40
_ABOUT_ITSELF = frozenset(
    (
        *("settings", "config", "configuration", "options", "limits", "flags", "features", "capabilities"),
        *(
            "links",
            "endpoints",
            "paths",
            "routes",
            "resources",
            "info",
            "meta",
            "metadata",
            "version",
            "versions",
        ),
        *(
            "status",
            "health",
            "checks",
            "components",
            "dependencies",
            "services",
            "details",
            "errors",
            "warnings",
        ),
    )
)
_SECONDS = 60.0


class NothingAnswers(Exception):
    """The address gives no usable answer; the message says which."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one service answers.

    Attributes:
        health: the first of the usual health paths that answers 200 with JSON or plain text, or "/".
        title: the title of its page, or "".
        keys: the keys of the JSON object at "/".
        rows: where "/" lists rows: "" for the answer itself, a key of it, or None if it lists none.
        certificate_days: how long its TLS certificate is valid; None where the address is not https.
        description: its OpenAPI description, or None.
        commit: where it reports its commit, as a TOML value; "" if it was seen nowhere.
    """

    health: str
    title: str
    keys: tuple[str, ...]
    rows: str | None
    certificate_days: float | None
    description: Description | None = None
    commit: str = ""

    @property
    def https(self) -> bool:
        """Whether the address is https."""
        return self.certificate_days is not None


def look_at(origin: str) -> Seen:
    """Ask for "/", the usual health paths, and what a description offers to anybody.

    Every request is a GET without credentials.

    Raises:
        NothingAnswers: "/" gives no answer, or a status other than 200; the certificate is not trusted.
    """
    until = monotonic() + _SECONDS
    http = HttpClient(origin, ClientContext.unrecorded(Timeouts(), lambda: until - monotonic()))
    try:
        home = http.get("/")
        if home.status != 200:
            raise NothingAnswers(home.mismatch("200"))
        missing = http.get("/kamiyo-verify-no-such-path")
        health = next((path for path in _HEALTH if _is_health(http, path, missing)), "/")
        commit = _commit_header(home) or _commit_path(http, health)
        description = description_of(http)
        days = _days(http) if origin.startswith("https://") else None
    except NoAnswer as why:
        raise NothingAnswers(str(why)) from None
    finally:
        http.close()
    data = _json(home)
    return Seen(
        health=health,
        title=home.title,
        keys=tuple(sorted(data)) if isinstance(data, dict) else (),
        rows=_rows(data),
        certificate_days=days,
        description=description,
        commit=commit,
    )


def _days(http: HttpClient) -> float:
    return (certificate_end(http) - datetime.now(UTC)).total_seconds() / 86_400


def _is_health(http: HttpClient, path: str, missing: Answer) -> bool:
    """Whether a path answers 200, unless the site answers so to every path.

    A single-page application answers every path with its HTML page. An answer that is not HTML is then the
    path's own.
    """
    answer = http.get(path)
    of_its_own = not missing.ok or (missing.is_html and not answer.is_html)
    return answer.status == 200 and of_its_own and not (answer.is_html and _has_words(answer))


def _has_words(answer: Answer) -> bool:
    """Whether a page says something: Rails answers /up with a page that is a colour alone."""
    return bool(re.sub(r"<style.*?</style>|<!--.*?-->|<[^>]*>", "", answer.text, flags=re.DOTALL).strip())


def _commit_header(home: Answer) -> str:
    """Return the header of any answer that is the commit, as a TOML value; "" if there is none."""
    found = (name for name in _COMMIT_HEADERS if _is_commit(home.headers.get(name)))
    return next((f'{{ header = "{name}" }}' for name in found), "")


def _commit_path(http: HttpClient, health: str) -> str:
    """Return the JSON path and field that is the commit, as a TOML value; "" if there is none."""
    for path in dict.fromkeys((health, *_COMMIT_PATHS)):
        answer = http.get(path)
        data = _json(answer) if answer.status == 200 else None
        if isinstance(data, dict):
            for field in _COMMIT_FIELDS:
                if _is_commit(data.get(field)):
                    return f'{{ path = "{path}", field = "{field}" }}'
    return ""


def _is_commit(value: object) -> bool:
    """Whether a value is hexadecimal and long enough; a few digits alone may be a time or a build number."""
    if not isinstance(value, str) or not _COMMIT.fullmatch(found := value.strip()):
        return False
    return len(found) >= _WHOLE or not found.isdigit()


def _json(answer: Answer) -> object:
    try:
        return answer.json()
    except WrongAnswer:
        return None


def _rows(data: object) -> str | None:
    if isinstance(data, list) and data:
        return ""
    if isinstance(data, dict):
        listed = (key for key, value in data.items() if _are_rows(value) and not _about_itself(key))
        return next((key for key in listed if "." not in key), None)
    return None


def _are_rows(value: object) -> bool:
    """Whether a value is a list, or an object of objects alone: plain values are settings."""
    if isinstance(value, list):
        return bool(value)
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(one, dict) and one for one in value.values())
    )


def _about_itself(key: str) -> bool:
    """Whether a key names what a service says of itself, which changes with a release and is no data."""
    return key.strip("_$@").lower() in _ABOUT_ITSELF

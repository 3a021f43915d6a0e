"""Decide whether a request was let in; "open" is reported only on proof."""

from __future__ import annotations

from dataclasses import dataclass

from kamiyo_verify.http.answer import Answer
from kamiyo_verify.model.outcomes import ImproperAnswer, ImproperKind, Unverified

_REFUSED = frozenset({400, 401, 403, 407, 422})
_MISSING = frozenset({404, 405, 410, 501})


def delivery_let_in(answer: Answer) -> bool:
    """Whether the webhook accepted a delivery: True for 2xx, False for a refusal.

    Raises:
        ImproperAnswer: a gateway's error, a redirect, the page that the site shows for any address, or more
            than a webhook ever answers.
        Unverified: no webhook is mounted there, or it was refused for another reason than its signature.
    """
    if answer.truncated:
        raise ImproperAnswer(answer.mismatch("an answer of the webhook"), ImproperKind.TOO_LARGE)
    if answer.ok and not answer.is_html:
        return True
    if answer.status in _REFUSED:
        return False
    if answer.status in _MISSING:
        raise Unverified(
            f"no webhook is mounted there, so nothing shows what it refuses: {answer.mismatch('400')}"
        )
    if answer.ok:
        raise ImproperAnswer(answer.mismatch("an answer of the webhook"), ImproperKind.NOT_JSON)
    if answer.status < 400 or answer.status >= 500:
        answer.wanted()
    raise Unverified(f"refused for another reason than its signature: {answer.mismatch('400')}")


@dataclass(frozen=True, slots=True)
class AdminAccess:
    """How the admin addresses answer unauthenticated requests.

    Attributes:
        open: paths that answered.
        closed: paths that refused.
        missing: paths that do not exist.
        broken: answers that prove neither.
    """

    open: tuple[str, ...]
    closed: tuple[str, ...]
    missing: tuple[str, ...]
    broken: tuple[Answer, ...]

    def proven(self) -> AdminAccess:
        """The object itself if at least one address exists and refuses, and no answer is unclear.

        Raises:
            ImproperAnswer: an address does not answer properly.
            Unverified: there is nothing to check.
        """
        for answer in self.broken:
            answer.wanted()
            raise ImproperAnswer(answer.mismatch("a refusal"))
        if not self.closed:
            what = f"not there: {', '.join(self.missing)}" if self.missing else "[api] admin_paths is empty"
            raise Unverified(f"nothing there to check: {what}")
        return self


def admin_access(
    answers: dict[str, Answer], anything: Answer | None, as_admin: dict[str, Answer]
) -> AdminAccess:
    """Sort the answers to unauthenticated requests.

    Args:
        answers: by path.
        anything: the answer to a path that cannot exist; what is answered there too proves nothing.
        as_admin: answers to the admin key, for paths that are hidden (404) without it.
    """
    sorted_in: dict[str, list[str]] = {"open": [], "closed": [], "missing": []}
    broken: list[Answer] = []
    for path, answer in answers.items():
        if anything is not None and _alike(answer, anything):
            sorted_in["missing"].append(path)
        elif answer.ok:
            sorted_in["open"].append(path)
        elif answer.status in _MISSING:
            hidden = path in as_admin and as_admin[path].ok
            sorted_in["closed" if hidden else "missing"].append(path)
        elif answer.status in _REFUSED or 300 <= answer.status < 400:
            sorted_in["closed"].append(path)
        else:
            broken.append(answer)
    return AdminAccess(
        tuple(sorted_in["open"]), tuple(sorted_in["closed"]), tuple(sorted_in["missing"]), tuple(broken)
    )


def _alike(answer: Answer, anything: Answer) -> bool:
    """Both are the site's answer to any path: its page, the same body, or the same redirect."""
    if 300 <= answer.status < 400:
        return answer.status == anything.status and _target(answer) == _target(anything)
    return (
        answer.ok and anything.ok and ((answer.is_html and anything.is_html) or answer.body == anything.body)
    )


def _target(answer: Answer) -> str:
    """Where a redirect leads, without the query, which often holds the path that was requested."""
    return str(answer.headers.get("location", "")).partition("?")[0]


def readable_by_pages(answer: Answer) -> bool:
    """Whether an answer is data for pages: 2xx, no page itself, and not larger than what is read."""
    return answer.ok and not answer.is_html and not answer.truncated


@dataclass(frozen=True, slots=True)
class Cors:
    """The CORS headers of several answers, for one origin.

    Attributes:
        allowed: every origin that was named, on an answer of any status.
        working: the first answer that pages could read: 2xx, and no page of its own; or None.
        last: an answer that did not work, or None.
    """

    allowed: frozenset[str]
    working: Answer | None
    last: Answer | None

    @property
    def echoed(self) -> str | None:
        """The origin that the working answer names."""
        return self.working.allowed_origin if self.working else None

    def proven(self) -> Cors:
        """The object itself if a path works: an origin that it does not allow is really not allowed.

        Raises:
            ServerBroke, WrongAnswer: no path works.
        """
        if self.working is None and self.last is not None:
            self.last.wanted()
            raise ImproperAnswer(self.last.mismatch("data that a page can read"), ImproperKind.NOT_JSON)
        return self

"""Decide which answers show that a credential of ours was accepted or refused; the only place that does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kamiyo_verify.model.credentials import RefusalKind

if TYPE_CHECKING:
    from kamiyo_verify.http.answer import Answer

Shows = Callable[["Answer"], bool | None]
"""Whether an answer shows that the credential was accepted (True) or refused (False); None if neither."""

_REFUSED_BY_STATUS = {401: RefusalKind.UNAUTHORIZED, 403: RefusalKind.FORBIDDEN}
_LOCKED_OUT = frozenset({403, 423, 429})
_SIGNATURE_REFUSED = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True)
class Carried:
    """The credential that a request carries.

    Attributes:
        variable: the environment variable that holds it.
        accepted: decides from the answer whether it was accepted.
        secrets: forms of its value that no message may show, besides those that `secrets_of` finds.
    """

    variable: str
    accepted: Shows
    secrets: frozenset[str] = field(default=frozenset(), repr=False)


def by_status(variable: str) -> Carried | None:
    """A credential that is accepted by 2xx and refused by 401 and 403; None if the name is ""."""
    return Carried(variable, _status) if variable else None


def by_tier(variable: str, expected: str) -> Carried:
    """An API key that is accepted if `X-RateLimit-Tier` names the expected tier."""

    def accepted(answer: Answer) -> bool | None:
        tier = answer.headers.get("x-ratelimit-tier", "").strip()
        if answer.ok and tier:
            return bool(tier.casefold() == expected.casefold())
        return False if refused_by_status(answer) else None

    return Carried(variable, accepted)


def by_signature(variable: str) -> Carried:
    """A signing secret: 2xx accepts a signed delivery; 400, 401 and 403 refuse it."""

    def accepted(answer: Answer) -> bool | None:
        if answer.ok:
            return True
        return False if answer.status in _SIGNATURE_REFUSED else None

    return Carried(variable, accepted)


def by_password(variable: str) -> Carried:
    """A password: 200 accepts it, 401 refuses it."""

    def accepted(answer: Answer) -> bool | None:
        return True if answer.status == 200 else (False if answer.status == 401 else None)

    return Carried(variable, accepted)


def refused_by_status(answer: Answer) -> RefusalKind | None:
    """How the status refuses the credential; None if it does not, or if a rate limit is the reason."""
    rate_limited = "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
    return None if rate_limited else _REFUSED_BY_STATUS.get(answer.status)


def signature_refused(answer: Answer) -> bool:
    """The endpoint refused a signed delivery."""
    return answer.status in _SIGNATURE_REFUSED


def locked_out(answer: Answer) -> bool:
    """Sign-in is locked for this account or address for now, whatever the password is."""
    return answer.status in _LOCKED_OUT


def _status(answer: Answer) -> bool | None:
    if answer.ok:
        return True
    return False if refused_by_status(answer) else None

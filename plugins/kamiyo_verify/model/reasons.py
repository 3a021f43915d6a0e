"""The reasons of a call, by item, and its causes, by what is broken."""

from __future__ import annotations

from dataclasses import dataclass

from kamiyo_verify.model.words import Attribution, Impact


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason of the recommendation: the item, its attribution, and the policy's clause.

    Attributes:
        item: the item's id; an objective's id if the reason is an SLO; "" if it is the whole run.
        impact: None if the reason is not an item.
        attribution: None if nothing failed.
        clause: text of the policy's clause, or "" if none applies.
    """

    item: str
    impact: Impact | None
    attribution: Attribution | None
    clause: str
    message: str


@dataclass(frozen=True, slots=True)
class Cause:
    """What is broken, with the items that fail because of it.

    Attributes:
        title: such as "GET /api/auth/csrf answers 500 in every try".
        status: HTTP status of the first exchange that shows it; None if no answer came.
        request_id: the platform's own id of that request, or "".
        at: when it was sent, else when the item was first tried; UTC, ISO 8601, or "".
    """

    title: str
    items: tuple[str, ...]
    status: int | None = None
    request_id: str = ""
    at: str = ""

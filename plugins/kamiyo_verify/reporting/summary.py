"""The first things that every report says: the cause, what goes back, and the evidence grouped by cause."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from kamiyo_verify.model.figures import counted, duration, listed
from kamiyo_verify.model.reasons import Cause, Reason
from kamiyo_verify.model.verdict import ItemReport, RollbackStep, Verdict
from kamiyo_verify.model.words import Action, Attribution, Status
from kamiyo_verify.reporting import words

_SHARE = re.compile(r" in [\d,]+ of [\d,]+ requests")
_BROKEN = {Action.ROLL_BACK, Action.FIX_FORWARD, Action.HOLD}
"""The calls whose first reason is something broken; the others begin with why nothing can be decided."""

_SHORT = 7
_NAMED = 3
_CLIENT_ERROR = 400


@dataclass(frozen=True, slots=True)
class Ground:
    """One ground of the call: what is broken or missing, with all the items that it affects.

    Attributes:
        title: what is wrong, such as "GET /api/auth/csrf answers 500 in every try".
        broken: whether it is a cause from the verdict, not a missing item or a finding about the run.
        reasons: the reasons of the call that it contains, worst first.
        users: what users lose by it, or "" if unknown.
        status: HTTP status of the first failing exchange, or None.
        request_id: that request's id at the platform, or "".
        at: when it was first seen, ISO 8601, or "".
    """

    title: str
    broken: bool
    reasons: tuple[Reason, ...]
    users: str = ""
    status: int | None = None
    request_id: str = ""
    at: str = ""

    @property
    def failing(self) -> str:
        """The status if it shows a failure, else ""."""
        return str(self.status) if self.status is not None and self.status >= _CLIENT_ERROR else ""

    @property
    def items(self) -> tuple[str, ...]:
        """Ids of the items, or of the objectives, that it affects."""
        return tuple(reason.item for reason in self.reasons if reason.item)

    @property
    def attribution(self) -> Attribution | None:
        """The attribution of its first reason."""
        return self.reasons[0].attribution

    @property
    def clause(self) -> str:
        """The policy's clause of its first reason, or ""."""
        return self.reasons[0].clause

    @property
    def first_exchange(self) -> str:
        """Describe its first failing exchange, such as "status 500 · request 7fe1 · 14:07:44 UTC"."""
        parts = (
            f"status {self.failing}" if self.failing else "",
            f"request {self.request_id}" if self.request_id else "",
            clock(self.at),
        )
        return " · ".join(filter(None, parts))


def grounds(verdict: Verdict) -> tuple[Ground, ...]:
    """Return the grounds of the call: by the policy's clause, worst first, then by the number of items."""
    causes = {item: cause for cause in verdict.causes for item in cause.items}
    items = {item.id: item for item in verdict.items}
    groups: dict[Cause | str, list[Reason]] = {}
    for reason in verdict.reasons:
        groups.setdefault(causes.get(reason.item, reason.message), []).append(reason)
    clauses = list(dict.fromkeys(reason.clause for reason in verdict.reasons))
    found = (_ground(of, reasons, items) for of, reasons in groups.items())
    return tuple(sorted(found, key=lambda ground: (clauses.index(ground.clause), -len(ground.reasons))))


def _ground(of: Cause | str, reasons: list[Reason], items: dict[str, ItemReport]) -> Ground:
    if isinstance(of, str):
        return Ground(words.lead(of)[0], broken=False, reasons=tuple(reasons))
    found = (items[reason.item] for reason in reasons if reason.item in items)
    users = next((one.user_impact for one in found if one.status is Status.FAILED and one.user_impact), "")
    return Ground(
        words.lead(of.title)[0],
        broken=True,
        reasons=tuple(reasons),
        users=users,
        status=of.status,
        request_id=of.request_id,
        at=of.at,
    )


def cause(verdict: Verdict) -> str:
    """Return the cause of the call in one sentence: what users lose, what is broken, and since when."""
    found = grounds(verdict)
    if not found:
        return sentence("; ".join((verdict.headline, *_ended(verdict))))
    first, more = found[0], len(found) - 1
    also = f"; and {counted(more, 'more cause')}" if more and verdict.recommendation in _BROKEN else ""
    if first.broken and verdict.recommendation in _BROKEN:
        return sentence(f"{_lost(first)}{also}")
    known = first.title.removesuffix(" is refused") in verdict.headline
    description = verdict.headline if known else f"{verdict.headline}: {first.title}"
    return sentence(f"{description}{also}")


def _lost(ground: Ground) -> str:
    """Describe a cause; if only a share of the requests fails, users lose something only where one does."""
    shown = not ground.failing or ground.failing in ground.title
    answer = "" if shown else f" (status {ground.failing})"
    since = f", seen since {clock(ground.at)[:5]} UTC" if ground.at else ""
    if not ground.users:
        return f"{ground.title}{answer}{since}"
    if _SHARE.search(ground.title):
        return f"{ground.title}{answer}{since}; for these requests: {ground.users}"
    return f"{ground.users}: {ground.title}{answer}{since}"


def _ended(verdict: Verdict) -> Iterator[str]:
    ended = [outage for outage in verdict.outages if outage.ended]
    if ended:
        first = ended[0]
        more = f", and {counted(len(ended) - 1, 'more outage')} ended too" if len(ended) > 1 else ""
        yield (
            f"{first.service} failed for {duration(first.seconds)} from {clock(first.began_at)}"
            f" and answers again{more}"
        )


def goes_back(verdict: Verdict) -> tuple[str, ...]:
    """Describe each rollback by commits, else by deploys, such as "kamiyo-frontend: 9c41d07 → 3b0cca2"."""
    return tuple(
        f"{step.service}: {step.current_commit[:_SHORT]} → {step.to_commit[:_SHORT]}"
        if step.current_commit and step.to_commit
        else f"{step.service}: {step.current or 'an unknown deploy'} → {step.to}"
        for step in verdict.rollback.services
        if step.to
    )


def without_target(verdict: Verdict) -> tuple[RollbackStep, ...]:
    """Return the services that go back manually, because no deploy to go back to is known."""
    return tuple(step for step in verdict.rollback.services if not step.to)


def stays(verdict: Verdict) -> str:
    """Name the services that stay, or return "" if none goes back to a known deploy."""
    kept = verdict.rollback.stays
    if not kept or not goes_back(verdict):
        return ""
    return f"{listed(kept)} {'stays' if len(kept) == 1 else 'stay'}"


def named(ids: tuple[str, ...]) -> str:
    """List the first ids and count the others."""
    more = len(ids) - _NAMED
    return ", ".join(ids[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def clock(text: str) -> str:
    """Format an ISO time as "14:07:44 UTC"; "" for other text."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).strftime("%H:%M:%S UTC")
    except ValueError:
        return ""


def sentence(text: str) -> str:
    """Return the text with its first letter in upper case, unless it begins with a name or an address."""
    word = text.partition(" ")[0].rstrip(",.:;")
    return text[:1].upper() + text[1:] if word.isalpha() and word.islower() else text

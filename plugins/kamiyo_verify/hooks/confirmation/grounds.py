"""Grounds: items that failed at least once and need a recheck before the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.http.hangs import NOT_ASKED
from kamiyo_verify.judge.attribution.failures import SILENCE
from kamiyo_verify.judge.rules.effects import may_be_over
from kamiyo_verify.judge.slo.lines import limit_of
from kamiyo_verify.judge.slo.readings import Baseline
from kamiyo_verify.model.confirmation import Confirmation, FailingShare, Recheck
from kamiyo_verify.model.downtime.outages import ServiceOutage
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.runbook import Item, Runbook, Slo
from kamiyo_verify.model.words import Attribution, Phase, Status

_NEVER_BACK = {Phase.PREFLIGHT, Phase.ROLLBACK}
_NO_HTTP = {"RUN", "SQL"}
_DRAINING = ("closed with 1001", "closed with 1012", "closed with 1013")


@dataclass
class Ground:
    """An item to recheck.

    Attributes:
        nodeids: its tests that failed in at least one attempt.
        tries: the attempts at these tests, as results of one attempt each.
        message: the failure message.
        first_failed_at: UTC, ISO 8601.
        rolls_back: its failure could lead to a rollback, so the confirmation waits for it.
        sampled: its measurements decide an objective.
        looks: the rechecks so far.
        short: two separate requests confirm it, as the clause of the policy says.
        flaky: each of its tests passed on a later try.
        request: the key of its follow-up sample; "" if its request is unknown or cannot be repeated.
    """

    item: Item
    nodeids: tuple[str, ...]
    tries: tuple[Result, ...]
    message: str
    first_failed_at: str
    rolls_back: bool
    sampled: bool
    short: bool
    flaky: bool
    looks: list[Recheck] = field(default_factory=list)
    request: str = ""

    @property
    def recovered(self) -> bool:
        """Whether the last recheck passed."""
        return bool(self.looks) and self.looks[-1].status is Status.PASSED

    @property
    def passed_in_a_row(self) -> int:
        """The number of passed rechecks since the last failed one."""
        passed = 0
        for look in reversed(self.looks):
            if look.status is not Status.PASSED:
                break
            passed += 1
        return passed

    @property
    def first_failed(self) -> float:
        """The time of the first failure, in seconds since 1970."""
        return datetime.fromisoformat(self.first_failed_at).timestamp()

    @property
    def is_hole(self) -> bool:
        """Whether this is a security hole: the service granted access; two separate requests prove it."""
        unreadable = all(one.failure in SILENCE for one in self.tries if _looks_bad(one))
        return self.short and not self.silent and not unreadable

    @property
    def silent(self) -> bool:
        """Whether every failed attempt ended without an answer or with a 5xx."""
        return all(_is_silent(one) for one in self.tries if _looks_bad(one))

    def confirmation(self, share: FailingShare | None, incomplete: str) -> Confirmation:
        """Return the outcome of the rechecks, as the judge reads it."""
        return Confirmation(self.first_failed_at, tuple(self.looks), share, incomplete, self.silent)

    def failing_exchange(self) -> Exchange | None:
        """Return the failed request: no answer or 5xx; else the last one, if its status is 300 or more."""
        bad = [
            sent
            for one in self.tries
            if one.status is not Status.PASSED
            for sent in one.exchanges
            if sent.method not in _NO_HTTP
        ]
        for sent in bad:
            if _unanswered(sent):
                return sent
        last = bad[-1] if bad else None
        return last if last is not None and last.status is not None and last.status >= 300 else None

    def good_statuses(self, sent: Exchange) -> frozenset[int]:
        """Return the statuses of the same request in attempts that passed."""
        bare = sent.url.partition("?")[0]
        return frozenset(
            other.status
            for one in self.tries
            if one.status is Status.PASSED
            for other in one.exchanges
            if other.method == sent.method and other.url.partition("?")[0] == bare and other.status
        )


def grounds(runbook: Runbook, results: Results, before: Callable[[], Baseline]) -> list[Ground]:
    """Return every item to recheck: possible rollbacks, and other items that an outage affected.

    Args:
        runbook: contains the policy and the objectives.
        results: of all attempts.
        before: returns the measurements from before the deployment, with which a slowdown is compared.
    """
    clauses = {clause.impact for clause in runbook.policy.roll_back}
    short = {clause.impact for clause in runbook.policy.roll_back if clause.confirmation == "short"}
    found = []
    for item_id, result in results.of_items().items():
        item = runbook.item(item_id)
        if item is None or item.phase in _NEVER_BACK or item.manual:
            continue
        tries = results.tries(item_id)
        bad = [one for one in tries if _looks_bad(one)]
        objectives = [slo for slo in runbook.slos if slo.item == item_id] if bad else []
        sampled = any(_exceeds(slo, result, runbook, before) for slo in objectives)
        rolls_back = item.impact in clauses or sampled
        if not bad or not (rolls_back or result.status is not Status.PASSED):
            continue
        nodeids = tuple(dict.fromkeys(nodeid for one in bad for nodeid in one.nodeids))
        found.append(
            Ground(
                item=item,
                nodeids=nodeids,
                tries=tuple(one for one in tries if one.nodeids[0] in nodeids),
                message=bad[-1].message,
                first_failed_at=min(one.attempts[-1].started_at for one in bad),
                rolls_back=rolls_back,
                sampled=sampled,
                short=item.impact in short,
                flaky=result.status is Status.PASSED and not sampled,
            )
        )
    away = any(one.rolls_back and one.silent for one in found)
    counting = {slo.item for slo in runbook.slos}
    return [
        one
        for one in found
        # A few errors among many samples are no outage, and a second sampling would take minutes.
        if one.rolls_back or away or (one.item.id not in counting and _by_outage(one.tries))
    ]


def date_from_outages(found: Iterable[Ground], seen: Iterable[ServiceOutage], most_s: float) -> None:
    """Date the silence of a service from its first request without an answer, whichever item sent it.

    Args:
        found: grounds; those without an answer, and those of samples, change in place.
        seen: the outages of the run so far; ended ones are ignored.
        most_s: the most seconds by which a ground is dated earlier than its own failure.
    """
    going_on = [outage for outage in seen if not outage.ended]
    for ground in found:
        services = {*ground.item.services}
        own = [one.began_at for one in going_on if not services or one.service in services]
        if own and (ground.silent or ground.sampled):
            failed = datetime.fromisoformat(ground.first_failed_at)
            began = max(datetime.fromisoformat(max(own)), failed - timedelta(seconds=most_s))
            ground.first_failed_at = min(began, failed).isoformat(timespec="milliseconds")


def may_roll_back(runbook: Runbook, item: Item) -> bool:
    """Return whether a failure of the item alone could lead to a rollback."""
    clauses = {clause.impact for clause in runbook.policy.roll_back}
    return item.impact in clauses and item.phase not in _NEVER_BACK


def _exceeds(slo: Slo, result: Result, runbook: Runbook, before: Callable[[], Baseline]) -> bool:
    """Return whether the sample of an objective may exceed a limit of the policy."""
    if slo.kind == "quantile":
        return result.status is Status.FAILED and may_be_over(slo, result, runbook.policy, before())
    return _fails_for_many(slo, result, runbook)


def _fails_for_many(slo: Slo, result: Result, runbook: Runbook) -> bool:
    """Return whether the sample of a ratio objective exceeds the policy's limit for "few users"."""
    line = limit_of(runbook.policy, None)
    bad, total = result.measurement(slo.measurement), result.measurement(slo.total)
    if slo.kind != "ratio" or line is None or line.limit is None or bad is None or total is None:
        return False
    if not isinstance(bad.value, int) or not isinstance(total.value, int):
        return False
    return bad.value >= line.limit * total.value > 0


def _is_silent(one: Result) -> bool:
    last = one.exchanges[-1] if one.exchanges else None
    return NOT_ASKED in one.message if last is None else _unanswered(last)


def _unanswered(sent: Exchange) -> bool:
    """Return whether there was no answer or a 5xx. Commands have neither; SQL has no status."""
    if sent.method in _NO_HTTP:
        return sent.method == "SQL" and bool(sent.problem)
    return sent.status is None or sent.status >= 500


def _looks_bad(one: Result) -> bool:
    """Return whether an attempt failed or got no usable answer; problems on our own side do not count."""
    if one.status is Status.FAILED:
        return True
    return one.status is Status.ERROR and one.attribution is not Attribution.PROBER


def _by_outage(tries: Iterable[Result]) -> bool:
    """Return whether a failure looks like a service outage."""
    return any(
        any(word in one.message for word in _DRAINING)
        or NOT_ASKED in one.message
        or any(_unanswered(sent) for sent in one.exchanges)
        for one in tries
        if one.status is not Status.PASSED
    )

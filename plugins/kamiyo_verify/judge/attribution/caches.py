"""Copies of a cache that may be older than the release: they show neither that it works nor that it does not.

The clients ask a second time, past the cache, and judge the service's own answer. What is left here are the
copies of caches that cannot be asked past.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from kamiyo_verify.judge.attribution.failures import failing, origin
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.result import Exchange, Result
from kamiyo_verify.model.words import Attribution, FailureKind, Phase, Status

PAST_CACHES = "empty the cache, or let requests with a query reach the service"
"""What to do about it, for a next step."""

_OF_A_RELEASE = frozenset({Phase.POSTDEPLOY, Phase.PERFORMANCE, Phase.ROLLBACK, Phase.FOLLOWUP})


def without_copies(evidence: Evidence) -> Iterator[Result]:
    """Yield the results; of an item that was answered by such copies, nothing is known of the release."""
    since = _live_since(evidence)
    own = {origin(sent) for sent in _proper(evidence)}
    for result in evidence.results:
        copies = () if evidence.records_baseline else _copies(evidence, result, since, own)
        if not copies:
            yield result
            continue
        yield replace(
            result,
            status=Status.ERROR,
            message=_described(copies),
            attribution=Attribution.UNKNOWN,
            failure=FailureKind.CACHED,
            refusal=None,
            confirmation=None,
        )


def answered_by_copies(evidence: Evidence) -> bool:
    """Return whether an item could not be measured because a cache answered in place of the service."""
    return any(result.failure is FailureKind.CACHED for result in evidence.with_status(Status.ERROR))


def _copies(
    evidence: Evidence, result: Result, since: datetime | None, own: set[str]
) -> tuple[Exchange, ...]:
    """Return the copies by which an item passed or failed; empty if it was the service that answered.

    An item that need not be verified passes by a copy beside other answers of the service itself. Samples
    count as users meet them.
    """
    sampled = any(slo.item == result.item for slo in evidence.runbook.slos)
    if sampled or result.phase not in _OF_A_RELEASE or _names_the_release(evidence, result):
        return ()
    copies = tuple(sent for sent in _only_copies(result) if _may_be_older(sent, since))
    if result.status is Status.FAILED:
        shown = failing(result)
        return tuple(sent for sent in copies if shown and _endpoint(sent) == _endpoint(shown))
    required = evidence.item(result.item).impact in evidence.runbook.policy.required_impacts
    if result.status is Status.PASSED and (required or any(origin(sent) not in own for sent in copies)):
        return copies
    return ()


def _only_copies(result: Result) -> Iterator[Exchange]:
    """Yield the last answer of each of the item's endpoints that only a cache answered."""
    answers: dict[tuple[str, str], list[Exchange]] = {}
    for sent in result.exchanges:
        if sent.status is not None:
            answers.setdefault(_endpoint(sent), []).append(sent)
    for found in answers.values():
        if all(sent.cached or 400 <= (sent.status or 0) < 500 for sent in found):
            yield from reversed([sent for sent in found if sent.cached][-1:])


def _may_be_older(sent: Exchange, since: datetime | None) -> bool:
    return since is None or not sent.stored_at or datetime.fromisoformat(sent.stored_at) < since


def _live_since(evidence: Evidence) -> datetime | None:
    """Return the earliest time at which the release is known to be live; None if that is not known."""
    known = [datetime.fromisoformat(evidence.started_at)] if evidence.started_at else []
    current = evidence.history.current.seen if evidence.history and evidence.history.current else None
    if current is not None and current.began_at and current.duration_s is not None:
        known.append(datetime.fromisoformat(current.began_at) + timedelta(seconds=current.duration_s))
    lives = [state.live for state in evidence.hosted]
    if lives and evidence.commit and all(live and live.is_of(evidence.commit) for live in lives):
        ends = [live.finished_at for live in lives if live and live.finished_at]
        known += [max(ends)] if len(ends) == len(lives) else []
    return min(known, default=None)


def _names_the_release(evidence: Evidence, result: Result) -> bool:
    """Return whether the item read the release's commit: whatever answered, the release made that answer."""
    read = (one for one in result.measurements if one.name.partition("[")[0].endswith("commit"))
    return bool(evidence.commit) and any(same_commit(str(one.value), evidence.commit) for one in read)


def _proper(evidence: Evidence) -> Iterator[Exchange]:
    """Yield the answers that services of passed items gave themselves."""
    for result in evidence.with_status(Status.PASSED):
        yield from (one for one in result.exchanges if not one.cached and 200 <= (one.status or 0) < 300)


def _endpoint(sent: Exchange) -> tuple[str, str]:
    return sent.method, sent.url.partition("?")[0]


def _described(copies: tuple[Exchange, ...]) -> str:
    first = copies[0]
    more = f" (and {counted(len(copies) - 1, 'more request')})" if len(copies) > 1 else ""
    request = f"{first.method} {urlsplit(first.url).path or '/'}{more}"
    return f"a cache answered {request} with a copy ({first.cached}) that may be older than the release"

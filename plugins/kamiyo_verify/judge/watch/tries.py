"""The outcomes of an item in one round: its tries, its rechecks and the follow-up sample of its request."""

from __future__ import annotations

from datetime import datetime

from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Status


def tries_of(result: Result) -> list[tuple[float, bool]]:
    """Every try, recheck and follow-up request of an item that was measured, in order of time."""
    if result.status not in {Status.PASSED, Status.FAILED}:
        return []
    known = {Status.PASSED, Status.FAILED}
    pairs = [
        (seconds_of(one.started_at), one.status is Status.FAILED)
        for one in result.attempts
        if one.status in known
    ]
    if not pairs:
        pairs = [(seconds_of(result.started_at), result.status is Status.FAILED)]
    if found := result.confirmation:
        pairs += [
            (seconds_of(one.at), one.status is Status.FAILED) for one in found.rechecks if one.status in known
        ]
        if found.share is not None:
            began = seconds_of(found.share.began_at)
            pairs += [
                (began + offset, bad)
                for offset, bad in zip(found.share.offsets_s, found.share.failed, strict=True)
            ]
    return sorted(pairs)


def seconds_of(moment: str) -> float:
    """Return a moment in seconds since the epoch; 0 if it is not known."""
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError:
        return 0.0

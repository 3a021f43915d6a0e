"""Rechecks of a failed item: whether it is still broken, and for which share of requests."""

from __future__ import annotations

from dataclasses import dataclass

from kamiyo_verify.model.words import Status


@dataclass(frozen=True, slots=True)
class Recheck:
    """One recheck of an item that failed.

    Attributes:
        at: when it began, UTC, ISO 8601.
        message: why it did not pass; "" if it passed.
    """

    at: str
    status: Status
    message: str = ""


@dataclass(frozen=True, slots=True)
class FailingShare:
    """A follow-up sample of the request that failed, spread over the time of the confirmation.

    Attributes:
        request: such as "GET /api/auth/csrf".
        began_at: UTC, ISO 8601.
        offsets_s: seconds from `began_at` to each request, ascending.
        failed: for each request, whether it failed for users.
        beside: (failed, total) of the run's other requests to this endpoint since the item failed first.
    """

    request: str
    began_at: str
    offsets_s: tuple[float, ...]
    failed: tuple[bool, ...]
    beside: tuple[int, int] = (0, 0)

    @property
    def count(self) -> int:
        """Number of requests that failed."""
        return sum(self.failed)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The confirmer's results for one item that failed at least once.

    Attributes:
        first_failed_at: when it was first seen to fail, UTC, ISO 8601.
        rechecks: the rechecks in order; the last one is immediately before the verdict.
        share: the failing share of the item's request, if it can be repeated safely.
        incomplete: why the last recheck could not be made; "" if it was made.
        silent: whether each try that did not pass got no answer, or a 5xx, so that it disclosed nothing.
    """

    first_failed_at: str
    rechecks: tuple[Recheck, ...] = ()
    share: FailingShare | None = None
    incomplete: str = ""
    silent: bool = False

    @property
    def ended_at(self) -> str:
        """When the passing rechecks at the end began; "" if the last recheck did not pass."""
        ended = ""
        for look in reversed(self.rechecks):
            if look.status is not Status.PASSED:
                break
            ended = look.at
        return ended

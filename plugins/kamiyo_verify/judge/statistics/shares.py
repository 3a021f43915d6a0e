"""Judge on which side of a line the share of failing requests lies, by a follow-up sample of one request.

The sampling may have ended as soon as the question was decided, so the interval holds at every moment
(`sequences`). Failures come in spells, so the sample counts as its effective number of independent requests
(`spells`).
"""

from __future__ import annotations

from dataclasses import dataclass

from kamiyo_verify.judge.slo.lines import Side, side
from kamiyo_verify.judge.statistics.method import Method
from kamiyo_verify.judge.statistics.sequences import ANYTIME
from kamiyo_verify.judge.statistics.spells import design_effect
from kamiyo_verify.model.figures import percent


@dataclass(frozen=True, slots=True)
class ShareVerdict:
    """The verdict of a sample on a failing share.

    Attributes:
        side: where the interval lies; `STRADDLING` also if there is no sample.
        interval: bounds of the true share, each one-sided at the requested confidence.
        failed: number of failed requests out of `total`.
        independent: effective number of independent requests; smaller if failures come in spells.
    """

    side: Side
    interval: tuple[float, float]
    failed: int
    total: int
    independent: float

    @property
    def worth(self) -> str:
        """The effective number of independent requests, in parentheses; "" if it equals `total`."""
        if self.independent >= self.total - 0.5:
            return ""
        return f" (failures come in spells: worth {self.independent:.0f} independent requests)"

    def __str__(self) -> str:
        lower, upper = map(percent, self.interval)
        description = f"{self.failed:,} of {self.total:,} requests failed, which is {lower} to {upper} of all"
        return description + self.worth


def verdict_on_outcomes(
    offsets_s: tuple[float, ...],
    failed: tuple[bool, ...],
    limit: float,
    confidence: float,
    method: Method = ANYTIME,
) -> ShareVerdict:
    """Judge on which side of `limit` the failing share of a sample lies.

    Args:
        offsets_s: when each request was sent, in seconds after the first.
        failed: whether it failed, in the same order.
        limit: the policy's line, such as 0.05.
        confidence: confidence that `OVER` is right, and that `UNDER` is, however often it was evaluated.
        method: how the bounds are computed.

    Raises:
        ValueError: the sample's offsets and outcomes differ in number, or the confidence is invalid.
    """
    if not failed:
        return ShareVerdict(Side.STRADDLING, (0.0, 1.0), 0, 0, 0.0)
    effect = design_effect(offsets_s, failed)
    bad, total = sum(failed) / effect, len(failed) / effect
    interval = (method.lower_bound(bad, total, confidence), method.upper_bound(bad, total, confidence))
    return ShareVerdict(side(interval, limit), interval, sum(failed), len(failed), total)

"""Simulate how often each interval is wrong: `python -m kamiyo_verify.calibration.coverage METHOD`.

Every bound is allowed to be wrong in at most 5 % of runs. Exit code 1 means that one of them was wrong more
often than chance explains.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from statistics import NormalDist, median

from kamiyo_verify.calibration.tally import Share
from kamiyo_verify.judge.statistics import exact as statistics
from kamiyo_verify.judge.statistics.exact import EXACT, at_most, quantile_bounds
from kamiyo_verify.judge.statistics.method import Method
from kamiyo_verify.judge.statistics.ratios import quantile_ratio, share_increase
from kamiyo_verify.judge.statistics.sequences import ANYTIME

_LEVEL = 0.95
_LONGEST = 1_000
_SURE = 0.999


@dataclass(frozen=True, slots=True)
class Finding:
    """How often something happened; `promised` if it may happen in at most 5 % of runs."""

    what: str
    share: Share
    promised: bool = True

    @property
    def kept(self) -> bool:
        """Whether it happened no more often than allowed, apart from chance."""
        if not self.promised:
            return True
        fewer = at_most(self.share.part - 1, self.share.whole, 1 - _LEVEL)
        return fewer < _SURE

    def __str__(self) -> str:
        return f"{self.what:58} {self.share}"


Simulated = Iterator[Finding | str]


def shares(random: Random, runs: int) -> Simulated:
    """Clopper-Pearson bounds of a share, from 120 requests."""
    for truth in (0.001, 0.02, 0.3):
        bad = [_count(random, truth, 120) for _ in range(runs)]
        above = sum(_bound(statistics.lower_bound, one, 120) > truth for one in bad)
        below = sum(_bound(statistics.upper_bound, one, 120) < truth for one in bad)
        yield Finding(f"true share {truth:g}: the lower bound is above it", Share(above, runs))
        yield Finding(f"true share {truth:g}: the upper bound is below it", Share(below, runs))


def quantiles(random: Random, runs: int) -> Simulated:
    """Order statistics as bounds of p95, from 75 response times."""
    for sigma in (0.2, 1.0):
        truth = math.exp(sigma * NormalDist().inv_cdf(0.95))
        drawn = [quantile_bounds(_lognormal(random, sigma, 75), 0.95, _LEVEL) for _ in range(runs)]
        above = sum(lower is not None and lower > truth for lower, _ in drawn)
        below = sum(upper is not None and upper < truth for _, upper in drawn)
        yield Finding(f"lognormal {sigma:g}: the lower bound is above the true p95", Share(above, runs))
        yield Finding(f"lognormal {sigma:g}: the upper bound is below the true p95", Share(below, runs))


def sequence(random: Random, runs: int) -> Simulated:
    """A verdict on "fewer than 5 % are slow", evaluated after every one of 1,000 requests."""
    for name, method, promised in (("sequence", ANYTIME, True), ("exact test", EXACT, False)):
        watched = [_watched(random, 0.05, method) for _ in range(runs)]
        for verdict in ("met", "breached"):
            wrong = sum(first[verdict] is not None for first in watched)
            what = f"{name}, exactly 5 % slow: ever called {verdict}"
            yield Finding(what, Share(wrong, runs), promised)
    for slow in (0.0, 0.0025, 0.01, 0.2):
        ends = [_watched(random, slow, ANYTIME) for _ in range(min(runs, 500))]
        first = [min(first["met"] or _LONGEST, first["breached"] or _LONGEST) for first in ends]
        yield f"{100 * slow:g} % slow: decided after {median(first):.0f} requests at the median"


def ratio(random: Random, runs: int) -> Simulated:
    """The ratio of two medians, from 80 response times after and 60 before."""
    pairs = {"alike": (0.5, 1.0, 0.5), "twice as slow": (0.5, 2.0, 0.5), "wider": (1.2, 1.0, 0.2)}
    for name, (sigma, times, sigma_before) in pairs.items():
        above = below = 0
        for _ in range(runs):
            after = [times * one for one in _lognormal(random, sigma, 80)]
            lower, upper = quantile_ratio(after, _lognormal(random, sigma_before, 60), 0.5, _LEVEL)
            above += lower is not None and lower > times
            below += upper is not None and upper < times
        yield Finding(f"{name}: the lower bound is above the true ratio", Share(above, runs))
        yield Finding(f"{name}: the upper bound is below the true ratio", Share(below, runs))


def increase(random: Random, runs: int) -> Simulated:
    """The increase of a share, from 300 requests after and 80 before."""
    for after, before in ((0.1, 0.1), (0.3, 0.02)):
        above = below = 0
        for _ in range(runs):
            counts = ((_count(random, after, 300), 300), (_count(random, before, 80), 80))
            lower, upper = share_increase(*counts, _LEVEL)
            above += lower > after - before
            below += upper < after - before
        yield Finding(f"{before:g} to {after:g}: the lower bound is above the true one", Share(above, runs))
        yield Finding(f"{before:g} to {after:g}: the upper bound is below the true one", Share(below, runs))


METHODS: dict[str, Callable[[Random, int], Simulated]] = {
    one.__name__: one for one in (shares, quantiles, sequence, ratio, increase)
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate one method and print how often it was wrong."""
    parser = argparse.ArgumentParser(prog="python -m kamiyo_verify.calibration.coverage", description=__doc__)
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("runs", nargs="?", type=int, default=2_000, help="2,000 where nothing is said")
    parser.add_argument("--seed", type=int, default=1, help="of all that is left to chance (1)")
    chosen = parser.parse_args(arguments)
    method = METHODS[chosen.method]
    sys.stdout.write(f"{method.__doc__}\n")
    kept = True
    for found in method(Random(chosen.seed), chosen.runs):  # noqa: S311 - no secret is drawn
        sys.stdout.write(f"  {found}\n")
        kept = kept and (isinstance(found, str) or found.kept)
    return 0 if kept else 1


def _watched(random: Random, truth: float, method: Method) -> dict[str, int | None]:
    """Return after how many requests each verdict first appeared; None for never."""
    first: dict[str, int | None] = {"met": None, "breached": None}
    bad = 0
    for total in range(1, _LONGEST + 1):
        bad += random.random() < truth
        if first["met"] is None and _shows(method.shows_below, bad, total):
            first["met"] = total
        if first["breached"] is None and _shows(method.shows_above, bad, total):
            first["breached"] = total
        if method is ANYTIME and truth != 0.05 and any(first.values()):
            break
    return first


@cache
def _shows(shows: Callable[[int, int, float, float], bool], bad: int, total: int) -> bool:
    return shows(bad, total, 0.05, _LEVEL)


@cache
def _bound(bound: Callable[[int, int, float], float], bad: int, total: int) -> float:
    return bound(bad, total, _LEVEL)


def _count(random: Random, share: float, size: int) -> int:
    return sum(random.random() < share for _ in range(size))


def _lognormal(random: Random, sigma: float, size: int) -> list[float]:
    return [random.lognormvariate(0.0, sigma) for _ in range(size)]


if __name__ == "__main__":
    sys.exit(main())

"""Deployments with known faults, and the recommendations that are right for them.

The values near a threshold (2 %, 5 %, 10 % of requests; 30 %, 60 %, 100 % slower) fit a policy with
thresholds of 5 % and 50 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial

from kamiyo_verify.model.words import Action, Attribution, Impact

_PROCEED = frozenset({Action.PROCEED})
_FIX_FORWARD = frozenset({Action.FIX_FORWARD})
_ROLL_BACK = frozenset({Action.ROLL_BACK})
_INCONCLUSIVE = frozenset({Action.INCONCLUSIVE})


class Should(Enum):
    """What a person who knows the faults would do with the deployment."""

    KEEP = "keep"
    TAKE_BACK = "take back"
    EITHER = "either"


@dataclass(frozen=True, kw_only=True)
class Truth:
    """One kind of deployment.

    Attributes:
        right: the right recommendations; inconclusive only if the evidence allows no better one.
        twice: its effect is at least twice the policy's threshold, or no threshold applies.
        broken: one item of each of these impacts fails at every try.
        blame: the attribution of that failure if it is known; None for this deployment.
        failing: share of requests to the API that fail.
        failing_before: that share before the deployment.
        pace: the true p95 divided by its objective, before the deployment.
        times: how many times as slow the API has become.
        compared: there is a baseline.
        stray: chance that any one try of any item gets a stray 502.
        sampled: the most requests that rate limits and time allow.
        hidden: rate limits prevent the verification of one required item.
        cut_off: share of the items that get no answer because the prober's own network fails.
        other_commit: the API serves another commit than the expected one.
        lives: it is simulated in time (`calibration.platform`), by `broken` and what follows. All items of
            that impact and service are then broken.
        service: the one that has the fault; it alone has to go back.
        share: share of the requests of broken items that fail: of the instances that cannot serve them.
        spells: (beginning, length) of each time in which the service is silent, in seconds of the run.
        stale: number of items whose credential is refused.
        destructive: the release's migration dropped what the code before needs.
    """

    name: str
    should: Should
    right: frozenset[Action]
    twice: bool = False
    broken: tuple[Impact, ...] = ()
    blame: Attribution | None = None
    failing: float = 0.0
    failing_before: float = 0.0
    pace: float = 0.28
    times: float = 1.0
    compared: bool = True
    stray: float = 0.001
    sampled: int = 1_000
    hidden: bool = False
    cut_off: float = 0.0
    other_commit: bool = False
    lives: bool = False
    service: str = "frontend"
    share: float = 1.0
    spells: tuple[tuple[float, float], ...] = ()
    stale: int = 0
    destructive: bool = False


_keep = partial(Truth, should=Should.KEEP)
_take_back = partial(Truth, should=Should.TAKE_BACK, right=_ROLL_BACK, twice=True)

TRUTHS: tuple[Truth, ...] = (
    _keep(name="healthy", right=_PROCEED),
    _keep(name="healthy, nothing to compare with", right=_PROCEED, compared=False),
    _keep(name="healthy, 1 % stray 502s", right=_PROCEED, stray=0.01),
    _keep(name="healthy, 5 % stray 502s", right=_PROCEED, stray=0.05),
    _keep(name="healthy, 60 samples allowed", right=_PROCEED, sampled=60),
    _keep(name="healthy, 12 samples allowed", right=_INCONCLUSIVE, sampled=12),
    _keep(name="healthy, rate limits hide an item", right=_INCONCLUSIVE, hidden=True),
    _keep(name="healthy, near its objective", right=_PROCEED, pace=0.75),
    _keep(name="0.05 % errors", right=_PROCEED, failing=0.0005),
    _keep(name="1 % errors", right=_FIX_FORWARD, failing=0.01),
    _keep(name="2 % errors", right=_FIX_FORWARD, failing=0.02),
    _keep(
        name="2 % errors, 60 samples allowed", right=_FIX_FORWARD | _INCONCLUSIVE, failing=0.02, sampled=60
    ),
    _keep(name="2 % errors, as before", right=_FIX_FORWARD, failing=0.02, failing_before=0.02),
    _keep(name="10 % errors, as before", right=_FIX_FORWARD | _INCONCLUSIVE, failing=0.1, failing_before=0.1),
    _keep(name="4 % errors", right=_FIX_FORWARD | _INCONCLUSIVE, failing=0.04),
    Truth(name="5 % errors", should=Should.EITHER, right=_INCONCLUSIVE | _ROLL_BACK, failing=0.05),
    Truth(name="7 % errors", should=Should.TAKE_BACK, right=_ROLL_BACK | _INCONCLUSIVE, failing=0.07),
    _take_back(name="10 % errors", failing=0.1),
    _take_back(name="10 % errors, nothing to compare with", failing=0.1, compared=False),
    _take_back(name="20 % errors", failing=0.2),
    _take_back(name="20 % errors, 1 % before", failing=0.2, failing_before=0.01),
    _take_back(name="50 % errors", failing=0.5),
    _take_back(name="20 % errors, 60 samples allowed", failing=0.2, sampled=60),
    _keep(name="30 % slower", right=_PROCEED, times=1.3),
    _keep(name="60 % slower", right=_FIX_FORWARD | _INCONCLUSIVE, times=1.6),
    _keep(name="100 % slower, within the objective", right=_FIX_FORWARD, times=2.0),
    _keep(name="30 % slower, out of the objective", right=_FIX_FORWARD, times=1.3, pace=0.95),
    _keep(name="slow, as before", right=_FIX_FORWARD, pace=1.3),
    _keep(name="400 % slower, nothing to compare with", right=_FIX_FORWARD, times=5.0, compared=False),
    _take_back(name="100 % slower, out of the objective", times=2.0, pace=0.65),
    _take_back(name="400 % slower", times=5.0),
    _take_back(name="400 % slower, 60 samples allowed", times=5.0, sampled=60),
    *(_take_back(name=f"broken: {impact}", broken=(impact,)) for impact in (Impact.CORE, Impact.AUTH)),
    *(_take_back(name=f"broken: {impact}", broken=(impact,)) for impact in (Impact.DATA, Impact.PAYMENTS)),
    _take_back(name="broken: security", broken=(Impact.SECURITY,)),
    _take_back(name="broken: auth, 5 % stray 502s", broken=(Impact.AUTH,), stray=0.05),
    _take_back(name="broken: auth, rate limits hide an item", broken=(Impact.AUTH,), hidden=True),
    _take_back(name="broken: core, half the time", failing=0.5, stray=0.01),
    _keep(name="broken: feature", right=_FIX_FORWARD, broken=(Impact.FEATURE,)),
    _keep(
        name="broken: auth, as before",
        right=_FIX_FORWARD,
        broken=(Impact.AUTH,),
        blame=Attribution.PRE_EXISTING,
    ),
    _keep(
        name="broken: payments, Stripe is down",
        right=_FIX_FORWARD,
        broken=(Impact.PAYMENTS,),
        blame=Attribution.THIRD_PARTY,
    ),
    _keep(
        name="broken: core, our own network",
        right=_INCONCLUSIVE,
        broken=(Impact.CORE,),
        blame=Attribution.PROBER,
    ),
    _keep(name="our own network is cut", right=_INCONCLUSIVE, cut_off=1.0),
    _keep(name="our own network is cut half-way", right=_INCONCLUSIVE, cut_off=0.5),
    _keep(name="another commit answers", right=_INCONCLUSIVE, other_commit=True, broken=(Impact.AUTH,)),
)

_lives = partial(_keep, lives=True)
_dies = partial(_take_back, lives=True)
_OUTAGE = _PROCEED | _FIX_FORWARD
_FOREVER = 1e9

LIVING: tuple[Truth, ...] = (
    _lives(name="in time: healthy", right=_PROCEED),
    _lives(name="in time: API silent for 10 s", right=_OUTAGE, service="api", spells=((3, 10),)),
    _lives(name="in time: API silent for 30 s", right=_OUTAGE, service="api", spells=((3, 30),)),
    _lives(name="in time: website silent for 10 s", right=_OUTAGE, spells=((3, 10),)),
    _lives(name="in time: website silent for 30 s", right=_OUTAGE, spells=((3, 30),)),
    _lives(name="in time: two spells of 10 s", right=_OUTAGE, service="api", spells=((2, 10), (35, 10))),
    _lives(name="in time: one stale credential", right=_INCONCLUSIVE, stale=1),
    _lives(name="in time: three stale credentials", right=_INCONCLUSIVE, stale=3),
    _lives(name="in time: sign-in fails for 1 %", right=_OUTAGE, broken=(Impact.AUTH,), share=0.01),
    _lives(
        name="in time: core broken, destructive migration",
        right=_FIX_FORWARD,
        service="api",
        broken=(Impact.CORE,),
        destructive=True,
    ),
    _dies(name="in time: core broken", service="api", broken=(Impact.CORE,)),
    _dies(name="in time: payments broken", broken=(Impact.PAYMENTS,)),
    _dies(name="in time: sign-in broken after a spell", broken=(Impact.AUTH,), spells=((3, 10),)),
    _dies(name="in time: API silent for good", service="api", spells=((3, _FOREVER),)),
    _dies(name="in time: website silent for good", spells=((3, _FOREVER),)),
    _dies(name="in time: one of two instances, sign-in", broken=(Impact.AUTH,), share=0.5),
    _dies(name="in time: one of three instances, sign-in", broken=(Impact.AUTH,), share=1 / 3),
    _dies(name="in time: one of three instances, core", service="api", broken=(Impact.CORE,), share=1 / 3),
)
"""Deployments that are simulated in time, request by request."""

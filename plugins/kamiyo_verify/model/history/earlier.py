"""What earlier runs of the same commit sampled, for the objectives that count over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kamiyo_verify.model.result import Measurement

ANY_ITEM = ""
"""In place of an item's id: measurements with these names, of every item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledRun:
    """The counts of one recorded run, as the ledger has them.

    Attributes:
        commit: the requested commit, else the commit that answered.
        started_at: UTC, ISO 8601; so is `finished_at`.
        measurements: the measurements that were asked for, by item id.
        disturbed: ids of the items whose result is about our own side, not about the platform.
    """

    id: str
    commit: str
    started_at: str
    finished_at: str
    measurements: Mapping[str, tuple[Measurement, ...]] = field(default_factory=dict)
    disturbed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierSample:
    """What one earlier run counted for one objective.

    Attributes:
        run: id of the run.
        objective: id of the objective.
        began_at: when the run began, UTC, ISO 8601.
        bad: number of bad events out of `total`.
        effect: design effect of its bad events, at least 1: `bad / effect` of them are independent.
    """

    run: str
    objective: str
    began_at: str
    bad: int
    total: int
    effect: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRuns:
    """The samples of earlier runs against this commit, in the same environment and from the same place.

    Attributes:
        since: earlier runs count if they began at this time or later; UTC, ISO 8601.
        samples: oldest run first.
        unknown: why earlier runs are not known; "" if they are.
    """

    since: str = ""
    samples: tuple[EarlierSample, ...] = ()
    unknown: str = ""

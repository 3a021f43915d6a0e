"""Judges beside the real one: two simple ones, and real ones that were broken on purpose.

What a broken judge does wrong must be seen in the table, or the table proves nothing of the real one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

from kamiyo_verify.calibration.hosting import BAD
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.slo.readings import OUTCOMES, series_before
from kamiyo_verify.model.circumstances import Migrated
from kamiyo_verify.model.words import Action, Status

_MANY = 0.05
_KAYENTA_CONFIDENCE = 0.98
"""Kayenta's default: https://github.com/spinnaker/kayenta, `confLevel` of its Mann-Whitney classifier."""
_BLOCK = 10


@dataclass(frozen=True, slots=True)
class Call:
    """What a judge calls for.

    Attributes:
        back: the services that go back, each with the deploy to go to.
    """

    action: Action
    back: tuple[tuple[str, str], ...] = ()


Judge = Callable[[Evidence], Call]


def real(evidence: Evidence) -> Call:
    """The judge of this project."""
    verdict = decide(evidence)
    steps = verdict.rollback.services if verdict.recommendation is Action.ROLL_BACK else ()
    return Call(verdict.recommendation, tuple((step.service, step.to) for step in steps))


def threshold(evidence: Evidence) -> Call:
    """Roll back where more than 5 % of all requests of the run failed."""
    sent = [one for result in evidence.results for one in result.exchanges]
    bad = sum(one.status is None or one.status >= 400 for one in sent)
    return Call(Action.ROLL_BACK if sent and bad > _MANY * len(sent) else Action.PROCEED)


def mann_whitney(evidence: Evidence) -> Call:
    """Like Kayenta: roll back where a metric is significantly larger than before."""
    pairs: list[tuple[Sequence[float], Sequence[float]]] = []
    for slo in evidence.runbook.slos:
        result = evidence.result(slo.item)
        taken = result.measurement(slo.measurement) if result else None
        known = series_before(slo, evidence.baseline)
        if taken is not None and isinstance(taken.value, tuple) and known is not None:
            pairs.append((taken.value, known[0]))
        outcomes = result.measurement(OUTCOMES) if result else None
        if outcomes is not None and isinstance(outcomes.value, tuple):
            blocks = [sum(outcomes.value[at : at + _BLOCK]) for at in range(0, len(outcomes.value), _BLOCK)]
            pairs.append((blocks, [0.0] * len(blocks)))
    failed = [float(result.status is Status.FAILED) for result in evidence.results]
    pairs.append((failed, [0.0] * len(failed)))
    larger = any(_is_larger(after, before) for after, before in pairs)
    return Call(Action.ROLL_BACK if larger else Action.PROCEED)


def _is_larger(after: Sequence[float], before: Sequence[float]) -> bool:
    """Test by the normal approximation of Mann and Whitney's U; its variance allows for ties."""
    n, m = len(after), len(before)
    if not n or not m:
        return False
    u = sum((one > other) + (one == other) / 2 for one in after for other in before)
    counts: dict[float, int] = {}
    for value in (*after, *before):
        counts[value] = counts.get(value, 0) + 1
    total = n + m
    ties = sum(count**3 - count for count in counts.values())
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    return variance > 0 and (u - n * m / 2) / math.sqrt(variance) > NormalDist().inv_cdf(_KAYENTA_CONFIDENCE)


def wrong_service(evidence: Evidence) -> Call:
    """Takes back the other service than the broken one."""
    call = real(evidence)
    other = {"api": "frontend", "frontend": "api"}
    return Call(
        call.action,
        tuple((other.get(one, one), to.replace(one, other.get(one, one))) for one, to in call.back),
    )


def bad_target(evidence: Evidence) -> Call:
    """Goes back to the deploy before, whatever the ledger says of its commit."""
    return real(replace(evidence, bad_commits=tuple(one for one in evidence.bad_commits if one != BAD)))


def migration_ignored(evidence: Evidence) -> Call:
    """Does not look at what the release's migrations did."""
    return real(replace(evidence, migrated=Migrated()))


def credentials_trusted(evidence: Evidence) -> Call:
    """Takes a refused credential for the platform's failure."""
    results = tuple(
        replace(
            one,
            refusal=None,
            exchanges=tuple(replace(sent, credential="", accepted=None) for sent in one.exchanges),
        )
        for one in evidence.results
    )
    return real(replace(evidence, results=results, credentials=()))


def not_confirmed(evidence: Evidence) -> Call:
    """Believes the first three tries."""
    return real(replace(evidence, results=tuple(replace(one, confirmation=None) for one in evidence.results)))


def rule_removed(evidence: Evidence) -> Call:
    """Has lost the clause of its policy that speaks of sign-in."""
    policy = evidence.runbook.policy
    clauses = tuple(clause for clause in policy.roll_back if clause.id != "auth-broken")
    return real(
        replace(
            evidence,
            runbook=evidence.runbook.model_copy(
                update={"policy": policy.model_copy(update={"roll_back": clauses})}
            ),
        )
    )


SIMPLE: dict[str, Judge] = {"threshold of 5 %": threshold, "Mann-Whitney": mann_whitney}
BROKEN: dict[str, Judge] = {
    "broken: wrong service": wrong_service,
    "broken: bad target": bad_target,
    "broken: migration ignored": migration_ignored,
    "broken: credentials trusted": credentials_trusted,
    "broken: not confirmed": not_confirmed,
    "broken: rule removed": rule_removed,
}

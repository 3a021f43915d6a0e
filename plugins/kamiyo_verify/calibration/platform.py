"""A run against a platform that lives in time: instances, spells, credentials, deploys, and a confirmation.

Each request is asked at a moment, and what it gets is decided by the platform alone: a spell in which a
service is silent, a broken instance, a credential that nobody knows any more. What should be done with the
deployment is what its users feel, not what the judge's rules say. Checks, sampling, looks and follow-up
samples are sent at production's pace, and end by the rules that a real run uses.
"""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

from kamiyo_verify.calibration import hosting
from kamiyo_verify.calibration.confirming import confirmed
from kamiyo_verify.calibration.simulation import ATTEMPTS, FEWEST, PHASES, p95_series, share_counts
from kamiyo_verify.calibration.traffic import ANSWER_S, SILENCE_S, Traffic, is_well, moment
from kamiyo_verify.calibration.truth import Truth
from kamiyo_verify.judge.confirmation.confirmed import FEW_USERS
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM
from kamiyo_verify.judge.slo.lines import limit_of
from kamiyo_verify.judge.slo.readings import OUTCOMES, SENT_AT
from kamiyo_verify.judge.slo.settling import Settling
from kamiyo_verify.model.circumstances import Before, Migrated
from kamiyo_verify.model.confirmation import Confirmation, Recheck
from kamiyo_verify.model.credentials import CredentialUse, Refusal, RefusalKind
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Result
from kamiyo_verify.model.runbook import Item, Runbook, Slo
from kamiyo_verify.model.words import FailureKind, Phase, Status

_SERVICES = ("api", "frontend")
_SAMPLED = 300
_REQUESTS = 2
_VARIABLE = "CALIBRATION_KEY"
_USUAL_SHARE = 0.15
"""The median response time as a share of the p95's objective."""
_SIGMA = 0.4


class Platform:
    """Draws the evidence of runs against a platform.

    Args:
        runbook: its items, objectives and policy.
        random: the source of all randomness.
    """

    def __init__(self, runbook: Runbook, random: Random) -> None:
        self._runbook = runbook
        self._random = random
        self._items = {item.id: item for item in runbook.items if item.phase in PHASES and not item.manual}
        self._counting = {slo.item for slo in runbook.slos}
        line = limit_of(runbook.policy, None)
        self._line = line.limit if line and line.limit else FEW_USERS
        self._grave = {clause.impact for clause in runbook.policy.roll_back}

    def evidence(self, truth: Truth) -> Evidence:
        """Draw the evidence of one run."""
        traffic = self._traffic(truth)
        results: dict[str, Result] = {}
        at_s = 0.0
        for item in self._items.values():
            if item.id not in self._counting:
                results[item.id], at_s = self._checked(traffic, item, at_s)
        sampled = {service: self._sampled(traffic, service, 0.0) for service in _SERVICES}
        at_s = ended_s = max(at_s, *(until_s for _, until_s in sampled.values()))
        for service, (measured, _) in sampled.items():
            again: dict[str, Result] = {}
            if any(_fails_for_many(one, self._line) for one in measured.values()):
                again, ended_s = self._sampled(traffic, service, at_s)
            results |= {item: _seen_again(one, again.get(item), at_s) for item, one in measured.items()}
        for item_id, result in results.items():
            item = self._items[item_id]
            if item.impact in self._grave and any(one.status is Status.FAILED for one in result.attempts):
                results[item_id], until_s = confirmed(
                    traffic, result, item.services[0], self._runbook.policy, at_s
                )
                ended_s = max(ended_s, until_s)
        return self._as_evidence(traffic, results, ended_s)

    def _traffic(self, truth: Truth) -> Traffic:
        """Choose the items that are broken, and those whose credential is stale."""
        able = [
            item
            for item in self._items.values()
            if item.services[:1] == (truth.service,) and item.id not in {*self._counting, COMMIT_ITEM}
        ]
        broken = frozenset(item.id for item in able if item.impact in truth.broken)
        keyed = [item.id for item in able if item.impact in self._grave and item.id not in broken]
        return Traffic(truth, self._random, broken, frozenset(self._random.sample(keyed, truth.stale)))

    def _checked(self, traffic: Traffic, item: Item, at_s: float) -> tuple[Result, float]:
        """Simulate a check that sends one request a try, a second apart; return when it ended."""
        attempts: list[Attempt] = []
        sent: list[Exchange] = []
        began = moment(at_s)
        while len(attempts) < ATTEMPTS:
            status = self._request(traffic, item, at_s)
            well, took_s = is_well(status), SILENCE_S if status is None else ANSWER_S
            outcome = Status.PASSED if well else Status.FAILED
            attempts.append(Attempt(outcome, "" if well else "it failed", moment(at_s), took_s))
            sent.append(_exchange(item, status, at_s, took_s, keyed=item.id in traffic.stale))
            at_s += took_s
            if well:
                break
            at_s += 1.0
        kind = None if well else _KINDS.get(status, FailureKind.SERVER_ERROR)
        refused = kind is FailureKind.CREDENTIAL_REFUSED
        commits = tuple(Measurement(f"{one}_commit", hosting.NEW) for one in _SERVICES)
        return Result(
            item.id,
            item.phase,
            outcome,
            attempts[-1].message,
            measurements=commits if item.id == COMMIT_ITEM else (),
            exchanges=tuple(sent) if item.services else (),
            attempts=tuple(attempts),
            started_at=began,
            failure=kind,
            refusal=Refusal(_VARIABLE, RefusalKind.UNAUTHORIZED) if refused else None,
        ), at_s

    def _request(self, traffic: Traffic, item: Item, at_s: float) -> int | None:
        """Return the worst answer of one try's requests: most checks send two or more."""
        for _ in range(_REQUESTS if item.services else 0):
            status = traffic.ask(item.services[0], item.id, at_s)
            if not is_well(status):
                return status
        return 200

    def _sampled(self, traffic: Traffic, service: str, began_s: float) -> tuple[dict[str, Result], float]:
        """Simulate the sampling of one service, a request a second; return when it ended."""
        slos = [slo for slo in self._runbook.slos if self._served_by(slo) == (service,)]
        quantile = next(slo for slo in slos if slo.kind == "quantile")
        settling = Settling(quantile, self._runbook.policy)
        durations: list[float] = []
        failed: list[bool] = []
        sent: list[Exchange] = []
        while len(failed) < _SAMPLED and not (len(failed) >= FEWEST and settling.settled):
            at_s = began_s + len(failed)
            status = traffic.ask(service, "", at_s)
            took_ms = SILENCE_S * 1000
            if is_well(status):
                took_ms = self._random.lognormvariate(math.log(quantile.objective * _USUAL_SHARE), _SIGMA)
            settling.update(took_ms, bad=not is_well(status), at_s=at_s - began_s)
            durations.append(took_ms)
            failed.append(not is_well(status))
            sent.append(Exchange("GET", f"https://{service}.example/", status, took_ms, at=moment(at_s)))
        measured = {slo.item: self._measured(slo, durations, failed, tuple(sent)) for slo in slos}
        return measured, began_s + len(failed)

    def _measured(
        self, slo: Slo, durations: list[float], failed: list[bool], sent: tuple[Exchange, ...]
    ) -> Result:
        """Like the checks: response times of which more than one in twenty is none measure nothing."""
        status, measured = Status.PASSED, p95_series(slo, durations)
        if slo.kind == "ratio":
            offsets = tuple(map(float, range(len(failed))))
            spelled = (Measurement(SENT_AT, offsets, "s"), Measurement(OUTCOMES, tuple(map(float, failed))))
            measured = (*share_counts(slo, sum(failed), len(failed)), *spelled)
        elif sum(failed) * 20 > len(failed):
            status, measured = Status.ERROR, ()
        why = "its samples say nothing" if status is Status.ERROR else ""
        return Result(slo.item, Phase.PERFORMANCE, status, why, measurements=measured, exchanges=sent)

    def _as_evidence(self, traffic: Traffic, results: dict[str, Result], ended_s: float) -> Evidence:
        grave = ("20261123_drop: DROP COLUMN",) if traffic.truth.destructive else ()
        return Evidence(
            runbook=self._runbook,
            environment="calibration",
            phases=PHASES,
            results=tuple(results.values()),
            expected=tuple(self._items),
            no_check=tuple(item.id for item in self._runbook.items if item.phase in PHASES and item.manual),
            commit=hosting.NEW,
            started_at=moment(0.0),
            finished_at=moment(ended_s),
            before=Before(
                run="baseline",
                baseline=True,
                commit=hosting.GOOD,
                finished_at=moment(-3600.0),
                age_s=3600.0,
                statuses=dict.fromkeys(self._items, Status.PASSED),
            ),
            credentials=(CredentialUse(_VARIABLE, "f", refused=3),) if traffic.stale else (),
            hosted=hosting.states(_SERVICES),
            bad_commits=(hosting.BAD,),
            migrated=Migrated(grave=grave),
            timelines=traffic.timelines(),
        )

    def _served_by(self, slo: Slo) -> tuple[str, ...]:
        item = self._items.get(slo.item)
        return item.services if item else ()


def _fails_for_many(result: Result, line: float) -> bool:
    failed = _outcomes(result)
    return sum(failed) >= line * len(failed) > 0


def _seen_again(result: Result, again: Result | None, at_s: float) -> Result:
    """Return a sampling's result after a second one: its evidence is replaced where that one is well."""
    if again is None:
        return result
    well = again.status is Status.PASSED and not any(_outcomes(again))
    look = Recheck(moment(at_s), Status.PASSED if well else Status.FAILED)
    return again if well else replace(result, confirmation=Confirmation(moment(0.0), (look,)))


def _outcomes(result: Result) -> tuple[float, ...]:
    taken = result.measurement(OUTCOMES)
    return taken.value if taken is not None and isinstance(taken.value, tuple) else ()


_KINDS = {None: FailureKind.NO_ANSWER, 401: FailureKind.CREDENTIAL_REFUSED}


def _exchange(item: Item, status: int | None, at_s: float, took_s: float, *, keyed: bool) -> Exchange:
    return Exchange(
        "GET",
        f"https://{next(iter(item.services), 'none')}.example/{item.id}",
        status,
        took_s * 1000,
        at=moment(at_s),
        credential=_VARIABLE if keyed else "",
        accepted=False if keyed and status == 401 else None,
    )

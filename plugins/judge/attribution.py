"""Whose doing each failure is. Only what this deployment introduced can be taken back with it.

Asked in this order; the first that explains a failure stands:

1. the check itself found out that our own side was disturbed (it says so in its result);
2. our own clock is wrong, and the item goes by it: `prober`;
3. it failed before the deployment as well: `pre_existing`;
4. its supplier's own status page tells of trouble that explains such a failure: `third_party`;
5. else this deployment did it: `introduced`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from plugins.judge.evidence import Evidence
from plugins.model.figures import duration
from plugins.model.result import Result
from plugins.model.verdict import Compared
from plugins.model.words import Attribution, Explains, Status

CLOCK_TOLERANCE_S = 240.0
"""Stripe's signatures are good for 300 s (https://docs.stripe.com/webhooks#replay-attacks): a clock that is
off by a minute less, and a slow answer besides, can make one stale."""

_WITHOUT_A_REPORT = {
    Attribution.PRE_EXISTING: "it failed before this deployment too, so taking it back would not help",
    Attribution.THIRD_PARTY: "a third party is down, so taking this deployment back would not help",
}


@dataclass(frozen=True, slots=True)
class Blame:
    """Who did it, and how we know; `why` is "" where nothing needs to be told."""

    culprit: Attribution
    why: str = ""


def attributed(evidence: Evidence) -> Evidence:
    """The same evidence, in which every failure is somebody's doing."""
    return replace(
        evidence,
        results=tuple(
            replace(result, attribution=blame(evidence, result).culprit)
            if result.status is Status.FAILED
            else result
            for result in evidence.results
        ),
    )


def blame(evidence: Evidence, result: Result) -> Blame:
    """Whose doing a failure is."""
    given = result.attribution
    looks = (_our_clock, _there_before, _a_supplier)
    found = [blame for look in looks if (blame := look(evidence, result)) is not None]
    if given is None:
        return found[0] if found else Blame(Attribution.INTRODUCED)
    why = next((blame.why for blame in found if blame.culprit is given), "")
    return Blame(given, why or _WITHOUT_A_REPORT.get(given, ""))


def compared_with(evidence: Evidence) -> Compared | None:
    """The run that shows how things were before, as the reports tell it."""
    before = evidence.before
    if before is None:
        return None
    return Compared(
        run=before.run,
        baseline=before.baseline,
        commit=before.commit,
        finished_at=before.finished_at,
        age_s=before.age_s,
    )


def _our_clock(evidence: Evidence, result: Result) -> Blame | None:
    ahead = evidence.clock_ahead_s
    if ahead is None or abs(ahead) <= CLOCK_TOLERANCE_S or not evidence.item(result.item).by_clock:
        return None
    side = "ahead" if ahead > 0 else "behind"
    told = f"the clock of this machine is {duration(abs(ahead))} {side}, and signatures go by it: set it"
    return Blame(Attribution.PROBER, told)


def _there_before(evidence: Evidence, result: Result) -> Blame | None:
    before = evidence.before
    if before is None or before.statuses.get(result.item) is not Status.FAILED:
        return None
    told = (
        f"it failed before this deployment too, so taking it back would not help ({compared_with(evidence)})"
    )
    return Blame(Attribution.PRE_EXISTING, told)


def _a_supplier(evidence: Evidence, result: Result) -> Blame | None:
    supplier = evidence.item(result.item).supplier
    row = evidence.runbook.supplier(supplier) if supplier else None
    report = next((one for one in evidence.suppliers if one.supplier is supplier), None)
    if row is None or report is None or not report.troubles:
        return None
    if row.explains is Explains.SILENCE and not _silent(result):
        return None
    told = (
        f"{row.name}'s own status page says {', '.join(report.troubles)}: a third party is down, so taking"
        " this deployment back would not help"
    )
    return Blame(Attribution.THIRD_PARTY, told)


def _silent(result: Result) -> bool:
    """No answer came, or one that says that the server itself is broken."""
    return any(sent.status is None or sent.status >= 500 for sent in result.exchanges)

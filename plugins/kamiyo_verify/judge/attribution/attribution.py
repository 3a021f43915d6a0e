"""Attribute each failure to its cause. Only failures that this deployment introduced justify a rollback.

The rules apply in this order; the first one that explains a failure decides:

1. the check detected a problem on our own side and set the attribution in its result;
2. our own clock is wrong, and the item depends on it, or its service refuses every request of this run:
   `prober`;
3. a credential of ours was refused, and nothing else shows that the platform is at fault: `prober`;
4. the item failed before the deployment as well, and at least as badly: `pre_existing`;
5. its supplier's own status page reports a problem that explains such a failure: `third_party`;
6. it passed before, or failed less, or a refused credential was accepted before: `introduced`;
7. otherwise the earlier state is unknown: `unknown`.

Items that could not be measured are attributed as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from kamiyo_verify.judge.attribution.before import before_of, failed_alike, why_worse
from kamiyo_verify.judge.attribution.caches import without_copies
from kamiyo_verify.judge.attribution.failures import (
    SILENCE,
    about_the_commit,
    answering,
    beyond_code_because,
    failure_of,
    origin,
    unanswered,
)
from kamiyo_verify.judge.attribution.in_place import without_substitutes
from kamiyo_verify.judge.attribution.operator_path import corroborated
from kamiyo_verify.judge.attribution.rate_limits import without_limited_tiers
from kamiyo_verify.judge.attribution.refusals import refused, with_refused_samples
from kamiyo_verify.judge.attribution.shut_out import shut_out
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.outcomes import UNTRUSTED
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.verdict import Compared
from kamiyo_verify.model.words import Attribution, Explains, FailureKind, Status

CLOCK_TOLERANCE_S = 240.0
"""Stripe's signatures are valid for 300 s (https://docs.stripe.com/webhooks#replay-attacks). A clock that is
off by a minute less, together with a slow answer, can make one expire."""

_WITHOUT_A_REPORT = {
    Attribution.PRE_EXISTING: "it failed before this deployment too, so taking it back would not help",
    Attribution.THIRD_PARTY: "a third party is down, so taking this deployment back would not help",
}


@dataclass(frozen=True, slots=True)
class AttributionReason:
    """The cause of a failure and the evidence for it; `why` is "" if no explanation is needed."""

    culprit: Attribution
    why: str = ""


def attributed(evidence: Evidence) -> Evidence:
    """Return the evidence with an attribution for every result that did not pass, as far as it is known."""
    evidence = replace(evidence, results=tuple(without_copies(evidence)))
    evidence = replace(evidence, results=tuple(without_substitutes(evidence)))
    evidence = replace(evidence, results=tuple(without_limited_tiers(evidence)))
    evidence = replace(evidence, results=tuple(with_refused_samples(evidence)))
    evidence = replace(evidence, results=tuple(_with_control(evidence)))
    evidence = replace(evidence, results=tuple(corroborated(evidence, one) for one in evidence.results))
    return replace(evidence, results=tuple(_blamed(evidence)))


def blame(evidence: Evidence, result: Result) -> AttributionReason:
    """Return the attribution of a failure and its reason."""
    if result.failure is FailureKind.NOT_TRIED:
        return AttributionReason(Attribution.UNKNOWN)  # what was not tried is attributed to nobody
    found = [blame for look in _LOOKS if (blame := look(evidence, result)) is not None]
    given = result.attribution
    if given is None or given is Attribution.UNKNOWN:
        return found[0] if found else AttributionReason(Attribution.UNKNOWN)
    why = next((blame.why for blame in found if blame.culprit is given), "")
    return AttributionReason(given, why or _WITHOUT_A_REPORT.get(given, ""))


def _blamed(evidence: Evidence) -> Iterator[Result]:
    for result in evidence.results:
        looked_again = result.confirmation is not None
        if result.status in {Status.FAILED, Status.ERROR} or looked_again:
            culprit = blame(evidence, result).culprit
            unknown = culprit is Attribution.UNKNOWN
            yield replace(result, attribution=result.attribution if unknown else culprit)
        else:
            yield result


def _with_control(evidence: Evidence) -> Iterator[Result]:
    """Attribute silence to the platform if the same origin answered other requests of this run."""
    answered = set(answering(evidence))
    for result in evidence.results:
        silent = next((sent for sent in result.exchanges if unanswered(sent)), None)
        if (
            result.status is Status.ERROR
            and result.failure is FailureKind.NO_ANSWER
            and result.attribution in {None, Attribution.UNKNOWN}
            and silent is not None
            and origin(silent) in answered
        ):
            description = (
                f"{result.message.rstrip('.')}; {origin(silent)} answered other requests of this run"
            )
            yield replace(result, status=Status.FAILED, attribution=None, message=description)
        else:
            yield result


def compared_with(evidence: Evidence) -> Compared | None:
    """Return the run that shows the state before the deployment, in the form that reports use."""
    before = before_of(evidence)
    if before is None:
        return None
    return Compared(
        run=before.run,
        baseline=before.baseline,
        commit=before.commit,
        finished_at=before.finished_at,
        age_s=before.age_s,
    )


def goes_by_clock(evidence: Evidence, result: Result) -> bool:
    """Return whether a failure may be one of this machine's clock: of signatures, or of a certificate."""
    return evidence.item(result.item).clock_sensitive or UNTRUSTED in beyond_code_because(result)


def _our_clock(evidence: Evidence, result: Result) -> AttributionReason | None:
    ahead = evidence.clock_ahead_s
    if ahead is None or abs(ahead) <= CLOCK_TOLERANCE_S or not goes_by_clock(evidence, result):
        return None
    side = "ahead" if ahead > 0 else "behind"
    what = "signatures go" if evidence.item(result.item).clock_sensitive else "a certificate's validity goes"
    description = f"the clock of this machine is {duration(abs(ahead))} {side}, and {what} by it: set it"
    return AttributionReason(Attribution.PROBER, description)


def _our_credential(evidence: Evidence, result: Result) -> AttributionReason | None:
    found = refused(evidence, result)
    return AttributionReason(Attribution.PROBER, found.why) if found is not None and found.ours else None


def _there_before(evidence: Evidence, result: Result) -> AttributionReason | None:
    if not failed_alike(evidence, result):
        return None
    description = (
        f"it failed before this deployment too, so taking it back would not help ({compared_with(evidence)})"
    )
    return AttributionReason(Attribution.PRE_EXISTING, description)


def _new(evidence: Evidence, result: Result) -> AttributionReason | None:
    """It was better before, or a credential that is refused now was accepted before."""
    refusal = refused(evidence, result) if result.refusal is not None else None
    if refusal is not None and not refusal.ours:
        return AttributionReason(Attribution.INTRODUCED, refusal.why)
    before = before_of(evidence)
    if before is None or about_the_commit(evidence, result) or beyond_code_because(result):
        return None  # neither which version answers nor what lies before it is a property of this one
    match before.statuses.get(result.item):
        case Status.PASSED:
            return AttributionReason(Attribution.INTRODUCED)
        case Status.FAILED if why := why_worse(result, before.failures.get(result.item)):
            return AttributionReason(Attribution.INTRODUCED, f"it failed before too, and is worse now: {why}")
        case _:
            return None


def _a_supplier(evidence: Evidence, result: Result) -> AttributionReason | None:
    supplier = evidence.item(result.item).supplier
    row = evidence.runbook.supplier(supplier) if supplier else None
    report = next((one for one in evidence.suppliers if one.supplier is supplier), None)
    if row is None or report is None or not report.troubles:
        return None
    if row.explains is Explains.SILENCE and not _silent(result):
        return None
    pages = (contact.status_page for contact in evidence.runbook.contacts if contact.name == row.name)
    page = f" ({found})" if (found := next(filter(None, pages), "")) else ""
    description = (
        f"{row.name}'s own status page{page} says {', '.join(report.troubles)}: a third party is down, so"
        " taking this deployment back would not help"
    )
    return AttributionReason(Attribution.THIRD_PARTY, description)


def _silent(result: Result) -> bool:
    """Return whether no answer came, or a server error."""
    bad = any(unanswered(sent) or (sent.status or 0) >= 500 for sent in result.exchanges)
    return bad or failure_of(result) in SILENCE


def _shut_out(evidence: Evidence, result: Result) -> AttributionReason | None:
    why = shut_out(evidence, result)
    return AttributionReason(Attribution.PROBER, why) if why else None


_LOOKS = (_our_clock, _shut_out, _our_credential, _there_before, _a_supplier, _new)

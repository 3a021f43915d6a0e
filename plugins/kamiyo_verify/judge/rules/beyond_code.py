"""Replace a rollback for a failure that code has no part in: an untrusted certificate, an unknown name."""

from __future__ import annotations

from kamiyo_verify.judge.attribution.before import before_of
from kamiyo_verify.judge.attribution.failures import beyond_code_because
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rules.finding import Finding
from kamiyo_verify.model.outcomes import UNTRUSTED
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Action, Status

_OUT_OF_TIME = ("certificate has expired", "certificate is not valid yet")

NOT_BY_CODE = "a rollback changes neither certificates nor names"


def beyond_code(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings unchanged, or the replacement if a rollback of code can change none of them.

    A certificate that is not trusted and a name that is not found lie before every service. Where this
    machine alone may meet it, as it trusts or looks up otherwise than users do, a person has to look. With
    any other ground beside them the rollback stays.
    """
    if not found or found[0].action is not Action.ROLL_BACK:
        return found
    grounds = tuple(reason for one in found for reason in one.reasons)
    items = [reason.item if evidence.runbook.item(reason.item) else "" for reason in grounds]
    results = [result for item in items if item and (result := evidence.result(item)) is not None]
    if len(results) < len(grounds) or not all(map(beyond_code_because, results)):
        return found
    headline = f"{'; '.join(one.headline for one in found)}; {NOT_BY_CODE}"
    if all(_of_any_client(evidence, result) for result in results):
        return (Finding(Action.FIX_FORWARD, headline, grounds, NOT_BY_CODE),)
    doubt = Reason("", None, None, "", "not known whether users meet it too: look from another network")
    return (Finding(Action.INCONCLUSIVE, headline, (*grounds, doubt)),)


def _of_any_client(evidence: Evidence, result: Result) -> bool:
    """Return whether users meet it as well: a certificate out of its time, or what was well before from here.

    An issuer that nobody here knows may be one that this machine alone does not trust.
    """
    problem, before = beyond_code_because(result), before_of(evidence)
    if any(part in problem for part in _OUT_OF_TIME):
        return True
    well_before = before is not None and before.statuses.get(result.item) is Status.PASSED
    return well_before and (UNTRUSTED not in problem or "certificate is for another" in problem)

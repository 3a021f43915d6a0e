"""Judge an unreachable database by what the API reports: only operators connect to it directly."""

from __future__ import annotations

from dataclasses import replace

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.words import Attribution, Part, Status

READINESS_ITEM = "postdeploy.api-readiness"
"""The item by which the API reports on its database."""


def corroborated(evidence: Evidence, result: Result) -> Result:
    """Return the result with the API's report on its database, if we could not reach the database."""
    ours = result.status is Status.ERROR and result.attribution is Attribution.PROBER
    if not ours or evidence.item(result.item).part is not Part.DATABASE:
        return result
    readiness = evidence.result(READINESS_ITEM)
    if readiness is None:
        return result
    if readiness.status is Status.PASSED:
        description = "the API says that its database is healthy, so users are not affected"
        return replace(result, message=f"{result.message}; {description}")
    if readiness.status in {Status.FAILED, Status.ERROR}:
        description = "the API does not say that its database is healthy, either"
        return replace(result, message=f"{result.message}; {description}", attribution=Attribution.UNKNOWN)
    return result

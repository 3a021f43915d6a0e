"""Select an objective's measurement: its preferred source if that was measured, else its item."""

from __future__ import annotations

from dataclasses import replace

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.runbook import Slo
from kamiyo_verify.model.words import Attribution


def sourced(evidence: Evidence) -> Evidence:
    """Return the evidence with a runbook in which every objective names the measurement that it uses."""
    slos = tuple(_fed(slo, evidence) for slo in evidence.runbook.slos)
    return replace(evidence, runbook=evidence.runbook.model_copy(update={"slos": slos}))


def _fed(slo: Slo, evidence: Evidence) -> Slo:
    """Return the objective with its preferred source, if that was measured without a problem on our side.

    The title of an objective that is measured by its second choice names both measurements.
    """
    best = slo.preferred_source
    if best is None:
        return slo
    title = slo.title.partition(" (")[0]
    result = evidence.result(best.item)
    if (
        result is None
        or result.attribution is Attribution.PROBER
        or result.measurement(best.measurement) is None
    ):
        instead = f"{_words(slo.measurement)} instead of {_words(best.measurement)}"
        return slo.model_copy(update={"title": f"{title} (measured by {instead})"})
    return slo.model_copy(update={"title": title, "item": best.item, "measurement": best.measurement})


def _words(measurement: str) -> str:
    return measurement.replace("_", " ")

"""Which measurement an objective goes by, where one is truer than the other that stands in for it."""

from __future__ import annotations

from dataclasses import replace

from plugins.judge.evidence import Evidence
from plugins.model.runbook import Slo
from plugins.model.words import Attribution


def sourced(evidence: Evidence) -> Evidence:
    """The same evidence, under a runbook in which every objective names what it is judged by."""
    slos = tuple(_fed(slo, evidence) for slo in evidence.runbook.slos)
    return replace(evidence, runbook=evidence.runbook.model_copy(update={"slos": slos}))


def _fed(slo: Slo, evidence: Evidence) -> Slo:
    """The objective by its truer source, where that was measured, and not disturbed by our own side."""
    if slo.truer is None:
        return slo
    result = evidence.result(slo.truer.item)
    if result is None or result.attribution is Attribution.PROBER:
        return slo
    if result.measurement(slo.truer.measurement) is None:
        return slo
    return slo.model_copy(update={"item": slo.truer.item, "measurement": slo.truer.measurement})

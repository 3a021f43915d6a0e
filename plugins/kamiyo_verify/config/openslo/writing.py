"""Convert objectives to OpenSLO v1 documents, each self-contained: plain data for YAML.

A quantile becomes a threshold with a target: a p95 below 500 ms is `op: lt, value: 500, target: 0.95`. A
failing share becomes `bad` and `total`. A share over many runs becomes `raw`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from kamiyo_verify.config.openslo.documents import (
    API_VERSION,
    LONGEST_NAME,
    NO_WINDOW,
    OURS,
    PREFIX,
    complement,
    is_name,
)
from kamiyo_verify.model.runbook import Slo

_LARGE = 2**53
"""Below this, a float represents every whole number exactly."""

_NEARLY_ALL = 0.9999999999999999
"""The largest target below 1."""


def documents(slos: Iterable[Slo], *, project: str) -> list[dict[str, Any]]:
    """Return a Service document and one SLO document for each objective."""
    service = _slug(project) or "platform"
    first = {
        "apiVersion": API_VERSION,
        "kind": "Service",
        "metadata": {"name": service, "displayName": project},
        "spec": {},
    }
    names: set[str] = {""}
    return [first, *(_document(slo, service, _unique(_slug(slo.id), names)) for slo in slos)]


def _document(slo: Slo, service: str, name: str) -> dict[str, Any]:
    objective, exact = _objective(slo)
    own = {
        "id": slo.id if name != slo.id else None,
        "preferred_source": f"{slo.preferred_source.item} {slo.preferred_source.measurement}"
        if slo.preferred_source
        else None,
        "unit": slo.unit if slo.unit or slo.kind == "quantile" else None,
        "better": slo.better if slo.better == "above" and slo.kind == "ratio" else None,
        "window": None if slo.window else "none",
        "exact": exact,
    }
    annotations = {f"{PREFIX}{key}": value for key, value in own.items() if value is not None}
    metadata: dict[str, Any] = {"name": name, "displayName": slo.title}
    return {
        "apiVersion": API_VERSION,
        "kind": "SLO",
        "metadata": metadata | ({"annotations": annotations} if annotations else {}),
        "spec": {
            "service": service,
            "indicator": {"metadata": {"name": name}, "spec": _indicator(slo)},
            "timeWindow": [{"duration": slo.window or NO_WINDOW, "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": slo.title, **objective}],
        },
    }


def _objective(slo: Slo) -> tuple[dict[str, Any], str | None]:
    """Return the objective, and our exact number if the target does not reproduce it; else None."""
    if slo.kind == "quantile" and slo.quantile is not None:
        share, op = (slo.quantile, "lt") if slo.better == "below" else (_unlike(slo.quantile), "gt")
        ours = slo.quantile
        whole = slo.objective.is_integer() and slo.objective < _LARGE
        operator: dict[str, Any] = {"op": op, "value": int(slo.objective) if whole else slo.objective}
    else:
        share = slo.objective if slo.better == "above" else _unlike(slo.objective)
        ours, operator = slo.objective, {}
    again = share if share == ours else complement(share)
    return {**operator, "target": share}, None if again == ours else repr(ours)


def _unlike(share: float) -> float:
    return min(complement(share), _NEARLY_ALL)


def _indicator(slo: Slo) -> dict[str, Any]:
    if slo.kind == "quantile":
        return {"thresholdMetric": _metric(item=slo.item, measurement=slo.measurement)}
    if slo.kind == "ratio":
        bad, total = (_metric(item=slo.item, measurement=name) for name in (slo.measurement, slo.total))
        return {"ratioMetric": {"counter": True, "bad": bad, "total": total}}
    raw_type = "success" if slo.better == "above" else "failure"
    return {"ratioMetric": {"counter": False, "rawType": raw_type, "raw": _metric(history=slo.id)}}


def _metric(**spec: str) -> dict[str, Any]:
    return {"metricSource": {"type": OURS, "spec": spec}}


def _slug(text: str) -> str:
    return text if is_name(text) else re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50].strip("-")


def _unique(name: str, names: set[str]) -> str:
    """Return the name, with a number appended if it is empty or taken."""
    number, found = 2, name
    while found in names:
        found, number = f"{name[: LONGEST_NAME - 6] or 'slo'}-{number}", number + 1
    names.add(found)
    return found

"""metrics.prom, the verdict as Prometheus metrics: for node_exporter's textfile collector or a Pushgateway.

Names and units follow https://prometheus.io/docs/practices/naming/. There are no timestamps, because neither
reader accepts them. A value that is not known is left out, and never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kamiyo_verify.model.history.history import Availability, Dora
from kamiyo_verify.model.verdict import SloReport, Verdict
from kamiyo_verify.model.words import Action, Impact, SloVerdict, Status
from kamiyo_verify.model.writing.text import safe_text

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Row = tuple[dict[str, str], float | None]
"""Labels, and a value; None if it is not known."""


def prometheus_text(
    verdict: Verdict, availability: Availability | None = None, dora: Dora | None = None
) -> str:
    """Return the metrics in Prometheus' text format.

    Args:
        verdict: the verdict of a run.
        availability: the ledger's availability, with the error budget; None if it is not known.
        dora: the ledger's four key metrics; None if they are not known.
    """
    registry = CollectorRegistry()
    registry.register(_Metrics(verdict, availability, dora))
    return generate_latest(registry).decode()


class _Metrics(Collector):
    """The families of a verdict; those without a known value are left out."""

    def __init__(self, verdict: Verdict, availability: Availability | None, dora: Dora | None) -> None:
        self._verdict = verdict
        self._availability = availability
        self._dora = dora
        self._common = {"environment": verdict.environment, "place": verdict.place}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families in a fixed order."""
        yield from self._of_run()
        yield from self._of_items()
        yield from self._of_objectives(self._verdict.slos)
        if self._availability is not None:
            yield from self._of_budget(self._availability)
        if self._dora is not None:
            yield from self._of_deployments(self._dora)

    def _of_run(self) -> Iterator[GaugeMetricFamily]:
        verdict = self._verdict
        about = {"project": verdict.project, "phase": verdict.phase, "commit": verdict.commit}
        yield from self._family("run_info", "What the last run verified.", [(about, 1)])
        yield from self._family(
            "recommendation",
            "1 for the recommendation of the last run, 0 for all others.",
            [({"recommendation": one.value}, float(one is verdict.recommendation)) for one in Action],
        )
        text = "Exit code of the last run: 0 proceed, 10 hold or fix forward, 20 roll back, 30 inconclusive."
        yield from self._family("exit_code", text, [({}, verdict.exit_code)])
        for name, moment in (("start", verdict.started_at), ("end", verdict.finished_at)):
            text = f"{name.capitalize()} of the last run, in seconds since the epoch."
            yield from self._family(f"run_{name}_timestamp_seconds", text, [({}, epoch(moment))])

    def _of_items(self) -> Iterator[GaugeMetricFamily]:
        found = Counter((item.status, item.impact) for item in self._verdict.items)
        rows = [
            ({"status": status.value, "impact": impact.value}, float(found[status, impact]))
            for status in Status
            for impact in Impact
        ]
        yield from self._family("items", "Items of the last run, by status and impact.", rows)

    def _of_objectives(self, slos: Iterable[SloReport]) -> Iterator[GaugeMetricFamily]:
        rows = [({"objective": slo.id, "unit": slo.unit}, slo) for slo in slos]
        family = self._family
        text = "Bound that the objective sets, in the unit of its label."
        yield from family("objective_target", text, [(row, slo.objective) for row, slo in rows])
        text = "Estimate of the objective's value, in the unit of its label."
        yield from family("objective_value", text, [(row, slo.value) for row, slo in rows])
        for n, side in enumerate(("lower", "upper")):
            text = f"One-sided {side} confidence bound of the objective's value, in the unit of its label."
            bounds = [(row, slo.interval[n] if slo.interval else None) for row, slo in rows]
            yield from family(f"objective_{side}_bound", text, bounds)
        text = "Samples that the objective was judged by."
        yield from family("objective_samples", text, [(row, slo.samples) for row, slo in rows])
        states = [
            ({"objective": slo.id, "verdict": one.value}, float(one is slo.verdict))
            for _, slo in rows
            for one in SloVerdict
        ]
        yield from family("objective_verdict", "1 for the objective's verdict, 0 for all others.", states)

    def _of_budget(self, known: Availability) -> Iterator[GaugeMetricFamily]:
        text = "Share of the availability objective's error budget that is left; negative if overspent."
        yield from self._family("error_budget_remaining_ratio", text, [({}, known.budget_left)])
        rows: list[Row] = [
            ({"window_seconds": f"{seconds:g}"}, rate)
            for seconds, rate in sorted(
                {(one.long_s, one.long) for one in known.burns}
                | {(one.short_s, one.short) for one in known.burns},
                key=lambda pair: pair[0],
            )
        ]
        text = "Burn rate of the error budget over a window: 1 spends all of it in the objective's window."
        yield from self._family("error_budget_burn_rate", text, rows)

    def _of_deployments(self, dora: Dora) -> Iterator[GaugeMetricFamily]:
        family = self._family
        text = "Deployments per week, by the ledger."
        yield from family("deployments_per_week", text, [({}, dora.per_week)])
        text = "Median time from commit to live, by the ledger."
        yield from family("deployment_lead_time_seconds", text, [({}, dora.lead_time_s)])
        text = "Share of deployments that needed a rollback or a fix, by the ledger."
        yield from family("deployment_failure_ratio", text, [({}, dora.failures.share_bad)])
        text = "Median time from a failed deployment to restored service, by the ledger."
        yield from family("deployment_recovery_time_seconds", text, [({}, dora.recovery_s)])

    def _family(self, name: str, text: str, rows: Iterable[Row]) -> Iterator[GaugeMetricFamily]:
        return gauges(name, text, ((self._common | labels, value) for labels, value in rows))


def gauges(name: str, text: str, rows: Iterable[Row]) -> Iterator[GaugeMetricFamily]:
    """Yield the family of these values by their labels; without a known value, none."""
    known = [(labels, value) for labels, value in rows if value is not None]
    if known:
        family = GaugeMetricFamily(f"kamiyo_verify_{name}", text, labels=[*known[0][0]])
        for labels, value in known:
            family.add_metric([safe_text(label) for label in labels.values()], value)
        yield family


def epoch(moment: str) -> float | None:
    """Return the seconds since the epoch of a time in ISO 8601; None for ""."""
    return datetime.fromisoformat(moment).timestamp() if moment else None

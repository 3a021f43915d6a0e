"""The state of a watch as Prometheus metrics, for its address /metrics."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from kamiyo_verify.model.history.watch import WatchView
from kamiyo_verify.model.words import Action
from kamiyo_verify.model.writing.text import visible
from kamiyo_verify.reporting.exports.prometheus import epoch, gauges


def watch_metrics(view: WatchView) -> str:
    """Return the metrics in Prometheus' text format; what is not known yet is left out."""
    registry = CollectorRegistry()
    registry.register(_Metrics(view))
    return generate_latest(registry).decode()


class _Metrics(Collector):
    def __init__(self, view: WatchView) -> None:
        self._view = view
        about = {"environment": view.plan.environment, "commit": view.plan.commit}
        self._common = {name: visible(value) for name, value in about.items()}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families in a fixed order."""
        view, state = self._view, self._view.state
        now = state.final if view.over else state.call
        yield from gauges(
            "watch_recommendation",
            "1 for what the watch calls for now, 0 for all others.",
            [
                (self._common | {"recommendation": one.value}, float(one is now) if state.rounds else None)
                for one in Action
            ],
        )
        yield from self._one("watch_over", "Whether the watch has ended.", float(view.over))
        yield from self._one(
            "watch_open", "Whether the latest round left a question.", float(bool(state.open))
        )
        yield from self._one("watch_rounds", "Rounds that have ended.", state.rounds)
        yield from self._one("watch_requests", "Sampled requests to endpoints.", state.requests)
        yield from self._one("watch_failed_requests", "How many of them failed.", state.failed)
        yield from self._one("watch_covered_seconds", "Time that rounds tell of.", state.covered_s)
        yield from self._one("watch_length_seconds", "Length of the watch.", view.plan.for_s)
        text = "Beginning of the watch, in seconds since the epoch."
        yield from self._one("watch_start_timestamp_seconds", text, epoch(view.plan.started_at))
        text = "End of the latest round, in seconds since the epoch."
        ended = epoch(view.latest.finished_at) if view.latest else None
        yield from self._one("watch_round_end_timestamp_seconds", text, ended)

    def _one(self, name: str, text: str, value: float | None) -> Iterator[GaugeMetricFamily]:
        return gauges(name, text, [(self._common, value)])

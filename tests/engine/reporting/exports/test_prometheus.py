"""metrics.prom: Prometheus' own parser reads it, and promtool has nothing to say about its names."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kamiyo_verify.model.history.history import Availability, Burn, Dora, Source, Tally
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.reporting.exports.prometheus import prometheus_text
from tests.engine.reporting.exports.verdicts import BAD, EMPTY, GOOD, HOSTILE_ONE, VERDICTS

DAY = 86_400.0
AVAILABILITY = Availability(
    tally=Tally(2, 1000, "requests"),
    source=Source.SAMPLES,
    objective=0.995,
    window_s=30 * DAY,
    observed_s=DAY,
    downtime_s=0,
    budget_left=0.6,
    burns=(Burn(DAY, 3600, 0.5, None, 3), Burn(3600, 300, 2.0, 4.0, 14.4)),
)
DORA = Dora(per_week=3.5, lead_time_s=1800, failures=Tally(1, 4, "deployments"), recovery_s=None)


def samples(verdict: Verdict, *known: object) -> dict[tuple[str, ...], float]:
    """Each value by the metric's name and the labels that are not common to all."""
    text = prometheus_text(verdict, *known)  # type: ignore[arg-type]
    found: dict[tuple[str, ...], float] = {}
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            labels = [value for key, value in one.labels.items() if key not in {"environment", "place"}]
            found[one.name.removeprefix("kamiyo_verify_"), *labels] = one.value
    return found


@pytest.mark.parametrize("name", VERDICTS)
def test_the_official_parser_reads_every_verdict(name: str) -> None:
    verdict = VERDICTS[name]
    families = {one.name: one for one in text_string_to_metric_families(prometheus_text(verdict))}
    assert {one.type for one in families.values()} == {"gauge"}
    assert all(one.documentation for one in families.values())
    [code] = families["kamiyo_verify_exit_code"].samples
    assert code.value == verdict.exit_code
    states = families["kamiyo_verify_recommendation"].samples
    assert {one.labels["recommendation"]: one.value for one in states if one.value} == {
        verdict.recommendation.value: 1
    }


@pytest.mark.parametrize("name", VERDICTS)
def test_promtool_finds_nothing_to_mend(name: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed: it comes with Prometheus")
    text = prometheus_text(VERDICTS[name], AVAILABILITY, DORA)
    done = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_items_are_counted_by_status_and_impact() -> None:
    found = samples(BAD)
    assert sum(value for (name, *_), value in found.items() if name == "items") == len(BAD.items)
    counted = {
        labels
        for (name, *labels_), value in found.items()
        if name == "items" and value
        for labels in [tuple(sorted(labels_))]
    }
    assert ("auth", "failed") in counted
    assert ("data", "error") in counted


def test_an_objective_has_its_target_and_its_bounds() -> None:
    found = samples(BAD)
    slo = next(one for one in BAD.slos if one.id == "api-p95")
    assert slo.interval is not None
    assert found["objective_target", "api-p95", "ms"] == 500
    assert found["objective_value", "api-p95", "ms"] == slo.value
    assert found["objective_upper_bound", "api-p95", "ms"] == slo.interval[1]
    assert found["objective_samples", "api-p95", "ms"] == slo.samples
    assert found["objective_verdict", "api-p95", slo.verdict.value] == 1


def test_what_is_not_known_is_left_out_and_never_zero() -> None:
    names = {name for name, *_ in samples(GOOD)}
    assert not {name for name in names if name.startswith(("error_budget", "deployment"))}
    found = samples(GOOD, AVAILABILITY, DORA)
    assert found["error_budget_remaining_ratio",] == 0.6
    assert {key: value for key, value in found.items() if key[0] == "error_budget_burn_rate"} == {
        ("error_budget_burn_rate", "300"): 4.0,
        ("error_budget_burn_rate", "3600"): 2.0,
        ("error_budget_burn_rate", "86400"): 0.5,
    }
    assert found["deployments_per_week",] == 3.5
    assert found["deployment_lead_time_seconds",] == 1800
    assert found["deployment_failure_ratio",] == 0.25
    assert ("deployment_recovery_time_seconds",) not in found
    assert not {name for name, *_ in samples(EMPTY) if name.startswith("objective")}


def test_text_of_others_stays_within_its_label() -> None:
    text = prometheus_text(HOSTILE_ONE)
    assert text.encode()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(line.startswith("kamiyo_verify_") for line in lines)

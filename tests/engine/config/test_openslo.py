"""Objectives go out as OpenSLO and come back the same; what cannot be measured is refused, never dropped."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kamiyo_verify.cli.openslo import exported, main
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.openslo.documents import SliSpec, SloObject, complement, is_name
from kamiyo_verify.config.openslo.files import SloFile, read_slos
from kamiyo_verify.config.openslo.yaml_files import MOST_BYTES
from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.model.runbook import Slo, Source
from tests.support.toy_project import ROOT

RUNBOOK = load_runbook(ROOT / "runbook.toml")
ITEMS = [item.id for item in RUNBOOK.items]


def read(tmp_path: Path, text: str, table: tuple[Slo, ...] = ()) -> SloFile:
    path = tmp_path / "slos.yaml"
    path.write_text(text, encoding="utf-8")
    return read_slos(path, items=ITEMS, table=table)


SHARES = st.floats(0, 1, exclude_min=True, exclude_max=True)
TITLES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(str.strip)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
BETTER = st.sampled_from(["below", "above"])
ITEM = st.sampled_from(ITEMS)
COMMON = {
    "id": NAMES,
    "title": TITLES,
    "better": BETTER,
    "unit": st.sampled_from(["", "ms", "s"]) | NAMES,
    "window": st.sampled_from(["", "30d", "24h", "4w"]),
}
ROWS = st.one_of(
    st.builds(
        Slo,
        kind=st.just("quantile"),
        objective=st.floats(0, 1e12, exclude_min=True),
        quantile=SHARES,
        item=ITEM,
        measurement=NAMES,
        preferred_source=st.none() | st.builds(Source, item=ITEM, measurement=NAMES),
        **COMMON,
    ),
    st.builds(
        Slo,
        kind=st.just("ratio"),
        objective=SHARES,
        item=ITEM,
        measurement=NAMES,
        total=NAMES,
        **COMMON,
    ),
    st.builds(Slo, kind=st.just("history"), objective=SHARES, **COMMON),
)


@settings(deadline=None, max_examples=50)
@given(st.lists(ROWS, min_size=1, max_size=5, unique_by=lambda slo: slo.id), TITLES)
def test_what_goes_out_comes_back_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Slo], project: str
) -> None:
    text = exported(rows, project=project)
    assert [*read(tmp_path_factory.mktemp("openslo"), text).slos] == rows


@settings(deadline=None, max_examples=50)
@given(st.lists(ROWS, min_size=1, max_size=5, unique_by=lambda slo: slo.id), TITLES)
def test_what_goes_out_is_openslo(rows: list[Slo], project: str) -> None:
    """The rules of OpenSLO's own SDK for v1, where they say more than our shapes do."""
    service, *slos = yaml.safe_load_all(exported(rows, project=project))
    names = [document["metadata"]["name"] for document in slos]

    assert service["kind"] == "Service"
    assert len(set(names)) == len(names)
    for document in slos:
        slo = SloObject.model_validate(document)
        spec = slo.spec
        assert is_name(slo.metadata.name)
        assert spec.service == service["metadata"]["name"]
        assert (spec.indicator is None) != (spec.indicatorRef is None)
        assert len(spec.timeWindow or ()) == 1
        assert len(spec.objectives) == 1
        objective = spec.objectives[0]
        assert objective.target is not None
        assert 0 <= objective.target < 1
        assert objective.targetPercent is None
        assert spec.indicator is not None
        holds(spec.indicator.spec, threshold=objective.value is not None)


def holds(spec: SliSpec, *, threshold: bool) -> None:
    assert (spec.thresholdMetric is not None) == threshold
    assert (spec.ratioMetric is not None) != threshold
    ratio = spec.ratioMetric
    if ratio is not None:
        assert (ratio.total is None) != (ratio.raw is None)
        assert [ratio.raw, ratio.good, ratio.bad].count(None) == 2
        assert (ratio.rawType is None) == (ratio.raw is None)
    for metric in (spec.thresholdMetric, *((ratio.good, ratio.bad, ratio.total, ratio.raw) if ratio else ())):
        assert metric is None or metric.metricSource.spec


def test_our_own_objectives_are_told_in_the_usual_numbers(tmp_path: Path) -> None:
    text = exported(RUNBOOK.slos, project=RUNBOOK.title)
    targets = {
        document["metadata"]["name"]: document["spec"]["objectives"][0]
        for document in yaml.safe_load_all(text)
        if document["kind"] == "SLO"
    }

    assert targets["error-rate"]["target"] == 0.999
    assert (targets["api-p95"]["op"], targets["api-p95"]["value"], targets["api-p95"]["target"]) == (
        "lt",
        500,
        0.95,
    )
    assert "exact" not in text
    assert read(tmp_path, text).slos == RUNBOOK.slos


def test_what_is_not_exact_in_a_target_is_exact_beside_it(tmp_path: Path) -> None:
    row = RUNBOOK.slos[3].model_copy(update={"objective": 1e-300})
    text = exported([row], project="x")
    assert "verify.kamiyo.ai/exact: '1e-300'" in text or "verify.kamiyo.ai/exact: 1e-300" in text
    assert read(tmp_path, text).slos == (row,)
    with pytest.raises(ConfigurationError, match=r"contradicts the target, which gives 0\.3"):
        read(tmp_path, text.replace("target: 0.9999999999999999", "target: 0.7"))
    assert complement(0.001) == 0.999


FOREIGN = """
# By hand, in another team's style.
- apiVersion: openslo/v1
  kind: Service
  metadata: {name: shop}
  spec: {description: The shop}
- apiVersion: openslo/v1
  kind: DataSource
  metadata: {name: prom}
  spec: {type: Prometheus, connectionDetails: {url: "http://x"}}
- apiVersion: openslo/v1
  kind: AlertPolicy
  metadata: {name: fast-burn}
  spec: {}
---
apiVersion: openslo/v1
kind: SLI
metadata:
  name: search-latency
  displayName: Latency of searches
  annotations:
    verify.kamiyo.ai/item: performance.api-response-time
    verify.kamiyo.ai/measurement: response_times
    prometheus.io/x: "1"
spec:
  thresholdMetric:
    metricSource:
      metricSourceRef: prom
      type: Prometheus
      spec: {query: histogram}
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: unused}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {type: Prometheus, spec: {query: a}}}
    total: {metricSource: {type: Prometheus, spec: {query: b}}}
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: search
  labels: {team: [search, api], tier: "1"}
  annotations:
    verify.kamiyo.ai/unit: s
spec:
  description: Searches are fast.
  service: shop
  indicatorRef: search-latency
  timeWindow:
    - duration: 4w
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - op: lte
      value: 5e-1
      targetPercent: 99
  alertPolicies:
    - alertPolicyRef: fast-burn
---
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: error-rate}
spec:
  service: shop
  indicator:
    metadata: {name: errors}
    spec:
      ratioMetric:
        counter: true
        good: {metricSource: {type: Prometheus, spec: {query: good}}}
        total: {metricSource: {type: Prometheus, spec: {query: all}}}
  budgetingMethod: Occurrences
  objectives: [{displayName: Few errors, target: 0.995}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: availability}
spec:
  service: shop
  indicator:
    spec:
      ratioMetric:
        raw: {metricSource: {type: Prometheus, spec: {query: up}}}
        rawType: success
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
"""


def test_another_teams_file_is_read_where_it_can_be_measured(tmp_path: Path) -> None:
    found = read(tmp_path, FOREIGN, RUNBOOK.slos)
    search, errors, availability = found.slos

    assert search == Slo(
        id="search",
        title="search",
        kind="quantile",
        objective=0.5,
        unit="s",
        item="performance.api-response-time",
        measurement="response_times",
        quantile=0.99,
        window="4w",
    )
    assert (errors.item, errors.measurement, errors.total) == ("performance.error-rate", "errors", "requests")
    assert (errors.objective, errors.better) == (0.005, "below")
    assert (availability.kind, availability.objective, availability.better) == ("history", 0.99, "above")
    assert availability.window == "28d"
    assert found.not_used == (
        "DataSource prom: the suite measures by itself",
        "AlertPolicy fast-burn: nobody is paged by the suite",
        "alertPolicies of SLO search: nobody is paged by the suite",
        "SLI unused: no SLO refers to it",
    )


ONE = yaml.safe_load(
    """
apiVersion: openslo/v1
kind: SLO
metadata:
  name: api-p95
  annotations: {}
spec:
  service: shop
  indicator:
    metadata: {name: x}
    spec:
      thresholdMetric: {metricSource: {type: Prometheus, spec: {query: q}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{op: lt, value: 400, target: 0.9}]
"""
)
NOTHING: dict[str, Any] = {"metricSource": {}}


def ratio(**parts: object) -> dict[str, Any]:
    return {"ratioMetric": parts}


RATIO = ratio(counter=True, bad=NOTHING, total=NOTHING)


def changed(*changes: tuple[str, Any]) -> str:
    """The object with some of its values changed, by dotted paths; None takes a key out."""
    document: Any = yaml.safe_load(yaml.safe_dump(ONE))
    for path, value in changes:
        *parents, last = (int(step) if step.isdigit() else step for step in path.split("/"))
        at = document
        for step in parents:
            at = at[step]
        if value is None:
            del at[last]
        else:
            at[last] = value
    text: str = yaml.safe_dump(document, sort_keys=False)
    return text


OBJECTIVE, INDICATOR = "spec/objectives/0", "spec/indicator/spec"
SHARE = (OBJECTIVE, {"target": 0.9})


def annotated(name: str, value: str) -> tuple[str, Any]:
    return ("metadata/annotations", {f"verify.kamiyo.ai/{name}": value})


BAD: list[tuple[str, list[tuple[str, Any]], str]] = [
    ("another version", [("apiVersion", "openslo/v1alpha")], "must be \"openslo/v1\", not 'openslo/v1alpha'"),
    ("another kind", [("kind", "Slo")], 'did you mean "SLO"?'),
    ("no kind", [("kind", None)], "kind: is missing"),
    ("unknown key", [("spec/objektives", [])], 'unknown key; did you mean "objectives"?'),
    ("name", [("metadata/name", "API_p95")], "must be small letters, digits and hyphens, at most 63"),
    ("target", [(f"{OBJECTIVE}/target", 1)], "spec.objectives[0].target: must be less than 1, not 1"),
    ("percent for share", [(f"{OBJECTIVE}/target", 99.9)], "must be less than 1, not 99.9"),
    ("nothing", [(f"{OBJECTIVE}/target", 0)], "must be more than 0, or anything would do"),
    ("both", [(f"{OBJECTIVE}/targetPercent", 90)], "needs either target or targetPercent"),
    ("neither", [(f"{OBJECTIVE}/target", None)], "needs either target or targetPercent"),
    ("text", [(f"{OBJECTIVE}/target", "90%")], "must be a number, without quotes"),
    ("not a number", [(f"{OBJECTIVE}/value", math.nan)], "must be a finite number"),
    ("no op", [(f"{OBJECTIVE}/op", None)], "needs op and value"),
    ("op", [(f"{OBJECTIVE}/op", "eq")], 'must be one of "lte", "gte", "lt"'),
    ("negative", [(f"{OBJECTIVE}/value", -400.0)], "400 of what?"),
    ("two", [("spec/objectives", [{"target": 0.9}, {"target": 0.8}])], "write an SLO of its own for each"),
    ("none", [("spec/objectives", [])], "must not be empty"),
    ("slices", [("spec/budgetingMethod", "Timeslices")], "the suite counts requests: write Occurrences"),
    ("slice target", [(f"{OBJECTIVE}/timeSliceTarget", 0.9)], "timeSliceTarget: belongs to slices of time"),
    ("composite", [(f"{OBJECTIVE}/indicatorRef", "y")], "composes several levels, which is not measured"),
    ("calendar", [("spec/timeWindow/0/calendar", {"timeZone": "UTC"})], "is of the calendar"),
    ("not rolling", [("spec/timeWindow/0/isRolling", False)], "is of the calendar"),
    ("month", [("spec/timeWindow/0/duration", "1M")], "must be hours, days or weeks, such as 24h, 30d, 4w"),
    ("two windows", [("spec/timeWindow", [{"duration": "1d"}, {"duration": "2d"}])], "is a second window"),
    ("no indicator", [("spec/indicator", None)], "needs either indicator or indicatorRef"),
    ("both indicators", [("spec/indicatorRef", "x")], "needs either indicator or indicatorRef"),
    ("no such SLI", [("spec/indicator", None), ("spec/indicatorRef", "x")], "no SLI of this file has that"),
    ("no metric", [(INDICATOR, {})], "needs either thresholdMetric or ratioMetric"),
    ("op of a ratio", [(INDICATOR, RATIO)], "op and value belong to a thresholdMetric"),
    ("no total", [(INDICATOR, ratio(bad={"metricSource": {}})), SHARE], "needs total"),
    ("unknown ratio", [(INDICATOR, RATIO), SHARE], "does not say how it is measured here: add"),
    ("unknown name", [("metadata/name", "checkout")], "measured here: add verify.kamiyo.ai/item"),
    ("far unit", [(f"{OBJECTIVE}/value", 0.4)], "0.4 of what? Add verify.kamiyo.ai/unit to metadata.annot"),
    ("no item", [annotated("item", "performance.api")], 'the runbook has no item "performance.api"'),
    ("annotation", [annotated("itme", "x")], 'unknown annotation; did you mean "verify.kamiyo.ai/item"?'),
    ("number", [("metadata/annotations", {"a": 1})], "must be text, in quotes"),
    ("raw", [(INDICATOR, ratio(raw={"metricSource": {}}, rawType="success")), SHARE], "name the SLO one of"),
    ("raw type", [(INDICATOR, ratio(raw={"metricSource": {}})), SHARE], "raw needs rawType"),
    (
        "our good",
        [(INDICATOR, ratio(good={"metricSource": {"type": "kamiyo-verify"}}, total=NOTHING)), SHARE],
        "the suite counts what fails: name that count, as bad",
    ),
    ("preferred_source", [annotated("preferred_source", "performance.x load")], "the runbook has no item"),
]


@pytest.mark.parametrize(
    ("changes", "says"), [(changes, says) for _, changes, says in BAD], ids=[b[0] for b in BAD]
)
def test_what_cannot_be_measured_is_refused_in_one_message(
    tmp_path: Path, changes: list[tuple[str, Any]], says: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, changed(*changes), RUNBOOK.slos)
    message = str(refused.value)
    assert says in message
    assert "slos.yaml, document 1: 1 mistake\n  " in message
    assert message.count("\n") == 1


def test_the_object_itself_can_be_measured(tmp_path: Path) -> None:
    [row] = read(tmp_path, changed(), RUNBOOK.slos).slos
    assert (row.objective, row.unit, row.quantile, row.measurement) == (400, "ms", 0.9, "response_times")


def test_the_line_of_a_mistake_is_told(tmp_path: Path) -> None:
    text = exported(RUNBOOK.slos, project="x").replace("target: 0.95", "target: 1.95", 1)
    line = next(nth for nth, found in enumerate(text.splitlines(), start=1) if "1.95" in found)
    with pytest.raises(
        ConfigurationError, match=rf"document 3: 1 mistake\n  line {line}, spec\.objectives\[0\]\.target"
    ):
        read(tmp_path, text)


BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 8)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no object of kind SLO"),
        ("# nothing\n---\n", "holds no object of kind SLO"),
        ("a: [", "line 1: is not valid YAML"),
        ("just words", "document 1: must be a table of keys and values"),
        ("[1, 2]", "document 1, entry 1: must be a table"),
        ("1: 2", "must be a table of keys and values"),
        ("kind: SLO\nkind: SLI", 'line 2: the key "kind" is there twice'),
        ("a: !!python/object/apply:os.system [echo]", "is not valid YAML"),
        ("[" * 5000, "nested too deeply"),
        ("{a: " * 60 + "1" + "}" * 60, "is larger, written out, than can be meant"),
        (BOMB, "is larger, written out, than can be meant"),
        ("a: &a\n  b: *a", "is larger, written out, than can be meant"),
        ("\x00", "is not valid YAML"),
        ("#" * (MOST_BYTES + 1), "is larger than 1 MB"),
        ("a: " + "9" * 5000, "is not valid YAML"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read(tmp_path, text)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("raw", [b"\xff\xfe", None])
def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, raw: bytes | None) -> None:
    path = tmp_path / "slos.yaml"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(ConfigurationError, match=r"slos\.yaml: (is not UTF-8 text|cannot be read: No such)"):
        read_slos(path, items=ITEMS)


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match='document 2: "api-p95" is an SLO above already'):
        read(tmp_path, f"{changed()}---\n{changed()}", RUNBOOK.slos)


def test_the_command_writes_a_file_and_says_what_another_comes_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    path = tmp_path / "slos.yaml"
    assert main(["export", "--output", str(path)]) == 0
    assert main(["export"]) == 0
    assert capsys.readouterr().out == path.read_text(encoding="utf-8")

    path.write_text(FOREIGN, encoding="utf-8")
    assert main(["check", str(path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "search: 99 % of performance.api-response-time response_times below 0.5 s"
    assert out[1] == "error-rate: performance.error-rate errors of requests below 0.5 %"
    assert out[2] == "availability: many runs above 99 % over 28d"
    assert out[3] == "not used: DataSource prom: the suite measures by itself"

    path.write_text(FOREIGN.replace("Occurrences", "Timeslices"), encoding="utf-8")
    assert main(["check", str(path)]) == 2
    assert main(["export", "--output", str(tmp_path / "nowhere/x.yaml")]) == 2
    assert "nowhere" in capsys.readouterr().err


@pytest.mark.parametrize("number", ["0500", "8:20", "1_000", "0b11"])
def test_a_number_that_two_versions_of_yaml_read_differently_is_refused(tmp_path: Path, number: str) -> None:
    text = f"""
apiVersion: openslo/v1
kind: SLO
metadata: {{name: api-latency, labels: {{tier: 1, team: [a, 2]}}}}
spec:
  service: shop
  budgetingMethod: Occurrences
  indicator: {{spec: {{thresholdMetric: {{metricSource: {{type: Prometheus, spec: {{query: x}}}}}}}}}}
  objectives: [{{op: lt, value: {number}, target: 0.95}}]
"""
    told = r"1 mistake\n.*line 9, spec\.objectives\[0\]\.value: must be a number"
    with pytest.raises(ConfigurationError, match=told):
        read(tmp_path, text)

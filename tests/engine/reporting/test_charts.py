"""Charts: each says in words what it shows, is small, and holds nothing that a target could make live."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markupsafe import Markup

from kamiyo_verify.model.history.chart_data import (
    Band,
    BandKind,
    Breakdown,
    ChartData,
    Latency,
    Part,
    Quantile,
    Step,
)
from kamiyo_verify.model.history.history import Ended, PastDeployment
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import SloVerdict
from kamiyo_verify.reporting.charts import Series, bars, css, lines
from kamiyo_verify.reporting.charts.drawings import parts
from kamiyo_verify.reporting.charts.frame import MOST_POINTS, Axis, Kind, Layer, picture
from kamiyo_verify.reporting.charts.latency import latency
from kamiyo_verify.reporting.charts.objectives import objective
from kamiyo_verify.reporting.charts.timeline import timeline
from kamiyo_verify.reporting.charts.trend import trend
from kamiyo_verify.reporting.charts.waterfall import waterfall
from tests.support.evidence_for import RUNBOOK
from tests.support.hostile import ENDLESS, HOSTILE, LIVE_CHARACTERS

INERT = {
    *(
        "svg",
        "title",
        "desc",
        "g",
        "path",
        "circle",
        "text",
        "figure",
        "figcaption",
        "ul",
        "ol",
        "li",
        "span",
    ),
    *("details", "summary", "table", "thead", "tbody", "tr", "th", "td", "div", "p", "code"),
}
ATTRIBUTES = {
    *(
        "class",
        "role",
        "aria-labelledby",
        "aria-hidden",
        "aria-label",
        "viewbox",
        "preserveaspectratio",
        "id",
    ),
    *("d", "x", "y", "cx", "cy", "r", "transform", "scope", "style"),
}
REPORT = SloReport(
    id="api-p95",
    title="API p95",
    objective=500.0,
    better="below",
    unit="ms",
    verdict=SloVerdict.MET,
    value=212.0,
    interval=(188.0, 240.0),
    samples=320,
    samples_needed=None,
    message="",
)
LATENCY = Latency(
    service="api",
    endpoint="/exploits",
    unit="ms",
    values=tuple(100.0 + n for n in range(200)),
    before=tuple(90.0 + n for n in range(100)),
    quantiles=(Quantile(0.5, 199.0, 139.0), Quantile(0.95, 289.0, 184.0), Quantile(0.99, 297.0, 188.0)),
    objective=500.0,
)


TRACKED = [slo for slo in RUNBOOK.slos if slo.item]


class Chart(HTMLParser):
    def __init__(self, markup: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.within: list[str] = []
        self.by_tag: dict[str, str] = {}
        self.feed(markup)
        self.close()
        assert not self.within, f"never closed: {self.within}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))
        self.within.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.within.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        self.by_tag[self.within[-1] if self.within else ""] = data

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def classes(self, *wanted: str) -> int:
        return sum(set(wanted) <= set(attributes.get("class", "").split()) for _, attributes in self.seen)


def band(lane: str, began: float, ended: float, look: BandKind = BandKind.WORK, told: str = "") -> Band:
    return Band(lane, look, 1_800_000_000.0 + began, 1_800_000_000.0 + ended, told)


def deployment(commit: str = "9c41d07b2f", **more: object) -> PastDeployment:
    whole = PastDeployment(
        commit=commit, began_at="2026-11-23T14:00:00+00:00", ended=Ended.GOOD, values={"api-p95": 212.0}
    )
    return replace(whole, **more)  # type: ignore[arg-type]


PLACE = r"left: clamp\(1\.8rem, \d+\.\d%, calc\(100% - 1\.8rem\)\)"
KINDS = ("lines", "bars", "objective", "latency", "waterfall", "timeline", "trend")


def chart(kind: str, text: str = "text", number: float = 12.0) -> Markup:
    """One of that kind, with this text in every place that holds one, and this number."""
    values = [Series(text, [number, 2.0])]
    match kind:
        case "lines":
            return lines("n", text, text, labels=[text, "b"], series=values, unit=text)
        case "bars":
            return bars("n", text, text, labels=[text, "b"], series=values, unit="ms")
        case "objective":
            return objective(replace(REPORT, id=text, title=text, value=number, unit=text))
        case "latency":
            return latency("n", replace(LATENCY, service=text, endpoint=text, unit=text))
        case "waterfall":
            return waterfall("n", Breakdown(text, text, (Step(text, 0.0, 12.0),), 12.0))
        case "timeline":
            return timeline("n", [band(text, 0, 60, told=text), band("other", 30, 30, BandKind.BAD)])
        case _:
            recent = [deployment(text, began_at=text), deployment(text, values={"api-p95": number})]
            return trend(recent, TRACKED)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", [HOSTILE, ENDLESS, "", '"><script>x</script>', "</svg><p onclick=x>"])
def test_no_text_becomes_live_and_none_is_endless(kind: str, text: str) -> None:
    markup = chart(kind, text)
    shown = Chart(markup)
    assert {tag for tag, _ in shown.seen} <= INERT
    assert {name for _, attributes in shown.seen for name in attributes} <= ATTRIBUTES
    assert not set(LIVE_CHARACTERS) & set(markup)
    assert len(markup) < 16_000
    styles = [attributes["style"] for _, attributes in shown.seen if "style" in attributes]
    assert all(re.fullmatch(PLACE, style) for style in styles)


@pytest.mark.parametrize("kind", ["lines", "bars", "objective", "trend"])
@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 0.0, -5.0, 1e300, 1e-300])
def test_no_number_breaks_a_chart(kind: str, number: float) -> None:
    drawn = "".join(re.findall(r' d="([^"]*)"', chart(kind, number=number)))
    assert not re.search(r"nan|inf|e\d", drawn)


@pytest.mark.parametrize("kind", KINDS)
def test_who_does_not_see_it_is_told(kind: str) -> None:
    markup = chart(kind)
    found = [attributes for tag, attributes in Chart(markup).seen if tag == "svg"]
    assert found
    for svg in found:
        assert svg["role"] == "img"
        for ident in svg["aria-labelledby"].split():
            assert re.search(rf'<(title|desc) id="{ident}">[^<]+<', markup)


def test_ids_differ_from_chart_to_chart() -> None:
    shown = Chart(trend([deployment(), deployment(duration_s=60.0)], TRACKED))
    ids = [attributes["id"] for _, attributes in shown.seen if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_nothing_of_pygal_but_shapes_and_words_is_left() -> None:
    markup = chart("lines")
    assert not re.search(
        r"<(script|style|defs|rect|a |image|use|foreignObject)|xlink|http|pygal|url\(|tooltip", markup
    )


def test_the_colours_are_the_pages() -> None:
    assert not re.search(r"(fill|stroke|color)=", chart("latency"))
    assert not re.search(r"url\(|@import|https?://", css())
    assert "prefers-color-scheme: dark" in css()
    assert "@media print" in css()


def test_a_gap_is_no_zero() -> None:
    told = lines("n", "t", "d", labels=["a", "b", "c"], series=[Series("p95", [1.0, None, 3.0])], unit="ms")
    shown = Chart(told)
    assert shown.classes("c-dot") == 2, "each of the two has no neighbour, so each is a dot"
    assert "b –" in shown.text


def test_thousands_of_points_stay_few() -> None:
    layer = Layer([(float(n), 1.0) for n in range(50_000)], "now", Kind.DOTS)
    svg = picture("n", "t", "d", [layer], x=Axis(0, 50_000), y=Axis(0, 2), size=(320, 150))
    assert svg.count("<circle") <= MOST_POINTS
    many = replace(LATENCY, values=tuple(float(n % 997) for n in range(50_000)))
    assert len(latency("n", many)) < 5_000


@pytest.mark.parametrize(
    ("interval", "looks"),
    [((188.0, 240.0), 0), ((188.0, None), 1), ((None, 240.0), 1), ((None, None), 2)],
)
def test_an_end_that_is_not_known_is_drawn_open(
    interval: tuple[float | None, float | None], looks: int
) -> None:
    assert Chart(objective(replace(REPORT, interval=interval))).classes("c-series", "c-open") == looks


def test_an_objective_without_samples_shows_itself_alone() -> None:
    shown = Chart(objective(replace(REPORT, value=None, interval=None)))
    assert shown.classes("c-series", "c-limit") == 1
    assert not shown.classes("c-series", "c-interval")
    assert "No samples" in shown.text


@pytest.mark.parametrize("verdict", SloVerdict)
def test_an_objective_tells_its_verdict_in_words(verdict: SloVerdict) -> None:
    told = {"met": "met", "breached": "breached", "insufficient_evidence": "undecided"}[verdict]
    shown = Chart(objective(replace(REPORT, verdict=verdict)))
    assert f"Measured: 212 ms, interval 188 – 240 ms (… is an end that is not known): {told}." in shown.text


def test_a_share_close_to_one_is_looked_at_closely() -> None:
    near = replace(REPORT, objective=0.995, better="above", unit="", value=0.9996, interval=(0.9951, 1.0))
    assert "99.38 % 100 %" in Chart(objective(near)).text


def test_a_distribution_names_its_marks_now_and_before() -> None:
    text = Chart(latency("n", LATENCY)).text
    assert "p50 199 ms (before the deployment 139 ms), p95 289 ms (before the deployment 184 ms)" in text
    assert "now 199 ms 289 ms 297 ms before 139 ms 184 ms 188 ms" in text
    assert "objective 500 ms, further right" in text


def test_without_a_before_nothing_is_drawn_behind() -> None:
    alone = replace(LATENCY, before=(), quantiles=(Quantile(0.5, 199.0, None),))
    shown = Chart(latency("n", alone))
    assert not shown.classes("c-before")
    assert "before" not in shown.text


def test_answers_beyond_the_end_are_told() -> None:
    slow = replace(LATENCY, values=(*LATENCY.values, 9_000.0))
    assert "1 slower answer not drawn, the slowest 9,000 ms" in Chart(latency("n", slow)).text


def test_a_waterfall_tells_each_step() -> None:
    steps = (Step("connect", 0.0, 17.0), Step("wait for the first byte", 17.0, 140.0))
    assert (
        "connect 17 ms wait for the first byte 123 ms"
        in Chart(waterfall("n", Breakdown("api", "", steps, 140.0))).text
    )


def test_a_timeline_has_a_lane_for_each_thing_and_few_ticks() -> None:
    shown = Chart(
        timeline(
            "n",
            [
                band("build", 0, 120),
                band("away", 200, 240, BandKind.DOWN),
                band("away", 300, 310, BandKind.DOWN),
            ],
        )
    )
    assert [tag for tag, _ in shown.seen].count("li") == 2
    assert "08:03:20 · 40 s; 08:05:00 · 10 s" in shown.text
    assert 1 <= sum("style" in attributes for _, attributes in shown.seen) <= 6


@pytest.mark.parametrize("seconds", [0.0, 0.5, 90.0, 86_400.0, 3e6, 3e8])
def test_a_timeline_of_any_length_can_be_drawn(seconds: float) -> None:
    assert len(timeline("n", [band("one", 0, seconds), band("two", 0, 0)])) < 4_000


def test_a_trend_says_how_each_deployment_ended() -> None:
    recent = [deployment(f"{n}" * 8, ended=ended, duration_s=60.0 * n) for n, ended in enumerate(Ended, 1)]
    text = Chart(trend(recent, TRACKED)).text
    assert "✓ 1111111 good ✗ 2222222 failed ↩ 3333333 rolled back ? 4444444 nobody knows" in text
    assert "From 1 min (1111111) to 4 min (4444444), over 4 deployments; at most 4 min." in text


def test_what_is_not_known_is_one_line() -> None:
    unknown = {Part.LATENCY: "nothing was sampled", Part.TREND: "the ledger was away"}
    told = [*parts(ChartData(unknown=unknown), *Part)]
    assert [(one.part, bool(one.body), one.lacking) for one in told] == [
        (Part.LATENCY, False, ("nothing was sampled",)),
        (Part.TREND, False, ("the ledger was away",)),
    ]


def test_drawing_leaves_pythons_imports_alone() -> None:
    objective(REPORT)
    assert all(hasattr(finder, "find_spec") for finder in sys.meta_path)


def test_a_band_does_not_tell_its_length_twice() -> None:
    drawn = str(
        timeline("t", [Band("api not reachable", BandKind.DOWN, 0.0, 209.0, "3 min 29 s, no answer")])
    )
    assert drawn.count("3 min 29 s") == 2, "once in the list, once in the description for screen readers"
    assert "3 min 29 s · no answer" in drawn

"""The parts above pytest-html's table: complete, escaped, bounded, and nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from html.parser import HTMLParser

import pytest
from pydantic import BaseModel

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.history.chart_data import picture
from kamiyo_verify.model.history.chart_data import ChartData
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Screenshot
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Phase, Status
from kamiyo_verify.reporting import html
from tests.support.evidence_for import (
    ERROR,
    FAILED,
    HEALTH,
    LATENCY,
    LIVE,
    PASSED,
    RUNBOOK,
    SENTRY,
    SIGN_IN,
    UNVERIFIED,
    WEBHOOK,
    evidence,
    measured,
    result,
)
from tests.support.example_reports import bad
from tests.support.hostile import ENDLESS, HOSTILE, LIVE_CHARACTERS

VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """The elements and the text of a page; markup that does not balance is an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, attribute: str) -> list[str]:
        return [value for name, value in self.attributes if name == attribute]


def page(
    verdict: Verdict, drawn: ChartData | None = None, screenshots: Mapping[str, str] | None = None
) -> Page:
    return Page("".join(html.fragments(verdict, drawn, screenshots)))


def test_the_call_its_reason_its_clause_and_who_come_first() -> None:
    shown = page(decide(evidence(result(SIGN_IN, FAILED, "401 of 3"), deploy_minutes=7))).text
    first = shown[: shown.index("Service level objectives")]
    for words in (
        "ROLL BACK",
        "401 of 3",
        "policy: nobody signs in",
        "Something: 401 of 3",
        "Users: something.",
        "Primary (Ada, +45 1) now (minute 7 of the deployment)",
        "Render dashboard → kamiyo-frontend",
        "Low: postdeploy.sign-in failed in the only try",
        "then run pytest -m rollback --env staging",
    ):
        assert words in first


def test_an_objective_shows_value_interval_and_samples() -> None:
    shown = page(decide(evidence(measured(LATENCY, response_times=(100.0,) * 20)))).text
    assert "API p95 below 500 ms (sampled) ? undecided 100 ms 100 ms – … API p95: the interval" in shown
    assert "Measured: 100 ms, interval 100 ms – … (… is an end that is not known)" in shown
    assert "0 ms 625 ms 20 of 59" in shown


def test_the_checklist_shows_each_item_once_and_what_failed_first() -> None:
    shown = page(decide(evidence(result(LIVE, FAILED, "no frame"))))
    anchors = [anchor.removeprefix("item-") for anchor in shown.all("id") if anchor.startswith("item-")]
    selected = [item.id for item in RUNBOOK.items if item.phase in {Phase.POSTDEPLOY, Phase.PERFORMANCE}]
    assert anchors == [LIVE, *(item for item in selected if item != LIVE)]
    assert f"#item-{LIVE}" in shown.all("href")


def test_a_failed_item_shows_message_remedy_and_tries() -> None:
    tries = tuple(Attempt(FAILED, f"try {n}", "", 0.1) for n in range(3))
    shown = page(decide(evidence(result(SIGN_IN, FAILED, "401", attempts=tries)))).text
    for words in (
        "401",
        "3 tries",
        "try 1",
        "Runbook remedy, if this is the cause: The secret",
        "It is wrong.",
        "Redeploy.",
    ):
        assert words in shown


def test_a_failed_item_is_told_by_what_is_wrong() -> None:
    shown = page(decide(evidence(result(LIVE, FAILED, 'no frame came: {"a": 1}')))).text
    assert f"✗ failed No frame came {LIVE}" in shown
    assert f"Expected: {LIVE} is well" in shown
    assert shown.index('{"a": 1}') > shown.index("FIX FORWARD Something: no frame came.")


def test_nothing_is_unfolded_at_first() -> None:
    assert not page(decide(bad())).all("open")


def test_measurements_are_shown_in_short() -> None:
    taken = tuple(Measurement(f"number_{n}", n, "ms") for n in range(20))
    shown = page(decide(evidence(result(HEALTH, measurements=taken)))).text
    assert "number 3 3 ms" in shown
    assert "and 8 more" in shown


def test_what_a_measurement_does_not_say_is_left_out() -> None:
    taken = (
        Measurement("moments", ""),
        Measurement("outages_lasted", (), "s"),
        Measurement("outages_began", (1.0,), "s since 1970"),
        Measurement("missed", 0.5, "s"),
    )
    shown = page(decide(evidence(result(HEALTH, measurements=taken)))).text
    assert "missed 0.5 s" in shown
    assert "moments" not in shown
    assert "outages" not in shown


def test_what_was_not_verified_says_what_would_change_that() -> None:
    shown = page(decide(evidence(result(WEBHOOK, UNVERIFIED, "STRIPE_WEBHOOK_SECRET is not set")))).text
    last = shown[shown.index("What was not verified") :]
    assert last.index("STRIPE_WEBHOOK_SECRET is not set (1)") < last.index("no check yet (1)")
    assert f"{SENTRY} is well" in last


def test_a_flaky_item_is_marked() -> None:
    tries = (Attempt(FAILED, "502", "", 0.1), Attempt(PASSED, "", "", 0.1))
    assert "↻ flaky" in page(decide(evidence(result(LIVE, attempts=tries)))).text


@pytest.mark.parametrize("status", Status)
def test_a_status_is_told_by_sign_and_word(status: Status) -> None:
    shown = page(decide(evidence(result(LIVE, status)))).text
    told = {
        Status.PASSED: "✓ passed",
        Status.FAILED: "✗ failed",
        Status.ERROR: "! not measured",
        Status.UNVERIFIED: "? unverified",
        Status.NOT_APPLICABLE: "– not applicable",
    }
    title = f"{LIVE} is {status}" if status in {FAILED, ERROR} else f"{LIVE} is well"
    assert f"{told[status]} {title} {LIVE}" in shown


def test_nothing_that_a_target_sent_is_live() -> None:
    taken = (Measurement(HOSTILE, HOSTILE, HOSTILE), Measurement("series", (1.0,), HOSTILE))
    tries = (Attempt(FAILED, HOSTILE, "", 0.1), Attempt(FAILED, HOSTILE, "", 0.1))
    hostile = result(SIGN_IN, FAILED, HOSTILE, measurements=taken, attempts=tries)
    shown = page(decide(evidence(hostile, result(LIVE, UNVERIFIED, HOSTILE), commit=HOSTILE)))
    assert not {"script", "img", "iframe", "object", "link"} & set(shown.tags)
    assert not [name for name, _ in shown.attributes if name.startswith("on")]
    assert all(target.startswith("#item-") for target in shown.all("href"))
    assert not set(LIVE_CHARACTERS) & set(shown.text)
    assert "<script>alert(1)</script>" in shown.text
    assert "{{ 7 * 7 }}" in shown.text


def replaced(value: object, text: str) -> object:
    """The same with this text in every place that holds free text."""
    if isinstance(value, Enum) or not value:
        return value
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(replaced(one, text) for one in value)
    if isinstance(value, dict):
        return {key: replaced(one, text) for key, one in value.items()}
    if isinstance(value, BaseModel):
        return value.model_copy(update={name: replaced(one, text) for name, one in value if name != "id"})
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{one.name: replaced(getattr(value, one.name), text) for one in fields(value)})
    return value


def example(text: str) -> tuple[str, ...]:
    """A whole report, with this text in every place of its verdict and of its picture."""
    given = bad()
    verdict = decide(given)
    shots = (Screenshot("screenshots/a.png", text), Screenshot(text, text))
    items = tuple(replace(item, screenshots=shots, flaky=True) for item in verdict.items)
    whole = replaced(replace(verdict, items=items), text)
    drawn = replaced(picture(given, verdict), text)
    assert isinstance(whole, Verdict)
    assert isinstance(drawn, ChartData)
    return html.fragments(whole, drawn, {text: "data:image/png;base64,AAAA"})


def test_no_field_of_a_report_becomes_live() -> None:
    markup = "".join(example(HOSTILE))
    shown = Page(markup)
    assert not {"script", "iframe", "object", "link", "base", "form"} & set(shown.tags)
    assert not [name for name, _ in shown.attributes if name.startswith("on") or name == "srcdoc"]
    assert not set(LIVE_CHARACTERS) & set(markup)
    assert set(shown.all("src")) == {"data:image/png;base64,AAAA"}
    assert {target[:3] for target in shown.all("href")} <= {"#it", "./%"}
    assert {name for name in ("url(", "@import", "javascript:") if name in markup} == set()


def test_no_field_of_a_report_makes_it_endless() -> None:
    assert len("".join(example(ENDLESS))) < 1_000_000


def test_a_report_of_endless_answers_is_bounded() -> None:
    results = (result(item.id, ERROR, ENDLESS) for item in RUNBOOK.items if item.phase is Phase.POSTDEPLOY)
    assert len("".join(html.fragments(decide(evidence(*results))))) < 100_000


def test_nothing_comes_from_outside() -> None:
    assert not re.search(r"url\(|@import|https?://", html.css())


def test_light_dark_phone_and_paper_are_provided_for() -> None:
    for query in ("prefers-color-scheme: dark", "max-width", "@media print"):
        assert query in html.css()
    assert "width=device-width" in page(decide(evidence())).all("content")[0]


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", [0, 1, 2])
def test_text_stands_out_from_its_ground(scheme: int) -> None:
    """At least 4.5 to 1, as WCAG 2.2 asks in 1.4.3."""
    block = html.css().split(":root {")[scheme + 1].partition("}")[0]
    palette = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    tones = ("good", "bad", "doubt", "blank")
    pairs = [(tone, f"{tone}-soft") for tone in tones] + [
        (ink, ground) for ink in ("text", "quiet", "link", *tones) for ground in ("page", "card")
    ]
    for ink, ground in pairs:
        light, dark = sorted((_luminance(palette[ink]), _luminance(palette[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, f"{ink} on {ground}"


def test_a_report_of_the_whole_runbook_is_small() -> None:
    """Without screenshots; pytest-html adds its own table, its style and its script to it: 80 kB."""
    assert sum(map(len, example("A" * 200))) < 700_000
    given = bad()
    verdict = decide(given)
    assert sum(map(len, html.fragments(verdict, picture(given, verdict)))) < 120_000


def test_the_parts_come_in_the_order_of_reading() -> None:
    given = bad()
    verdict = decide(given)
    shown = page(verdict, picture(given, verdict))
    ids = [ident.removeprefix("kv-") for ident in shown.all("aria-labelledby") if ident.startswith("kv-")]
    before = ["call", "evidence", "before", "objectives", "timeline", "latency", "timing"]
    assert ids == [*before, "checklist", "unverified", "trend"]


def test_what_cannot_be_drawn_is_told_in_its_place() -> None:
    given = evidence()
    verdict = decide(given)
    shown = page(verdict, picture(given, verdict)).text
    assert "The last deployments the ledger was away, and only it knows of earlier deployments." in shown
    assert "The time of one request no request was timed step by step in this run." in shown


def test_requests_are_told_in_short_and_at_length_where_something_is_wrong() -> None:
    sent = tuple(Exchange("GET", f"https://x/{n}", 502, 12.0, request_id="7fe1") for n in range(7))
    given = evidence(result(LIVE, FAILED, exchanges=sent), result(HEALTH, exchanges=sent[:1]))
    verdict = decide(given)
    shown = page(verdict, picture(given, verdict)).text
    assert "7 requests: 502 GET https://x/0 → 502 in 12 ms (request 7fe1)" in shown
    assert "and 2 more, in evidence.jsonl" in shown
    assert "1 request: 502" in shown


def test_a_screenshot_is_shown_or_linked_to() -> None:
    shots = (Screenshot("screenshots/a.png", "signed in"), Screenshot("screenshots/b c.png", "the dashboard"))
    verdict = decide(evidence(result(LIVE, screenshots=shots)))
    shown = page(verdict, screenshots={"screenshots/a.png": "data:image/png;base64,AAAA"})
    assert shown.all("src") == ["data:image/png;base64,AAAA"]
    assert "signed in" in shown.all("alt")
    assert "./screenshots/b%20c.png" in shown.all("href")


def test_what_passed_is_folded_by_section_and_what_fails_alike_by_cause() -> None:
    alike = [result(item, FAILED, "no route") for item in (LIVE, HEALTH)]
    shown = page(decide(evidence(*alike, result(SIGN_IN, FAILED, "401")))).text
    for fold in ("2 failed: no route", "Step 4: 5 passed", "Step 6: 1 unverified"):
        assert fold in shown
    assert shown.index("1 failed") < shown.index("Step 4: 5 passed")


def test_a_vast_run_lists_what_passed_without_details() -> None:
    verdict = decide(evidence(result(HEALTH, measurements=(Measurement("n", 3, "ms"),))))
    well = next(item for item in verdict.items if item.id == HEALTH)
    assert "n 3 ms" in page(verdict).text
    many = page(replace(verdict, items=tuple(replace(well, id=f"i.{n}") for n in range(5_000))))
    assert "n 3 ms" not in many.text
    assert len([one for one in many.all("id") if one.startswith("item-")]) == 5_000


def test_an_empty_run_has_a_page_too() -> None:
    shown = page(decide(evidence(phases=()))).text
    assert "INCONCLUSIVE" in shown
    assert "No item was selected." in shown


def test_the_title_begins_with_the_call() -> None:
    assert html.title(decide(evidence())) == "PROCEED · Kamiyo staging · postdeploy+performance"

"""The run as a tree of spans."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.reporting.exports.spans import run_span
from tests.engine.reporting.exports.verdicts import BAD, BEGAN, GOOD, VERDICTS
from tests.support.evidence_for import DATA, HEALTH, LOOKS, SIGN_IN
from tests.support.hostile import LIVE_CHARACTERS


@pytest.mark.parametrize("name", VERDICTS)
def test_a_run_holds_its_items_in_time(name: str) -> None:
    verdict = VERDICTS[name]
    root = run_span(verdict, {item.id: "2026-03-01T10:00:05+00:00" for item in verdict.items[:2]})
    assert [one.name for one in root.children] == [item.id for item in verdict.items]
    for span in (root, *root.children):
        assert span.start_ns <= span.end_ns <= root.end_ns
        texts = [span.name, span.error, *map(str, span.attributes.values())]
        assert not set(LIVE_CHARACTERS) & set("".join(texts))


def test_an_item_has_its_impact_and_its_status() -> None:
    spans = {one.name: one for one in run_span(BAD, {}).children}
    told = {name: spans[name].attributes for name in (HEALTH, SIGN_IN, DATA, LOOKS)}
    assert told[SIGN_IN]["kamiyo_verify.impact"] == "auth"
    assert [one["kamiyo_verify.status"] for one in told.values()] == [
        "passed",
        "failed",
        "error",
        "unverified",
    ]
    assert [one.get("test.case.result.status") for one in told.values()] == ["pass", "fail", "fail", None]
    assert [bool(spans[name].error) for name in told] == [False, True, True, False]
    assert told[HEALTH]["kamiyo_verify.tries"] == 2


def test_only_proceed_ends_without_an_error() -> None:
    assert run_span(GOOD, {}).error == ""
    assert run_span(BAD, {}).error == BAD.headline
    assert run_span(replace(GOOD, exit_code=2), {}).error


def test_an_item_begins_when_it_was_tried() -> None:
    span = run_span(GOOD, {HEALTH: "2026-03-01T10:00:05.250+00:00"})
    health = next(one for one in span.children if one.name == HEALTH)
    assert health.start_ns - span.start_ns == 5_250_000_000
    assert run_span(GOOD, {HEALTH: ""}).children[0].start_ns == span.start_ns
    assert GOOD.started_at == BEGAN

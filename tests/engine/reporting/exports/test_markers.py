"""The deploy marker of Sentry and the annotation of Grafana."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kamiyo_verify.reporting.exports.grafana_annotation import annotation
from kamiyo_verify.reporting.exports.sentry_deploy import deploy_marker
from tests.engine.reporting.exports.verdicts import BAD, ENDED, GOOD, HOSTILE_ONE, VERDICTS
from tests.support.hostile import LIVE_CHARACTERS

REPORT = "https://reports.example.com/report.html?a=1&b=2"


def test_a_deploy_is_marked_with_the_call_and_its_times() -> None:
    began = "2026-03-01T09:50:00+00:00"
    seen = replace(GOOD.deployment, seen=replace(GOOD.deployment.seen, began_at=began))
    assert deploy_marker(replace(GOOD, deployment=seen), "production", ("api",), REPORT) == {
        "environment": "production",
        "name": "kamiyo-verify: proceed",
        "projects": ["api"],
        "dateStarted": began,
        "dateFinished": ENDED,
        "url": REPORT,
    }
    assert "url" not in deploy_marker(GOOD, "production", ("api",))


def test_an_annotation_covers_the_run_and_says_the_call() -> None:
    found = annotation(GOOD, ("deployment",), "abc", REPORT)
    assert found["timeEnd"] - found["time"] == 150_500
    assert found["tags"] == ["deployment", GOOD.environment, "proceed"]
    assert found["dashboardUID"] == "abc"
    assert found["text"].startswith(f"PROCEED: {GOOD.headline}")
    assert found["text"].endswith('<a href="https://reports.example.com/report.html?a=1&amp;b=2">report</a>')
    assert "commit 9c41d07" in annotation(BAD)["text"]
    assert "dashboardUID" not in annotation(BAD)


@pytest.mark.parametrize("name", VERDICTS)
def test_what_others_sent_is_text_in_grafana(name: str) -> None:
    text = annotation(VERDICTS[name], ("deployment",))["text"]
    assert not set(LIVE_CHARACTERS) & set(text)
    assert "<" not in text
    assert len(text) < 3_000


def test_markup_in_a_headline_is_shown_and_not_drawn() -> None:
    text = annotation(replace(HOSTILE_ONE, headline="<img src=x onerror=alert(1)>"))["text"]
    assert "&lt;img src=x" in text

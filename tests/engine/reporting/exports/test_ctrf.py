"""ctrf.json keeps to the official schema, and fails nothing open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kamiyo_verify.reporting.exports.ctrf import ctrf_json
from tests.engine.reporting.exports.verdicts import BAD, EMPTY, GOOD, VERDICTS
from tests.support.evidence_for import DATA, HEALTH, LOOKS, SIGN_IN, WEBHOOK
from tests.support.hostile import LIVE_CHARACTERS

SCHEMA = json.loads((Path(__file__).parent / "schemas" / "ctrf-0.0.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft7Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def by_item(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {test["testId"]: test for test in document["results"]["tests"]}


@pytest.mark.parametrize("name", VERDICTS)
def test_every_verdict_keeps_to_the_official_schema(name: str) -> None:
    text = ctrf_json(VERDICTS[name])
    VALIDATOR.validate(json.loads(text))
    assert not set(LIVE_CHARACTERS) & set(text)
    assert text.encode().endswith(b"}\n")


def test_the_schema_can_fail() -> None:
    document = json.loads(ctrf_json(GOOD))
    document["results"]["tests"][0]["colour"] = "red"
    assert [*VALIDATOR.iter_errors(document)]


def test_what_could_not_be_measured_is_not_good() -> None:
    found = by_item(json.loads(ctrf_json(BAD)))
    told = {item: (found[item]["status"], found[item]["rawStatus"]) for item in (HEALTH, SIGN_IN, DATA)}
    assert told == {
        HEALTH: ("passed", "passed"),
        SIGN_IN: ("failed", "failed"),
        DATA: ("failed", "error"),
    }
    assert found[LOOKS]["status"] == "pending"
    assert found[WEBHOOK]["status"] == "skipped"


def test_a_test_has_the_items_impact_and_attribution() -> None:
    found = by_item(json.loads(ctrf_json(BAD)))[SIGN_IN]
    assert found["labels"]["impact"] == "auth"
    assert found["labels"]["attribution"] == next(
        item.attribution.value for item in BAD.items if item.id == SIGN_IN and item.attribution
    )
    assert "500" in found["message"]


def test_the_summary_adds_up_and_says_how_long_it_took() -> None:
    summary = json.loads(ctrf_json(BAD))["results"]["summary"]
    statuses = ("passed", "failed", "pending", "skipped", "other")
    assert sum(summary[status] for status in statuses) == summary["tests"] == len(BAD.items)
    assert json.loads(ctrf_json(GOOD))["results"]["summary"]["duration"] == 150_500
    assert json.loads(ctrf_json(EMPTY))["results"]["summary"]["tests"] == 0


def test_earlier_tries_are_told() -> None:
    found = by_item(json.loads(ctrf_json(BAD)))[HEALTH]
    assert (found["retries"], found["flaky"]) == (1, True)
    [first] = found["retryAttempts"]
    assert (first["attempt"], first["status"], first["duration"]) == (1, "failed", 250)


@pytest.mark.parametrize("name", VERDICTS)
def test_only_proceed_is_healthy(name: str) -> None:
    verdict = VERDICTS[name]
    healthy = json.loads(ctrf_json(verdict))["results"]["environment"]["healthy"]
    assert healthy is (verdict.exit_code == 0)

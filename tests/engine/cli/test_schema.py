"""The published JSON Schema is that of this version, and every kind of verdict fits it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from kamiyo_verify.cli.schema import schema_text, verdict_schema
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.reporting.json import verdict_json
from tests.support import example_reports

PUBLISHED = Path(__file__).parents[3] / "docs" / "verdict.schema.json"
EXAMPLES = [
    example_reports.good,
    example_reports.bad,
    example_reports.fix_forward,
    example_reports.stale,
    example_reports.ended,
]


def test_the_published_schema_is_this_versions() -> None:
    assert PUBLISHED.read_text(encoding="utf-8") == schema_text(), (
        "write it anew: kamiyo-verify schema > docs/verdict.schema.json"
    )


def test_the_schema_is_a_valid_one() -> None:
    jsonschema.Draft202012Validator.check_schema(verdict_schema())


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_kind_of_verdict_fits(example: Callable[[], Evidence]) -> None:
    verdict = json.loads(verdict_json(decide(example())))
    validator = jsonschema.Draft202012Validator(verdict_schema())
    assert [error.message for error in validator.iter_errors(verdict)] == []


@pytest.mark.parametrize("wrong", [{"recommendation": "maybe"}, {"exit_code": "20"}, {"items": None}])
def test_another_verdict_does_not_fit(wrong: dict[str, object]) -> None:
    verdict = copy.deepcopy(json.loads(verdict_json(decide(example_reports.bad())))) | wrong
    assert not jsonschema.Draft202012Validator(verdict_schema()).is_valid(verdict)

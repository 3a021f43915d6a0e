"""verdict.json and deployment.md."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Phase
from kamiyo_verify.reporting.json import verdict_json
from kamiyo_verify.reporting.markdown import deployment_md
from tests.support.evidence_for import (
    BACK,
    COMMIT,
    ERROR,
    FAILED,
    HEALTH,
    LIVE,
    RUNBOOK,
    SIGN_IN,
    evidence,
    result,
)
from tests.support.hostile import ENDLESS, HOSTILE, LIVE_CHARACTERS


def field(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"- **{name}:**")).partition(":** ")[2]


def test_json_round_trips_whatever_a_target_sent() -> None:
    verdict = decide(evidence(result(SIGN_IN, FAILED, HOSTILE), commit=HOSTILE))
    text = verdict_json(verdict)
    assert Verdict.from_json(json.loads(text)) == verdict
    assert text.endswith("}\n")
    assert not set(LIVE_CHARACTERS) & set(text)
    assert text.encode()


def test_json_begins_with_what_a_reader_looks_for() -> None:
    data = json.loads(verdict_json(decide(evidence())))
    assert list(data)[:3] == ["schema", "project", "environment"]
    assert (data["recommendation"], data["exit_code"]) == ("proceed", 0)


def test_json_is_the_same_to_the_byte() -> None:
    def text() -> str:
        return verdict_json(decide(evidence(result(SIGN_IN, FAILED))))

    assert text() == text()


def test_json_refuses_what_it_cannot_tell() -> None:
    verdict = decide(evidence())
    item = replace(verdict.items[0], duration_s=float("inf"))
    with pytest.raises(ValueError, match="JSON"):
        verdict_json(replace(verdict, items=(item,)))


def test_the_log_entry_has_every_field_of_the_runbooks_template() -> None:
    text = deployment_md(decide(evidence(commit="9c41d07")))
    names = [
        "Date",
        "Deployer",
        "Branch",
        "Commit",
        "Services",
        "Duration",
        "Downtime",
        "Issues",
        "Rollback",
        "Notes",
    ]
    assert [line.split("**")[1] for line in text.splitlines() if line.startswith("- **")] == [
        f"{name}:" for name in names
    ]
    assert field(text, "Date") == "2026-11-23 14:09 UTC"
    assert field(text, "Commit") == "9c41d07"
    assert field(text, "Issues") == "None"
    assert field(text, "Rollback") == "No"
    assert field(text, "Deployer") == field(text, "Downtime") == "not measured"


def test_the_log_entry_takes_the_commit_that_answers() -> None:
    taken = (Measurement("api_commit", "9c41d07"), Measurement("frontend_commit", "9c41d07"))
    text = deployment_md(decide(evidence(result(COMMIT, measurements=taken))))
    assert field(text, "Commit") == "9c41d07"


def test_the_log_entry_names_issues_and_the_rollback() -> None:
    text = deployment_md(decide(evidence(result(SIGN_IN, FAILED))))
    assert field(text, "Issues") == f"{SIGN_IN}: {SIGN_IN} is failed"
    assert field(text, "Rollback").startswith("recommended (kamiyo-frontend to its last good deploy)")
    assert f"## ROLL BACK: Something: {SIGN_IN} is failed" in text


def test_no_issue_is_claimed_where_nothing_was_seen() -> None:
    nothing = deployment_md(decide(evidence(without=tuple(item.id for item in RUNBOOK.items))))
    assert field(nothing, "Issues") == "not measured"
    assert field(deployment_md(decide(evidence(result(HEALTH, ERROR)))), "Issues") == "1 item not measured"


def test_after_a_rollback_the_entry_says_so() -> None:
    text = deployment_md(decide(evidence(result(BACK), phases=(Phase.ROLLBACK,))))
    assert field(text, "Rollback").startswith("Yes")


def test_the_checklist_follows_the_runbook() -> None:
    text = deployment_md(decide(evidence(result(LIVE, FAILED, "no frame"))))
    assert text.index("### Step 4") < text.index("### Step 5") < text.index("### Step 6")
    assert f"- [x] {HEALTH} is well\n" in text
    assert f"- [ ] {LIVE} is well – failed: no frame\n" in text


def test_nothing_that_a_target_sent_is_markup() -> None:
    text = deployment_md(decide(evidence(result(LIVE, FAILED, HOSTILE), result(HEALTH, ERROR, ENDLESS))))
    assert "<script" not in text.replace("\\<script", "")
    assert not re.search(r"[^\\]\]\(|[^\\]://|www\.", text)
    assert "\\[link\\](http\\://evil.example)" in text
    assert not set(LIVE_CHARACTERS) & set(text)
    assert len(text) < 20_000


@pytest.mark.parametrize("action", Action)
def test_every_call_can_be_written(action: Action) -> None:
    verdict = replace(decide(evidence()), recommendation=action)
    assert deployment_md(verdict).count("## ") >= 3

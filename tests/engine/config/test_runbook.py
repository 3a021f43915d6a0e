"""runbook.toml covers the whole written runbook, in words of its own."""

import os
import re
from pathlib import Path

import pytest

from kamiyo_verify.config.environments import load_runbook
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.words import Impact, Phase

ROOT = Path(__file__).parents[3]
CHECKBOXES = 57


@pytest.fixture(scope="module")
def runbook() -> Runbook:
    return load_runbook(ROOT / "runbook.toml")


@pytest.fixture(scope="module")
def written() -> str:
    """The written runbook, which is no part of the project."""
    path = Path(os.environ.get("KAMIYO_RUNBOOK") or ROOT / "../shared/runbook/DEPLOYMENT_RUNBOOK.md")
    if not path.is_file():
        pytest.skip("the written runbook is not here; KAMIYO_RUNBOOK names its file")
    return path.read_text(encoding="utf-8")


def headings_and_boxes(markdown: str) -> tuple[list[str], list[tuple[str, str]]]:
    headings: list[str] = []
    boxes: list[tuple[str, str]] = []
    code = False
    for line in markdown.splitlines():
        code ^= line.strip().startswith("```")
        if not code and (heading := re.match(r"#+ (.+)", line)):
            headings.append(heading[1])
        elif box := re.match(r"\s*- \[ \] (.+)", line):
            boxes.append((headings[-1], box[1].replace("**", "").replace("`", "")))
    return headings, boxes


def test_a_copy_with_other_items_finds_those(runbook: Runbook) -> None:
    first, second = runbook.items[:2]
    assert runbook.item(second.id) is second
    copied = runbook.model_copy(update={"items": (first,)})
    assert (copied.item(first.id), copied.item(second.id)) == (first, None)


def test_every_checkbox_of_the_runbook_has_an_item(runbook: Runbook) -> None:
    assert len({(item.section, item.checkbox) for item in runbook.items if item.checkbox}) == CHECKBOXES


def test_the_checkboxes_are_those_of_the_written_runbook(runbook: Runbook, written: str) -> None:
    _, boxes = headings_and_boxes(written)

    assert len(boxes) == CHECKBOXES
    assert {(item.section, item.checkbox) for item in runbook.items if item.checkbox} == set(boxes)


def test_the_items_of_a_phase_stand_in_the_order_of_the_written_runbook(
    runbook: Runbook, written: str
) -> None:
    headings, boxes = headings_and_boxes(written)

    for phase in Phase:
        items = [item for item in runbook.items if item.phase is phase]
        places = [headings.index(item.section) for item in items]
        ticked = [boxes.index((item.section, item.checkbox)) for item in items if item.checkbox]
        assert places == sorted(places), phase
        assert ticked == sorted(ticked), phase


def test_no_prose_is_copied_from_the_written_runbook(runbook: Runbook, written: str) -> None:
    plain = " ".join(written.replace("**", "").split()).lower()
    ours = [
        *(text for item in runbook.items for text in (item.title, item.user_impact)),
        *(text for remedy in runbook.remedies for text in (remedy.title, remedy.cause, *remedy.steps)),
        *(clause.text for clause in (*runbook.policy.roll_back, *runbook.policy.do_not_roll_back)),
        *runbook.questions,
    ]

    prose = [re.sub(r"`[^`]*`", "", text).rstrip(".").lower() for text in ours]  # commands are facts
    assert [text for text in prose if len(text.split()) > 3 and text in plain] == []


def test_what_must_be_verified_before_proceeding_can_be_verified_by_a_machine(runbook: Runbook) -> None:
    required = set(runbook.policy.required_impacts)

    assert required == {Impact.CORE, Impact.DATA, Impact.AUTH, Impact.PAYMENTS, Impact.SECURITY}
    assert [item.id for item in runbook.items if item.manual and item.impact in required] == []


def test_every_item_says_what_users_lose(runbook: Runbook) -> None:
    for item in runbook.items:
        assert bool(item.user_impact) is not item.manual, item.id
        assert not item.user_impact.endswith("."), item.id
        assert not item.title.endswith("."), item.id


def test_every_remedy_is_shown_by_some_item(runbook: Runbook) -> None:
    assert {remedy.id for remedy in runbook.remedies} == {
        item.remedy for item in runbook.items if item.remedy
    }
    assert len(runbook.remedies) == 9


def test_the_policy_has_five_reasons_and_five_excuses(runbook: Runbook) -> None:
    limits = {clause.id: clause.limit for clause in runbook.policy.do_not_roll_back if clause.limit}

    assert len(runbook.policy.roll_back) == 5
    assert len(runbook.policy.do_not_roll_back) == 5
    assert limits == {"small-slowdown": 0.5, "few-users": 0.05}


def test_the_objectives_are_those_of_the_runbook(runbook: Runbook) -> None:
    assert {(slo.id, slo.kind, slo.better, slo.objective, slo.unit) for slo in runbook.slos} == {
        ("availability", "history", "above", 0.995, ""),
        ("api-p95", "quantile", "below", 500, "ms"),
        ("frontend-p95", "quantile", "below", 2000, "ms"),
        ("error-rate", "ratio", "below", 0.001, ""),
        ("frontend-error-rate", "ratio", "below", 0.001, ""),
        ("deployment-success", "history", "above", 0.95, ""),
    }


def test_escalation_goes_by_the_clock_and_then_by_severity(runbook: Runbook) -> None:
    assert [row.from_minute for row in runbook.escalation] == [0, 15, 30, None]
    assert [row.critical for row in runbook.escalation] == [False, False, False, True]


@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("Kamiyo API starting up...", "api-starting"),
        ("INFO: Database exploits: 4,312", "api-exploits-counted"),
        ("Tracked chains: 15", "api-chains-counted"),
        ("WebSocket manager started", "api-websocket-started"),
        ("Cache manager connected", "api-cache-connected"),
        ("INFO:     Uvicorn running on http://0.0.0.0:10000 (Press CTRL+C to quit)", "api-listening"),
        ("Prisma schema loaded from prisma/schema.prisma", "frontend-schema-loaded"),
        ("Migrations complete", "frontend-migrations-complete"),
        (" ✓ Ready in 287ms", "frontend-ready"),
        (" ✓ Ready in 1.2s", "frontend-ready"),
        ("   - Local:        http://localhost:3000", "frontend-local-address"),
        ("Error fetching exploits: timeout", "exploits-unfetched"),
        ("Database connection failed", "database-unreachable"),
        ("Failed to connect cache manager", "cache-unreachable"),
        ("[STRIPE VERSION] CRITICAL: too old", "stripe-version-critical"),
        ("ModuleNotFoundError: No module named 'x'", "module-missing"),
        ("ImportError: cannot import name", "module-missing"),
        ("Port already in use", "port-in-use"),
        ("GET /exploits 200", None),
        ("Ready in a moment", None),
    ],
)
def test_a_log_line_has_one_meaning(runbook: Runbook, line: str, pattern: str | None) -> None:
    found = [row.id for row in runbook.log_patterns if re.search(row.pattern, line)]

    assert found == ([pattern] if pattern else [])

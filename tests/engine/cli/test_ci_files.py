"""The workflows and the action: GitHub's own form, least privileges, no word from outside in a script."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.github_expressions import evaluate, filled, truthy
from tests.support.github_runner import read_outputs
from tests.support.sandbox_process import HOUSE

WORKFLOWS = sorted((HOUSE / ".github" / "workflows").glob("*.y*ml"))
ACTION = HOUSE / "action.yml"
VERIFY = HOUSE / ".github" / "workflows" / "verify-deploy.yml"


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in WORKFLOWS:
        for job in read(path)["jobs"].values():
            yield from ((path.name, step) for step in job["steps"])
    yield from ((ACTION.name, step) for step in read(ACTION)["runs"]["steps"])


@pytest.mark.parametrize(
    ("schema", "paths"),
    [("vendor.github-workflows", WORKFLOWS), ("vendor.github-actions", [ACTION])],
    ids=["workflows", "action"],
)
def test_they_are_of_githubs_form(schema: str, paths: list[Path], tmp_path: Path) -> None:
    def check(*files: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, files)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    good = check(*paths)
    assert good.returncode == 0, good.stdout
    broken = tmp_path / "broken.yml"
    broken.write_text(paths[0].read_text().replace("runs-on:", "runs-at:").replace("using:", "usage:"))
    assert check(broken).returncode == 1


@pytest.mark.parametrize(("file", "step"), list(steps()), ids=str)
def test_no_expression_stands_in_a_script(file: str, step: dict[str, Any]) -> None:
    assert "${{" not in step.get("run", ""), f"{file}: give it to {step.get('name')} as a variable"
    assert "script" not in step.get("with", {})


def test_every_step_after_verify_runs_whatever_came_before() -> None:
    rows = read(ACTION)["runs"]["steps"]
    after = rows[[row.get("id") for row in rows].index("verify") + 1 :]
    assert len(after) >= 6
    assert all(row["if"].startswith("always() && steps.verify.outcome != 'skipped'") for row in after)
    assert "exit" in after[-1]["run"]
    assert not after[-1].get("continue-on-error")


def test_actions_are_pinned_to_a_major_version() -> None:
    used = {step["uses"] for _, step in steps() if "uses" in step} - {"./"}
    assert used
    assert all(re.fullmatch(r"actions/[\w/-]+@(v\d+|[0-9a-f]{40})", one) for one in used), used


def test_privileges_are_the_least() -> None:
    workflow = read(VERIFY)
    assert workflow["permissions"] == {}
    [job] = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "write"}
    assert job["timeout-minutes"]
    assert job["steps"][0]["with"] == {"persist-credentials": False}


def test_no_job_cancels_another_or_drops_one_that_waits() -> None:
    [job] = read(VERIFY)["jobs"].values()
    assert job["concurrency"]["cancel-in-progress"] is False
    assert job["concurrency"]["queue"] == "max"
    assert "environment" in job["concurrency"]["group"]


def test_it_is_started_by_what_deploys() -> None:
    told = dict[Any, Any](read(VERIFY))[True]  # YAML 1.1 reads "on" so
    assert told["push"] == {"branches": ["main"]}
    assert set(told["workflow_dispatch"]["inputs"]) == {"environment", "commit", "phases"}
    assert told["repository_dispatch"] == {"types": ["render-deploy"]}
    assert told["schedule"]


def test_every_secret_of_production_is_handed_over_by_its_name() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", (HOUSE / ".env.example").read_text(), re.MULTILINE))
    ours = {name for name in named if not name.startswith("STAGING_")} - {"GITHUB_TOKEN"}
    [job] = read(VERIFY)["jobs"].values()
    assert ours <= set(job["steps"][1]["env"])
    assert all(value == f"${{{{ secrets.{name} }}}}" for name, value in job["steps"][1]["env"].items())


@pytest.mark.parametrize(
    ("event", "variables", "runs"),
    [
        ("push", {}, False),
        ("push", {"KAMIYO_ENVIRONMENT": "prod"}, True),
        ("schedule", {}, False),
        ("schedule", {"KAMIYO_ENVIRONMENT": "prod"}, True),
        ("workflow_dispatch", {}, True),
        ("repository_dispatch", {}, True),
    ],
)
def test_pushes_are_verified_where_that_is_switched_on(
    event: str, variables: dict[str, str], *, runs: bool
) -> None:
    [job] = read(VERIFY)["jobs"].values()
    known = {"github": {"event_name": event}, "vars": variables}
    assert truthy(evaluate(job["if"], known)) is runs


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'a' == 'A'", True),
        ("true == 'true'", True),
        ("x.y != ''", False),
        ("x.there || 'other'", "it"),
        ("x.y || 'other'", "other"),
        ("x.there == 'it' && 'yes' || 'no'", "yes"),
        ("!x.y && (x.there == 'it')", True),
        ("'it''s'", "it's"),
    ],
)
def test_the_tests_own_runner_reads_expressions(text: str, value: object) -> None:
    assert evaluate(text, {"x": {"there": "it"}}) == value


def test_the_tests_own_runner_refuses_what_it_does_not_know() -> None:
    for text in ("hashFiles('x')", "y.z", "1 +", "x == "):
        with pytest.raises((AssertionError, IndexError)):
            evaluate(text, {"x": ""})
    assert filled("a ${{ x }} b ${{ 'c' }}", {"x": True}) == "a true b c"
    assert read_outputs("a=b=c\nd<<end-1\ne\nf\nend-1\n") == {"a": "b=c", "d": "e\nf"}

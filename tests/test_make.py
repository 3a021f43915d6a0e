"""What `make` removes, and what it installs for whom."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.test_house import ROOT


def make(folder: Path, *words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=folder,
        input=answer,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("reports/README.md", "reports/ledger.db", "reports/prod/x/report.html", ".venv/bin/python"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def left(project: Path) -> set[str]:
    return {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()} - {"Makefile"}


def test_clean_keeps_the_reports_and_the_ledger(project: Path) -> None:
    assert make(project, "clean").returncode == 0
    assert left(project) == {"reports/README.md", "reports/ledger.db", "reports/prod/x/report.html"}


@pytest.mark.parametrize("answer", ["", "\n", "no\n", "y\n"])
def test_reports_are_removed_only_after_a_yes(project: Path, answer: str) -> None:
    before = left(project)
    assert make(project, "clean-reports", answer=answer).returncode != 0
    assert left(project) == before


def test_after_a_yes_the_reports_are_gone(project: Path) -> None:
    assert make(project, "clean-reports", answer="yes\n").returncode == 0
    assert left(project) == {"reports/README.md", ".venv/bin/python"}


def test_a_demo_installs_what_a_run_needs_and_nothing_of_the_tests() -> None:
    told = make(ROOT, "-n", "-W", "requirements-run.lock", "demo").stdout
    assert "-r requirements-run.lock" in told
    assert "-r requirements.lock" not in told
    needed = re.findall(r"^([\w.-]+)==", (ROOT / "requirements-run.lock").read_text(), re.MULTILINE)
    assert not {"mypy", "scipy", "hypothesis", "ruff", "playwright"} & {*needed}


def test_versions_are_the_same_for_a_run_and_for_the_tests() -> None:
    pins = [
        dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements-run.lock", "requirements.lock")
    ]
    assert pins[0].items() <= pins[1].items()


def test_a_demo_installs_all_that_the_suite_and_its_sandbox_ask_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["sandbox"]]
    names = {canonicalize_name(Requirement(one).name) for one in asked}
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements-run.lock").read_text(), re.MULTILINE)
    assert names <= {canonicalize_name(one) for one in locked}

"""A project with thousands of items, each checked by a test that does nothing; and those tests without us."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.toy_project import CONFTEST, ENVIRONMENT, FIXTURES, NOBODY, PYPROJECT, ROOT, RUNBOOK

ITEMS = 5_000
PER_FILE = 100
# Both write the same kind of report, and neither pays for what belongs to the other.
BESIDE_US = (
    *("-p", "no:kamiyo_verify"),
    *("--html=report.html", "--self-contained-html", "--junitxml=junit.xml"),
)

STOPWATCH = """
import pathlib, time
import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    global last
    last = time.process_time()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    taken = time.process_time() - last
    config.add_cleanup(lambda: pathlib.Path("writing_s").write_text(str(taken)))
"""


@dataclass(frozen=True, slots=True)
class Done:
    """A run that ended.

    Attributes:
        cpu_s: seconds of processor time, of the process and of those that it started and waited for.
    """

    code: int
    output: str
    cpu_s: float
    report: Path

    @property
    def writing_s(self) -> float:
        """Seconds of processor time from the last test to the last word in the report and the ledger."""
        return float((self.report.parents[1] / "writing_s").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class ManyItems:
    """Both projects, side by side in one folder."""

    folder: Path
    count: int

    @classmethod
    def written(cls, folder: Path, count: int = ITEMS) -> ManyItems:
        """Write them."""
        project = cls(folder, count)
        project._write("ours/pyproject.toml", PYPROJECT)
        project._write("ours/conftest.py", CONFTEST + STOPWATCH)
        project._write("ours/toy_fixtures.py", FIXTURES)
        project._write("ours/environments/toy.toml", ENVIRONMENT.replace("{control}", NOBODY))
        # Without the plugin nobody registers the markers of the checks.
        plain = PYPROJECT.replace(
            "strict = true", 'strict = true\nmarkers = ["item(id): x", "postdeploy: x"]'
        )
        project._write("plain/pyproject.toml", plain)
        names = [f"item-{number:05}" for number in range(count)]
        rows = "".join(
            f'\n[[sections]]\ntitle = "Step {number // PER_FILE}"\n' * (number % PER_FILE == 0)
            + f'\n[[sections.items]]\nid = "postdeploy.{name}"\ntitle = "The {name} is as it should be"\n'
            + 'impact = "feature"\n'
            for number, name in enumerate(names)
        )
        project._write("ours/runbook.toml", RUNBOOK + rows)
        for start in range(0, count, PER_FILE):
            tests = "".join(_test(name) for name in names[start : start + PER_FILE])
            for checks in ("ours/checks/postdeploy", "plain/checks"):
                project._write(f"{checks}/test_{start // PER_FILE:03}.py", f"import pytest\n{tests}")
        return project

    def verified(self, *arguments: str) -> Done:
        """Run them as a verification."""
        report = self.folder / "ours" / "report"
        command = ["-m", "postdeploy", "--env=toy", f"--report-dir={report}", *arguments]
        return _run(self.folder / "ours", report / "report.html", command)

    def plainly_tested(self, *arguments: str) -> Done:
        """Run them with pytest and pytest-html alone."""
        return _run(self.folder / "plain", self.folder / "plain" / "report.html", [*BESIDE_US, *arguments])

    def _write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def _test(name: str) -> str:
    return (
        f'\n@pytest.mark.item("postdeploy.{name}")\ndef test_{name.replace("-", "_")}():\n    assert True\n'
    )


def _run(folder: Path, report: Path, arguments: list[str]) -> Done:
    left_out = ("PYTEST_", "COV_", "PYTHONDONTWRITEBYTECODE", "KAMIYO_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    before = _cpu_s()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env={**clean, "PYTHONPATH": str(ROOT), "KAMIYO_LEDGER_URL": f"sqlite:///{folder}/ledger.db"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return Done(done.returncode, done.stdout, _cpu_s() - before, report)


def _cpu_s() -> float:
    """Of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime

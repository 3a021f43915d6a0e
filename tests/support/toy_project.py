"""A project in miniature with the plugin in it: a runbook of a few items, one environment, any checks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.model.verdict import Verdict

ROOT = Path(__file__).parents[2]

WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")])
"""Alone, and with two workers."""

MOSTLY_ALONE = pytest.mark.parametrize(
    "workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.exhaustive)]
)
"""The same, where two workers matter less and take long."""

PYPROJECT = """
[tool.pytest]
strict = true
testpaths = ["checks"]
addopts = ["--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:anyio", "-p", "no:hypothesispytest"]
filterwarnings = ["error"]
"""

SECTION = '[[sections]]\ntitle = "Step 4"\n'

CONFTEST = """
pytest_plugins = ["toy_fixtures"]
"""

FIXTURES = '''
import pytest
from kamiyo_verify.hooks.background import background_fixture
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.result import Exchange


@background_fixture(seconds=lambda environment: 4)
def heartbeat(environment, record, stop):
    """A background task."""
    record(Exchange("WS", environment.websocket_url, 101, 1.0))
    stop.wait(0.5)
    return {"waited_seconds": 0.5}


@background_fixture(seconds=lambda environment: 4)
def silence(environment, record, stop):
    """A background task that finds nobody."""
    raise NoAnswer(NoAnswerKind.RATE_LIMITED, "the platform asks to wait", environment.api_url)
'''

NOBODY = "http://127.0.0.1:1"

ENVIRONMENT = """
title = "Kamiyo"
mutations = "forbidden"
absent = ["payments"]

[services.api]
url = "http://127.0.0.1:9"

[services.frontend]
url = "http://127.0.0.1:9"

[api]
key = "TOY_API_KEY"
heartbeat_s = 1

[sign_in]
password = "TOY_PASSWORD"

[database]
url = "TOY_DATABASE_URL"

[confirmation]
attempts = 3
spacing_s = 0
final_after_s = 0.2
per_minute = 6000
at_most_s = 10

[control]
urls = ["{control}"]

[timeouts]
connect = 1
answer = 1
item = 8
"""

RUNBOOK = """
title = "Toy deployment"
deployment_log = ["Date"]
questions = []
remedies = []
contacts = []
log_patterns = []
announcements = []
slos = []

[policy]
required_impacts = ["core", "data", "auth", "payments", "security"]
[[policy.roll_back]]
id = "core"
text = "a critical bug"
headline = "core functionality is broken"
impact = "core"
silence = true
[[policy.roll_back]]
id = "data"
text = "database corruption"
impact = "data"
proof = "content"
data_damage = true
[[policy.roll_back]]
id = "auth"
text = "authentication broken"
impact = "auth"
[[policy.roll_back]]
id = "payments"
text = "payments failing"
impact = "payments"
[[policy.roll_back]]
id = "security"
text = "a security hole"
impact = "security"
proof = "content"
confirmation = "short"
[[policy.do_not_roll_back]]
id = "process"
text = "a step of the process"
impact = "process"
[[policy.do_not_roll_back]]
id = "performance"
text = "a slowdown"
impact = "performance"
[[policy.do_not_roll_back]]
id = "feature"
text = "a non-critical feature"
impact = "feature"

[[escalation]]
level = 1
from_minute = 0
who = "Primary"
does = "investigates"
"""

ITEMS = {
    "postdeploy.health": "core",
    "postdeploy.data": "data",
    "postdeploy.list": "feature",
    "postdeploy.live": "feature",
    "performance.api": "performance",
    "preflight.tests": "process",
}


@dataclass(frozen=True)
class Ran:
    """One run of the toy project."""

    code: int
    out: str
    report: Path | None

    @property
    def verdict(self) -> Verdict:
        assert self.report is not None, self.out
        return Verdict.from_json(json.loads((self.report / "verdict.json").read_text()))

    @property
    def statuses(self) -> dict[str, str]:
        return {item.id: item.status.value for item in self.verdict.items}

    @property
    def evidence(self) -> list[dict[str, Any]]:
        assert self.report is not None, self.out
        return [json.loads(line) for line in (self.report / "evidence.jsonl").read_text().splitlines()]

    def message(self, item: str) -> str:
        return next(found.message for found in self.verdict.items if found.id == item)

    def everything_written(self) -> str:
        """Every file of the report, and the terminal, as one text."""
        files = sorted(path for path in (self.report or Path("/nowhere")).rglob("*") if path.is_file())
        return "\n".join([self.out, *(path.read_text(errors="replace") for path in files)])


class Toy:
    """Writes the project's files, and runs pytest on them in a process of its own."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = pytester.path
        self._pytester = pytester
        self._monkeypatch = monkeypatch
        for name in [name for name in os.environ if name.startswith(("PYTEST_", "COV_")) or name == "CI"]:
            monkeypatch.delenv(name)
        monkeypatch.delenv("KAMIYO_LEDGER_URL")
        monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("COLUMNS", "160")
        self.write("pyproject.toml", PYPROJECT)
        self.write("conftest.py", CONFTEST)
        self.write("toy_fixtures.py", FIXTURES)
        self.items(ITEMS)
        self.environment()
        (self.folder / "checks").mkdir()

    def write(self, path: str, text: str) -> Path:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def items(self, impacts: dict[str, str], *, more: str = "") -> None:
        rows = [
            f'[[sections.items]]\nid = "{item}"\ntitle = "{item}"\nimpact = "{impact}"\n'
            for item, impact in impacts.items()
        ]
        self.write("runbook.toml", "\n".join([RUNBOOK, SECTION, *rows, more]))

    def environment(self, *, control: str = NOBODY, more: str = "") -> None:
        """Unless a control address is given, nobody answers there: the runner's network counts as down."""
        self.write("environments/toy.toml", ENVIRONMENT.replace("{control}", control) + more)

    def check(self, path: str, body: str) -> None:
        """Write a module of checks, with what they import."""
        imports = [
            "import pytest",
            "from kamiyo_verify.model.outcomes import *",
            "from kamiyo_verify.model.result import *",
        ]
        self.write(f"checks/{path}", "\n".join([*imports, body]))

    def run(self, *arguments: str, env: dict[str, str] | None = None) -> Ran:
        with self._monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            result = self._pytester.runpytest_subprocess("--env", "toy", *arguments, timeout=180)
        return self._ran(int(result.ret), "\n".join([*result.outlines, *result.errlines]))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A run that goes on while the test looks at it; `finished` waits for it."""
        process = self._pytester.popen(
            [sys.executable, "-m", "pytest", "--env", "toy", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # In the background of a shell SIGINT is ignored, and that would be inherited.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        assert isinstance(process, subprocess.Popen)
        return process

    def finished(self, process: subprocess.Popen[bytes]) -> Ran:
        out, _ = process.communicate(timeout=180)
        return self._ran(process.returncode, out.decode())

    def _ran(self, code: int, out: str) -> Ran:
        latest = self.folder / "reports" / "latest"
        return Ran(code, out, latest.resolve() if latest.exists() else None)

"""A platform that is started for the run: waited for, told to every process, and gone with the run."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from kamiyo_verify.hooks.launching import LaunchedPlatform, LaunchError
from kamiyo_verify.model.settings import Launch
from tests.engine.hooks.test_deadline import until
from tests.support.toy_project import WORKERS, Toy

pytest_plugins = ["pytester"]


PLATFORM = """
import json, os, sys
from pathlib import Path

Path("platform.pid").write_text(str(os.getpid()))
Path("platform.arguments").write_text(json.dumps(sys.argv[1:]))
if "broken" in sys.argv:
    sys.exit("no fault 'broken'; there are: api-down, slow")
ready = {
    "settings": {"services.api.url": "http://127.0.0.1:4567", "services.frontend.url": "http://127.0.0.1:4568"},
    "credentials": {"TOY_API_KEY": "key-of-the-platform"},
    "control_url": "http://127.0.0.1:4569",
}
print(json.dumps(ready), flush=True)
sys.stdin.read()
"""

LAUNCH = '\n[launch]\ncommand = ["{python}", "toy_platform.py"]\nready_within_s = 20\n'

CHECK = """
@pytest.mark.item("postdeploy.health")
@pytest.mark.needs("api.key")
def test_health(environment):
    assert environment.api_url == "http://127.0.0.1:4567"
    assert environment.api.key.reveal() == "key-of-the-platform"
    assert "http://127.0.0.1:4569" in environment.control.urls
"""


@pytest.fixture
def launching(toy: Toy) -> Toy:
    toy.environment(more=LAUNCH)
    toy.write("toy_platform.py", PLATFORM)
    toy.check("postdeploy/test_a.py", CHECK)
    return toy


def gone(toy: Toy) -> bool:
    pid = int((toy.folder / "platform.pid").read_text())
    try:
        process = psutil.Process(pid)
        process.wait(10)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


@WORKERS
def test_every_process_knows_the_platform_and_it_ends_with_the_run(
    launching: Toy, workers: tuple[str, ...]
) -> None:
    ran = launching.run(
        "-m", "postdeploy", "--fault", "slow", "--fault", "api-down", "--commit", "ABCDEF1", *workers
    )

    assert ran.statuses["postdeploy.health"] == "passed", ran.message("postdeploy.health")
    arguments = json.loads((launching.folder / "platform.arguments").read_text())
    assert arguments[:6] == ["--fault", "slow", "--fault", "api-down", "--commit", "abcdef1"]
    assert gone(launching)
    assert "key-of-the-platform" not in ran.everything_written()
    assert ran.report is not None
    assert ran.report.name.endswith("Z-abcdef1")


@WORKERS
def test_a_platform_that_does_not_start_is_one_clear_error(launching: Toy, workers: tuple[str, ...]) -> None:
    ran = launching.run("-m", "postdeploy", "--fault", "broken", *workers)

    assert ran.code == 4
    assert (
        "ended with exit code 1 before it was ready: no fault 'broken'; there are: api-down, slow" in ran.out
    )
    assert "Traceback" not in ran.out
    assert ran.report is None


@pytest.mark.parametrize("arguments", [("--plan",), ("--collect-only",), ("--help",)])
def test_looking_starts_nothing(launching: Toy, arguments: tuple[str, ...]) -> None:
    ran = launching.run(*arguments)

    assert ran.code == (30 if "--collect-only" in arguments else 0)
    assert not (launching.folder / "platform.pid").exists()
    assert "--plan" not in arguments or "+ postdeploy.health  will be tried" in ran.out


def test_an_address_on_the_command_line_means_a_platform_that_is_there(launching: Toy) -> None:
    ran = launching.run("-m", "postdeploy", "--api-url", "http://127.0.0.1:7777")

    assert not (launching.folder / "platform.pid").exists()
    assert ran.statuses["postdeploy.health"] == "unverified"
    refused = launching.run("--api-url", "http://127.0.0.1:7777", "--fault", "slow")
    assert (refused.code, "an address was given" in refused.out) == (4, True)


def test_the_platform_does_not_outlive_a_runner_that_is_killed(launching: Toy) -> None:
    launching.check(
        "postdeploy/test_a.py",
        """
import threading
from pathlib import Path

@pytest.mark.item("postdeploy.health")
def test_health(environment):
    Path("waiting").touch()
    threading.Event().wait()
""",
    )
    process = launching.start("-m", "postdeploy")
    until(launching.folder / "waiting", process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)

    assert gone(launching)


def launched(code: str, folder: Path, *, within: float = 20) -> LaunchedPlatform:
    command: Sequence[str] = ("{python}", "-c", code)
    return LaunchedPlatform(Launch(command=tuple(command), ready_within_s=within), [], folder)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("print('hello')", "said something other than one line of JSON"),
        ("print('[1]')", "said something other than one line of JSON"),
        ("import sys; sys.exit('no database')", "ended with exit code 1 before it was ready: no database"),
        ("", "ended with exit code 0 before it was ready: it said nothing"),
    ],
)
def test_each_way_of_not_starting_is_told(code: str, says: str, tmp_path: Path) -> None:
    platform = launched(code, tmp_path)
    with pytest.raises(LaunchError, match=re.escape(says)):
        platform.ready()
    platform.stop()


def test_a_platform_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    platform = launched("import sys; sys.stdin.read()", tmp_path, within=0.2)
    with pytest.raises(LaunchError, match=r"was not ready within 0\.2 s"):
        platform.ready()
    platform.stop()
    platform.stop()


def test_a_command_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="no-such-command cannot be started"):
        LaunchedPlatform(Launch(command=("no-such-command",)), [], tmp_path)


def test_a_platform_that_talks_on_is_not_blocked_by_a_full_pipe(tmp_path: Path) -> None:
    done = tmp_path / "done"
    code = (
        "import sys, pathlib; print('{}', flush=True); print('x' * 1_000_000, flush=True); "
        f"pathlib.Path({str(done)!r}).touch(); sys.stdin.read()"
    )
    platform = launched(code, tmp_path)
    platform.ready()
    give_up = time.monotonic() + 30
    while not done.exists():
        assert time.monotonic() < give_up, "the platform is blocked"
    platform.stop()

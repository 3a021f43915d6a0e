"""Every run ends, and leaves a report: by the time of an item, by the deadline, by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from kamiyo_verify.hooks import timeouts
from kamiyo_verify.hooks.clock import Clock
from kamiyo_verify.hooks.session_end.interruptions import Interruptions
from tests.support.toy_project import WORKERS, Toy

pytest_plugins = ["pytester"]


ENDLESS = """
import threading
from pathlib import Path

@pytest.mark.item("postdeploy.health")
def test_health(): ...

@pytest.mark.item("postdeploy.list")
def test_list():
    Path("waiting").touch()
    threading.Event().wait()

@pytest.mark.item("postdeploy.data")
def test_data(): ...

@pytest.mark.item("postdeploy.live")
def test_live(heartbeat): ...
"""


@WORKERS
def test_an_item_that_takes_too_long_is_an_error_and_the_rest_goes_on(
    toy: Toy, workers: tuple[str, ...]
) -> None:
    toy.check(
        "postdeploy/test_a.py",
        ENDLESS.replace(
            '@pytest.mark.item("postdeploy.list")',
            '@pytest.mark.item("postdeploy.list")\n@pytest.mark.timeout(0.3)',
        ),
    )
    ran = toy.run("-m", "postdeploy", *workers)
    item = next(item for item in ran.verdict.items if item.id == "postdeploy.list")

    assert item.status == "error"
    assert item.message == "stopped in the middle: it took longer than its 0.3 s"
    assert ran.statuses["postdeploy.data"] == "passed"
    assert item.attempts == (), "it had its time: another try would take as long"
    assert "Stack of" not in ran.out


def test_an_item_whose_own_clean_up_hangs_is_stopped_again(toy: Toy) -> None:
    toy.check(
        "postdeploy/test_a.py",
        """
import threading

@pytest.mark.item("postdeploy.list")
def test_list():
    try:
        threading.Event().wait()
    finally:
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

@pytest.mark.item("postdeploy.data")
def test_data(): ...
""",
    )
    ran = toy.run("-m", "postdeploy", "--timeout", "0.3")

    assert ran.message("postdeploy.list") == "stopped in the middle: it took longer than its 0.3 s"
    assert ran.statuses["postdeploy.data"] == "passed"


def test_the_last_resort_ends_a_wait_for_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item can swallow its own time limit; Python's `interrupt_main` would not end this wait."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(timeouts, "_LAST_RESORT_S", 0.2)
    ends = timeouts.EndPlugin(SimpleNamespace(clock=Clock(0.0)), Interruptions())  # type: ignore[arg-type]
    ends.pytest_sessionstart()
    lock = threading.Lock()
    lock.acquire()
    try:
        with pytest.raises(KeyboardInterrupt):
            lock.acquire(timeout=30)
    finally:
        ends.pytest_sessionfinish()
        for number, handler in before.items():
            signal.signal(number, handler)


def test_the_time_of_an_item_holds_for_its_fixtures_too(toy: Toy) -> None:
    toy.check(
        "postdeploy/test_a.py",
        """
import threading

@pytest.fixture
def stuck():
    threading.Event().wait()

@pytest.mark.item("postdeploy.list")
def test_list(stuck): ...

@pytest.fixture
def slow_to_leave():
    yield
    threading.Event().wait()
""",
    )
    ran = toy.run("-m", "postdeploy", "--timeout", "0.3")

    assert ran.message("postdeploy.list") == "stopped in the middle: it took longer than its 0.3 s"


@WORKERS
def test_after_the_deadline_the_rest_is_an_error_and_the_verdict_is_written(
    toy: Toy, workers: tuple[str, ...]
) -> None:
    toy.check("postdeploy/test_a.py", ENDLESS)
    ran = toy.run("-m", "postdeploy", "--deadline", "3", *workers)
    tried = {item.id: item for item in ran.verdict.items if item.id != "performance.api"}

    assert {item.status.value for item in tried.values()} <= {"passed", "error"}
    assert "the run's deadline of 3 s passed" in tried["postdeploy.list"].message
    assert ran.code == 30
    if not workers:
        assert tried["postdeploy.data"].message == "the run's deadline of 3 s passed before it was tried"


def until(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait for a file that a run writes."""
    give_up = time.monotonic() + 30
    while not path.exists():
        assert process.poll() is None, "the run ended too early"
        assert time.monotonic() < give_up, "the run did not come so far"
        time.sleep(0.02)


@WORKERS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_with_a_report(
    toy: Toy, workers: tuple[str, ...], number: signal.Signals
) -> None:
    toy.check("postdeploy/test_a.py", ENDLESS)
    process = toy.start("-m", "postdeploy", *workers)
    until(toy.folder / "waiting", process)
    os.kill(process.pid, number)
    ran = toy.finished(process)

    assert ran.code == 2
    assert ran.verdict.recommendation == "inconclusive"
    assert ran.verdict.exit_code == 2
    assert ran.statuses["postdeploy.list"] == "error"
    assert ran.message("postdeploy.list") == "the run was interrupted while it was tried"
    assert {item.attribution for item in ran.verdict.items} == {None}
    assert ran.report is not None
    assert {"report.html", "junit.xml", "evidence.jsonl"} <= {path.name for path in ran.report.iterdir()}
    assert "INCONCLUSIVE" in ran.out


def test_stopping_at_the_first_failure_leaves_the_rest_untried(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core", "postdeploy.list": "feature"})
    toy.check(
        "postdeploy/test_a.py",
        """
@pytest.mark.item("postdeploy.list")
def test_list(): assert False, "no rows"

@pytest.mark.item("postdeploy.health")
def test_health(): ...
""",
    )
    ran = toy.run("-m", "postdeploy", "-x")

    assert ran.statuses == {"postdeploy.health": "error", "postdeploy.list": "failed"}
    assert ran.message("postdeploy.health") == "the run stopped before it was tried"
    [untried] = [item for item in ran.verdict.items if item.id == "postdeploy.health"]
    assert untried.attribution is None
    assert "our own side" not in ran.verdict.headline
    assert "find out why" not in ran.verdict.next_step
    assert ran.code == 30


def test_a_teardown_that_takes_too_long_spoils_no_other_item(toy: Toy) -> None:
    toy.check(
        "postdeploy/test_health.py",
        """
from kamiyo_verify.hooks.clock import OutOfTime

@pytest.fixture
def left_late():
    yield
    raise OutOfTime("cleaning up took too long")

@pytest.mark.item("postdeploy.health")
def test_health(left_late):
    pass
""",
    )
    toy.check("performance/test_api.py", '@pytest.mark.item("performance.api")\ndef test_api():\n    pass\n')
    ran = toy.run("-m", "postdeploy")

    assert ran.statuses["performance.api"] == "passed", ran.out
    assert "cleaning up took too long" in ran.message("postdeploy.health")

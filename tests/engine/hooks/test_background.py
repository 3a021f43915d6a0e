"""What only waits starts with the run, and is asked for last."""

from __future__ import annotations

from tests.support.toy_project import WORKERS, Toy

pytest_plugins = ["pytester"]


CHECKS = """
@pytest.mark.item("postdeploy.live")
def test_live(heartbeat, measure):
    measure("first_heartbeat", heartbeat["waited_seconds"], "s")
    assert heartbeat["waited_seconds"] < 2

@pytest.mark.item("postdeploy.list")
def test_list(silence): ...

@pytest.mark.item("postdeploy.health")
def test_health(): ...

@pytest.mark.item("postdeploy.data")
def test_data(): ...
"""


@WORKERS
def test_results_and_exchanges_reach_the_check_and_errors_keep_their_kind(
    toy: Toy, workers: tuple[str, ...]
) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    ran = toy.run("-m", "postdeploy", *workers)
    lines = {line["item"]: line for line in ran.evidence if line["kind"] == "result"}

    assert ran.statuses["postdeploy.live"] == "passed"
    assert lines["postdeploy.live"]["exchanges"][0]["method"] == "WS"
    assert lines["postdeploy.live"]["measurements"][0]["value"] == 0.5
    assert ran.statuses["postdeploy.list"] == "error"
    assert ran.message("postdeploy.list") == "the platform asks to wait"
    assert ran.report is not None
    assert not (ran.report / ".background").exists()


def test_checks_that_wait_come_last_and_the_others_keep_their_order(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    lines = [line["item"] for line in toy.run("-m", "postdeploy").evidence if line["kind"] == "result"]

    assert lines == ["postdeploy.health", "postdeploy.data", "postdeploy.live", "postdeploy.list"]


ASKS = """
import sys
import threading
from pathlib import Path
import pytest
from kamiyo_verify.hooks.background import background_fixture
from kamiyo_verify.http.client import HttpClient


class Watch:
    def find_spec(self, name, *_):
        if name.startswith("kamiyo_verify") and threading.current_thread().name == "asking":
            with Path(__file__).with_name("imported.txt").open("a") as file:
                print(name, file=file)


def pytest_sessionstart():
    sys.meta_path.insert(0, Watch())


@background_fixture(seconds=lambda environment: 4)
def asking(environment, context, stop):
    HttpClient(environment.api_url, context)
    from kamiyo_verify.integrations.websocket import client
    from kamiyo_verify.judge.slo import settling  # as `stopping_rule` does
    from kamiyo_verify.sampling import sampler
    return {}
"""


def test_the_thread_of_a_task_imports_nothing_that_a_plan_does_without(toy: Toy) -> None:
    """Pytest rewrites our modules by `ast.parse`, which two threads at once must not call (Python 3.11)."""
    toy.write("toy_fixtures.py", ASKS)
    toy.items({"postdeploy.live": "feature"})
    toy.check(
        "postdeploy/test_a.py", '@pytest.mark.item("postdeploy.live")\ndef test_live(asking):\n    pass\n'
    )
    ran = toy.run("-m", "postdeploy")
    assert ran.statuses == {"postdeploy.live": "passed"}
    assert not (toy.folder / "imported.txt").exists()


@WORKERS
def test_only_what_is_needed_starts(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.write(
        "toy_fixtures.py",
        """
from pathlib import Path
from kamiyo_verify.hooks.background import background_fixture

HERE = Path(__file__).parent

@background_fixture(seconds=lambda environment: 4)
def heartbeat(environment, record, stop):
    (HERE / "heartbeat-started").touch()
    return {}

@background_fixture(seconds=lambda environment: 4)
def silence(environment, record, stop):
    (HERE / "silence-started").touch()
    return {}
""",
    )
    toy.check(
        "postdeploy/test_a.py",
        """
@pytest.mark.item("postdeploy.live")
@pytest.mark.needs("api.key")
def test_live(silence): ...

@pytest.mark.item("postdeploy.list")
def test_list(heartbeat): ...
""",
    )
    ran = toy.run("-m", "postdeploy", *workers)

    assert ran.statuses["postdeploy.live"] == "unverified"
    assert ran.statuses["postdeploy.list"] == "passed"
    assert (toy.folder / "heartbeat-started").exists()
    assert not (toy.folder / "silence-started").exists()


def test_a_task_is_given_what_it_names(toy: Toy) -> None:
    toy.write(
        "toy_fixtures.py",
        """
from kamiyo_verify.hooks.background import background_fixture

@background_fixture(seconds=lambda environment: 4)
def heartbeat(runbook, before, say):
    say("half of it")
    return {"items": len(runbook.items), "before": len(before())}
""",
    )
    toy.check(
        "postdeploy/test_a.py",
        """
@pytest.mark.item("postdeploy.live")
def test_live(heartbeat):
    assert heartbeat["items"] > 1
    assert heartbeat["before"] == 0
""",
    )
    assert toy.run("-m", "postdeploy").statuses["postdeploy.live"] == "passed"


SLOW = """
from kamiyo_verify.hooks.background import background_fixture

@background_fixture(seconds=lambda environment: 75)
def heartbeat(environment, record, stop):
    stop.wait(2.5)
    return {"waited_seconds": 2.5}

@background_fixture(seconds=lambda environment: 4)
def latency(environment, record, stop):
    stop.wait(2.5)
    return {"samples": [1.0]}
"""


def test_waits_overlap_and_a_long_one_is_told(toy: Toy) -> None:
    toy.write("toy_fixtures.py", SLOW)
    # A try may take less than the task: the check waits all the same.
    toy.environment()
    environment = toy.folder / "environments/toy.toml"
    toy.write("environments/toy.toml", environment.read_text().replace("item = 8", "item = 1"))
    toy.check(
        "postdeploy/test_a.py",
        """
@pytest.mark.item("postdeploy.live")
def test_live(heartbeat): ...

@pytest.mark.item("postdeploy.list")
def test_list(latency): ...
""",
    )
    ran = toy.run("-m", "postdeploy")
    live, listed = (
        next(one for one in ran.verdict.items if one.id == f"postdeploy.{name}") for name in ("live", "list")
    )

    assert (live.status, listed.status) == ("passed", "passed")
    assert live.duration_s > 1 > listed.duration_s, "the second wait was over with the first"
    assert "waiting for heartbeat: 2 s of at most 75 s" in ran.out


def test_a_check_does_not_wait_for_ever(toy: Toy) -> None:
    toy.write("toy_fixtures.py", SLOW.replace("stop.wait(2.5)", "stop.wait()"))
    toy.check("postdeploy/test_a.py", '@pytest.mark.item("postdeploy.live")\ndef test_live(heartbeat): ...\n')
    ran = toy.run("-m", "postdeploy", "--deadline", "2")

    assert ran.statuses["postdeploy.live"] == "error"
    assert "deadline of 2 s" in ran.message("postdeploy.live")

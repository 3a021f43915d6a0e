"""A failure is confirmed before it counts; what a second look would not change is not looked at twice."""

from __future__ import annotations

from tests.support.toy_project import WORKERS, Toy

pytest_plugins = ["pytester"]


COUNTED = """
from pathlib import Path

def once_more(name):
    path = Path(__file__).with_name(name)
    tries = len(path.read_text()) + 1 if path.exists() else 1
    path.write_text("x" * tries)
    return tries
"""


@WORKERS
def test_what_passes_on_another_try_is_flaky_and_shown(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.items({"postdeploy.health": "core"})
    toy.check(
        "postdeploy/test_a.py",
        COUNTED
        + """
@pytest.mark.item("postdeploy.health")
def test_health(measure):
    tries = once_more("health")
    measure("tries", tries)
    assert tries > 2, f"try {tries} failed"
""",
    )
    ran = toy.run("-m", "postdeploy", *workers)
    [item] = ran.verdict.items

    assert ran.code == 0
    assert item.flaky
    assert [(attempt.status, attempt.message) for attempt in item.attempts] == [
        ("failed", "try 1 failed"),
        ("failed", "try 2 failed"),
        ("passed", ""),
    ]
    assert [taken.value for taken in item.measurements] == [3], "only the try that stands has measured"
    assert "1 flaky" in ran.out


@WORKERS
def test_only_what_another_try_could_change_is_tried_again(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.items(
        {
            "postdeploy.health": "core",
            "postdeploy.data": "data",
            "postdeploy.hole": "security",
            "postdeploy.list": "feature",
            "postdeploy.live": "feature",
            "postdeploy.limit": "feature",
        }
    )
    toy.check(
        "postdeploy/test_a.py",
        COUNTED
        + """
@pytest.mark.item("postdeploy.data")
def test_data():
    assert once_more("data") > 9, "a row is gone"

@pytest.mark.item("postdeploy.hole")
def test_hole():
    once_more("hole")
    raise NoAnswer(NoAnswerKind.UNUSABLE, "GET /admin answered 502")

@pytest.mark.item("postdeploy.list")
def test_list():
    once_more("list")
    raise Unverified("no account")

@pytest.mark.item("postdeploy.live")
def test_live():
    once_more("live")
    raise NoAnswer(NoAnswerKind.CREDENTIAL, "the key is refused")

@pytest.mark.item("postdeploy.limit")
def test_limit():
    once_more("limit")
    raise NoAnswer(NoAnswerKind.RATE_LIMITED, "asks to wait 60 s")

@pytest.mark.item("postdeploy.health")
def test_health():
    once_more("health")
    raise NoAnswer(NoAnswerKind.NAME, "the name is not known")
""",
    )
    ran = toy.run("-m", "postdeploy", *workers)
    tries = {item.id.partition(".")[2]: max(1, len(item.attempts)) for item in ran.verdict.items}

    assert tries == {"data": 1, "hole": 3, "list": 1, "live": 1, "limit": 1, "health": 3}
    assert ran.statuses == {
        "postdeploy.health": "error",
        "postdeploy.data": "failed",
        "postdeploy.hole": "error",
        "postdeploy.list": "unverified",
        "postdeploy.live": "error",
        "postdeploy.limit": "error",
    }


def test_a_worker_that_dies_is_an_error_and_never_a_hang(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core", "postdeploy.list": "feature"})
    toy.check(
        "postdeploy/test_a.py",
        """
import os, signal

@pytest.mark.item("postdeploy.health")
def test_health(request):
    # asked back, so that the controller has heard how often it may be tried again before this process dies
    assert request.config.failures_db.get_test_reruns(request.node.nodeid) == 2
    os.kill(os.getpid(), signal.SIGKILL)

@pytest.mark.item("postdeploy.list")
def test_list(): ...
""",
    )
    ran = toy.run("-m", "postdeploy", "-n", "2")
    health = next(item for item in ran.verdict.items if item.id == "postdeploy.health")

    assert ran.statuses == {"postdeploy.health": "error", "postdeploy.list": "passed"}
    assert "died" in health.message
    assert len(health.attempts) == 3
    assert ran.code == 30

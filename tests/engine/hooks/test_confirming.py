"""Before a rollback every ground is looked at again, in one process and with workers."""

from __future__ import annotations

import pytest

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

LIKELY = "ROLL BACK likely, confirming …: postdeploy.health: "


def health(toy: Toy, condition: str, *, impact: str = "core") -> None:
    """One item that passes in those of its runs for which the condition holds."""
    toy.items({"postdeploy.health": impact, "postdeploy.list": "feature"})
    toy.check(
        "postdeploy/test_a.py",
        COUNTED
        + f"""
@pytest.mark.item("postdeploy.health")
def test_health():
    run = once_more("health")
    assert {condition}, f"run {{run}} failed"

@pytest.mark.item("postdeploy.list")
def test_list(): ...
""",
    )


def with_settings(toy: Toy, **settings: str) -> None:
    """The environment with other values for keys that it has."""
    path = toy.folder / "environments/toy.toml"
    lines = path.read_text().splitlines()
    for key, value in settings.items():
        assert any(line.startswith(f"{key} = ") for line in lines)
        lines = [f"{key} = {value}" if line.startswith(f"{key} = ") else line for line in lines]
    path.write_text("\n".join(lines) + "\n")


@WORKERS
def test_what_is_broken_to_the_end_rolls_back(toy: Toy, workers: tuple[str, ...]) -> None:
    health(toy, "False")
    ran = toy.run("-m", "postdeploy", *workers)

    assert ran.code == 20
    assert LIKELY in ran.out
    assert "still so in" in ran.message("postdeploy.health")
    [found] = [line for line in ran.evidence if line["kind"] == "conclusion"]
    [confirmation] = [one["confirmation"] for one in found["evidence"]["results"] if one["confirmation"]]
    assert {look["status"] for look in confirmation["rechecks"]} == {"failed"}


@WORKERS
def test_what_recovers_while_it_is_confirmed_rolls_nothing_back(toy: Toy, workers: tuple[str, ...]) -> None:
    health(toy, "run > 4")
    with_settings(toy, final_after_s="1.5")
    ran = toy.run("-m", "postdeploy", *workers)

    assert ran.code == 0
    assert LIKELY in ran.out
    assert ran.statuses["postdeploy.health"] == "passed"


def test_what_comes_and_goes_is_never_a_silent_proceed(toy: Toy) -> None:
    health(toy, "run % 2 == 0")
    ran = toy.run("-m", "postdeploy")

    assert ran.code in {20, 30}
    assert "failed in" in ran.message("postdeploy.health")


def test_a_quick_blip_is_looked_at_again_without_alarm(toy: Toy) -> None:
    health(toy, "run != 1")
    ran = toy.run("-m", "postdeploy")

    assert ran.code == 0
    assert "ROLL BACK likely" not in ran.out
    assert "1 flaky" in ran.out


def test_lesser_items_are_not_waited_for(toy: Toy) -> None:
    health(toy, "False", impact="feature")
    ran = toy.run("-m", "postdeploy")

    assert ran.code == 10
    assert "ROLL BACK likely" not in ran.out
    assert len((toy.folder / "checks/postdeploy/health").read_text()) == 3


def test_a_refused_credential_of_ours_raises_no_alarm(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core"})
    toy.check(
        "postdeploy/test_a.py",
        """
from kamiyo_verify.model.credentials import RefusalKind

@pytest.mark.item("postdeploy.health")
def test_health():
    raise Refused("answered 401", "TOY_API_KEY", RefusalKind.UNAUTHORIZED)
""",
    )
    ran = toy.run("-m", "postdeploy")

    assert ran.code == 30
    assert "ROLL BACK likely" not in ran.out
    assert "TOY_API_KEY" in ran.out


def test_without_time_to_look_again_nothing_is_rolled_back(toy: Toy) -> None:
    health(toy, "False")
    with_settings(toy, final_after_s="60", at_most_s="90")
    ran = toy.run("-m", "postdeploy", "--deadline", "5")

    assert ran.code == 30
    assert "not confirmed: the run's deadline of 5 s left no time" in ran.message("postdeploy.health")
    assert "run 3 failed" in ran.message("postdeploy.health")


def test_fixtures_are_fresh_in_each_look(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core"})
    toy.check(
        "postdeploy/test_a.py",
        """
made, ended = [], []

@pytest.fixture(scope="session")
def line():
    made.append(1)
    yield len(made)
    ended.append(1)

@pytest.mark.item("postdeploy.health")
def test_health(line):
    assert len(ended) == line - 1, f"{len(ended)} of {line - 1} ended"
    assert line > 3, f"line {line}"
""",
    )
    with_settings(toy, final_after_s="1.5")
    ran = toy.run("-m", "postdeploy")
    assert ran.code == 0, ran.out


@WORKERS
def test_what_waits_in_the_background_is_waited_for_again(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.items({"postdeploy.live": "core"})
    toy.write(
        "toy_fixtures.py",
        (toy.folder / "toy_fixtures.py").read_text()
        + '''

@background_fixture(seconds=lambda environment: 4)
def beat(environment):
    """A heartbeat that comes from the third time on."""
    from pathlib import Path
    path = Path("beats")
    path.write_text((path.read_text() if path.exists() else "") + "x")
    return {"times": len(path.read_text())}
''',
    )
    toy.check(
        "postdeploy/test_a.py",
        """
@pytest.mark.item("postdeploy.live")
def test_live(beat):
    assert beat["times"] > 2, f"time {beat['times']}"
""",
    )
    with_settings(toy, final_after_s="1.5")
    ran = toy.run("-m", "postdeploy", *workers)

    assert ran.code == 0, ran.out
    assert "time 1" in ran.out


def test_the_likely_rollback_is_said_without_secrets(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core"})
    toy.check(
        "postdeploy/test_a.py",
        """
import os

@pytest.mark.item("postdeploy.health")
def test_health():
    raise AssertionError("the server echoes " + os.environ["TOY_API_KEY"] + " \\x1b[2J")
""",
    )
    ran = toy.run("-m", "postdeploy", env={"TOY_API_KEY": "km_canary_2f8a"})

    assert ran.code == 20
    assert LIKELY in ran.out
    assert "km_canary" not in ran.everything_written()
    [line] = [line for line in ran.out.splitlines() if line.startswith(LIKELY)]
    assert "[TOY_API_KEY]" in line
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("final_after_s = -1", "final_after_s"),
        ("per_minute = 0", "per_minute"),
        ("final_after_s = 20", "at_most_s (10) is less than final_after_s (20)"),
    ],
)
def test_a_confirmation_that_cannot_be_is_refused(toy: Toy, line: str, told: str) -> None:
    health(toy, "True")
    key, _, value = line.partition(" = ")
    with_settings(toy, **{key: value})
    ran = toy.run("-m", "postdeploy")

    assert ran.code == 4
    assert told in ran.out

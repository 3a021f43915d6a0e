"""`--watch TIME`: a watch follows the verdict, and only where nobody has to act at once."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.hooks.session_end.watch_after import watch_words
from tests.engine.hooks.test_verdict import checks
from tests.support.toy_project import Toy

pytest_plugins = ["pytester"]


def watches(toy: Toy) -> list[dict[str, Any]]:
    """The state of each watch of the project."""
    return [json.loads(path.read_text()) for path in sorted(toy.folder.glob("reports/**/watch.json"))]


@pytest.mark.parametrize(
    ("list_", "code", "workers"),
    [
        ("...", 0, "-n0"),
        pytest.param("...", 0, "-n2", marks=pytest.mark.exhaustive),
        pytest.param("assert False, 'no rows'", 10, "-n0", marks=pytest.mark.exhaustive),
    ],
)
def test_a_watch_follows_and_has_the_last_word(toy: Toy, list_: str, code: int, workers: str) -> None:
    checks(toy, health="measure('commit', '0123abcdef')", fixtures="measure", list_=list_)
    ran = toy.run("-m", "postdeploy", "--commit", "0123abc", "--watch", "2s", workers)

    assert ran.code == code, ran.out
    (state,) = watches(toy)
    assert (state["over"], state["exit_code"], state["commit"]) == (True, code, "0123abc")
    assert (
        ran.out.index("Report ")
        < ran.out.index("watch for 2 s, after this verdict:")
        < ran.out.index("round 1")
    )


@pytest.mark.parametrize(
    ("health", "code"), [("assert False, 'down'", 20), ("raise Unverified('no key')", 30)]
)
def test_what_somebody_has_to_see_at_once_is_not_watched(toy: Toy, health: str, code: int) -> None:
    checks(toy, health=health)
    ran = toy.run("-m", "postdeploy", "--watch", "2s")

    assert ran.code == code
    assert "no watch: it follows a verdict to proceed or to fix forward" in ran.out
    assert not watches(toy)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--watch", "soon"), "'soon' is no time such as 60s, 30m or 2h, up to 24h"),
        (("--watch", "25h"), "'25h' is no time such as 60s, 30m or 2h, up to 24h"),
        (("--watch", "2s", "--plan"), "--watch: only a run that verifies a deployment can be followed"),
        (("--watch", "2s", "--baseline"), "--watch: only a run that verifies a deployment can be followed"),
    ],
)
def test_what_cannot_be_watched_is_refused_before_the_run(
    toy: Toy, words: tuple[str, ...], message: str
) -> None:
    checks(toy)
    ran = toy.run("-m", "postdeploy", *words)

    assert ran.code == 4
    assert message in ran.out
    assert ran.report is None


@pytest.mark.exhaustive
def test_a_round_of_a_watch_watches_nothing_itself(toy: Toy) -> None:
    checks(toy)
    ran = toy.run("-m", "postdeploy", env={"PYTEST_ADDOPTS": "--watch=2s"})

    assert ran.code == 0, ran.out
    assert len(watches(toy)) == 1


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whatever_ends_the_run_ends_its_watch(toy: Toy, number: signal.Signals) -> None:
    checks(toy)
    process = toy.start("-m", "postdeploy", "--watch", "10m")
    try:
        until = time.monotonic() + 60
        while not any(state["rounds"] for state in watches(toy)):
            assert time.monotonic() < until, "no round ended"
            time.sleep(0.05)
        if number is signal.SIGINT:  # as a terminal sends it: to all of its processes
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                os.kill(int(child), number)
        process.send_signal(number)
        ran = toy.finished(process)
    finally:
        process.kill()

    assert ran.code == 2, ran.out
    assert "INTERRUPTED  the watch is not over" in ran.out


def test_the_rounds_have_the_words_of_the_run_but_those_about_its_own_outputs() -> None:
    own = [
        "-m",
        "postdeploy",
        "--env=prod",
        "--report-dir",
        "x",
        "--watch=30m",
        "--html",
        "x.html",
    ]
    others = ["--no-notify", "--commit", "9c41d07", "-n", "2", "-k", "not browser", "checks"]
    assert [*watch_words([*own, "--on-roll-back=execute", *others])] == others

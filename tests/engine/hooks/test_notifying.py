"""A run tells the team's channels, and is none the worse for what they do with it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.channels import PATIENT_S, TOKEN, listening, received_messages
from tests.support.hostile_server import answer, saying, silent
from tests.support.stopwatch import Stopwatch
from tests.support.toy_project import MOSTLY_ALONE, WORKERS, Ran, Toy

pytest_plugins = ["pytester"]

GOOD = """
@pytest.mark.item("postdeploy.health")
def test_health(): ...

@pytest.mark.item("postdeploy.data")
def test_data(): ...
"""
SHOWS_COMMIT = GOOD.replace(
    "def test_health(): ...", 'def test_health(measure):\n    measure("commit", "9c41d07")'
)
BAD = GOOD.replace(
    "def test_data(): ...", 'def test_data():\n    assert False, "@everyone 3 of 40 rows are gone"'
)


def channels(toy: Toy, more: str = "", *names: str) -> None:
    listed = ", ".join(f'"{name}"' for name in names or ("TEAM_URL",))
    patience = "" if "patience_s" in more else f"patience_s = {PATIENT_S}\n"
    toy.environment(more=f"\n[notifications]\nchannels = [{listed}]\n{patience}{more}\n")
    toy.items({"postdeploy.health": "core", "postdeploy.data": "data"})


def secretive(ran: Ran, folder: Path) -> bool:
    """No file of the project and no line of the terminal holds any part of a channel's address."""
    written = [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return TOKEN not in ran.out and not any(TOKEN.encode() in text for text in written)


@WORKERS
def test_a_run_tells_its_beginning_and_its_end(toy: Toy, workers: tuple[str, ...]) -> None:
    channels(toy)
    toy.check("postdeploy/test_a.py", SHOWS_COMMIT)
    with listening() as (server, address):
        ran = toy.run("-m", "postdeploy", "--commit", "9c41d07", *workers, env={"TEAM_URL": address})
        first, last = received_messages(server)

    assert ran.code == 0
    assert first["title"] == "[DEPLOYMENT] Kamiyo toy: commit 9c41d07 is being verified"
    assert last["title"] == "[DEPLOYMENT] ✓ Kamiyo toy: commit 9c41d07 is verified"
    assert ran.report is not None
    assert last["message"].endswith(f"Report: reports/toy/{ran.report.name}/report.html")
    assert "Notify" not in ran.out
    assert secretive(ran, toy.folder)


def test_a_team_whose_services_have_other_names_is_told_as_well(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core", "postdeploy.data": "data"})
    toy.write(
        "environments/toy.toml",
        f"""
title = "Shop"
[services.web]
url = "http://127.0.0.1:9"
[notifications]
channels = ["TEAM_URL"]
patience_s = {PATIENT_S}
""",
    )
    toy.check("postdeploy/test_a.py", SHOWS_COMMIT)
    with listening() as (server, address):
        ran = toy.run("-m", "postdeploy", "--commit", "9c41d07", env={"TEAM_URL": address})
        first, last = received_messages(server)

    assert ran.code == 0, ran.out
    assert first["title"] == "[DEPLOYMENT] Shop toy: commit 9c41d07 is being verified"
    assert last["title"] == "[DEPLOYMENT] ✓ Shop toy: commit 9c41d07 is verified"


@MOSTLY_ALONE
def test_a_failure_is_told_with_its_reason(toy: Toy, workers: tuple[str, ...]) -> None:
    channels(toy, 'tell = ["failure"]')
    toy.check("postdeploy/test_a.py", BAD)
    with listening() as (server, address):
        ran = toy.run("-m", "postdeploy", *workers, env={"TEAM_URL": address})
        [last] = received_messages(server)

    assert ran.code == 20
    assert last["title"].startswith("[DEPLOYMENT] ✗ ROLL BACK: Kamiyo toy")
    assert "＠everyone 3 of 40 rows are gone" in last["message"]
    assert "@" not in last["message"]


LOUD = ("-m", "postdeploy", "-o", "log_cli=true", "--log-cli-level=1")
CHANGES_NOTHING = "Notify       not sent; the verdict does not change: TEAM_URL (json)"


@MOSTLY_ALONE
def test_a_channel_that_refuses_changes_nothing(toy: Toy, workers: tuple[str, ...]) -> None:
    channels(toy, 'tell = ["failure"]', "TEAM_URL", "OTHER_URL")
    toy.check("postdeploy/test_a.py", BAD)
    limited = saying(answer(b"{}", "429 Too Many Requests"))
    with listening(limited) as (_, address), listening() as (good, another):
        ran = toy.run(*LOUD, *workers, env={"TEAM_URL": address, "OTHER_URL": another})
        assert len(received_messages(good)) == 1

    assert (ran.code, ran.verdict.exit_code) == (20, 20)
    assert ran.out.splitlines()[-1] == f"{CHANGES_NOTHING} answered 429"
    assert secretive(ran, toy.folder)


@pytest.mark.exhaustive
@WORKERS
def test_a_channel_that_hangs_changes_nothing(toy: Toy, workers: tuple[str, ...]) -> None:
    channels(toy, "patience_s = 2")
    toy.check("postdeploy/test_a.py", BAD)
    with listening(silent) as (_, address):
        watch = Stopwatch()
        ran = toy.run(*LOUD, *workers, env={"TEAM_URL": address})

    assert watch.seconds < 60
    assert (ran.code, ran.verdict.exit_code) == (20, 20)
    assert ran.out.splitlines()[-1] == f"{CHANGES_NOTHING} took longer than 2 s"
    assert secretive(ran, toy.folder)


def test_what_the_address_holds_is_masked_wherever_a_check_shows_it(toy: Toy) -> None:
    channels(toy, 'tell = ["success"]')
    toy.check(
        "postdeploy/test_a.py",
        GOOD.replace(
            "def test_data(): ...",
            'def test_data():\n    import os\n    url = os.environ["TEAM_URL"]\n'
            '    print(url)\n    assert False, url.rpartition("/")[2]',
        ),
    )
    ran = toy.run("-m", "postdeploy", "-s", env={"TEAM_URL": f"json://ntfy.example/{TOKEN}"})

    assert ran.code == 20
    assert "[TEAM_URL]" in ran.message("postdeploy.data")
    assert secretive(ran, toy.folder)


@pytest.mark.parametrize(
    ("settings", "arguments", "messages"),
    [
        ("", ("--no-notify",), 0),
        ("", ("--baseline",), 0),
        ("", ("--baseline", "--notify"), 2),
        ("drills = true", ("--baseline",), 2),
        ('phases = ["deploy"]', (), 0),
        ('phases = ["deploy"]', ("--notify",), 2),
        ("", ("--plan",), 0),
        ("", ("--collect-only",), 0),
        ('tell = ["start", "failure"]', (), 1),
    ],
    ids=str,
)
@pytest.mark.exhaustive
def test_who_is_told_of_what(toy: Toy, settings: str, arguments: tuple[str, ...], messages: int) -> None:
    channels(toy, settings)
    toy.check("postdeploy/test_a.py", GOOD)
    with listening() as (server, address):
        toy.run("-m", "postdeploy", *arguments, env={"TEAM_URL": address})
        assert len(received_messages(server)) == messages


def test_nobody_can_be_told_where_there_is_no_channel(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", GOOD)
    ran = toy.run("--notify")

    assert ran.code == 4
    assert "--notify: toy has no channels in [notifications]" in ran.out


@pytest.mark.exhaustive
def test_a_channel_that_is_not_set_is_told_by_its_name(toy: Toy) -> None:
    channels(toy)
    toy.check("postdeploy/test_a.py", GOOD)
    ran = toy.run("-m", "postdeploy")

    assert ran.code == 0
    assert "Notify       not sent; the verdict does not change: TEAM_URL is not set" in ran.out


@MOSTLY_ALONE
def test_an_interrupted_run_is_told_as_what_it_is(toy: Toy, workers: tuple[str, ...]) -> None:
    channels(toy)
    toy.check(
        "postdeploy/test_a.py",
        GOOD.replace(
            "def test_data(): ...",
            "def test_data():\n    import pathlib, time\n"
            '    pathlib.Path("here").touch()\n    time.sleep(60)',
        ),
    )
    with listening() as (server, address), pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEAM_URL", address)
        process = toy.start("-m", "postdeploy", *workers)
        until = time.monotonic() + 60
        while not (toy.folder / "here").exists():
            assert time.monotonic() < until
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        ran = toy.finished(process)
        _, last = received_messages(server)

    assert ran.code == 2
    assert last["title"].startswith("[DEPLOYMENT] ✗ INCONCLUSIVE: Kamiyo toy, commit unknown: ")

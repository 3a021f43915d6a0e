"""`kamiyo-verify places run`: three places at once, whatever becomes of one of them, and one call."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from kamiyo_verify.cli.places import together
from kamiyo_verify.cli.places.command import main
from kamiyo_verify.cli.places.identity import difference, identity_of
from kamiyo_verify.cli.places.protocol import Identity
from tests.support.evidence_for import FAILED, SIGN_IN, result
from tests.support.imitated_places import COMMIT, Places, command, places
from tests.support.listeners import listening
from tests.support.sandbox_process import wait_until

__all__ = ["places"]

BROKEN = result(SIGN_IN, FAILED, "sign-in answers 500")
UNTIL_LEFT = "while read -r _; do :; done"
"""A run that goes on until its standard input closes."""
NAMES = ("frankfurt", "tokyo", "virginia")


def run(places: Places, *words: str) -> int:
    return main(["run", "--env=test", f"--output={places.output}", *words])


def verdict(places: Places) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((places.output / "verdict.json").read_text(encoding="utf-8"))
    return found


def left_out(places: Places) -> dict[str, str]:
    return {one["place"]: one["left_out"] for one in verdict(places)["places"] if one["left_out"]}


def test_what_is_broken_at_all_places_is_the_platform(places: Places) -> None:
    for name in NAMES:
        places.add(name, BROKEN)

    assert run(places) == 20
    assert "the platform, not a region" in verdict(places)["headline"]
    assert left_out(places) == {}
    for name in NAMES:
        own = json.loads((places.output / name / "verdict.json").read_text(encoding="utf-8"))
        assert (own["place"], own["exit_code"]) == (name, 20)


def test_what_is_broken_at_one_place_is_regional_and_named(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    places.add("frankfurt")
    places.add("tokyo", BROKEN)
    places.add("virginia")

    assert run(places) == 10
    assert "regional: it fails at 1 of 3 places (tokyo)" in verdict(places)["headline"]
    assert capsys.readouterr().err == "", "the ledger has it"


def test_a_place_on_this_machine_is_one_as_well(places: Places) -> None:
    places.add("frankfurt")
    folder = places.add("here", table="local = true")
    places.tables["here"] = f'local = true\nfolder = "{folder}"\npython = "./python"'
    places.write()

    assert run(places) == 0
    assert [one["place"] for one in verdict(places)["places"]] == ["frankfurt", "here"]
    assert all("-- frankfurt" in call for call in places.ssh_calls)


OTHER = Identity(version="0.0.1")

REASONS: dict[str, tuple[dict[str, Any], str]] = {
    "another version": ({"identity": OTHER}, "it has kamiyo-verify 0.0.1, and here is"),
    "missing variable": ({"missing": ("API_KEY",)}, "API_KEY not set there"),
    "usage error": ({"code": 4}, "pytest refused to run there: 1 failed"),
    "another exit code": ({"code": 3}, "with exit code 0, and its run ended with 3"),
    "killed": ({"during": "kill -9 $$"}, "its run did not end"),
    "no verdict": ({"during": "rm verdict.json"}, "its run left no verdict"),
    "another place": (
        {"during": 'sed -i \'s/"place": "virginia"/"place": "berlin"/\' verdict.json'},
        "its verdict is that of berlin",
    ),
    "another environment": (
        {"during": 'sed -i \'s/"environment": "test"/"environment": "prod"/\' verdict.json'},
        "another environment or commit",
    ),
    "no JSON": ({"during": "echo '{' > verdict.json"}, "its run left no verdict"),
    "no report": ({"during": "cat ending; exit 0"}, "its report cannot be fetched: "),
    "a link": ({"during": 'mkdir -p "$folder"; ln -s /etc/passwd "$folder/x"'}, "holds a link"),
    "an old run": (
        {"during": 'sed -i \'s/"finished_at": "20../"finished_at": "2019/\' verdict.json'},
        "it ended",
    ),
}


@pytest.mark.parametrize(("how", "why"), REASONS.values(), ids=REASONS)
@pytest.mark.parametrize(
    "others",
    [pytest.param((), id="well"), pytest.param((BROKEN,), id="broken", marks=pytest.mark.exhaustive)],
)
def test_a_place_that_gives_no_run_is_left_out_and_never_a_failure(
    how: dict[str, Any], why: str, others: tuple[Any, ...], places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in NAMES[:2]:
        places.add(name, *others)
    places.add("virginia", **how)

    assert run(places) == (20 if others else 0), capsys.readouterr().out
    assert list(left_out(places)) == ["virginia"]
    assert why in left_out(places)["virginia"]
    assert "virginia left out" in verdict(places)["headline"]
    assert any(
        "virginia" in line and "left out after" in line for line in capsys.readouterr().out.splitlines()
    )


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('ssh = "refusing"\nfolder = "x"', "it cannot be reached: ssh: connect to host refusing port 22"),
        ('ssh = "virginia"\nfolder = "nowhere"', "it cannot run kamiyo-verify: "),
        ('ssh = "virginia"\nfolder = "virginia"\npython = "no/python"', "it cannot run kamiyo-verify: "),
    ],
)
def test_a_place_that_cannot_be_reached_is_left_out(table: str, why: str, places: Places) -> None:
    for name in NAMES[:2]:
        places.add(name)
    places.add("virginia", table=table)

    assert run(places) == 0
    assert why in left_out(places)["virginia"]


def test_without_a_client_of_ssh_every_such_place_is_left_out(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in NAMES:
        places.add(name)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))

    assert run(places) == 30
    assert {*left_out(places).values()} == {"ssh: cannot be run: No such file or directory"}


def test_an_older_kamiyo_verify_without_this_command_is_left_out(places: Places) -> None:
    for name in NAMES[:2]:
        places.add(name)
    program = places.add("virginia") / "python"
    program.write_text("#!/bin/sh\necho \"Error: No such command 'places'.\" >&2\nexit 2\n")

    assert run(places) == 0
    assert "No such command 'places'" in left_out(places)["virginia"]


@pytest.mark.parametrize("table", ['ssh = "silent"\nfolder = "x"', ""], ids=["connection", "run"])
def test_a_place_that_hangs_is_left_out(table: str, places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "_PATIENCE_S", 0.2)
    for name in NAMES[:2]:
        places.add(name)
    places.add("virginia", table=table, during="sleep 600")

    assert run(places, "--within=0.7s") == 0
    assert "it was not done after 700 ms" in left_out(places)["virginia"]


@pytest.mark.parametrize(
    ("well", "words"),
    [
        (1, "1 place left, and no call is made on fewer than 2; frankfurt and virginia left out"),
        (0, "no place"),
    ],
)
def test_with_fewer_places_than_the_quorum_nothing_is_called(well: int, words: str, places: Places) -> None:
    for number, name in enumerate(("tokyo", "frankfurt", "virginia")):
        places.add(name, BROKEN, table="" if number < well else 'ssh = "refusing"\nfolder = "x"')

    assert run(places) == 30
    assert words in verdict(places)["headline"]
    assert len(left_out(places)) == 3 - well


def test_runs_of_different_commits_make_no_call(places: Places) -> None:
    folder = places.add("frankfurt")
    places.add("tokyo")
    path = folder / "verdict.json"
    path.write_text(path.read_text(encoding="utf-8").replace(COMMIT, "1111111"), encoding="utf-8")

    assert run(places) == 30
    assert "runs of different commits" in verdict(places)["headline"]
    assert left_out(places) == {}


def test_a_commit_that_was_not_asked_for_is_left_out(places: Places) -> None:
    for name in NAMES:
        places.add(name)
    assert run(places, "--commit=1111111") == 30
    assert {"its verdict is about another environment or commit"} == {*left_out(places).values()}


def test_progress_is_a_line_on_start_one_now_and_then_and_one_at_the_end(
    places: Places, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together.visit_all, "__defaults__", (0.2,))
    places.add("frankfurt")
    places.add("tokyo", during="while [ ! -e ../seen ]; do sleep 0.05; done")

    class Seen:
        """Lets the run of tokyo end once it was said that it is running."""

        def __call__(self, text: str) -> int:
            if "running for" in text:
                (places.home / "seen").touch()
            return written(text)

    written = sys.stdout.write
    monkeypatch.setattr(sys.stdout, "write", Seen())
    assert run(places) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in ("frankfurt", "tokyo"):
        assert sum(line.startswith(name) and "  started: " in line for line in lines) == 1
        assert sum(line.startswith(name) and "PROCEED (exit code 0)" in line for line in lines) == 1
    assert any(line.startswith("tokyo      running for") for line in lines)


def test_what_a_place_says_is_masked_and_harmless(
    places: Places, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACES_API_KEY", "km_s3cretOfOurs4711")
    for name in NAMES[:2]:
        places.add(name)
    program = places.add("virginia") / "python"
    program.write_text("#!/bin/sh\nprintf '\\033[31m::error::km_s3cretOfOurs4711\\n' >&2\nexit 1\n")

    assert run(places) == 0
    shown = capsys.readouterr()
    everything = shown.out + shown.err + (places.output / "verdict.json").read_text(encoding="utf-8")
    everything += (places.output / "places.md").read_text(encoding="utf-8")
    assert "km_s3cretOfOurs4711" not in everything
    assert "\x1b" not in everything


def test_ssh_is_given_no_credential_and_no_choice_about_host_keys(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACES_API_KEY", "km_s3cretOfOurs4711")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-x")
    for name in NAMES:
        places.add(name)
    assert run(places, "-k", "a and 'b' $(touch $PLACES_HOME/injected)") == 0

    assert "s3cretOfOurs" not in (places.home / "ssh.env").read_text() + "\n".join(places.ssh_calls)
    assert not (places.home / "injected").exists()
    assert len(places.ssh_calls) == 6
    for call in places.ssh_calls:
        for option in ("BatchMode=yes", "ConnectTimeout=10", "ServerAliveInterval=10", "ForwardAgent=no"):
            assert f"-o {option}" in call
        assert "HostKey" not in call


def test_the_plan_shows_the_commands_and_runs_nothing(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    places.add("frankfurt")
    places.add("tokyo", table='ssh = "me@tokyo"\nfolder = "/srv/a b"\nssh_config = "ops/ssh"')
    places.add("here", table='local = true\nvariables = ["API_KEY"]')

    assert run(places, "--plan", "--commit", COMMIT, "-m", "deploy", "-k", "x y") == 0
    assert main(["run", "--env=test", "--dry-run"]) == 0
    assert places.ssh_calls == []
    assert not places.output.exists()
    shown = capsys.readouterr().out
    commands = [
        shlex.split(line.split(maxsplit=1)[1]) for line in shown.splitlines() if line.startswith("  run")
    ]
    assert commands[0][0] == "ssh"
    assert commands[1][commands[1].index("-F") + 1] == str(places.project / "ops/ssh")
    assert commands[1][-3:-1] == ["--", "me@tokyo"]
    there = shlex.split(commands[1][-1])
    assert there[:3] == ["cd", "/srv/a b", "&&"]
    assert there[there.index("-k") + 1] == "x y"
    assert commands[2][:2] == ["sh", "-c"]
    assert "--variable=API_KEY" in commands[2][2]
    assert "Credentials are not sent" in shown


@pytest.mark.parametrize(
    ("names", "words", "why"),
    [
        ((), (), "2 places are the fewest"),
        (("frankfurt",), (), "2 places are the fewest"),
        (NAMES, ("--within=61m",), "longer than the 60 minutes of [policy] places_within_min"),
        (NAMES, ("--report-dir=x",), "--report-dir cannot be given"),
        (NAMES, ("--place", "x"), "--place cannot be given"),
        (NAMES, ("--on-roll-back=execute",), "--on-roll-back cannot be given"),
    ],
)
def test_what_cannot_begin_is_refused(
    names: tuple[str, ...],
    words: tuple[str, ...],
    why: str,
    places: Places,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in names:
        places.add(name)
    assert run(places, *words) == 4
    assert why in capsys.readouterr().err
    assert places.ssh_calls == []


def test_an_old_report_never_passes_for_a_new_one(places: Places, capsys: pytest.CaptureFixture[str]) -> None:
    for name in NAMES:
        places.add(name)
    assert run(places) == 0
    assert run(places) == 4
    assert "is not empty" in capsys.readouterr().err


def test_an_interruption_ends_every_run_and_makes_no_call(
    places: Places, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(together.visit_all, "__defaults__", (0.05,))
    folders = [places.add(name, during=f"{UNTIL_LEFT}\nexit 2") for name in NAMES]
    runs: list[psutil.Process] = []
    written = sys.stdout.write

    def interrupt(text: str) -> int:
        """Stand for Ctrl-C, once every place runs."""
        if not runs and "running for" in text and all((folder / "pid").exists() for folder in folders):
            runs.extend(psutil.Process(int((folder / "pid").read_text())) for folder in folders)
            raise KeyboardInterrupt
        return written(text)

    monkeypatch.setattr(sys.stdout, "write", interrupt)
    assert run(places) == 2
    assert "INTERRUPTED  no call was made; the runs at all places have ended" in capsys.readouterr().out
    assert len(runs) == 3
    assert not any(one.is_running() for one in runs)
    assert not (places.output / "verdict.json").exists()


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_an_interruption_ends_the_runs_at_all_places(number: signal.Signals, places: Places) -> None:
    folders = [places.add(name, during=f"{UNTIL_LEFT}\nexit 2") for name in NAMES]
    with subprocess.Popen(
        command(f"--output={places.output}"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        wait_until(lambda: all((folder / "pid").exists() for folder in folders))
        runs = [psutil.Process(int((folder / "pid").read_text())) for folder in folders]
        process.send_signal(number)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 2, out
    assert "INTERRUPTED  no call was made; the runs at all places have ended" in out
    assert not any(run.is_running() for run in runs)
    assert not (places.output / "verdict.json").exists()


@pytest.mark.exhaustive
def test_a_kill_of_the_command_ends_the_runs_as_well(places: Places) -> None:
    folders = [places.add(name, during=f"{UNTIL_LEFT}\nexit 2") for name in NAMES]
    with subprocess.Popen(command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_until(lambda: all((folder / "pid").exists() for folder in folders))
        runs = [psutil.Process(int((folder / "pid").read_text())) for folder in folders]
        process.kill()
    wait_until(lambda: not any(run.is_running() for run in runs))


def test_a_difference_of_the_checks_is_named_and_the_environments_may_differ(tmp_path: Path) -> None:
    for name in ("here", "there"):
        for file in ("runbook.toml", "checks/postdeploy/test_a.py", "environments/prod.toml", "reports/x.py"):
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text("x = 1\n")
        (tmp_path / name / ".venv").mkdir()
    here, there = tmp_path / "here", tmp_path / "there"
    assert difference(identity_of(here), identity_of(there)) == ""
    (there / "environments" / "prod.toml").write_text("")
    (there / "reports" / "x.py").write_text("")
    (there / ".venv" / "y.py").write_text("")
    assert difference(identity_of(here), identity_of(there)) == ""
    (there / "checks" / "postdeploy" / "test_a.py").write_text("x = 2\n")
    assert "another commit of the checks: checks/postdeploy/test_a.py differs" in difference(
        identity_of(here), identity_of(there)
    )
    (there / "checks" / "test_b.py").touch()
    assert "test_a.py and 1 more differ" in difference(identity_of(here), identity_of(there))


def test_help_teaches_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["run", "--help"]):
        with pytest.raises(SystemExit):
            main(words)
        shown = capsys.readouterr().out
        for part in ("[places.frankfurt]", "local = true", "credentials are never", "--plan", "exit code"):
            assert part in shown


EXPORTS = """
[exports]
files = ["ctrf"]
patience_s = 15
[prometheus]
pushgateway = "{origin}/push"
"""


@pytest.mark.parametrize(("words", "pushes"), [((), 1), (("--no-notify",), 0), (("-m", "preflight"), 0)])
def test_the_combined_call_is_exported_once(words: tuple[str, ...], pushes: int, places: Places) -> None:
    with listening() as found:
        for name in NAMES:
            places.add(name, BROKEN)
        with (places.project / "environments" / "test.toml").open("a", encoding="utf-8") as file:
            file.write(EXPORTS.format(origin=found.origin))
        phase = words[1] if "-m" in words else "postdeploy"
        for path in (places.home / name / "verdict.json" for name in NAMES):
            text = path.read_text(encoding="utf-8").replace("postdeploy+performance", phase)
            path.write_text(text, encoding="utf-8")
        assert run(places, *words) == 20
        assert len(found.pushed) == pushes
    ctrf = json.loads((places.output / "ctrf.json").read_text(encoding="utf-8"))
    assert ctrf["extra"]["recommendation"] == verdict(places)["recommendation"]


def test_a_place_on_this_machine_uses_the_interpreter_of_the_command(
    places: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    places.add("frankfurt", table='ssh = "frankfurt"\nfolder = "x"')
    places.add("here", table="local = true")

    assert run(places, "--plan") == 0
    frankfurt, here = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  run"))
    assert f"exec {shlex.quote(sys.executable)} -m kamiyo_verify.cli" in here
    assert "exec .venv/bin/python -m kamiyo_verify.cli" in frankfurt

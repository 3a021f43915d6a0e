"""The part that runs at a place: it waits for the word, runs pytest, and ends it when it is left alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from kamiyo_verify.cli.places.identity import difference, identity_of
from kamiyo_verify.cli.places.protocol import GO, Ending, Greeting, message_in
from tests.support.sandbox_process import wait_until

PYTEST = f"""#!{sys.executable}
import os, pathlib, signal, sys, time
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path("pid").write_text(str(os.getpid()))
print(sys.argv[1:], "PYTEST_ADDOPTS" in os.environ)
if "waits" in sys.argv:
    time.sleep(600)
print("the last line\\n")
sys.exit(20)
"""


@contextmanager
def begun(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command, with a program in place of the interpreter of pytest, for the length of the block."""
    program = folder / "program"
    program.write_text(PYTEST)
    program.chmod(0o755)
    given = ["--env=toy", "--place=fra", "-m", "postdeploy", "--report-dir=reports/r", "--within=60", *words]
    code = (
        "import sys; from kamiyo_verify.cli.places.command import main;"
        " sys.executable = sys.argv.pop(1); sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, str(program), "here", *given]
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTEST_ADDOPTS": "-x"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def greeting(process: subprocess.Popen[str]) -> Greeting:
    assert process.stdout is not None
    found = message_in(process.stdout.readline(), Greeting)
    assert found is not None
    return found


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{GO}\n")
    process.stdin.flush()


def test_it_runs_what_was_asked_for_and_says_how_it_ended(tmp_path: Path) -> None:
    with begun(tmp_path, "--commit=9c41d07", "-k", "a b", "--variable=HOME") as process:
        hello = greeting(process)
        assert difference(identity_of(tmp_path), hello.identity) == ""
        assert hello.missing == ()
        assert not (tmp_path / "reports").exists()
        go(process)
        assert process.stdout is not None
        ending = message_in(process.stdout.readline(), Ending)
        assert process.wait(30) == 20
    assert ending == Ending(exit_code=20, last_line="the last line")
    words, _, addopts = (
        (tmp_path / "reports" / "r" / "output.txt").read_text().splitlines()[0].rpartition(" ")
    )
    assert addopts == "False"
    for word in ("--place=fra", "--env=toy", "--commit=9c41d07", "--no-notify", "'a b'", "postdeploy"):
        assert word in words


def test_missing_variables_are_named_and_never_their_values(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("IN_FILE=s3cret-in-file\nBLANK=\n")
    words = [f"--variable={name}" for name in ("IN_FILE", "BLANK", "NOWHERE", "PATH")]
    with begun(tmp_path, *words) as process:
        found = greeting(process)
    assert found.missing == ("BLANK", "NOWHERE")
    assert "s3cret" not in found.model_dump_json()


@pytest.mark.parametrize("answer", ["", "stop\n"])
def test_nothing_runs_without_the_word(answer: str, tmp_path: Path) -> None:
    with begun(tmp_path) as process:
        greeting(process)
        process.communicate(answer, timeout=30)
    assert process.returncode == 2
    assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize(
    "how", ["standard input", "SIGHUP", "SIGTERM", pytest.param("time", marks=pytest.mark.exhaustive)]
)
def test_the_run_ends_with_whoever_started_it(how: str, tmp_path: Path) -> None:
    with begun(tmp_path, "waits", *(["--within=1"] if how == "time" else [])) as process:
        greeting(process)
        go(process)
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
        run = psutil.Process(int((tmp_path / "pid").read_text()))
        if how == "standard input":
            assert process.stdin is not None
            process.stdin.close()
        elif how != "time":
            process.send_signal(signal.Signals[how])
        assert process.wait(30) == 2
        assert not run.is_running()


@pytest.mark.exhaustive
def test_a_run_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    with begun(tmp_path, "waits", "stubborn") as process:
        greeting(process)
        go(process)
        wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
        run = psutil.Process(int((tmp_path / "pid").read_text()))
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 2
        assert not run.is_running()


@pytest.mark.parametrize("line", ["", "{}", "kamiyo-verify-place/1 {", "kamiyo-verify-place/1 []", "motd"])
def test_another_line_is_no_message(line: str) -> None:
    assert message_in(line, Greeting) is None


def test_what_a_newer_version_adds_is_passed_over() -> None:
    text = json.dumps({"identity": {"version": "9", "more": 1}, "more": 2})
    found = message_in(f"kamiyo-verify-place/1 {text}", Greeting)
    assert found is not None
    assert found.identity.version == "9"

"""Processes of a group end together, with their children, whatever they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psutil
import pytest

from kamiyo_verify.processes.group import ProcessGroup
from tests.support.sandbox_process import HOUSE, is_gone, wait_until

_STUBBORN = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
print(child.pid, flush=True)
child.wait()
"""
STUBBORN = (sys.executable, "-c", _STUBBORN)
"""Ignores every polite signal, and has a child."""

WATCHES = (sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()")


@pytest.fixture
def output() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        yield file


def text_of(output: IO[bytes]) -> str:
    return os.pread(output.fileno(), 10_000, 0).decode()


def group(folder: Path, output: IO[bytes]) -> ProcessGroup:
    return ProcessGroup(folder, dict(os.environ), output)


def test_leaving_the_block_kills_the_group_with_its_children(tmp_path: Path, output: IO[bytes]) -> None:
    with group(tmp_path, output) as processes:
        two = [processes.start(STUBBORN), processes.start(STUBBORN)]
        wait_until(lambda: len(text_of(output).split()) == 2)
        children = [psutil.Process(int(pid)) for pid in text_of(output).split()]
        assert {os.getpgid(one.pid) for one in two} == {two[0].pid}
        assert os.getpgid(0) != two[0].pid

    assert [one.returncode for one in two] == [-signal.SIGKILL, -signal.SIGKILL]
    wait_until(lambda: all(is_gone(child) for child in children))


def test_an_error_in_the_block_kills_them_too(tmp_path: Path, output: IO[bytes]) -> None:
    processes = group(tmp_path, output)
    process = processes.start(STUBBORN)
    with pytest.raises(ZeroDivisionError), processes:
        _ = 1 / 0

    assert process.returncode == -signal.SIGKILL


def test_a_group_whose_leader_has_ended_is_killed_all_the_same(tmp_path: Path, output: IO[bytes]) -> None:
    with group(tmp_path, output) as processes:
        leader, other = processes.start(WATCHES), processes.start(STUBBORN)
        assert leader.stdin is not None
        leader.stdin.close()
        leader.wait(10)
        wait_until(lambda: any(word.isdigit() for word in text_of(output).split()))
        [child] = [psutil.Process(int(word)) for word in text_of(output).split() if word.isdigit()]

    assert other.returncode == -signal.SIGKILL
    wait_until(lambda: is_gone(child))


def test_a_command_that_is_not_there_leaves_nothing_behind(tmp_path: Path, output: IO[bytes]) -> None:
    processes = group(tmp_path, output)
    first = processes.start(STUBBORN)
    with pytest.raises(FileNotFoundError), processes:
        processes.start(["/nowhere/program"])

    assert first.returncode == -signal.SIGKILL


def test_killing_an_empty_group_does_nothing(tmp_path: Path, output: IO[bytes]) -> None:
    with group(tmp_path, output):
        pass


PARENT = """
import os, sys, tempfile
sys.path.insert(0, "plugins")
from pathlib import Path
from kamiyo_verify.processes.group import ProcessGroup
with tempfile.TemporaryFile() as output, ProcessGroup(Path("."), dict(os.environ), output) as processes:
    print(*(processes.start(sys.argv[1:]).pid for _ in range(2)), flush=True)
    sys.stdin.read()
"""


def test_processes_that_watch_their_input_end_with_a_parent_that_is_killed() -> None:
    command = [sys.executable, "-c", PARENT, *WATCHES]
    with subprocess.Popen(
        command, cwd=HOUSE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        parent.kill()

        wait_until(lambda: all(is_gone(child) for child in children))
    assert len(children) == 2

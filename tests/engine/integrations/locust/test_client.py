"""Locust is found or said how to get, started with what it may know, and never left behind."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from kamiyo_verify.integrations.locust import client
from kamiyo_verify.integrations.locust.client import Plan, command_of, lacking, plan_of, run_load
from kamiyo_verify.integrations.locust.settings import (
    MOST_PER_SECOND,
    MOST_SECONDS,
    MOST_USERS,
    MOST_WORKERS,
    Load,
    Permission,
)
from kamiyo_verify.integrations.locust.shapes import result_of
from kamiyo_verify.model.load.steps import LoadRun
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.model.settings import Timeouts
from tests.support.load import counts, fake_locust, left, result, variables
from tests.support.sandbox_process import wait_until
from tests.support.stopwatch import Stopwatch

PLAN = Plan(
    origin="http://127.0.0.1:9",
    paths=("/", "/notes?n={number}"),
    users=(2, 4),
    per_user_per_s=10,
    step_s=3,
    timeouts=Timeouts(),
    workers=2,
    secret_headers={"Authorization": "Bearer KEPT-SECRET"},
)


def run(
    program: Path,
    plan: Plan = PLAN,
    *,
    stop: threading.Event | None = None,
    say: Callable[[str], object] = lambda _: None,
    hidden: tuple[str, ...] = (),
) -> LoadRun:
    return run_load(plan, command_of(str(program)), hidden=hidden, stop=stop or threading.Event(), say=say)


# Settings.


@pytest.mark.parametrize(
    ("key", "most"),
    [
        ("requests_per_second", MOST_PER_SECOND),
        ("seconds", MOST_SECONDS),
        ("users", MOST_USERS),
        ("workers", MOST_WORKERS),
        ("remote_workers", MOST_WORKERS),
    ],
)
def test_no_environment_file_exceeds_the_ceilings(key: str, most: int) -> None:
    with pytest.raises(ValidationError, match=f"less than or equal to {most}"):
        Load.model_validate({"service": "api", key: most + 1})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"seconds": 10}, "5 steps take at least 15 seconds"),
        ({"workers": 0}, "nobody would send the load"),
        ({"users": 4}, "users must be at least as many as steps and as workers"),
        ({"remote_workers": 1}, "set port"),
    ],
)
def test_a_table_that_cannot_be_carried_out_says_why(table: dict[str, int], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Load.model_validate({"service": "api", **table})


def test_load_is_forbidden_unless_the_file_allows_it() -> None:
    assert Load.model_validate({"service": "api"}).permission is Permission.FORBIDDEN


def test_the_plan_adds_users_in_even_steps_up_to_the_whole_load() -> None:
    table = Load.model_validate({"service": "api", "users": 20, "requests_per_second": 50, "seconds": 60})
    plan = plan_of(table, "http://127.0.0.1:9", Timeouts())

    assert plan.users == (4, 8, 12, 16, 20)
    assert [*plan.offered_per_s] == [10, 20, 30, 40, 50]
    assert plan.seconds == 60


# Where Locust comes from.


def test_without_locust_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "find_spec", lambda _name: None)
    monkeypatch.setattr(shutil, "which", lambda _name: None)

    assert lacking("") == (
        "Locust is not installed: pip install 'kamiyo-verify[load]', or name one in [load] executable"
    )
    assert lacking("/nowhere/locust") == "[load] executable: there is no program /nowhere/locust"


def test_a_folder_named_locust_is_no_locust(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setattr(shutil, "which", lambda _name: None)

    assert command_of("") == ()


def test_an_installed_locust_is_started_by_this_python_and_not_imported() -> None:
    assert command_of("") == (sys.executable, "-m", "locust")
    assert not {"gevent", "locust"} & set(sys.modules), "Locust belongs to its own processes"


# A run.


def test_a_result_is_put_together_from_all_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = result(
        tmp_path / "written.json",
        [counts(0, [5] * 20), counts(0, [7] * 20, of_503=2)],
        [counts(1, [9] * 40), counts(1, [8] * 30, limited=3, of_503=1)],
    )
    for name, value in variables(tmp_path, str(written)).items():
        monkeypatch.setenv(name, value)
    said: list[str] = []
    found = run(fake_locust(tmp_path), say=said.append)

    assert [(step.users, step.offered_per_s, step.good) for step in found.steps] == [(2, 20, 40), (4, 40, 70)]
    assert [step.throughput_per_s for step in found.steps] == [20, 35]
    assert [(step.failed, step.limited) for step in found.steps] == [(2, 0), (1, 3)]
    assert found.steps[0].failures == (("503", 2),)
    assert said == ["up to 40 requests a second to http://127.0.0.1:9"]
    assert left(tmp_path) == []


def test_its_processes_know_no_credential_but_those_they_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = tmp_path / "shown"
    program = tmp_path / "locust"
    program.write_text(f'#!/bin/sh\n(echo "$@"; env) >> {shown}; exit 1\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("DATABASE_URL", "postgresql://HIDDEN")
    monkeypatch.setenv("LOCUST_USERS", "9999")
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "of this run")
    with pytest.raises(NoAnswer):
        run(program, hidden=("DATABASE_URL",))

    lines = shown.read_text(encoding="utf-8").splitlines()
    assert not any("HIDDEN" in line or line.startswith(("LOCUST_", "PYTEST_")) for line in lines)
    secret = [line for line in lines if "KEPT-SECRET" in line]
    assert secret
    assert all(line.startswith("KAMIYO_LOAD_CREDENTIALS=") for line in secret), "no command line, no plan"


def test_a_locust_that_fails_is_told_with_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables(tmp_path, "fail").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NoAnswer, match="ended before the load was over; it says: Address already in") as it:
        run(fake_locust(tmp_path))

    assert it.value.kind is NoAnswerKind.UNUSABLE
    assert left(tmp_path) == []


def test_stopping_the_run_stops_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(tmp_path, "hang").items():
        monkeypatch.setenv(name, value)
    stop = threading.Event()
    failed: list[NoAnswer] = []

    def load() -> None:
        try:
            run(fake_locust(tmp_path), stop=stop)
        except NoAnswer as error:
            failed.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    wait_until(lambda: len(left(tmp_path)) == 3)
    watch = Stopwatch()
    stop.set()
    thread.join(10)

    assert left(tmp_path) == []
    assert watch.seconds < 5
    assert "the load was stopped" in str(failed[0])


def test_its_time_ends_a_locust_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(tmp_path, "hang").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(client, "GRACE_S", -5.5)
    with pytest.raises(NoAnswer, match="gave no result within 0 s, so it was stopped"):
        run(fake_locust(tmp_path))

    assert left(tmp_path) == []


# Results.


@pytest.mark.parametrize(
    "written",
    [
        "",
        "[]",
        "{}",
        '{"steps": []}',
        json.dumps({"steps": [{"step": 0, "seconds": 0, "workers": []}]}),
        json.dumps({"steps": [{"step": 0, "seconds": 2, "workers": [], "more": 1}]}),
    ],
)
def test_a_result_of_another_shape_is_no_result(written: str) -> None:
    with pytest.raises(NoAnswer, match="another shape"):
        result_of(written.encode(), (1, 2), (10, 20), 1)


def test_a_lost_worker_makes_the_figures_no_figures(tmp_path: Path) -> None:
    def of(*steps: list[dict[str, Any]]) -> bytes:
        return result(tmp_path / "written.json", *steps).read_bytes()

    with pytest.raises(NoAnswer, match="a worker of Locust was lost: step 2 lacks its counts"):
        result_of(
            of([counts(0, [1]), counts(0, [1])], [counts(1, [1])]),
            (2, 4),
            (10, 20),
            2,
        )

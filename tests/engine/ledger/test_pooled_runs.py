"""Runs of one commit are judged together over a real ledger, and each again from its own evidence."""

from __future__ import annotations

import pytest

from kamiyo_verify.cli import replay
from kamiyo_verify.model.verdict import SloReport
from kamiyo_verify.model.words import Action, SloVerdict
from tests.support.toy_project import Ran, Toy

pytest_plugins = ["pytester"]

MET, BREACHED = SloVerdict.MET, SloVerdict.BREACHED
OPEN = SloVerdict.INSUFFICIENT_EVIDENCE

OBJECTIVE = """
[[slos]]
id = "error-rate"
title = "Share of requests that fail"
kind = "ratio"
objective = 0.05
item = "performance.api"
measurement = "errors"
total = "requests"
"""

HEALTH = """
@pytest.mark.item("postdeploy.health")
def test_health(measure, record, environment):
    record(Exchange("GET", str(environment.services["api"].url), 200, 1.0))
    measure("api_commit", "{commit}")
"""

SAMPLING = """
@pytest.mark.item("performance.api")
def test_api(measure):
    outcomes = [float(one == "x") for one in "{pattern}"]
    measure("requests", len(outcomes), "count")
    measure("errors", int(sum(outcomes)), "count")
    measure("sent_at", [float(n) for n in range(len(outcomes))], "s")
    measure("outcomes", outcomes)
    measure("stopping", "sequential")
"""


@pytest.fixture
def project(toy: Toy) -> Toy:
    toy.items({"postdeploy.health": "core", "performance.api": "performance"})
    runbook = (toy.folder / "runbook.toml").read_text()
    toy.write("runbook.toml", runbook.replace("slos = []\n", "") + OBJECTIVE)
    return toy


def verify(toy: Toy, pattern: str, *arguments: str, commit: str = "9c41d07", **more: dict[str, str]) -> Ran:
    toy.check("postdeploy/test_a.py", HEALTH.replace("{commit}", commit))
    toy.check("performance/test_b.py", SAMPLING.replace("{pattern}", pattern))
    return toy.run("-m", "postdeploy or performance", "--commit", commit, *arguments, **more)


def objective(ran: Ran) -> SloReport:
    [found] = ran.verdict.slos
    return found


def test_runs_of_a_commit_are_judged_together(
    project: Toy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(project, "x" * 30, commit="3b0cca2")
    alone = objective(verify(project, "." * 40))
    assert (alone.verdict, alone.runs, alone.samples) == (OPEN, 1, 40)

    verify(project, "x" * 30, "--baseline")
    verify(project, "x" * 30, "--url", "api=http://staging.example")
    second = verify(project, "." * 40)
    together = objective(second)
    assert (together.verdict, together.runs, together.samples) == (MET, 2, 80)
    assert "0 errors in 80 requests in 2 runs of this commit since " in together.message
    assert "(this run: 0 in 40)" in together.message

    away = objective(verify(project, "." * 40, env={"KAMIYO_LEDGER_URL": "sqlite:///nowhere/ledger.db"}))
    assert (away.verdict, away.runs) == (OPEN, 1)
    assert "earlier runs of this commit are not known: the ledger could not be read" in away.message

    monkeypatch.chdir(project.folder)
    assert second.report is not None
    assert replay.main([str(second.report)]) == replay.SAME, capsys.readouterr().out


@pytest.mark.exhaustive
def test_running_again_does_not_make_a_bad_commit_good(project: Toy) -> None:
    first = verify(project, (".." + "x" + ".......") * 12)
    assert (first.verdict.recommendation, objective(first).verdict) == (Action.PROCEED, OPEN)
    second = verify(project, (".." + "x" + ".......") * 12)
    assert (second.verdict.recommendation, objective(second).verdict) == (Action.FIX_FORWARD, BREACHED)
    green = verify(project, "." * 67)
    assert objective(green).verdict is not MET, "67 clean requests would meet 5 % by themselves"
    assert objective(green).runs == 3


def test_a_bad_try_of_a_sampling_counts_though_the_next_one_is_good(project: Toy) -> None:
    body = SAMPLING.replace('"{pattern}"', "pattern") + "    assert not sum(outcomes)\n"
    body = body.replace("    outcomes =", '    pattern = "x" * 9 + "." * 31 if not TRIES else "." * 40\n'
                        "    TRIES.append(pattern)\n    outcomes =")  # fmt: skip
    project.check("postdeploy/test_a.py", HEALTH.replace("{commit}", "9c41d07"))
    project.check("performance/test_b.py", f"TRIES = []\n{body}")
    found = objective(project.run("-m", "postdeploy or performance", "--commit", "9c41d07"))
    assert (found.samples, found.runs) == (80, 1)
    assert "9 errors in 80 requests of two samples" in found.message

"""Which commit answers is read again before the verdict: somebody may have deployed meanwhile."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.hooks.confirmation.commits import read_commits_again
from kamiyo_verify.hooks.confirmation.looks import Looks
from kamiyo_verify.hooks.run import Run
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.confirmation import Confirmation, Recheck
from kamiyo_verify.model.result import Attempt, Exchange, Measurement, Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import Action, Attribution, FailureKind, Status
from tests.support.evidence_for import COMMIT, HEALTH, RUNBOOK, at, evidence, result
from tests.support.toy_project import Toy

pytest_plugins = ["pytester"]

NEW, OTHER = "9c41d07" + "0" * 33, "3b0cca2" + "0" * 33


def read(status: Status, ago_s: float = 0.0, failure: FailureKind | None = None, **taken: str) -> Result:
    at = (datetime.now(UTC) - timedelta(seconds=ago_s)).isoformat(timespec="milliseconds")
    measurements = tuple(Measurement(f"api_{name}", value) for name, value in taken.items())
    tried = (Attempt(status, "why" if status is not Status.PASSED else "", at, 0.1),)
    return result(
        COMMIT,
        status,
        "another commit answers" if status is not Status.PASSED else "",
        measurements=measurements,
        attempts=tried,
        nodeids=("checks/test_commit",),
        failure=failure,
        exchanges=(Exchange("GET", "https://api.example/", None if failure else 200, 5.0),),
    )


def now_known(first: Result, again: Result, left_s: float = 60.0) -> tuple[Result, int]:
    """The result of the item after it was read again, and how often that was."""
    results, looks = Results(), 0
    results.restore(first)
    if first.confirmation is not None:
        results.confirm(COMMIT, first.confirmation)

    def look(nodeid: str, item: Item) -> Result:
        nonlocal looks
        looks += 1
        return again

    run = SimpleNamespace(
        runbook=RUNBOOK, options=SimpleNamespace(commit=NEW), clock=SimpleNamespace(run_left=left_s)
    )
    again_by = SimpleNamespace(can=lambda _: True, look=look)
    read_commits_again(cast("Run", cast("Any", run)), cast("Looks", cast("Any", again_by)), results)
    return results.of_items()[COMMIT], looks


WELL = read(Status.PASSED, ago_s=30, commit=NEW)


@pytest.mark.parametrize(
    "again",
    [
        read(Status.FAILED, commit=OTHER),
        read(Status.UNVERIFIED, unread="it answers with two by turns"),
        read(Status.FAILED, unread="the header says nothing"),
    ],
)
def test_a_deploy_during_the_run_leaves_nothing_that_is_known_of_this_one(again: Result) -> None:
    found, _ = now_known(WELL, again)
    assert found.status is again.status
    assert found.message.endswith("so that another deploy went live meanwhile")
    assert len(found.attempts) == 2
    broken = result(HEALTH, Status.FAILED)
    assert decide(evidence(found, broken, commit=NEW)).recommendation is Action.INCONCLUSIVE


@pytest.mark.parametrize(
    "again",
    [
        read(Status.PASSED, commit=NEW),
        read(Status.ERROR, unread="asks to wait"),
        read(Status.FAILED, failure=FailureKind.SERVER_ERROR, silent="answered 500"),
        read(Status.FAILED, failure=FailureKind.NO_ANSWER, silent="refuses the connection"),
    ],
)
def test_silence_and_our_own_trouble_show_no_other_commit(again: Result) -> None:
    assert now_known(WELL, again)[0] == WELL


def test_what_was_read_just_now_or_did_not_pass_is_not_read_again() -> None:
    another = read(Status.FAILED, commit=OTHER)
    assert now_known(read(Status.PASSED, commit=NEW), another)[1] == 0
    assert now_known(read(Status.FAILED, ago_s=30, commit=OTHER), another)[1] == 0
    assert now_known(WELL, another, left_s=4.0)[1] == 0


def warming_up(*rechecks: Status) -> Result:
    """Every try met a service that was starting; the rechecks are given."""
    first = read(Status.FAILED, failure=FailureKind.SERVER_ERROR, silent="answered 503")
    seen = tuple(Recheck(at(7 * number), one) for number, one in enumerate(rechecks, 1))
    return replace(first, confirmation=Confirmation(at(0), seen, silent=True))


def test_a_commit_that_a_starting_service_could_not_tell_is_read_when_it_answers() -> None:
    found, looks = now_known(warming_up(Status.FAILED, Status.PASSED), read(Status.PASSED, commit=NEW))
    assert looks == 1
    assert [(one.name, one.value) for one in found.measurements] == [("api_commit", NEW)]
    assert found.exchanges[0].status == 200


def test_a_service_that_does_not_answer_yet_is_not_asked_for_its_commit() -> None:
    first = warming_up(Status.PASSED, Status.FAILED)
    assert now_known(first, read(Status.PASSED, commit=NEW)) == (first, 0)


def test_another_commit_that_answers_after_a_start_is_another_commit() -> None:
    found, _ = now_known(warming_up(Status.PASSED), read(Status.FAILED, commit=OTHER))
    assert (found.status, found.message.partition(";")[0]) == (Status.FAILED, "another commit answers")


def test_a_commit_that_differs_is_not_said_to_be_introduced() -> None:
    verdict = decide(evidence(read(Status.FAILED, commit=OTHER), commit=NEW))
    assert all(reason.attribution is not Attribution.INTRODUCED for reason in verdict.reasons)


def test_a_deploy_by_somebody_else_during_a_run(toy: Toy) -> None:
    toy.items({"postdeploy.commit": "core", "postdeploy.health": "core"})
    toy.check(
        "postdeploy/test_a.py",
        f"""
import time

BEGAN = time.monotonic()

@pytest.mark.item("postdeploy.commit")
def test_commit(measure):
    found = "{NEW}" if time.monotonic() < BEGAN + 2 else "{OTHER}"
    measure("expected", "{NEW}")
    measure("commit", found)
    assert found == "{NEW}", f"{{found[:7]}} answers"

@pytest.mark.item("postdeploy.health")
def test_health():
    assert False, "it broke"
""",
    )
    settings = toy.folder / "environments/toy.toml"
    settings.write_text(re.sub("(?m)^final_after_s = .*", "final_after_s = 2.5", settings.read_text()))
    ran = toy.run("-m", "postdeploy", "--commit", NEW)
    assert ran.code == 30
    assert "another deploy went live meanwhile" in ran.message("postdeploy.commit")

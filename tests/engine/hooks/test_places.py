"""The name of the place that a run looks from, in all that the run leaves behind."""

from __future__ import annotations

import pytest

from kamiyo_verify.cli import replay
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.words import Action
from tests.support.toy_project import WORKERS, Toy

pytest_plugins = ["pytester"]

CHECKS = """
@pytest.mark.item("postdeploy.health")
def test_health(): ...

@pytest.mark.item("postdeploy.data")
def test_data():
    raise NoAnswer(NoAnswerKind.TIMEOUT, "nothing came")
"""


@WORKERS
def test_the_place_is_in_every_record_of_a_run(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    ran = toy.run("-m", "postdeploy", "--place", "frankfurt", *workers)

    assert ran.report is not None
    assert ran.evidence[0]["place"] == "frankfurt"
    assert ran.verdict.place == "frankfurt"
    assert "from frankfurt" in ran.out
    assert "from frankfurt" in (ran.report / "report.html").read_text(encoding="utf-8")
    assert "from frankfurt" in (ran.report / "deployment.md").read_text(encoding="utf-8")
    with Store.opened(f"sqlite:///{toy.folder}/reports/ledger.db") as store:
        assert [one.run.verdict.place for one in store.recordings("toy")] == ["frankfurt"]


def test_the_variable_names_the_place_and_the_option_comes_first(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    place = {"KAMIYO_VERIFY_PLACE": "virginia"}

    assert toy.run("-m", "postdeploy", env=place).verdict.place == "virginia"
    assert toy.run("-m", "postdeploy", "--place=tokyo", env=place).verdict.place == "tokyo"


@pytest.mark.parametrize("name", ["../prod", "two words", "-x", "a" * 41, "a\x1b[31m"])
def test_a_name_that_no_file_could_have_is_refused(toy: Toy, name: str) -> None:
    ran = toy.run("-m", "postdeploy", f"--place={name}")

    assert ran.code == 4, ran.out
    assert "the name of a place has at most 40 letters" in ran.out
    assert toy.run("-m", "postdeploy", env={"KAMIYO_VERIFY_PLACE": name}).code == 4


def test_replay_knows_the_place(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    ran = toy.run("-m", "postdeploy", "--place", "frankfurt")

    assert ran.report is not None
    assert replay.main([str(ran.report)]) == replay.SAME
    assert '"place": "frankfurt"' in (ran.report / "verdict.json").read_text(encoding="utf-8")
    capsys.readouterr()


def test_items_without_an_answer_where_no_control_answers_are_named(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    verdict = toy.run("-m", "postdeploy").verdict

    assert verdict.recommendation is Action.INCONCLUSIVE
    assert verdict.network_in_doubt == ("postdeploy.data",)


def test_the_past_of_another_place_is_not_compared(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", CHECKS)
    toy.run("-m", "postdeploy", "--baseline", "--place", "virginia", "--commit", "1111111")
    here = toy.run("-m", "postdeploy", "--place", "frankfurt", "--commit", "2222222").verdict
    there = toy.run("-m", "postdeploy", "--place", "virginia", "--commit", "2222222").verdict

    assert here.compared is None
    assert there.compared is not None

"""A run writes what other systems read, and its call is the same whatever comes of that."""

from __future__ import annotations

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.junit_files import Properties, properties
from tests.support.toy_project import MOSTLY_ALONE, Ran, Toy

pytest_plugins = ["pytester"]

GOOD = """
@pytest.mark.item("postdeploy.health")
def test_health(): ...

@pytest.mark.item("postdeploy.data")
@pytest.mark.parametrize("table", ["users", "orders"])
def test_data(table): ...
"""
BAD = GOOD.replace("def test_data(table): ...", 'def test_data(table):\n    assert False, "3 rows are gone"')


def settings(toy: Toy, more: str) -> None:
    toy.environment(more=f"\n{more}\n")
    toy.items({"postdeploy.health": "core", "postdeploy.data": "data"})


def junit(ran: Ran) -> tuple[Properties, dict[str, Properties]]:
    """The properties of the suite, and those of each test case by its name."""
    assert ran.report is not None, ran.out
    suite, cases = properties((ran.report / "junit.xml").read_bytes())
    return suite, dict(cases)


@MOSTLY_ALONE
def test_junit_has_the_call_and_the_items(toy: Toy, workers: tuple[str, ...]) -> None:
    settings(toy, "")
    toy.check("postdeploy/test_a.py", BAD)
    ran = toy.run("-m", "postdeploy", "--commit", "9c41d07", *workers)

    assert ran.code == 20
    suite, cases = junit(ran)
    assert (suite["recommendation"], suite["exit_code"], suite["commit"]) == ("roll_back", "20", "9c41d07")
    assert cases["test_health"] == {"item": "postdeploy.health", "status": "passed", "impact": "core"}
    attributed = next(item.attribution for item in ran.verdict.items if item.id == "postdeploy.data")
    for table in ("users", "orders"):
        assert cases[f"test_data[{table}]"] == {
            "item": "postdeploy.data",
            "status": "failed",
            "impact": "data",
            "attribution": attributed,
        }


def test_junit_properties_can_be_left_out(toy: Toy) -> None:
    settings(toy, "[exports]\njunit_properties = false")
    toy.check("postdeploy/test_a.py", GOOD)
    ran = toy.run("-m", "postdeploy")
    assert ran.report is not None
    assert "<propert" not in (ran.report / "junit.xml").read_text()


def test_no_further_file_is_written_unless_asked_for(toy: Toy) -> None:
    settings(toy, "")
    toy.check("postdeploy/test_a.py", GOOD)
    ran = toy.run("-m", "postdeploy")
    assert ran.report is not None
    assert not {"ctrf.json", "metrics.prom"} & {path.name for path in ran.report.iterdir()}


def test_the_files_that_are_asked_for_say_what_the_verdict_says(toy: Toy) -> None:
    settings(toy, '[exports]\nfiles = ["ctrf", "metrics"]')
    toy.check("postdeploy/test_a.py", BAD.replace("3 rows", "\\ud800 \\x1b[31m 3 rows of s3cret-key-91"))
    ran = toy.run("-m", "postdeploy", env={"TOY_API_KEY": "s3cret-key-91"})

    assert ran.code == 20
    assert ran.report is not None
    ctrf = json.loads((ran.report / "ctrf.json").read_text())
    assert ctrf["extra"]["recommendation"] == "roll_back"
    assert ctrf["results"]["summary"]["failed"] == 1
    families = text_string_to_metric_families((ran.report / "metrics.prom").read_text())
    values = {one.name: one.samples for one in families}
    assert values["kamiyo_verify_exit_code"][0].value == 20
    assert "kamiyo_verify_deployments_per_week" in values
    assert "s3cret-key-91" not in ran.everything_written()
    assert "[TOY_API_KEY]" in (ran.report / "ctrf.json").read_text()


def test_a_file_that_cannot_be_written_changes_nothing(toy: Toy) -> None:
    settings(toy, '[exports]\nfiles = ["ctrf"]')
    folder = toy.folder / "out"
    wall = f"def test_health():\n    import os\n    os.mkdir({str(folder / 'ctrf.json')!r})"
    toy.check("postdeploy/test_a.py", GOOD.replace("def test_health(): ...", wall))
    ran = toy.run("-m", "postdeploy", "--report-dir", str(folder))

    assert ran.code == 0
    assert "Export       not written; the verdict does not change: ctrf.json: " in ran.out
    assert json.loads((folder / "verdict.json").read_text())["exit_code"] == 0


def test_files_of_an_earlier_run_do_not_stay(toy: Toy) -> None:
    settings(toy, '[exports]\nfiles = ["ctrf", "metrics"]')
    toy.check("postdeploy/test_a.py", GOOD)
    toy.run("-m", "postdeploy", "--report-dir", "out")
    settings(toy, "")
    toy.run("-m", "postdeploy", "--report-dir", "out")
    assert not {"ctrf.json", "metrics.prom"} & {path.name for path in (toy.folder / "out").iterdir()}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            '[exports]\nfiles = ["ctr"]',
            'exports.files[0]: must be one of "ctrf", "metrics"; did you mean "ctrf"?',
        ),
        ("[exports]\njunit = true", "exports.junit: unknown key"),
    ],
)
def test_a_mistake_in_the_table_is_one_clear_error(toy: Toy, table: str, message: str) -> None:
    settings(toy, table)
    toy.check("postdeploy/test_a.py", GOOD)
    ran = toy.run("-m", "postdeploy")
    assert ran.code == 4
    assert message in ran.out

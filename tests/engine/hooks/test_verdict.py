"""The verdict: written before the reports of others, told last, and never better than what was seen."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kamiyo_verify.hooks.report_dir import make_report_dir, point_latest_at, write_atomically
from tests.support.toy_project import Toy

pytest_plugins = ["pytester"]

CHECKS = """
@pytest.mark.item("postdeploy.health")
def test_health({fixtures}): {health}

@pytest.mark.item("postdeploy.list")
def test_list(): {list}
"""


def checks(toy: Toy, *, health: str = "...", list_: str = "...", fixtures: str = "") -> None:
    toy.items({"postdeploy.health": "core", "postdeploy.list": "feature"})
    toy.check("postdeploy/test_a.py", CHECKS.format(health=health, list=list_, fixtures=fixtures))


@pytest.mark.parametrize(
    ("health", "list_", "recommendation", "code", "workers"),
    [
        ("...", "...", "proceed", 0, "-n0"),
        ("...", "...", "proceed", 0, "-n2"),
        ("...", "assert False, 'no rows'", "fix_forward", 10, "-n0"),
        ("assert False, 'down'", "...", "roll_back", 20, "-n0"),
        ("assert False, 'down'", "...", "roll_back", 20, "-n2"),
        ("raise Unverified('no key')", "...", "inconclusive", 30, "-n0"),
        ("pytest.skip('not today')", "pytest.skip('nor this')", "inconclusive", 30, "-n2"),
        ("raise NoAnswer(NoAnswerKind.RATE_LIMITED, 'wait')", "...", "inconclusive", 30, "-n0"),
    ],
)
def test_the_exit_code_is_the_call(
    toy: Toy, health: str, list_: str, recommendation: str, code: int, workers: str
) -> None:
    checks(toy, health=health, list_=list_)
    ran = toy.run("-m", "postdeploy", workers)

    assert (ran.verdict.recommendation, ran.verdict.exit_code, ran.code) == (recommendation, code, code)
    assert ran.evidence[-1]["recommendation"] == recommendation


def test_everything_is_in_the_folder_of_the_run_and_latest_leads_there(toy: Toy) -> None:
    checks(toy, health="measure('commit', '0123abcdef')", fixtures="measure")
    first = toy.run("-m", "postdeploy", "--commit", "0123abcdef")
    second = toy.run("-m", "postdeploy")

    assert first.report is not None
    assert second.report is not None
    assert re.fullmatch(r"\d{8}T\d{6}Z-0123abc", first.report.name)
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{8}", second.report.name)
    assert first.report.parent == toy.folder / "reports/toy"
    files = {"verdict.json", "deployment.md", "evidence.jsonl", "report.html", "junit.xml"}
    assert {path.name for path in first.report.iterdir()} == files
    assert (toy.folder / "reports/latest").resolve() == second.report
    page = (first.report / "report.html").read_text()
    assert "PROCEED" in page
    assert "<title" in page
    assert not re.search(r'(src|href)="(?!data:|#|")', page.partition("<body")[0]), "one file holds all"
    assert first.verdict.commit == "0123abcdef"
    assert "<skipped" not in (first.report / "junit.xml").read_text()


def test_the_call_is_the_last_thing_on_the_terminal(toy: Toy) -> None:
    checks(toy, list_="assert False, 'no rows'")
    lines = toy.run("-m", "postdeploy").out.strip().splitlines()
    [call] = [number for number, line in enumerate(lines) if line.startswith("FIX FORWARD")]
    [summary] = [number for number, line in enumerate(lines) if re.match("=+ 1 failed, 1 passed", line)]

    assert summary < call
    assert re.match(r"Report +reports/toy/.*/report\.html", lines[-1])


def test_a_folder_of_ones_own_takes_the_report(toy: Toy) -> None:
    checks(toy)
    ran = toy.run("-m", "postdeploy", "--report-dir", "here/it/is")

    assert ran.code == 0
    assert (toy.folder / "here/it/is/verdict.json").exists()
    assert ran.report is None, "latest leads to runs that nobody put elsewhere"


def test_reports_that_are_wanted_elsewhere_go_there(toy: Toy) -> None:
    checks(toy)
    ran = toy.run("-m", "postdeploy", "--html", "my.html", "--junitxml", "my.xml")

    assert ran.code == 0
    assert (toy.folder / "my.html").exists()
    assert (toy.folder / "my.xml").exists()
    assert ran.report is not None
    assert not (ran.report / "report.html").exists()


@pytest.mark.parametrize(
    ("place", "what", "workers"),
    [
        ("kamiyo_verify.judge.conclusion", "decide", "-n0"),
        ("kamiyo_verify.judge.conclusion", "decide", "-n2"),
        ("kamiyo_verify.reporting.report.html", "fragments", "-n0"),
        ("kamiyo_verify.hooks.session_end.sequence.terminal", "lines", "-n0"),
    ],
)
def test_what_breaks_in_judging_or_writing_is_never_a_good_word(
    toy: Toy, place: str, what: str, workers: str
) -> None:
    checks(toy)
    toy.write(
        "saboteur.py",
        f"""
import pytest

@pytest.hookimpl(trylast=True)
def pytest_configure():
    import kamiyo_verify.judge.conclusion
    import kamiyo_verify.hooks.session_end.sequence
    import kamiyo_verify.reporting.report
    def broken(*args, **kwargs):
        raise ZeroDivisionError("by intent")
    {place}.{what} = broken
""",
    )
    conftest = (toy.folder / "conftest.py").read_text()
    toy.write("conftest.py", conftest.replace('"toy_fixtures"', '"toy_fixtures", "saboteur"'))
    ran = toy.run("-m", "postdeploy", workers)

    assert ran.code == 3
    assert "no verdict: the report could not be made: zerodivisionerror: by intent" in ran.out.lower()
    assert "PROCEED" not in ran.out
    if what != "fragments":
        assert (ran.verdict.recommendation, ran.verdict.exit_code) == ("inconclusive", 3)


def test_a_report_of_others_that_cannot_be_written_is_no_good_word_either(toy: Toy) -> None:
    checks(toy)
    toy.write("wall", "a file where a folder is needed")
    ran = toy.run("-m", "postdeploy", "--junitxml", "wall/junit.xml")

    assert ran.code == 3
    assert (ran.verdict.recommendation, ran.verdict.exit_code) == ("inconclusive", 3)
    assert "Traceback" not in ran.out


def test_an_error_within_pytest_is_inconclusive(toy: Toy) -> None:
    checks(toy)
    toy.write("clumsy.py", "def pytest_runtest_logfinish(): raise ZeroDivisionError('by accident')")
    conftest = (toy.folder / "conftest.py").read_text()
    toy.write("conftest.py", conftest.replace('"toy_fixtures"', '"toy_fixtures", "clumsy"'))
    ran = toy.run("-m", "postdeploy")

    assert ran.code == 3
    assert (ran.verdict.recommendation, ran.verdict.exit_code) == ("inconclusive", 3)


def test_the_evidence_begins_with_what_was_asked(toy: Toy) -> None:
    checks(toy)
    header = toy.run("-m", "postdeploy", "--baseline", "--deadline", "100").evidence[0]

    assert header["baseline"] is True
    assert header["deadline_s"] == 100
    assert header["schema"] == "kamiyo-verify/1"
    assert datetime.fromisoformat(header["started_at"]).tzinfo == UTC


def test_two_runs_in_one_second_have_two_folders(tmp_path: Path) -> None:
    folders = {make_report_dir(tmp_path, "toy", explicit=None, commit="abcdef1") for _ in range(5)}

    assert len(folders) == 5


def test_latest_is_replaced_at_once(tmp_path: Path) -> None:
    for _ in range(2):
        folder = make_report_dir(tmp_path, "toy", explicit=None, commit="abcdef1")
        point_latest_at(folder)
        assert (tmp_path / "reports/latest").resolve() == folder
    assert {path.name for path in (tmp_path / "reports").iterdir()} == {"toy", "latest"}


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    write_atomically(path, "{}")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")

    assert json.loads(path.read_text()) == {}
    assert [found.name for found in tmp_path.iterdir()] == ["verdict.json"]

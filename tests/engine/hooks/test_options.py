"""The command line: what is refused, what starts nothing, and where the plugin stays away."""

from __future__ import annotations

import pytest

from tests.support.toy_project import MOSTLY_ALONE, Toy

pytest_plugins = ["pytester"]

PASSING = """
@pytest.mark.item("postdeploy.health")
def test_health(): ...
"""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--commit", "main"), "'main' is no commit"),
        (("--deadline", "0"), "'0' is no number of seconds"),
        (("--deadline", "nan"), "'nan' is no number of seconds"),
        (("--attest", "postdeploy.health"), 'is not of the form ITEM="WHO: WHAT"'),
        (
            ("--attest", "postdeploy.helth=Ada: did"),
            'no item "postdeploy.helth"; did you mean "postdeploy.health"?',
        ),
        (("--attest", "postdeploy.health=Ada: did"), "postdeploy.health is checked by this suite"),
        (("--fault", "api-down"), "toy has no [launch]"),
        (("--stays", "api", "--stays", "frontend"), "nothing was rolled back then"),
        (("--env", "tyo"), 'no environment "tyo"; did you mean "toy"?'),
        (("--api-url", "ftp://x"), "must be an http(s) URL"),
        (("--url", "api=ftp://x"), "services.api.url: must be an http(s) URL"),
        (("--url", "https://x.example"), "is not of the form NAME=URL"),
        (("--url", "apy=https://x.example"), 'no service has this name; did you mean "api"?'),
        (("--stays", "worker"), "--stays worker: toy has no such service; it has api, frontend"),
    ],
)
def test_a_wrong_option_is_one_clear_error(toy: Toy, arguments: tuple[str, ...], says: str) -> None:
    toy.check("postdeploy/test_a.py", PASSING)
    ran = toy.run(*arguments)

    assert ran.code == 4
    assert says in ran.out
    assert "Traceback" not in ran.out
    assert ran.report is None


@pytest.mark.parametrize("arguments", [("--help",), ("--markers",), ("--fixtures",), ("--version",)])
def test_questions_to_pytest_need_no_environment(toy: Toy, arguments: tuple[str, ...]) -> None:
    ran = toy.run("--env", "nowhere", *arguments)

    assert ran.code == 0, ran.out
    assert not (toy.folder / "reports").exists()


def test_the_help_teaches_the_options(toy: Toy) -> None:
    out = " ".join(toy.run("--help").out.split())

    for words in ("--env=NAME", "environments/NAME.toml (default: sandbox)", "--plan", "verification_paths"):
        assert words in out


@MOSTLY_ALONE
def test_other_tests_of_the_project_are_left_alone(toy: Toy, workers: tuple[str, ...]) -> None:
    toy.write("tests/test_other.py", "def test_one(): ...\ndef test_two(): assert 1 == 2")
    ran = toy.run("--env", "nowhere", *workers, "tests")

    assert ran.code == 1
    assert "assert 1 == 2" in ran.out
    assert not (toy.folder / "reports").exists()


def test_the_folders_of_checks_can_be_named(toy: Toy) -> None:
    toy.write("pyproject.toml", (toy.folder / "pyproject.toml").read_text().replace('"checks"', '"probes"'))
    pyproject = toy.folder / "pyproject.toml"
    toy.write("pyproject.toml", pyproject.read_text() + 'verification_paths = ["probes"]\n')
    toy.check("postdeploy/test_a.py", PASSING)
    (toy.folder / "checks").rename(toy.folder / "probes")

    assert toy.run("-m", "postdeploy").statuses["postdeploy.health"] == "passed"


def test_a_run_of_everything_is_a_verification_and_other_tests_count_for_pytest_alone(toy: Toy) -> None:
    toy.items({"postdeploy.health": "core"})
    toy.check("postdeploy/test_a.py", PASSING)
    toy.write("tests/test_other.py", "def test_two(): assert 1 == 2")
    ran = toy.run(".")

    assert ran.statuses == {"postdeploy.health": "passed"}
    assert ran.verdict.recommendation == "proceed"
    assert (ran.code, ran.verdict.exit_code) == (1, 1)


def test_only_collecting_starts_and_writes_nothing_and_is_no_success(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", PASSING)
    ran = toy.run("--collect-only", "-n", "2")

    assert ran.code == 30, ran.out
    assert "INCONCLUSIVE nothing was verified: --collect-only runs no check" in ran.out
    assert "test_health" in ran.out
    assert not (toy.folder / "reports").exists()


def test_a_report_folder_that_cannot_be_written_is_found_out_first(toy: Toy) -> None:
    toy.check("postdeploy/test_a.py", PASSING)
    toy.write("taken", "a file")
    ran = toy.run("-m", "postdeploy", "--report-dir", "taken/report")

    assert ran.code == 4
    assert "choose another folder with --report-dir" in ran.out

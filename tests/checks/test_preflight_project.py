"""The project's checkout as the checks see it: its commands, audits, installers, backups."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from kamiyo_verify.config.project import Project
from kamiyo_verify.fixtures.project import ProjectClient
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.model.outcomes import NoAnswer, Unverified, WrongAnswer
from kamiyo_verify.model.settings import Timeouts

PYTHON = "{python}"


def client(folder: Path, *, remaining_s: float = 60, **table: object) -> ProjectClient:
    return ProjectClient(
        Project.model_validate({"path": str(folder), "install_command": (), **table}),
        folder,
        ClientContext.unrecorded(Timeouts(), lambda: remaining_s),
        hidden={"SECRET_OF_OURS"},
    )


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def says(text: str, code: int = 0) -> tuple[str, ...]:
    return (PYTHON, "-c", f"print({text!r}); raise SystemExit({code})")


def test_a_checkout_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match=r"\[project\] path"):
        client(tmp_path, path=str(tmp_path / "absent"))


def test_a_relative_path_begins_at_the_folder_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "kamiyo").mkdir()
    assert client(tmp_path, path="kamiyo").folder == tmp_path / "kamiyo"


def test_the_test_command_is_run_in_the_checkout(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    command = (PYTHON, "-c", "import os; print(os.listdir()); raise SystemExit(5)")
    ran = client(tmp_path, test_command=command).run_tests()
    assert (ran.code, ran.last_line) == (5, "['here']")


def test_a_command_never_takes_longer_than_its_item(tmp_path: Path) -> None:
    slow = (PYTHON, "-c", "import time; time.sleep(600)")
    with pytest.raises(NoAnswer, match="not done after 1 s"):
        client(tmp_path, test_command=slow, remaining_s=3).run_tests()


def test_a_command_does_not_meet_what_belongs_to_this_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_ADDOPTS", "--help")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    names = (PYTHON, "-c", "import os; print([n for n in os.environ if n[:6] in ('PYTEST', 'GIT_DI')])")
    assert client(tmp_path, test_command=names).run_tests().last_line == "[]"


def test_the_validation_alone_sees_our_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "set")
    tell = (PYTHON, "-c", "import os; print('SECRET_OF_OURS' in os.environ)")
    project = client(tmp_path, test_command=tell, validate_command=tell)
    assert project.run_tests().last_line == "False"
    assert project.validate().last_line == "True"


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_validation_has_three_codes(tmp_path: Path, code: int) -> None:
    assert client(tmp_path, validate_command=says("x", code)).validate().code == code


@pytest.mark.parametrize("code", [3, 126, 127])
def test_any_other_code_of_the_validation_says_nothing(tmp_path: Path, code: int) -> None:
    with pytest.raises(NoAnswer, match=f"ended with {code}: jq: not found"):
        client(tmp_path, validate_command=says("jq: not found", code)).validate()


def test_a_project_without_a_validation_leaves_it_unverified(tmp_path: Path) -> None:
    with pytest.raises(Unverified, match="validate_env"):
        client(tmp_path).validate()
    with pytest.raises(Unverified, match="validate_command"):
        client(tmp_path, validate_command=()).validate()


def test_the_projects_own_audit_decides_where_there_is_one(tmp_path: Path) -> None:
    script(tmp_path / "scripts/security_audit.sh", "echo CRITICAL: left-pad; exit 3")
    [finding] = client(tmp_path).audit().findings
    assert finding == "./scripts/security_audit.sh ended with 3: CRITICAL: left-pad"


def test_an_audit_that_cannot_run_finds_nothing_and_clears_nothing(tmp_path: Path) -> None:
    script(tmp_path / "scripts/security_audit.sh", "exec /absent/tool")
    with pytest.raises(NoAnswer):
        client(tmp_path).audit()


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder at the head of PATH: what is put there stands for the real tools."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/bin{os.pathsep}/usr/bin")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    (tmp_path / "website").mkdir()
    (tmp_path / "website/package-lock.json").write_text("{}")
    (tmp_path / "requirements.txt").write_text("a==1\n")
    return folder


def pip_audit(folder: Path, report: object) -> None:
    (folder / "report.json").write_text(json.dumps(report))
    script(
        folder / "pip-audit",
        'for word in "$@"; do case "$word" in --output=*) '
        f'cp {folder}/report.json "${{word#--output=}}";; esac; done',
    )


def npm_audit(folder: Path, report: object, code: int = 0) -> None:
    (folder / "npm.json").write_text(json.dumps(report))
    script(folder / "npm", f"echo npm warn something; cat {folder}/npm.json; exit {code}")


CLEAN_PIP = {"dependencies": [{"name": "a", "version": "1", "vulns": []}]}
CLEAN_NPM = {"vulnerabilities": {"b": {"severity": "high"}}, "metadata": {"vulnerabilities": {"critical": 0}}}


def test_without_an_audit_of_its_own_both_tools_look(tmp_path: Path, tools: Path) -> None:
    pip_audit(tools, CLEAN_PIP)
    npm_audit(tools, CLEAN_NPM, code=1)
    assert client(tmp_path).audit().findings == ()


def test_what_either_tool_finds_counts(tmp_path: Path, tools: Path) -> None:
    pip_audit(tools, {"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1"}]}]})
    npm_audit(tools, {"vulnerabilities": {"b": {"severity": "critical"}}, "metadata": {}})
    findings = client(tmp_path).audit().findings
    assert findings == ("a 1 has PYSEC-1", "b has a critical weakness")


@pytest.mark.parametrize(
    "report",
    [{"message": "request failed"}, [], {"vulnerabilities": []}, "<html>"],
    ids=["message", "list", "odd", "html"],
)
def test_a_tool_that_reaches_nothing_leaves_the_audit_unverified(
    tmp_path: Path, tools: Path, report: object
) -> None:
    pip_audit(tools, CLEAN_PIP)
    npm_audit(tools, report)
    with pytest.raises(Unverified, match="npm audit gave no report"):
        client(tmp_path).audit()


def test_a_package_that_could_not_be_judged_is_not_cleared(tmp_path: Path, tools: Path) -> None:
    pip_audit(tools, {"dependencies": [{"name": "private", "skip_reason": "not on PyPI"}]})
    npm_audit(tools, CLEAN_NPM)
    with pytest.raises(Unverified, match="could not judge private"):
        client(tmp_path).audit()


def test_without_any_tool_the_audit_is_unverified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(Unverified, match="pip-audit is not installed, and npm audit needs package-lock"):
        client(tmp_path).audit()


@pytest.mark.parametrize(
    ("said", "code", "possible"),
    [
        ("Would install a-1", 0, True),
        ("ERROR: ResolutionImpossible: for help visit …", 1, False),
        (
            "Cannot install a==1 and b==2 because these package versions have conflicting dependencies.",
            1,
            False,
        ),
        ("ERROR: No matching distribution found for a==1", 1, None),
        ("ERROR: Could not reach the index", 1, None),
    ],
)
def test_only_a_contradiction_makes_requirements_impossible(
    tmp_path: Path,
    said: str,
    code: int,
    possible: bool | None,  # noqa: FBT001 - parametrized
) -> None:
    assert client(tmp_path, install_command=says(said, code)).install().possible is possible


def test_installers_that_are_not_there_are_not_tried(tmp_path: Path) -> None:
    project = client(tmp_path, install_command=("no-such-installer",), node_install_command=())
    assert project.install().possible is None
    assert project.node_install().possible is None


@pytest.mark.parametrize(
    ("said", "code", "possible"),
    [
        ("added 3 packages", 0, True),
        ("npm error `npm ci` can only install packages when your package.json and … are in sync.", 1, False),
        ("npm error code ENOTCACHED", 1, None),
    ],
)
def test_only_npms_own_word_makes_a_lock_unusable(
    tmp_path: Path,
    said: str,
    code: int,
    possible: bool | None,  # noqa: FBT001 - parametrized
) -> None:
    (tmp_path / "website").mkdir()
    (tmp_path / "website/package-lock.json").write_text("{}")
    assert client(tmp_path, node_install_command=says(said, code)).node_install().possible is possible


def test_addresses_of_both_languages_are_held_against_the_registries(tmp_path: Path) -> None:
    (tmp_path / "website").mkdir()
    entry = {"resolved": "git+ssh://git@github.com/left/pad.git"}
    lock = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/left-pad": entry}}
    (tmp_path / "website/package-lock.json").write_text(json.dumps(lock))
    (tmp_path / "requirements.txt").write_text("--index-url https://pypi.org/simple\na==1\n")
    (tmp_path / "requirements.txt.lock").write_text("a @ https://user:word@evil.example/a.whl\n")
    assert client(tmp_path).strange_addresses() == ("git+ssh://github.com", "https://evil.example")


def test_the_newest_backup_is_the_newest_file_that_holds_something(tmp_path: Path) -> None:
    project = client(tmp_path)
    assert project.newest_backup() is None
    for name, age, text in (("old.sql", 9_000, "x"), ("daily/new.sql", 5_000, "x"), ("empty.sql", 1, "")):
        path = tmp_path / "backups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (age and 1_700_000_000 - age, 1_700_000_000 - age))
    found = project.newest_backup()
    assert found is not None
    assert found.timestamp() == 1_700_000_000 - 5_000


def test_a_blueprint_and_migrations_that_are_not_there_are_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer):
        client(tmp_path).blueprint()
    with pytest.raises(NoAnswer):
        client(tmp_path).migrations()
    with pytest.raises((NoAnswer, WrongAnswer)):
        client(tmp_path).node_drift()


def test_python_stands_for_our_own_interpreter(tmp_path: Path) -> None:
    command = (PYTHON, "-c", "import sys; print(sys.executable)")
    assert client(tmp_path, test_command=command).run_tests().last_line == sys.executable

"""The project's checkout: its commands, its git, its dependencies."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from plugins.clients.commands import Commands
from plugins.clients.dependencies import (
    node_addresses,
    node_drift,
    node_lock,
    requirements_in,
    strange_addresses,
)
from plugins.clients.git import Git
from plugins.model.outcomes import NoAnswer, WrongAnswer
from plugins.model.result import Exchange

NPM = "https://registry.npmjs.org"


def commands(folder: Path, told: list[Exchange] | None = None) -> Commands:
    return Commands(folder, hidden={"SECRET_OF_OURS"}, record=(told if told is not None else []).append)


def test_a_command_tells_its_code_and_the_end_of_its_output(tmp_path: Path) -> None:
    told: list[Exchange] = []
    ran = commands(tmp_path, told).run(
        (sys.executable, "-c", "print('x' * 99999); print('done'); raise SystemExit(3)"), within_s=30
    )
    assert (ran.code, ran.last_line) == (3, "done")
    assert len(ran.tail) <= 8 * 1024
    assert told[0].problem == "exit 3"


def test_a_command_does_not_see_our_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_OURS", "canary")
    ran = commands(tmp_path).run(
        (sys.executable, "-c", "import os; print(os.environ.get('SECRET_OF_OURS'))"), within_s=30
    )
    assert ran.last_line == "None"


def test_a_command_that_takes_too_long_leaves_no_child_behind(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    script = f"sleep 600 & echo $! > {pid_file}; wait"
    with pytest.raises(NoAnswer, match="not done after 1 s"):
        commands(tmp_path).run(("sh", "-c", script), within_s=1)
    child = int(pid_file.read_text())
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE


def test_a_command_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="cannot be run"):
        commands(tmp_path).run(("./scripts/absent.sh",), within_s=5)


def run_git(folder: Path, *words: str) -> None:
    author = {
        f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    subprocess.run(("git", *words), cwd=folder, check=True, capture_output=True, env=os.environ | author)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    origin.mkdir()
    run_git(origin, "init", "-q", "-b", "main")
    run_git(origin, "commit", "-q", "--allow-empty", "-m", "first")
    run_git(tmp_path, "clone", "-q", str(origin), str(clone))
    return clone


def test_a_fresh_clone_is_up_to_date_and_clean(checkout: Path) -> None:
    standing = Git(commands(checkout)).standing("main")
    assert standing.head == standing.remote
    assert standing.contains_remote
    assert standing.changes == ()


def test_a_checkout_that_is_behind_or_dirty_is_seen(checkout: Path) -> None:
    run_git(checkout.parent / "origin", "commit", "-q", "--allow-empty", "-m", "second")
    (checkout / "new file").write_text("x")
    standing = Git(commands(checkout)).standing("main")
    assert not standing.contains_remote
    assert standing.changes == ("new file",)


def test_a_checkout_that_is_ahead_has_all_of_the_remote(checkout: Path) -> None:
    run_git(checkout, "commit", "-q", "--allow-empty", "-m", "mine")
    standing = Git(commands(checkout)).standing("main")
    assert standing.contains_remote
    assert standing.head != standing.remote


@pytest.mark.parametrize("branch", ["absent", "main/../x"])
def test_a_branch_that_is_not_there_is_no_answer(checkout: Path, branch: str) -> None:
    with pytest.raises(NoAnswer):
        Git(commands(checkout)).standing(branch)


def test_a_folder_without_git_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer):
        Git(commands(tmp_path)).standing("main")


def test_requirements_are_pinned_or_loose(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text(
        "--extra-index-url https://user:secret@evil.example/simple\n-r more.txt\nFast_API==0.1 # web\n"
        "starlette>=1\n"
        "uvicorn[standard]==0.3 \\\n  --hash=sha256:00\n"
    )
    (tmp_path / "more.txt").write_text("-r requirements.txt\nidna==3.*\nx @ https://evil.example/x.whl\n")
    found = requirements_in(tmp_path / "requirements.txt")
    assert found.pinned == {"fast-api": "0.1", "uvicorn": "0.3"}
    assert found.loose == ("idna==3.*", "x @ https://evil.example/x.whl", "starlette>=1")
    assert strange_addresses(found.addresses, ["https://pypi.org"]) == ("https://evil.example",)


def test_a_lock_out_of_step_is_told_by_name(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1\nb==2\nc==3\n")
    (tmp_path / "requirements.txt.lock").write_text("a==1\nb==2.1\n")
    drift = requirements_in(tmp_path / "requirements.txt").out_of_step(
        requirements_in(tmp_path / "requirements.txt.lock")
    )
    assert drift == ("b 2 (locked: 2.1)", "c 3 (locked: not at all)")


def test_a_line_that_is_no_requirement_is_a_wrong_answer(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("<html>\n")
    with pytest.raises(WrongAnswer, match="no requirement"):
        requirements_in(tmp_path / "requirements.txt")


def node_project(folder: Path, locked: str, resolved: str = f"{NPM}/left-pad/-/left-pad-1.3.0.tgz") -> Path:
    (folder / "package.json").write_text(json.dumps({"dependencies": {"left-pad": "^1.3.0"}}))
    packages = {"": {"dependencies": {"left-pad": locked}}, "node_modules/left-pad": {"resolved": resolved}}
    (folder / "package-lock.json").write_text(json.dumps({"lockfileVersion": 3, "packages": packages}))
    return folder


def test_a_node_lock_in_step_has_no_drift(tmp_path: Path) -> None:
    assert node_drift(node_project(tmp_path, "^1.3.0")) == ()


def test_a_node_lock_out_of_step_is_told_by_name(tmp_path: Path) -> None:
    assert node_drift(node_project(tmp_path, "^1.1.0")) == ("left-pad: wanted ^1.3.0, locked for ^1.1.0",)


def test_a_node_lock_that_points_elsewhere_is_seen(tmp_path: Path) -> None:
    node_project(tmp_path, "^1.3.0", "http://token@evil.example/left-pad.tgz")
    assert strange_addresses(node_addresses(tmp_path), [NPM]) == ("http://evil.example",)


@pytest.mark.parametrize(
    "key", ["left-pad@^1.3.0", '"left-pad@npm:^1.3.0"', "left-pad@^1.1.0, left-pad@^1.3.0"]
)
def test_a_yarn_lock_is_read_too(tmp_path: Path, key: str) -> None:
    node_project(tmp_path, "").joinpath("package-lock.json").unlink()
    (tmp_path / "yarn.lock").write_text(
        f'# yarn lockfile v1\n\n{key}:\n  version "1.3.0"\n  resolved "{NPM}/x.tgz#00"\n'
    )
    assert node_drift(tmp_path) == ()
    assert node_addresses(tmp_path) == (f"{NPM}/x.tgz#00",)


def test_two_lock_files_contradict_each_other(tmp_path: Path) -> None:
    (node_project(tmp_path, "") / "yarn.lock").touch()
    with pytest.raises(WrongAnswer, match="exactly one"):
        node_lock(tmp_path)


@pytest.mark.parametrize("content", ["[]", "{", "", "[" * 100_000])
def test_a_lock_that_is_not_json_is_a_wrong_answer(tmp_path: Path, content: str) -> None:
    (node_project(tmp_path, "") / "package-lock.json").write_text(content)
    with pytest.raises(WrongAnswer):
        node_drift(tmp_path)

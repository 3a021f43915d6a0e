"""What the rollback command refuses before it asks or starts anything: one line with the way out."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from kamiyo_verify.cli import rollback
from kamiyo_verify.cli.rollback import main
from kamiyo_verify.rollback.carrying_out import REFUSED

BARE = """
production = false
mutations = "allowed"
allow_rollback = true
[services.api]
url = "http://127.0.0.1:9"
hosting_id = "srv-api"
[services.frontend]
url = "http://127.0.0.1:9"
hosting_id = "srv-frontend"
[services.aggregator]
[services.social-watcher]
"""
RENDER = """
[render]
owner = "tea-toy"
key = "TOY_RENDER_KEY"
"""
LAUNCHED = """
[launch]
command = ["{python}", "-c", "open('started', 'w')"]
"""


class Project:
    """A folder with one environment."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture

    def environment(self, text: str) -> None:
        (self.folder / "environments").mkdir(exist_ok=True)
        (self.folder / "environments/toy.toml").write_text(text, encoding="utf-8")

    def refused(self, *arguments: str) -> str:
        """The one line of the refusal; its exit code is 2 and nothing was started."""
        code = main(["--env", "toy", *arguments])
        out, err = self._capture.readouterr()
        assert (code, out) == (2, ""), out + err
        [line] = err.splitlines()
        assert line.startswith("NOT DONE     ")
        assert not (self.folder / "started").exists()
        return line


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOY_RENDER_KEY", raising=False)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    runbook = Path(__file__).parents[3] / "runbook.toml"
    (tmp_path / "runbook.toml").write_bytes(runbook.read_bytes())
    return Project(tmp_path, capsys)


@pytest.mark.parametrize("more", [("--dry-run",), ("--yes",), ("--from", "nofolder")])
def test_an_environment_without_a_host(project: Project, more: tuple[str, ...]) -> None:
    project.environment(BARE)
    line = project.refused(*more)

    assert "environments/toy.toml: has no [render], [kubernetes] or [command]" in line
    assert "docs/rollback.md" in line


@pytest.mark.parametrize("more", [("--dry-run",), ("--yes",), ("--to", "api=dep-1")])
def test_a_host_whose_credential_is_not_set(project: Project, more: tuple[str, ...]) -> None:
    project.environment(BARE + RENDER)
    line = project.refused(*more)

    assert "TOY_RENDER_KEY is not set" in line
    assert "set it" in line


@pytest.mark.parametrize(
    "more", [("--from", "nofolder"), ("--to", "api=dep-1"), ("--from", ".", "--dry-run")]
)
def test_a_platform_that_runs_only_with_a_run(project: Project, more: tuple[str, ...]) -> None:
    project.environment(BARE + RENDER + LAUNCHED)
    line = project.refused(*more)

    assert "each run starts toy" in line
    assert "--launched" in line


@pytest.mark.parametrize(("name", "near"), [("nope", ""), ("apy", 'did you mean "api"')])
def test_an_unknown_service_starts_nothing(project: Project, name: str, near: str) -> None:
    project.environment(BARE + RENDER + LAUNCHED)
    line = project.refused("--service", name, "--yes")

    assert f"there is no service {name}" in line
    assert near in line
    assert "api" in line.replace(name, "")


@pytest.mark.parametrize(
    ("names", "wanted"), [(("prod",), "prod"), (("prod", "sandbox"), "sandbox"), (("prod", "staging"), "")]
)
def test_without_an_environment(
    names: tuple[str, ...],
    wanted: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "environments").mkdir()
    for name in names:
        (tmp_path / "environments" / f"{name}.toml").touch()
    chosen: list[Any] = []

    def refuse(name: str, *_: object) -> None:
        chosen.append(name)
        raise argparse.ArgumentTypeError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rollback, "_environment", refuse)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    if wanted:
        with pytest.raises(argparse.ArgumentTypeError):
            rollback.main([])
        assert chosen == [wanted]
    else:
        assert rollback.main([]) == REFUSED
        assert "--env is missing: it names one of prod, staging" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "found"), [("api=dep-1", ("api", "dep-1")), ("web=d2", ("web", "d2")), ("jobs=7", ("jobs", "7"))]
)
def test_a_deploy_is_named_as_its_host_names_it(text: str, found: tuple[str, str]) -> None:
    assert rollback.deploy_of(text) == found


@pytest.mark.parametrize("text", ["", "api", "api=", "=dep-1"])
def test_what_names_no_deploy_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is not of the form SERVICE=DEPLOY"):
        rollback.deploy_of(text)

"""What `kamiyo-verify init` refuses before it looks anywhere, and how it knows its own workflow."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from kamiyo_verify.cli.init.command import main
from tests.engine.cli.test_init_looks import serving

NOWHERE = "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--url", NOWHERE, "--worker", "web"], "2 services are called web"),
        (["--url", f"web={NOWHERE}", "--url", f"web={NOWHERE}"], "2 services are called web"),
        (["--url", f"api={NOWHERE}", "--worker", "job", "--worker", "job"], "2 services are called job"),
        (["--url", NOWHERE, "--user", "ann"], "--user is of --sign-in"),
        (["--url", NOWHERE, "--user-field", "email"], "--user-field is of --sign-in"),
        (["--url", NOWHERE, "--password", "WEB_PASSWORD"], "--password is of --sign-in"),
        (["--url", NOWHERE, "--sign-in-path", "/in"], "--sign-in-path is of --sign-in"),
        (["--url", NOWHERE, "--sign-in-at", "web"], "--sign-in-at is of --sign-in"),
        (
            ["--url", NOWHERE, "--sign-in", "basic", "--user", "ann", "--user-field", "email"],
            "--user-field is of --sign-in form or json",
        ),
        (["--url", NOWHERE, "--namespace", "prod"], "--namespace is of --host kubernetes"),
        (["--url", NOWHERE, "--host", "command", "--context", "main"], "--context is of --host kubernetes"),
    ],
)
def test_what_contradicts_itself_is_refused_in_one_line(
    arguments: list[str], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--folder", str(tmp_path), "--no-plan"]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (
            "https://a.example/app/",
            "no path: a service is its origin, so give https://a.example, and /app to",
        ),
        ("api=https://a.example:8443/v1", "so give https://a.example:8443, and /v1 to"),
        ("https://a.example?token=hunter2", "no query: a service is its origin, https://a.example"),
        ("https://a.example/app?token=hunter2", "no query"),
        ("https://a.example?", "no query"),
        ("https://a.example/#hunter2", "no fragment"),
        ("https://ann:hunter2@a.example", "no user or password"),
        ("https://ann:hunter2@a.example/app?x=1", "no user or password"),
        ("https://hunter2@a.example", "no user or password"),
        ("https://a.example:port", "is not valid"),
        ("https://[::1", "is not valid"),
        ("a.example", "is not NAME=URL"),
        ("ftp://a.example", "is not NAME=URL"),
    ],
)
def test_a_url_that_is_no_origin_is_refused_with_the_reason(
    url: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["--url", url, "--folder", str(tmp_path), "--no-plan"])
    error = capsys.readouterr().err
    assert reason in error
    assert "hunter2" not in error
    assert [*tmp_path.iterdir()] == []


def test_services_of_different_names_are_written(tmp_path: Path) -> None:
    with serving({}) as platform:
        named = ["--url", f"{platform.origin}/", "--url", f"api={platform.origin}", "--worker", "job"]
        assert main([*named, "--folder", str(tmp_path), "--no-plan"]) == 0
    written = tomllib.loads((tmp_path / "environments" / "prod.toml").read_text())
    assert set(written["services"]) == {"web", "api", "job"}


def test_a_second_init_knows_the_workflow_of_the_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".git").mkdir()
    with serving({}) as platform:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            assert main(["--url", platform.origin, "--folder", str(tmp_path / name), "--no-plan"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "verify.yml is of an earlier init and was left as it is" in said
    assert "working-directory two" in said
    assert "speaks of deployments" not in said
    assert "docs/ci.md has the steps" not in said

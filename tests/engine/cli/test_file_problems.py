"""A file that is not there is told in words, with what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamiyo_verify.cli import combine, replay
from kamiyo_verify.cli.file_problems import problem_of


def test_an_error_of_a_file_is_its_path_the_reason_and_what_was_expected() -> None:
    error = FileNotFoundError(2, "No such file or directory", "nowhere/evidence.jsonl")
    assert problem_of(error) == "nowhere/evidence.jsonl: no such file or directory"
    assert problem_of(error, "a run is a folder").endswith("no such file or directory; a run is a folder")


def test_a_temporary_name_is_told_as_the_name_that_was_asked_for() -> None:
    assert problem_of(OSError(28, "No space left on device", "/exports/.ledger.partial-17")) == (
        "/exports/ledger: no space left on device"
    )


def test_another_error_keeps_its_own_words() -> None:
    assert problem_of(ValueError("the quorum is none")) == "the quorum is none"


@pytest.mark.parametrize("command", [combine.main, replay.main], ids=["combine", "replay"])
def test_a_run_that_is_not_there_is_told_without_a_number(
    command: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert callable(command)
    assert command(["nowhere"]) != 0
    said = capsys.readouterr().err
    assert "no such file or directory; a run is the folder of its report" in said
    assert "Errno" not in said

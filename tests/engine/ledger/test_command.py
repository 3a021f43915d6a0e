"""The ledger on the command line: what it tells, what people tell it, and how mistakes are answered."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kamiyo_verify.cli.ledger.command import main
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.words import Status
from tests.support.evidence_for import SIGN_IN, result
from tests.support.recorded_runs import EPOCH, recorded, written

ROOT = Path(__file__).parents[3]
LATELY = (datetime.now(UTC) - EPOCH).total_seconds() / 60 - 60


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a ledger with two runs of this hour, one of them bad."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    for name in ("KAMIYO_LEDGER_URL", "STAGING_LEDGER_URL"):
        monkeypatch.setenv(name, url)
    monkeypatch.chdir(ROOT)
    with Store.opened(url) as store:
        store.add(recorded(tmp_path, run="20261123-good", minute=LATELY, commit="aaaaaaa"))
        bad = result(SIGN_IN, Status.FAILED)
        store.add(recorded(tmp_path, bad, run="20261123-bad", minute=LATELY + 1, commit="bbbbbbb"))
    return url


@pytest.mark.usefixtures("ledger")
def test_the_runs_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    lines = [line.split()[:5] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["20261123-good", "staging", "aaaaaaa", "finished", "proceed"],
        ["20261123-bad", "staging", "bbbbbbb", "finished", "roll_back"],
    ]


@pytest.mark.usefixtures("ledger")
def test_what_people_did_shows_in_the_history(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--env", "staging", "history"]) == 0
    before = capsys.readouterr().out
    assert (
        main(["decide", "20261123-b", "rolled_back", "--by", "Ada", "--note", "sign-in\x1b[31m failed"]) == 0
    )
    assert "rolled back by Ada: sign-in" in capsys.readouterr().out
    assert main(["--env", "staging", "history"]) == 0
    after = capsys.readouterr().out

    assert "2 deployments, 0 rolled back" in before
    assert "0 decisions" in before
    assert "1 failed of 2 deployments" in before
    assert "change failure rate: 50 % (1 of 2)" in before
    assert "2 deployments, 1 rolled back" in after
    assert "1 decision\n" in after
    assert "rolled back by Ada: sign-in" in after
    assert "\x1b" not in after


def test_a_run_is_named_by_its_folder_too(
    ledger: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "report", run="20261123-good")
    assert main(["decide", str(tmp_path / "report"), "kept", "--by", "Ada"]) == 0
    with Store.opened(ledger) as store:
        assert [(one.run, one.deed) for one in store.decisions("staging")] == [("20261123-good", "kept")]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["decide", "nobody", "kept", "--by", "Ada"], "the ledger has no run nobody"),
        (["decide", "20261123", "kept", "--by", "Ada"], "can be any of 20261123-good, 20261123-bad"),
        (["--env", "none", "history"], "there are: prod, sandbox, staging"),
    ],
)
@pytest.mark.usefixtures("ledger")
def test_mistakes_are_told(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


def test_a_deed_that_does_not_exist_is_refused_with_those_that_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["decide", "20261123", "rolledback", "--by", "Ada"])
    assert "choose from 'rolled_back', 'kept', 'fixed'" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["decide", "--help"]])
def test_help_is_there(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 0
    assert "what people did" in capsys.readouterr().out

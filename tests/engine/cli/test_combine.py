"""`kamiyo-verify combine`: what it reads, refuses, writes and prints."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kamiyo_verify.cli.combine import main
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action
from kamiyo_verify.reporting.json import verdict_json
from tests.support.evidence_for import FAILED, SIGN_IN, evidence, result
from tests.support.recorded_runs import written

BROKEN = result(SIGN_IN, FAILED, "sign-in answers 500 | \x1b[31m")


def place(folder: Path, name: str, *results: Result, minutes: float = 1) -> str:
    ended = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
    verdict = decide(evidence(*results, place=name, commit="9c41d07", finished_at=ended))
    (folder / name).mkdir()
    (folder / name / "verdict.json").write_text(verdict_json(verdict), encoding="utf-8")
    return str(folder / name)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_exit_code_is_the_combined_calls(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = [place(tmp_path, name, BROKEN) for name in ("fra", "iad")]
    well = [place(tmp_path, name) for name in ("nrt", "gru", "syd")]

    assert main([*broken, well[0]]) == 20
    assert main([broken[0], *well]) == 10
    assert main(well) == 0
    assert main([broken[0], well[0]]) == 30
    assert main([broken[0]]) == 20
    assert "regional: it fails at 1 of 4 places (fra)" in capsys.readouterr().out


def test_it_writes_a_verdict_and_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [place(tmp_path, name, BROKEN) for name in ("fra", "iad")] + [place(tmp_path, "nrt")]
    assert main([*runs, "--output", "out"]) == 20

    verdict = Verdict.from_json(json.loads((tmp_path / "out" / "verdict.json").read_text(encoding="utf-8")))
    assert verdict.recommendation is Action.ROLL_BACK
    assert [one.place for one in verdict.places] == ["fra", "iad", "nrt"]
    table = (tmp_path / "out" / "places.md").read_text(encoding="utf-8")
    assert "| nrt | PROCEED | yes |" in table
    assert "\x1b" not in table + capsys.readouterr().out


def test_it_prints_at_most_twelve_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([place(tmp_path, f"place-{number}", BROKEN) for number in range(20)])

    said = capsys.readouterr().out.splitlines()
    assert len(said) <= 12
    assert any("and 15 more, in the report" in line for line in said)


def test_a_single_file_will_do(tmp_path: Path) -> None:
    runs = [f"{place(tmp_path, name, BROKEN)}/verdict.json" for name in ("fra", "iad")]
    assert main(runs) == 20


def test_the_policy_of_the_runbook_counts(tmp_path: Path) -> None:
    runs = [place(tmp_path, name, BROKEN) for name in ("fra", "iad")] + [place(tmp_path, "nrt")]
    items = (
        '[[sections]]\ntitle = "S"\n[[sections.items]]\nid = "postdeploy.a"\ntitle = "a"\nimpact = "core"\n'
    )
    all_of_them = f'title = "T"\n[policy]\nplaces_quorum = "all"\n{items}'
    Path("runbook.toml").write_text(all_of_them, encoding="utf-8")
    assert main(runs) == 30
    Path("other.toml").write_text(all_of_them.replace('"all"', "1"), encoding="utf-8")
    assert main([*runs, "--policy", "other.toml"]) == 4


def test_what_cannot_be_combined_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh, old = place(tmp_path, "fra"), place(tmp_path, "iad", minutes=90)
    (tmp_path / "torn.json").write_text("{", encoding="utf-8")
    recorded = written(tmp_path / "killed", place="nrt", commit="9c41d07", cut=1)
    for wrong in (old, "nowhere", "torn.json", fresh, str(recorded)):
        assert main([fresh, wrong, "--output", "out"]) == 4
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.splitlines()) == 1, said.err
        assert said.err.startswith("cannot combine: ")
    assert not (tmp_path / "out").exists()


def test_help_teaches_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--place frankfurt" in capsys.readouterr().out

"""A round of runs on disk: round.json beside a folder for each run's report.

round.json is written before the first run and after each, so that it shows which runs of a killed round are
missing. Reading never fails: anything missing or unreadable counts as `inconclusive`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.judge.rules.worst import worst
from kamiyo_verify.model.history.round import Round, Turn
from kamiyo_verify.model.verdict import SCHEMA, Verdict
from kamiyo_verify.model.words import Action

FILE = "round.json"


class TurnRow(BaseModel):
    """One run.

    Attributes:
        exit_code: None until the run ends; it stays None if the run was killed.
        left_out: the reason why the run was skipped on purpose.
    """

    model_config = ConfigDict(extra="forbid")

    phase: str
    folder: str
    exit_code: int | None = None
    left_out: str = ""


class RoundFile(BaseModel):
    """The content of round.json."""

    model_config = ConfigDict(extra="forbid")

    round_schema: str = "kamiyo-verify-round/1"
    environment: str
    commit: str
    turns: list[TurnRow]

    def write(self, folder: Path) -> None:
        """Write the file atomically."""
        write_atomically(folder / FILE, self.model_dump_json(indent=2) + "\n")


def read_round(folder: Path) -> Round:
    """Read the round in a folder; a folder with a single report is a round of one run."""
    if (folder / FILE).exists():
        return _round_in(folder)
    if (folder / "verdict.json").exists():
        turn = _turn(TurnRow(phase="", folder=folder.name), folder, code=None)
        return _of([turn], *_about(turn))
    why = f"{folder.name} holds no verdict: nothing was verified"
    return Round(environment="", commit="", turns=(), recommendation=Action.INCONCLUSIVE, why=why)


def _round_in(folder: Path) -> Round:
    try:
        round_file = RoundFile.model_validate_json((folder / FILE).read_bytes())
    except (OSError, ValidationError) as error:
        why = f"{FILE} of {folder.name} cannot be read: {type(error).__name__}"
        return Round(environment="", commit="", turns=(), recommendation=Action.INCONCLUSIVE, why=why)
    turns = [_of_row(row, folder, round_file) for row in round_file.turns]
    return _of(turns, round_file.environment, round_file.commit)


def _of_row(row: TurnRow, folder: Path, round_file: RoundFile) -> Turn:
    if row.left_out:
        return Turn(phase=row.phase, folder=row.folder, why=row.left_out, left_out=True)
    if row.exit_code is None:
        return Turn(phase=row.phase, folder=row.folder, why="it was cut short, and left no verdict")
    turn = _turn(row, folder / row.folder, code=row.exit_code)
    if turn.verdict and (turn.verdict.environment, turn.verdict.commit) != (
        round_file.environment,
        round_file.commit,
    ):
        return replace(turn, why="its verdict is about another environment or commit")
    return turn


def _turn(row: TurnRow, folder: Path, *, code: int | None) -> Turn:
    turn = Turn(phase=row.phase, folder=row.folder)
    try:
        verdict = Verdict.from_json(json.loads((folder / "verdict.json").read_bytes()))
    except FileNotFoundError:
        ended = "" if code is None else f" (exit code {code})"
        return replace(turn, why=f"it left no verdict{ended}: see its output in the job's log")
    except (OSError, ValueError) as error:
        return replace(turn, why=f"its verdict.json cannot be read: {type(error).__name__}")
    turn = replace(turn, phase=turn.phase or verdict.phase, verdict=verdict)
    if verdict.schema != SCHEMA:
        return replace(turn, why=f"its verdict.json is of schema {verdict.schema}, not {SCHEMA}")
    said = verdict.exit_code if code is None else code
    if not said == verdict.exit_code == verdict.recommendation.exit_code:
        return replace(turn, why=f"it ended with exit code {said}, and its verdict says {verdict.exit_code}")
    return turn


def _about(turn: Turn) -> tuple[str, str]:
    return (turn.verdict.environment, turn.verdict.commit) if turn.verdict else ("", "")


def _of(turns: list[Turn], environment: str, commit: str) -> Round:
    calls = [turn.call for turn in turns if turn.call is not None]
    return Round(environment=environment, commit=commit, turns=tuple(turns), recommendation=worst(calls))

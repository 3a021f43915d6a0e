"""The loop of a watch and its journal: what a kill leaves is enough to go on, with the same result."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from kamiyo_verify.cli.watch.command import main
from kamiyo_verify.cli.watch.watching import STATE, Watching
from kamiyo_verify.evidence.watch_journal import FILE, BadJournal, WatchJournal
from kamiyo_verify.hooks.option_types import duration_of
from kamiyo_verify.judge.watch.schedule import AT_ONCE, most_rounds, next_round_at
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.history.watch import RoundRecord, WatchState
from kamiyo_verify.model.words import Action
from tests.engine.judge.watch.journals import BEGAN, EVERY_S, journal, never, plan, record, share


class Killed(BaseException):
    """Stands for kill -9: nothing handles it."""


class Recorded:
    """Rounds that were recorded before.

    Args:
        records: all of them.
        killed_in: the process dies in this round; its evidence is complete.
    """

    def __init__(self, records: Sequence[RoundRecord], killed_in: int = 0) -> None:
        self._records = records
        self._killed_in = killed_in
        self.ran: list[int] = []
        self.begun_before: set[int] = set()

    def begun(self, number: int) -> bool:
        return number in self.begun_before

    def run(self, number: int) -> RoundRecord:
        self.ran.append(number)
        self.begun_before.add(number)
        if number == self._killed_in:
            self._killed_in = 0
            raise Killed
        return self._records[number - 1]

    def read(self, number: int) -> RoundRecord:
        return self._records[number - 1]


def watched(folder: Path, rounds: Recorded, lines: list[str] | None = None) -> WatchState:
    told = lines if lines is not None else []
    kept = WatchJournal(folder, plan(20), Masker())
    return Watching(folder, kept, 0.95, rounds, told.append, sleep=lambda _: None).watch()


def test_a_healthy_watch_ends_with_proceed_and_says_each_round(tmp_path: Path) -> None:
    lines: list[str] = []
    state = watched(tmp_path, Recorded(journal(never, 20)), lines)
    assert state.final is Action.PROCEED
    assert sum(line.startswith("round ") for line in lines) == 20
    written = json.loads((tmp_path / STATE).read_text(encoding="utf-8"))
    assert (written["over"], written["exit_code"], written["rounds"]) == (True, 0, 20)


def test_a_rollback_ends_the_watch_at_once(tmp_path: Path) -> None:
    rounds = Recorded(journal(share(1.0, 8), 20))
    assert watched(tmp_path, rounds).final is Action.ROLL_BACK
    assert rounds.ran[-1] == 8


@pytest.mark.parametrize("killed_in", [1, 7, 12, 13])
def test_a_killed_watch_goes_on_from_its_evidence_with_the_same_result(
    killed_in: int, tmp_path: Path
) -> None:
    records = journal(share(0.15, 12, seed=4), 20)
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    whole = watched(tmp_path / "whole", Recorded(records))
    rounds = Recorded(records, killed_in)
    with pytest.raises(Killed):
        watched(tmp_path / "killed", rounds)
    assert watched(tmp_path / "killed", rounds) == whole
    assert rounds.ran == sorted(set(rounds.ran)), "a round ran twice"


def test_a_line_that_a_kill_cut_off_is_written_again(tmp_path: Path) -> None:
    first = WatchJournal(tmp_path, plan(), Masker())
    one, two, *_ = journal(never, 2)
    first.append(one)
    with (tmp_path / FILE).open("a", encoding="utf-8") as file:
        file.write('{"kind": "round", "round": {"numb')
    again = WatchJournal(tmp_path, plan(), Masker())
    again.append(two)
    assert WatchJournal(tmp_path, plan(), Masker()).rounds == [one, two]


def test_a_journal_keeps_its_own_beginning(tmp_path: Path) -> None:
    WatchJournal(tmp_path, plan(), Masker())
    later = replace(plan(), started_at="2026-03-02T15:00:00+00:00")
    assert WatchJournal(tmp_path, later, Masker()).plan == plan()


@pytest.mark.parametrize("text", ["{}\n", "no\n", '{"kind": "run"}\n', '{"kind": "watch", "schema": "x"}\n'])
def test_another_file_is_no_journal(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(BadJournal, match="is no journal of a watch"):
        WatchJournal(tmp_path, plan(), Masker())
    assert (tmp_path / FILE).read_text(encoding="utf-8") == text


def state(*, call: Action = Action.PROCEED, open_: str = "") -> WatchState:
    return WatchState(
        call=call,
        final=call,
        why="",
        grounds=(),
        events=(),
        open=open_,
        rounds=1,
        requests=0,
        failed=0,
        covered_s=0.0,
    )


def test_rounds_keep_the_pace_until_the_time_is_over() -> None:
    began = BEGAN.timestamp()
    assert next_round_at(plan(3), [], state()) == began
    assert next_round_at(plan(3), [record(1)], state()) == began + EVERY_S
    assert next_round_at(plan(3), [record(1), record(2), record(3)], state()) is None


def test_an_open_question_is_looked_at_again_at_once_also_at_the_end_but_not_for_ever() -> None:
    began = BEGAN.timestamp()
    asks = state(open_="sign-in fails")
    assert next_round_at(plan(3), [record(1)], asks) == began + 30
    assert next_round_at(plan(3), [record(1), record(2), record(3)], asks) == began + 2 * EVERY_S + 30
    many = [*(record(1) for _ in range(AT_ONCE + 1)), record(3)]
    assert next_round_at(plan(3), many[: AT_ONCE + 1], asks) == began + EVERY_S
    assert most_rounds(180, 60) == 3 + 1 + AT_ONCE


def test_a_rollback_needs_no_further_round() -> None:
    assert next_round_at(plan(3), [record(1)], state(call=Action.ROLL_BACK)) is None


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90.0), ("60s", 60.0), ("30m", 1800.0), ("2h", 7200.0), ("1.5m", 90.0)]
)
def test_times_are_read_in_seconds_minutes_and_hours(text: str, expected: float) -> None:
    assert duration_of(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0m", "25h", "-5", "soon", "5 m", "nan", "1e3"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is no time"):
        duration_of(text)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--for=5s", "--every=10s"), "--every is longer than --for"),
        (("--for=24h", "--every=1s"), "raise --every"),
        (("--for=30m", "--on-roll-back=execute"), "changes what a round is"),
        (("--for=30m", "--baseline"), "changes what a round is"),
    ],
)
def test_a_watch_that_makes_no_sense_is_refused(
    words: tuple[str, ...], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--env=sandbox", *words]) == 4
    assert why in capsys.readouterr().err


def test_what_pytest_refuses_is_refused_and_leaves_no_watch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--env=sandbox", "--for=30m", f"--report-dir={tmp_path}", "--", "--nonsense"]) == 4
    assert "--nonsense" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


def test_a_watch_that_is_shorter_than_the_usual_pace_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--env=sandbox", "--for=5s", f"--report-dir={tmp_path}", "--", "--nonsense"])
    assert "--nonsense" in capsys.readouterr().err, "pytest refuses, and not the watch"


def test_a_folder_with_another_watch_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    WatchJournal(tmp_path, plan(), Masker())
    assert main(["--env=sandbox", "--for=30m", f"--report-dir={tmp_path}"]) == 4
    assert "holds a watch with other options" in capsys.readouterr().err

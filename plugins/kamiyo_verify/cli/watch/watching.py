"""The loop of a watch: run a round, append it to the journal, judge all of them, say where it stands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from kamiyo_verify.evidence.watch_journal import WatchJournal
from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.judge.watch.call import Watch
from kamiyo_verify.judge.watch.schedule import next_round_at
from kamiyo_verify.model.figures import counted, duration
from kamiyo_verify.model.history.watch import RoundRecord, WatchPlan, WatchState, WatchView
from kamiyo_verify.model.words import Action

STATE = "watch.json"


class RunsRounds(Protocol):
    """Runs the rounds of a watch."""

    def begun(self, number: int) -> bool:
        """Whether a round has begun, by this process or by one that was killed."""
        ...

    def run(self, number: int) -> RoundRecord:
        """Run a round to its end."""
        ...

    def read(self, number: int) -> RoundRecord:
        """Return the record of a round that has begun."""
        ...


class Watching:
    """A watch from its beginning, or from where a killed one ended, to its call.

    Args:
        folder: the folder of the watch.
        journal: its rounds so far.
        confidence: the policy's confidence.
        rounds: runs further rounds.
        say: prints a line.
        sleep: waits for so many seconds.
        show: receives what there is to show, at the beginning, after each round and at the end.
    """

    def __init__(
        self,
        folder: Path,
        journal: WatchJournal,
        confidence: float,
        rounds: RunsRounds,
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        show: Callable[[WatchView], None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._journal = journal
        self._rounds = rounds
        self._say = say
        self._sleep = sleep
        self._show = show
        self._watch = Watch(journal.plan, confidence)
        self._describe = 0
        for record in journal.rounds:
            self._watch.take(record)
        self._describe = len(self._watch.state.events)
        self._show(self._view(over=False))

    @property
    def state(self) -> WatchState:
        """The state after the rounds so far."""
        return self._watch.state

    def watch(self) -> WatchState:
        """Run rounds until the watch is over; return its final state.

        Raises:
            RoundRefused: nothing can be run.
            KeyboardInterrupt: the watch was interrupted; the round that ran is in the journal.
        """
        while self._rounds.begun(number := len(self._journal.rounds) + 1):
            self._say(f"round {number} was begun before; its evidence is read")
            self._take(self._rounds.read(number))
        while (due := next_round_at(self._journal.plan, self._journal.rounds, self.state)) is not None:
            self._sleep(max(0.0, due - datetime.now(UTC).timestamp()))
            number = len(self._journal.rounds) + 1
            try:
                record = self._rounds.run(number)
            except KeyboardInterrupt:
                if self._rounds.begun(number):
                    self._take(self._rounds.read(number))
                raise
            self._take(record)
        self._write(over=True)
        return self.state

    def _take(self, record: RoundRecord) -> None:
        state = self._watch.take(self._journal.append(record))
        for event in state.events[self._describe :]:
            self._say(f"  {event.kind}: {event.text}")
        self._describe = len(state.events)
        self._say(progress(self._journal.plan, record, state))
        self._write(over=False)

    def _write(self, *, over: bool) -> None:
        plan = self._journal.plan
        data = {
            "schema": "kamiyo-verify-watch-state/1",
            "environment": plan.environment,
            "commit": plan.commit,
            "started_at": plan.started_at,
            "over": over,
            "exit_code": self.state.final.exit_code,
            **asdict(self.state),
        }
        write_atomically(self._folder / STATE, json.dumps(data, ensure_ascii=False, indent=2) + "\n")
        self._show(self._view(over=over))

    def _view(self, *, over: bool) -> WatchView:
        latest = self._journal.rounds[-1] if self._journal.rounds else None
        return WatchView(plan=self._journal.plan, state=self.state, latest=latest, over=over)


def progress(plan: WatchPlan, record: RoundRecord, state: WatchState) -> str:
    """Return the line that shows the state after a round."""
    began = datetime.fromisoformat(plan.started_at).timestamp()
    since = datetime.fromisoformat(record.finished_at).timestamp() - began
    call = state.call.replace("_", " ").upper() if state.call is not Action.PROCEED else "well so far"
    if state.open and state.call is not Action.ROLL_BACK:
        call = f"{call}, looking again at: {state.open}"
    sent = f"{counted(state.requests, 'request')}, {state.failed:,} failed"
    return f"round {record.number} · {duration(since)} of {duration(plan.for_s)} · {sent} · {call}"

"""The call of a watch: a pure fold over its rounds, so that a restart from the journal changes nothing.

No round is believed by itself. A ground is called once

1. its outcomes, pooled over all rounds, prove that more of them are bad than its line allows (`detection`);
2. it is confirmed: the latest round's own verdict has confirmed it, or the failures of a series have lasted
   for the environment's confirmation time and go on;
3. the latest round does not attribute it elsewhere.

The policy's error (5 %) is that of the whole watch: half of it is divided among the objectives, half among
items and endpoints. Of each half, the series that first appear in round r have 1/(r(r+1)), in equal parts.

A call is withdrawn when the failures have ended: an item passes a whole later round, or the requests since
the last failure prove a share under the line. A finding of one round that is not proven is an open question.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain

from kamiyo_verify.judge.confirmation.shares import trailing_answers
from kamiyo_verify.judge.statistics.sequences import shows_below
from kamiyo_verify.judge.watch.detection import Detection, Outcomes, detect
from kamiyo_verify.judge.watch.schedule import covered_s
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.history.watch import (
    EventKind,
    Line,
    RoundRecord,
    RoundSeries,
    SeriesKind,
    WatchEvent,
    WatchGround,
    WatchPlan,
    WatchState,
)
from kamiyo_verify.model.words import Action

_SEVERITY = (Action.PROCEED, Action.FIX_FORWARD, Action.INCONCLUSIVE, Action.ROLL_BACK)
_OBJECTIVES = {SeriesKind.SHARE, SeriesKind.SLOW, SeriesKind.SLOWER}
_LEAST_COVERED = 0.5
"""Share of the time of a watch that rounds must tell of before it proceeds."""

_NONE = Outcomes((), ())


@dataclass(slots=True)
class _History:
    first: int
    weight: float
    rounds: list[Outcomes] = field(default_factory=list)


class Watch:
    """Takes rounds one by one; the same rounds always give the same state.

    Args:
        plan: what the watch was started with.
        confidence: the policy's confidence.
    """

    def __init__(self, plan: WatchPlan, confidence: float) -> None:
        self._plan = plan
        self._confidence = confidence
        self._rounds: list[RoundRecord] = []
        self._histories: dict[str, _History] = {}
        self._grounds: dict[str, WatchGround] = {}
        self._events: list[WatchEvent] = []
        self._open = ""

    def take(self, record: RoundRecord) -> WatchState:
        """Judge one more round and return the new state."""
        self._rounds.append(record)
        self._remember(record)
        self._events += [self._event(record, EventKind.OUTAGE, text) for text in record.outages]
        if record.call is None:
            self._events.append(self._event(record, EventKind.GAP, record.headline))
            return self.state
        self._withdraw(record)
        self._call(record)
        self._ask(record, record.call)
        return self.state

    @property
    def state(self) -> WatchState:
        """The state after the rounds so far."""
        call = max(
            (one.action for one in self._grounds.values()), key=_SEVERITY.index, default=Action.PROCEED
        )
        final, why = self._final(call)
        shown = [one for record in self._rounds for one in record.series if one.kind is SeriesKind.ENDPOINT]
        return WatchState(
            call=call,
            final=final,
            why=why,
            grounds=tuple(self._grounds.values()),
            events=tuple(self._events),
            open=self._open,
            rounds=len(self._rounds),
            requests=sum(len(one.failed) for one in shown),
            failed=sum(sum(one.failed) for one in shown),
            covered_s=covered_s(self._plan, self._rounds),
        )

    def _remember(self, record: RoundRecord) -> None:
        new = Counter(one.kind in _OBJECTIVES for one in record.series if one.key not in self._histories)
        index = len(self._rounds)
        for one in record.series:
            if one.key not in self._histories:
                weight = 0.5 / (index * (index + 1)) / new[one.kind in _OBJECTIVES] / len(one.lines)
                self._histories[one.key] = _History(index, weight)
        given = {one.key: Outcomes(one.times_s, one.failed) for one in record.series}
        for key, history in self._histories.items():
            history.rounds.append(given.get(key, _NONE))

    def _call(self, record: RoundRecord) -> None:
        grounds = {ground.item: ground for ground in record.grounds}
        slow = {
            one.item
            for one in record.series
            if one.kind is SeriesKind.SLOW and self._proven(one, one.lines[0])
        }
        for one in record.series:
            if not one.judged or not any(one.failed):
                continue
            for line in one.lines:
                found = self._proven(one, line)
                if found is None:
                    continue
                action = line.action
                if one.kind is SeriesKind.ITEM:
                    if one.item not in grounds:
                        continue
                    action = grounds[one.item].action
                elif one.kind is SeriesKind.SLOWER and one.item not in slow:
                    action = Action.FIX_FORWARD
                if one.kind is not SeriesKind.ITEM and found.lasted_s < self._plan.confirm_s:
                    continue
                text = grounds[one.item].text if one.kind is SeriesKind.ITEM else one.text
                self._stand(record, one, action, found, text)

    def _proven(self, one: RoundSeries, line: Line) -> Detection | None:
        history = self._histories[one.key]
        enough = -math.log1p(-self._confidence) - math.log(history.weight)
        found = detect(history.rounds, line.share, self._plan.most_rounds)
        if found.log_evidence < enough or not found.lasts:
            return None
        return replace(found, start=history.first + found.start)

    def _stand(
        self, record: RoundRecord, one: RoundSeries, action: Action, found: Detection, text: str
    ) -> None:
        before = self._grounds.get(one.key)
        if before is not None and _SEVERITY.index(before.action) >= _SEVERITY.index(action):
            return
        description = f"{text}: {found.bad:,} of {found.total:,} since round {found.start}"
        self._grounds[one.key] = WatchGround(one.key, one.item, action, found.start, description)
        kind = EventKind.CALLED if before is None else EventKind.UPGRADED
        was = "" if before is None else f", no longer {before.action}"
        self._events.append(self._event(record, kind, f"{action}{was}: {description}"))

    def _withdraw(self, record: RoundRecord) -> None:
        given = {one.key: one for one in record.series}
        for key, ground in tuple(self._grounds.items()):
            one = given.get(key)
            if one is None or not self._ended(one):
                continue
            del self._grounds[key]
            text = (
                f"{ground.action} withdrawn: {ground.text}; it has ended, and round {record.number} is well"
            )
            self._events.append(self._event(record, EventKind.WITHDRAWN, text))

    def _ended(self, one: RoundSeries) -> bool:
        if one.kind is SeriesKind.ITEM:
            return bool(one.failed) and not any(one.failed)
        outcomes = chain.from_iterable(outcomes.failed for outcomes in self._histories[one.key].rounds)
        good = trailing_answers(tuple(outcomes))
        return bool(good) and shows_below(0, good, one.lines[0].share, self._confidence)

    def _ask(self, record: RoundRecord, call: Action) -> None:
        """Note what this round found that is not proven, and what an earlier one found that has passed."""
        standing = {ground.item for ground in self._grounds.values()}
        unproven = [one for one in record.grounds if one.item not in standing]
        was = self._open
        if any(ground.action is Action.ROLL_BACK for ground in self._grounds.values()):
            self._open = ""  # what else is broken changes nothing
        elif unproven:
            self._open = f"{unproven[0].text} (round {record.number}, not proven)"
        elif call in {Action.INCONCLUSIVE, Action.HOLD} or (call is not Action.PROCEED and not standing):
            self._open = f"{record.headline} (round {record.number})"
        else:
            self._open = ""
        if self._open and not was:
            self._events.append(self._event(record, EventKind.OPENED, self._open))
        elif was and not self._open and not self._grounds:
            text = f"{was}: well again in round {record.number}, and no ground"
            self._events.append(self._event(record, EventKind.PASSED, text))

    def _final(self, call: Action) -> tuple[Action, str]:
        if call is Action.ROLL_BACK:
            return call, self._texts(Action.ROLL_BACK)
        if not self._rounds or self._rounds[-1].call is None:
            last = f": {self._rounds[-1].headline}" if self._rounds else ""
            return Action.INCONCLUSIVE, f"the latest round left no verdict{last}"
        if self._open:
            holds = self._rounds[-1].call is Action.HOLD and call is Action.PROCEED
            return Action.HOLD if holds else Action.INCONCLUSIVE, f"an open question: {self._open}"
        covered = covered_s(self._plan, self._rounds)
        if covered < _LEAST_COVERED * self._plan.for_s:
            description = f"{duration(covered)} of {duration(self._plan.for_s)}"
            return Action.INCONCLUSIVE, f"rounds tell of {description} only"
        if call is Action.PROCEED:
            return call, "no regression was proven, and the latest round is well"
        return call, self._texts(call)

    def _texts(self, action: Action) -> str:
        texts = (one.text for one in self._grounds.values() if one.action is action)
        return "; ".join(dict.fromkeys(texts))

    @staticmethod
    def _event(record: RoundRecord, kind: EventKind, text: str) -> WatchEvent:
        return WatchEvent(record.number, record.finished_at, kind, text)


def judged(plan: WatchPlan, confidence: float, rounds: tuple[RoundRecord, ...]) -> WatchState:
    """Return the state after these rounds."""
    watch = Watch(plan, confidence)
    for record in rounds:
        watch.take(record)
    return watch.state

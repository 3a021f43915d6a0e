"""Carries a plan out: one step after another, each after a look at what stands on Render.

Nothing is sent twice. A call whose answer was lost is never repeated: Render is looked at until it either
shows what was begun, or has had as long as a request may be on its way.
"""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, NoReturn

from plugins.judge.place_back import failed_before, place_of
from plugins.model.figures import duration
from plugins.model.hosting import Deploy, DeployStatus
from plugins.model.outcomes import NoAnswer, NoAnswerKind
from plugins.model.rollback import End, Outcome, Place, Plan, Position, Progressed, Sending, Standing, Target
from plugins.rollback import journal as kinds
from plugins.rollback.hands import Hands
from plugins.rollback.journal import Journal, Past, now
from plugins.rollback.narrator import Narrator
from plugins.rollback.watch import Stop, Watch, in_words


class Executor:
    """Carries one plan out, once.

    Args:
        plan: what is to be done.
        hands: looks and acts.
        journal: is told of each step before and after it.
        past: what earlier executions of the plan wrote.
        narrator: tells people.
        wait_s: how long one service may take to be back, in seconds.
        poll_s: between two looks while waiting, in seconds.
        settle_s: how long a request that was sent may still be carried out, in seconds.
    """

    def __init__(
        self,
        plan: Plan,
        hands: Hands,
        journal: Journal,
        past: Past,
        narrator: Narrator,
        *,
        wait_s: float,
        poll_s: float,
        settle_s: float,
    ) -> None:
        self._plan = plan
        self._hands = hands
        self._journal = journal
        self._past = past
        self._narrator = narrator
        self._wait_s = wait_s
        self._poll_s = poll_s
        self._watch = Watch(hands, narrator, poll_s)
        self._settle_s = settle_s
        self._seen = {target.name: Progressed(target=target, state="not touched") for target in plan.targets}

    def run(self) -> Outcome:
        """Do it. However it ends, the outcome says what was done and what was not."""
        began = now()
        end, why = End.STOPPED, ""
        try:
            for target in self._plan.targets:
                self._place(target)
            for target in self._plan.targets:
                self._hold(target)
            for target in self._plan.targets:
                self._bring_back(target)
            self._all_is_well()
            end = End.DONE
        except Stop as stop:
            why = str(stop)
        except OSError as error:
            why = f"the journal {self._journal.path} cannot be written: {error.strerror or error}"
        except KeyboardInterrupt:
            end, why = End.INTERRUPTED, "it was interrupted"
        outcome = Outcome(
            end=end, why=why, services=tuple(self._seen.values()), began_at=began, ended_at=now()
        )
        self._conclude(outcome)
        return outcome

    def _place(self, target: Target) -> tuple[Standing, Place]:
        """Where a service is; raises `Stop` where that is nowhere on the way."""
        standing = self._watch.look(target)
        place = place_of(target, standing)
        known = self._seen[target.name]
        self._note(target, known.state, auto_deploy=standing.auto_deploy)
        if place.position is Position.CHANGED:
            self._journal.write(kinds.SEEN, service=target.name, position=place.position, why=place.why)
            raise Stop(place.why)
        return standing, place

    def _hold(self, target: Target) -> None:
        """Auto-deploy off, and seen to be off."""
        if not self._watch.look(target).auto_deploy:
            self._narrator.say(f"  ✓ {target.name}: auto-deploy is off already")
            return
        self._journal.write(kinds.CALL, service=target.name, what="auto-deploy off", id=target.id)
        sent = self._hands.switch_off(target)
        self._journal.write(kinds.ANSWER, service=target.name, what="auto-deploy off", **asdict(sent))
        if sent.sending is Sending.REFUSED:
            raise Stop(f"auto-deploy of {target.name} cannot be switched off: {sent.why}")
        lost = sent.sending is Sending.LOST
        deadline = time.monotonic() + (self._settle_s if lost else self._poll_s)
        while (standing := self._watch.look(target)).auto_deploy:
            if time.monotonic() >= deadline:
                said = sent.why or "Render took the call, and still shows it on"
                raise Stop(
                    f"auto-deploy of {target.name} cannot be switched off: {said}. With it on, the next push"
                    " would undo a rollback"
                )
            self._watch.pause(f"  … {target.name}: waiting to see auto-deploy off")
        self._note(target, "auto-deploy switched off, not rolled back", auto_deploy=standing.auto_deploy)
        self._narrator.say(f"  ✓ {target.name}: auto-deploy is off")

    def _bring_back(self, target: Target) -> None:
        began = time.monotonic()
        standing, place = self._place(target)
        if place.position is Position.BEFORE:
            place = self._begun_before(target, place)
        ours = False
        if place.position is Position.BEFORE:
            if failed := failed_before(target, standing):
                self._narrator.say(
                    f"  ! {target.name}: {failed.id} ended as {in_words(failed)}; trying again"
                )
            place, ours = self._begin(target), True
        elif place.position is Position.UNDER_WAY:
            self._narrator.say(f"  … {target.name}: {place.deploy} is on its way already; not begun again")
        if place.position is not Position.BACK:
            place = self._await(target, place.deploy, time.monotonic() + self._wait_s)
        took = time.monotonic() - began if ours else None
        self._journal.write(
            kinds.SEEN, service=target.name, position=Position.BACK, deploy=place.deploy, took_s=took
        )
        state = f"back: {place.deploy} of commit {target.to_commit[:7]} is live"
        self._note(target, state, back=True, deploy=place.deploy, took_s=took)
        after = f" after {duration(took)}" if took is not None else ""
        self._narrator.say(f"  ✓ {target.name}: {state}{after}")

    def _begun_before(self, target: Target, place: Place) -> Place:
        """What an earlier execution may have begun, and been cut off from seeing."""
        at, deploy = self._past.last_call(target.name)
        if deploy:
            found = self._watch.ask(target, deploy)
            return Place(Position.UNDER_WAY, deploy) if found.status.in_progress else place
        left = self._settle_s - (datetime.now(UTC) - at).total_seconds() if at else 0.0
        return self._appears(target, min(left, self._settle_s)) or place

    def _begin(self, target: Target) -> Place:
        self._journal.write(kinds.CALL, service=target.name, what="rollback", id=target.id, to=target.to)
        self._note(target, "the rollback was sent, and its answer not seen: it may have begun")
        sent = self._hands.roll_back(target)
        self._journal.write(kinds.ANSWER, service=target.name, what="rollback", **asdict(sent))
        if sent.sending is Sending.REFUSED:
            self._note(target, "not rolled back: Render refused")
            raise Stop(f"Render refuses to roll {target.name} back to {target.to}: {sent.why}")
        if sent.sending is Sending.ACCEPTED:
            self._note(target, f"on its way back: {sent.deploy} is begun", deploy=sent.deploy)
            return Place(Position.UNDER_WAY, sent.deploy)
        self._narrator.say(f"  ? {target.name}: no usable answer ({sent.why}); looking whether it began")
        found = self._appears(target, self._settle_s)
        if found is None:
            raise Stop(
                f"it is not known whether Render began to roll {target.name} back ({sent.why}); within"
                f" {duration(self._settle_s)} it showed nothing of it"
            )
        return found

    def _appears(self, target: Target, within_s: float) -> Place | None:
        """What Render shows of a rollback that may have been begun; None where it shows none in time."""
        deadline = time.monotonic() + within_s
        while True:
            _, place = self._place(target)
            if place.position is not Position.BEFORE:
                return place
            if time.monotonic() >= deadline:
                return None
            self._watch.pause(f"  … {target.name}: looking whether a rollback has begun")

    def _await(self, target: Target, deploy_id: str, until: float) -> Place:
        """Wait for a deploy to be live, and for Render to show that the service is back by it."""
        began, trouble = time.monotonic(), ""
        self._note(target, f"on its way back: {deploy_id} was not live yet", deploy=deploy_id)
        while True:
            try:
                deploy = self._hands.deploy(target, deploy_id)
                self._fell(target, deploy)
                trouble, said = "", in_words(deploy)
                if deploy.status is DeployStatus.LIVE:
                    _, place = self._place(target)
                    if place.position is Position.BACK:
                        return place
            except NoAnswer as problem:
                trouble = said = str(problem)
                if problem.kind is NoAnswerKind.CREDENTIAL:
                    self._unknown(target, deploy_id, trouble)
            if time.monotonic() >= until:
                self._unknown(target, deploy_id, trouble or f"after {duration(self._wait_s)} it is {said}")
            waited = f"{time.monotonic() - began:.0f} s of at most {self._wait_s:.0f} s"
            self._watch.pause(f"  … {target.name}: {deploy_id} {said}, {waited}")

    def _fell(self, target: Target, deploy: Deploy) -> None:
        """Stop where a deploy has ended otherwise than live."""
        if deploy.status.in_progress or deploy.status is DeployStatus.LIVE:
            return
        self._note(target, f"not back: {deploy.id} ended as {in_words(deploy)}", deploy=deploy.id)
        self._journal.write(kinds.SEEN, service=target.name, deploy=deploy.id, status=deploy.status)
        raise Stop(
            f"the rollback of {target.name}, {deploy.id}, ended as {in_words(deploy)}; its log on"
            f" {target.dashboard} says why"
        )

    def _unknown(self, target: Target, deploy_id: str, why: str) -> NoReturn:
        raise Stop(f"{target.name}: it is not known how {deploy_id} ends: {why}. It goes on by itself")

    def _all_is_well(self) -> None:
        """At the end everything is looked at once more: what was back first may have changed meanwhile."""
        for target in self._plan.targets:
            standing, place = self._place(target)
            if place.position is not Position.BACK:
                self._note(target, "back for a while, and no longer", back=False)
                raise Stop(f"{target.name} is no longer at {target.to_commit[:7]}: verify again")
            if standing.auto_deploy:
                raise Stop(f"auto-deploy of {target.name} is on again: the next push undoes the rollback")

    def _note(self, target: Target, state: str, **told: Any) -> None:
        self._seen[target.name] = replace(self._seen[target.name], state=state, **told)

    def _conclude(self, outcome: Outcome) -> None:
        try:
            if outcome.end is End.DONE:
                self._journal.write(kinds.DONE)
            else:
                states = {one.target.name: one.state for one in outcome.services}
                self._journal.write(kinds.STOPPED, end=outcome.end, why=outcome.why, services=states)
        except OSError:
            pass  # the outcome is told to people all the same

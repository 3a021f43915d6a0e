"""Execute a rollback plan step by step; read the host's current state before each step.

No call is sent twice. If the answer to a call is lost, the executor polls the host for its effect.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, NoReturn

from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.judge.rollback.progress import failed_before, progress_of
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.hosting.rollback import (
    CallOutcome,
    End,
    Outcome,
    Place,
    Plan,
    Position,
    Progressed,
    Target,
)
from kamiyo_verify.model.hosting.services import Deploy, DeployStatus, ServiceState
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind
from kamiyo_verify.rollback import journal as kinds
from kamiyo_verify.rollback.console import ConsoleReporter
from kamiyo_verify.rollback.gateway import HostingGateway
from kamiyo_verify.rollback.journal import Journal, Past
from kamiyo_verify.rollback.watch import Stop, Watch, in_words, refused, still_on


class Executor:
    """Executes one plan, once.

    Args:
        plan: the steps to take.
        gateway: reads and changes the host.
        journal: records each step before and after it.
        past: the journal lines of earlier executions of the plan.
        console: prints progress.
        wait_s, poll_s: most seconds until a service is rolled back, and seconds between two polls.
        settle_s: most seconds until a call whose answer was lost becomes visible on the host.
    """

    def __init__(
        self,
        plan: Plan,
        gateway: HostingGateway,
        journal: Journal,
        past: Past,
        console: ConsoleReporter,
        *,
        wait_s: float,
        poll_s: float,
        settle_s: float,
    ) -> None:
        self._plan = plan
        self._gateway = gateway
        self._journal = journal
        self._past = past
        self._console = console
        self._wait_s = wait_s
        self._poll_s = poll_s
        self._watch = Watch(gateway, console, poll_s)
        self._settle_s = settle_s
        self._seen = {target.name: Progressed(target=target, state="not touched") for target in plan.targets}

    def run(self) -> Outcome:
        """Execute the plan; the outcome lists what was done and what was not, however the execution ends."""
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

    def _place(self, target: Target) -> tuple[ServiceState, Place]:
        """Return the state and progress of a service; raise `Stop` if someone else changed it."""
        state = self._watch.look(target)
        place = progress_of(target, state)
        known = self._seen[target.name]
        self._note(target, known.state, auto_deploy=state.auto_deploy)
        if place.position is Position.CHANGED:
            self._journal.write(kinds.SEEN, service=target.name, position=place.position, why=place.why)
            raise Stop(place.why)
        return state, place

    def _hold(self, target: Target) -> None:
        """Switch auto-deploy off, and wait until the host shows it as off."""
        before = self._watch.look(target)
        known = self._seen[target.name]
        if not before.auto_deploy:
            self._note(target, known.state, resume=self._past.resume(target.name))
            self._console.say(f"  ✓ {target.name}: auto-deploy is off already")
            return
        call = {"service": target.name, "what": "auto-deploy off"}
        self._journal.write(kinds.CALL, **call, id=target.id, was=target.auto_deploy, resume=before.resume)
        self._note(target, known.state, resume=before.resume)
        sent = self._gateway.switch_auto_deploy_off(target.service)
        self._journal.write(kinds.ANSWER, **call, **asdict(sent))
        if sent.outcome is CallOutcome.REFUSED:
            raise still_on(target, sent.why)
        lost = sent.outcome is CallOutcome.LOST
        deadline = time.monotonic() + (self._settle_s if lost else self._poll_s)
        while (state := self._watch.look(target)).auto_deploy:
            if time.monotonic() >= deadline:
                raise still_on(target, sent.why or f"{target.host} took the call, and still shows it on")
            self._watch.pause(f"  … {target.name}: waiting to see auto-deploy off")
        self._note(target, "auto-deploy switched off, not rolled back", auto_deploy=state.auto_deploy)
        self._console.say(f"  ✓ {target.name}: auto-deploy is off; before: {target.auto_deploy or 'on'}")

    def _bring_back(self, target: Target) -> None:
        began = time.monotonic()
        state, place = self._place(target)
        if place.position is Position.BEFORE:
            place = self._begun_before(target, place)
        ours = False
        if place.position is Position.BEFORE:
            if failed := failed_before(target, state):
                self._console.say(f"  ! {target.name}: {failed.id} ended as {in_words(failed)}; trying again")
            place, ours = self._begin(target), True
        elif place.position is Position.UNDER_WAY:
            self._console.say(f"  … {target.name}: {place.deploy} is on its way already; not begun again")
        if place.position is not Position.BACK:
            place = self._await(target, place.deploy, time.monotonic() + self._wait_s)
        took = time.monotonic() - began if ours else None
        self._journal.write(
            kinds.SEEN, service=target.name, position=Position.BACK, deploy=place.deploy, took_s=took
        )
        words = f"back: {place.deploy} of commit {target.to_commit[:7]} is live"
        self._note(target, words, back=True, deploy=place.deploy, took_s=took)
        after = f" after {duration(took)}" if took is not None else ""
        self._console.say(f"  ✓ {target.name}: {words}{after}")

    def _begun_before(self, target: Target, place: Place) -> Place:
        """Find a rollback that an earlier, interrupted execution may have started."""
        at, deploy = self._past.last_call(target.name)
        if deploy:
            found = self._watch.ask(target, deploy)
            return Place(Position.UNDER_WAY, deploy) if found.status.in_progress else place
        left = self._settle_s - (datetime.now(UTC) - at).total_seconds() if at else 0.0
        return self._appears(target, min(left, self._settle_s)) or place

    def _begin(self, target: Target) -> Place:
        self._journal.write(kinds.CALL, service=target.name, what="rollback", id=target.id, to=target.to)
        self._note(target, "the rollback was sent, and its answer not seen: it may have begun")
        self._console.say(f"  … {target.name}: rolling back to {target.to}")
        sent = self._gateway.roll_back(target.service, target.to)
        self._journal.write(kinds.ANSWER, service=target.name, what="rollback", **asdict(sent))
        if sent.outcome is CallOutcome.REFUSED:
            self._note(target, f"not rolled back: {target.host} refused")
            raise refused(target, sent.why)
        if sent.outcome is CallOutcome.ACCEPTED:
            self._note(target, f"on its way back: {sent.deploy} is begun", deploy=sent.deploy)
            return Place(Position.UNDER_WAY, sent.deploy)
        self._console.say(f"  ? {target.name}: no usable answer ({sent.why}); looking whether it began")
        if (found := self._appears(target, self._settle_s)) is None:
            raise Stop(
                f"it is not known whether {target.host} began to roll {target.name} back ({sent.why}); within"
                f" {duration(self._settle_s)} it showed nothing of it"
            )
        return found

    def _appears(self, target: Target, within_s: float) -> Place | None:
        """Wait until the host shows a rollback that may have started; None if it shows none in time."""
        deadline = time.monotonic() + within_s
        while True:
            _, place = self._place(target)
            if place.position is not Position.BEFORE:
                return place
            if time.monotonic() >= deadline:
                return None
            self._watch.pause(f"  … {target.name}: looking whether a rollback has begun")

    def _await(self, target: Target, deploy_id: str, until: float) -> Place:
        """Wait until the deploy is live and the host shows the service as rolled back by it."""
        began, trouble = time.monotonic(), ""
        self._note(target, f"on its way back: {deploy_id} was not live yet", deploy=deploy_id)
        while True:
            try:
                deploy = self._gateway.deploy(target.service, deploy_id)
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
        """Stop if a deploy ended without becoming live."""
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
        """Check all services once more at the end: a service rolled back first may have changed since."""
        for target in self._plan.targets:
            state, place = self._place(target)
            if place.position is not Position.BACK:
                self._note(target, "back for a while, and no longer", back=False)
                raise Stop(f"{target.name} is no longer at {target.to_commit[:7]}: verify again")
            if state.auto_deploy:
                raise Stop(f"auto-deploy of {target.name} is on again: the next push undoes the rollback")

    def _note(self, target: Target, state: str, **changes: Any) -> None:
        self._seen[target.name] = replace(self._seen[target.name], state=state, **changes)

    def _conclude(self, outcome: Outcome) -> None:
        with suppress(OSError):  # the outcome is printed even if the journal cannot be written
            if outcome.end is End.DONE:
                self._journal.write(kinds.DONE)
            else:
                states = {one.target.name: one.state for one in outcome.services}
                self._journal.write(kinds.STOPPED, end=outcome.end, why=outcome.why, services=states)

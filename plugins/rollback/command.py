"""What a person asks for, shown and agreed to before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from plugins.model.figures import duration
from plugins.model.rollback import CannotRollBack, Plan
from plugins.rollback.carrying_out import DONE, carry_out
from plugins.rollback.hands import RenderHands, calls_of
from plugins.rollback.journal import alone
from plugins.rollback.planning import Drawn, draw
from plugins.rollback.scene import Scene
from plugins.rollback.subject import Subject, named, newest
from plugins.writers import rollback as writer


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the command line asks for.

    Attributes:
        subject: a report's folder or verdict.json; None for the newest.
        only: the services to take back.
        to: the deploys that a person names, by service.
    """

    subject: Path | None = None
    dry_run: bool = False
    yes: bool = False
    only: tuple[str, ...] = ()
    to: Mapping[str, str]
    despite_migration: bool = False

    @property
    def names_a_subject(self) -> bool:
        """It says what is to be taken back."""
        return self.subject is not None or bool(self.to)

    def about(self, folder: Path) -> Wish:
        """The same about that report."""
        return replace(self, subject=folder)


def roll_back(scene: Scene, wish: Wish) -> int:
    """Plan, show, ask, and carry out; returns the exit code.

    Raises:
        CannotRollBack: it is refused, and nothing was done.
        OSError: a file cannot be read or written; nothing was done.
    """
    if wish.to and wish.subject:
        raise CannotRollBack("--from follows a verdict, --to goes without one: give one of them")
    if not wish.dry_run:
        scene.refuse_unless_allowed()
    with closing(RenderHands(scene.hosting, scene.environment.timeouts)) as hands:
        if wish.dry_run:
            subject = _subject(scene, wish)
            drawn = draw(scene, hands, subject, wish.to, wish.only)
            _show(scene, drawn, subject)
            _dry(scene, drawn.plan)
            return DONE
        with alone(scene.reports, scene.environment.name, scene.by):
            subject = _subject(scene, wish)
            if subject and subject.past.finished:
                raise CannotRollBack(
                    f"this was carried out already: see {subject.folder / 'rollback.md'}. To see how things"
                    f" are now: make verify-rollback ENV={scene.environment.name}"
                )
            drawn = draw(scene, hands, subject, wish.to, wish.only)
            _show(scene, drawn, subject)
            _agree(scene, wish, drawn)
            folder = subject.folder if subject else _own_folder(scene)
            return carry_out(scene, drawn.plan, folder, hands)


def _subject(scene: Scene, wish: Wish) -> Subject | None:
    if wish.to:
        return None
    if wish.subject:
        return named(wish.subject, scene.environment.name)
    return newest(scene.reports, scene.environment.name)


def _show(scene: Scene, drawn: Drawn, subject: Subject | None) -> None:
    say = scene.narrator.say
    why = subject.verdict.headline if subject else "a person names the deploys"
    wait_s = scene.hosting.deploy_timeout_s
    for line in writer.plan_lines(drawn.plan, why, str(subject) if subject else "", wait_s=wait_s):
        say(line)
    if drawn.grave:
        say(f"  FORBIDDEN  by the schema: {drawn.grave}")
    if subject and subject.past.sent:
        since = datetime.now(UTC) - datetime.fromisoformat(subject.past.began_at)
        say(f"  goes on    where an execution was cut off {duration(since.total_seconds())} ago")
    say()


def _dry(scene: Scene, plan: Plan) -> None:
    calls = [calls_of(target) for target in plan.targets]
    for line in writer.call_lines([off for off, _ in calls] + [back for _, back in calls]):
        scene.narrator.say(line)
    if not scene.environment.allow_rollback:
        scene.narrator.say(f"  mind       {scene.file} does not allow it: allow_rollback is not true there")


def _agree(scene: Scene, wish: Wish, drawn: Drawn) -> None:
    """A person says yes, or `--yes` did; what the schema forbids takes a person, and a word more.

    Raises:
        CannotRollBack: nobody agrees.
    """
    name = scene.environment.name
    if drawn.grave and not wish.despite_migration:
        raise CannotRollBack(
            f"this deployment changed the schema, and the code before may break on it: {drawn.grave}. Fix"
            " forward; or bring the database back together with the code; or, if you know that the code fits,"
            " --despite-migration. Nothing was done"
        )
    if wish.yes and not drawn.grave and not wish.to:
        return
    if not sys.stdin.isatty():
        needs = (
            "somebody at a terminal, and --yes does not do" if wish.yes else "a terminal to ask at, or --yes"
        )
        raise CannotRollBack(f"this needs {needs}. Nothing was done")
    if drawn.grave:
        _typed(
            f"The schema stays as it is. Type '{name} despite the migration' to go on: ",
            f"{name} despite the migration",
        )
    _typed(f"Type {name} to roll back, anything else to leave all as it is: ", name)


def _typed(question: str, wanted: str) -> None:
    sys.stdout.write(question)
    sys.stdout.flush()
    if sys.stdin.readline().strip() != wanted:
        raise CannotRollBack(f"{wanted!r} was not typed. Nothing was done")


def _own_folder(scene: Scene) -> Path:
    return scene.reports / scene.environment.name / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-by-hand"

"""The rollback command: read the request, show the plan and ask for confirmation before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.hosting.rollback import CannotRollBack, Plan
from kamiyo_verify.reporting import rollback as writer
from kamiyo_verify.rollback.carrying_out import DONE, carry_out
from kamiyo_verify.rollback.conditions import check_deployment, check_verdict
from kamiyo_verify.rollback.context import RollbackContext
from kamiyo_verify.rollback.gateway import open_gateway
from kamiyo_verify.rollback.journal import alone
from kamiyo_verify.rollback.planning import Drawn, draw
from kamiyo_verify.rollback.repeated import check_not_repeated
from kamiyo_verify.rollback.subject import Subject, named, newest


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackRequest:
    """The options of the command line.

    Attributes:
        subject: a report's folder or verdict.json; None for the newest.
        only: the services to roll back.
        to: the target deploys given on the command line, by service.
    """

    subject: Path | None = None
    dry_run: bool = False
    yes: bool = False
    only: tuple[str, ...] = ()
    to: Mapping[str, str]
    despite_migration: bool = False

    @property
    def names_a_subject(self) -> bool:
        """Whether the request says what to roll back: a report or deploys."""
        return self.subject is not None or bool(self.to)

    def about(self, folder: Path) -> RollbackRequest:
        """Return the same request with this report as its subject."""
        return replace(self, subject=folder)


def roll_back(context: RollbackContext, request: RollbackRequest) -> int:
    """Plan, show, ask for confirmation and carry out; return the exit code.

    Raises:
        CannotRollBack: the rollback is refused; nothing was done.
        OSError: a file cannot be read or written; nothing was done.
    """
    if request.to and request.subject:
        raise CannotRollBack("--from follows a verdict, --to goes without one: give one of them")
    if not request.dry_run:
        context.refuse_unless_allowed()
    context.refuse_unless_reachable()
    with closing(open_gateway(context.environment)) as gateway:
        if request.dry_run:
            subject = _subject(context, request)
            drawn = draw(context, gateway, subject, request.to, request.only)
            _show(context, drawn, subject)
            _dry(context, drawn.plan)
            return DONE
        with alone(context.reports, context.environment.name, context.by):
            subject = _subject(context, request)
            if subject:
                check_verdict(subject, practice=context.launched is not None)
            if subject and subject.past.finished:
                raise CannotRollBack(
                    f"this was carried out already: see {subject.folder / 'rollback.md'}. To see how things"
                    f" are now: make verify-rollback ENV={context.environment.name}"
                )
            drawn = draw(context, gateway, subject, request.to, request.only)
            _show(context, drawn, subject)
            if subject:
                check_deployment(subject, drawn.plan, drawn.states, unattended=request.yes)
                check_not_repeated(context, subject, drawn.plan, drawn.states, unattended=request.yes)
            _agree(context, request, drawn)
            folder = subject.folder if subject else _own_folder(context)
            return carry_out(context, drawn.plan, folder, gateway)


def _subject(context: RollbackContext, request: RollbackRequest) -> Subject | None:
    if request.to:
        return None
    if request.subject:
        return named(request.subject, context.environment.name)
    return newest(context.reports, context.environment.name)


def _show(context: RollbackContext, drawn: Drawn, subject: Subject | None) -> None:
    say = context.console.say
    why = subject.verdict.headline if subject else "a person names the deploys"
    wait_s = context.hosting.deploy_timeout_s
    for line in writer.plan_lines(drawn.plan, why, str(subject) if subject else "", wait_s=wait_s):
        say(line)
    if drawn.grave:
        say(f"  FORBIDDEN  by the schema: {drawn.grave}")
    if subject and subject.past.sent:
        since = datetime.now(UTC) - datetime.fromisoformat(subject.past.began_at)
        say(f"  goes on    where an execution was cut off {duration(since.total_seconds())} ago")
    say()


def _dry(context: RollbackContext, plan: Plan) -> None:
    # Auto-deploy off everywhere first, then one rollback after the other: the order of the execution.
    rounds = zip(*(target.calls for target in plan.targets), strict=False)
    for line in writer.call_lines([call for one in rounds for call in one]):
        context.console.say(line)
    if not context.environment.allow_rollback:
        context.console.say(
            f"  warning    {context.file} does not allow it: allow_rollback is not true there"
        )


def _agree(context: RollbackContext, request: RollbackRequest, drawn: Drawn) -> None:
    """Require confirmation at the terminal or by `--yes`; a breaking migration always needs the terminal.

    Raises:
        CannotRollBack: the rollback was not confirmed.
    """
    name = context.environment.name
    if drawn.grave and not request.despite_migration:
        raise CannotRollBack(
            f"this deployment changed the schema, and the code before may break on it: {drawn.grave}. Fix"
            " forward; or bring the database back together with the code; or, if you know that the code fits,"
            " --despite-migration. Nothing was done"
        )
    if request.yes and not drawn.grave and not request.to:
        return
    if not sys.stdin.isatty():
        needs = (
            "somebody at a terminal, and --yes does not do"
            if request.yes
            else "a terminal to ask at, or --yes"
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


def _own_folder(context: RollbackContext) -> Path:
    return context.reports / context.environment.name / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-by-hand"

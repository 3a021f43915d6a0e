"""Refuse a second rollback of one deployment that follows a verdict: after the first one, a person decides.

What fails after a rollback failed on the earlier version as well, so that going back once more would repair
nothing. A verdict about a deployment that is newer than the rollback may be followed as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from kamiyo_verify.config.ledger_address import ledger_url
from kamiyo_verify.model.history.recorded_run import DecisionKind
from kamiyo_verify.model.hosting.rollback import CannotRollBack, Plan
from kamiyo_verify.model.hosting.services import ServiceState
from kamiyo_verify.processes.background_job import BackgroundJob
from kamiyo_verify.rollback.context import RollbackContext
from kamiyo_verify.rollback.journal import FILE, Past
from kamiyo_verify.rollback.subject import Subject, first_line

_LEDGER_S = 10.0


def check_not_repeated(
    context: RollbackContext,
    subject: Subject,
    plan: Plan,
    states: Sequence[ServiceState],
    *,
    unattended: bool,
) -> None:
    """Refuse a verdict that was reached after a rollback, while nothing newer was deployed.

    Args:
        context: the environment with its ledger, and the console.
        subject: the verdict to act on.
        plan: what it takes back.
        states: the services as their host shows them now.
        unattended: whether no person confirms the rollback.

    Raises:
        CannotRollBack: the host, the journals or the ledger know such a rollback; or the ledger cannot be
            read, and no person confirms.
    """
    if context.launched is not None:
        return  # each drill has a platform of its own
    known, unread = [*_in_journals(subject.folder)], ""
    try:
        known += BackgroundJob(lambda: _in_ledger(context, subject), "ledger").outcome(_LEDGER_S)
    except Exception as error:  # noqa: BLE001 - an address, a driver, a network or a schema: each leaves it unread
        unread = context.masker.text(first_line(error))
    refuse_after(known, plan, states)
    if not unread:
        return
    unknown = f"the ledger, which knows earlier rollbacks, cannot be read ({unread})"
    if unattended:
        raise CannotRollBack(
            f"{unknown}, and a second rollback of one deployment needs a person. Make the ledger readable; or"
            " roll back at a terminal, without --yes. Nothing was done"
        )
    context.console.say(f"  warning    {unknown}: was this deployment rolled back before?")


def refuse_after(rollbacks: Iterable[datetime], plan: Plan, states: Sequence[ServiceState]) -> None:
    """Refuse a plan that takes back what a rollback left: its own deploy, or one that was live when it ended.

    Raises:
        CannotRollBack: one was.
    """
    last = max(rollbacks, default=None)
    by_service = {state.service: state for state in states}
    for target in plan.targets:
        deploy = by_service[target.service].deploy(target.current)
        if deploy is None:
            continue
        if deploy.is_rollback:
            before = f"{deploy.id}, which a rollback started, is live at the host"
        elif last is not None and deploy.created_at <= last:
            before = (
                f"one ended at {last.astimezone(UTC):%Y-%m-%d %H:%M} UTC, and {target.name} was not deployed"
                " anew since"
            )
        else:
            continue
        raise CannotRollBack(
            f"the last run followed a rollback: {before}. A person decides whether to go back further, at a"
            f" terminal: --to {target.service}=DEPLOY. Nothing was done"
        )


def _in_journals(own: Path) -> Iterator[datetime]:
    """Yield the last moment of each other rollback that sent something, of this environment."""
    for path in own.parent.glob(f"*/{FILE}"):
        if path.parent == own:
            continue
        past = Past.read(path.parent)
        if past.rolled_back_at is not None:
            yield past.rolled_back_at


def _in_ledger(context: RollbackContext, subject: Subject) -> list[datetime]:
    # Importing SQLAlchemy takes longer than the query, so it is imported late.
    from kamiyo_verify.ledger.store import Store  # noqa: PLC0415

    with Store.opened(ledger_url(context.environment, context.reports)) as store:
        return [
            datetime.fromisoformat(one.at)
            for one in store.decisions(context.environment.name)
            if one.deed is DecisionKind.ROLLED_BACK and one.run != subject.run
        ]

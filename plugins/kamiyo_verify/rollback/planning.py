"""Draw a rollback plan from the current state of the host, with schema and history warnings."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kamiyo_verify.hooks.session_end.lookups import Lookups
from kamiyo_verify.judge.rollback.plan import plan_from_verdict, plan_to_deploys
from kamiyo_verify.judge.rollback.progress import progress_of
from kamiyo_verify.model.circumstances import Migrated
from kamiyo_verify.model.hosting.rollback import CannotRollBack, Plan, Position
from kamiyo_verify.model.hosting.services import ServiceState
from kamiyo_verify.model.outcomes import NoAnswer, Unverified
from kamiyo_verify.rollback.context import RollbackContext
from kamiyo_verify.rollback.gateway import HostingGateway
from kamiyo_verify.rollback.subject import Subject

_SCHEMA_S = 15.0
_NOT_KNOWN = (
    "it is not known what this deployment did to the schema ({why}): a rollback takes back code alone"
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan and the objections to it.

    Attributes:
        grave: migrations that the earlier code cannot work with, or that were not reviewed; "" for none.
        states: the states of the services when the plan was drawn.
    """

    plan: Plan
    grave: str
    states: tuple[ServiceState, ...]


def draw(
    context: RollbackContext,
    gateway: HostingGateway,
    subject: Subject | None,
    wanted: Mapping[str, str],
    only: Sequence[str],
) -> Drawn:
    """Read the state of the host and draw the plan.

    Args:
        context: the environment and its settings.
        gateway: reads the host.
        subject: the verdict; None if deploys were given on the command line.
        wanted: the deploys given on the command line, by service.
        only: the services to roll back; empty for all that the verdict names.

    Raises:
        CannotRollBack: the host does not match the verdict, or its state cannot be read.
    """
    try:
        states = [gateway.state(service) for service in gateway.services]
    except NoAnswer as problem:
        raise CannotRollBack(
            f"{context.hosting.title} does not tell how things stand: {problem}. Nothing was done"
        ) from None
    name = context.environment.name
    if subject is None:
        plan = plan_to_deploys(name, states, wanted, context.runbook, only)
    else:
        plan = plan_from_verdict(subject.verdict, subject.run, states, context.runbook, only)
    _refuse_if_changed(plan, states)
    schema, why = _schema(context, plan, states)
    if schema is None:
        return Drawn(replace(plan, warnings=(_NOT_KNOWN.format(why=why), *plan.warnings)), "", tuple(states))
    grave = "; ".join((*schema.grave, *(f"{name}: nobody has read it" for name in schema.unread)))
    return Drawn(plan, grave, tuple(states))


def _refuse_if_changed(plan: Plan, states: Sequence[ServiceState]) -> None:
    by_service = {state.service: state for state in states}
    for target in plan.targets:
        place = progress_of(target, by_service[target.service])
        if place.position is Position.CHANGED:
            raise CannotRollBack(f"{place.why}. Nothing was done")


def _schema(
    context: RollbackContext, plan: Plan, states: Sequence[ServiceState]
) -> tuple[Migrated | None, str]:
    """Return the migrations since the target code was live, or None and the reason why they are unknown."""
    by_service = {state.service: state for state in states}
    back = [by_service[target.service].deploy(target.to) for target in plan.targets]
    since = min((deploy.finished_at or deploy.created_at for deploy in back if deploy), default=None)
    if since is None:
        return None, "the deploy is not known"
    until = time.monotonic() + _SCHEMA_S
    look = Lookups(context.environment, context.root, lambda: until - time.monotonic())
    try:
        found = look.migrated(since)
    except (NoAnswer, Unverified) as problem:
        return None, str(problem)
    return found, f"{context.environment.database.url.name} is not set"

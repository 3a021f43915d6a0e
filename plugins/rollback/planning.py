"""The plan of a rollback, from what stands on Render now, with what its schema and its past say to it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from plugins.judge.going_back import plan_of, plan_to
from plugins.judge.place_back import place_of
from plugins.look import Look
from plugins.model.circumstances import Migrated
from plugins.model.outcomes import NoAnswer
from plugins.model.rollback import CannotRollBack, Plan, Position, Standing
from plugins.model.words import WebService
from plugins.rollback.hands import Hands
from plugins.rollback.scene import Scene
from plugins.rollback.subject import Subject

_SCHEMA_S = 15.0
_NOT_KNOWN = (
    "it is not known what this deployment did to the schema ({why}): a rollback takes back code alone"
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan, and what stands against it.

    Attributes:
        grave: migrations that the code before cannot work with, or that nobody has read; "" for none.
    """

    plan: Plan
    grave: str


def draw(
    scene: Scene,
    hands: Hands,
    subject: Subject | None,
    wanted: Mapping[str, str],
    only: Sequence[str],
) -> Drawn:
    """Look at Render, and plan.

    Args:
        scene: where.
        hands: look.
        subject: the verdict; None where a person named the deploys.
        wanted: the deploys that a person named, by service.
        only: the services to take back; all that the verdict names where none is.

    Raises:
        CannotRollBack: things do not stand as the verdict says, or cannot be seen.
    """
    try:
        standings = [hands.look(service) for service in WebService]
    except NoAnswer as problem:
        raise CannotRollBack(f"Render does not tell how things stand: {problem}. Nothing was done") from None
    name = scene.environment.name
    if subject is None:
        plan = plan_to(name, standings, wanted, only)
    else:
        plan = plan_of(subject.verdict, subject.run, standings, scene.runbook, only)
    _refuse_if_changed(plan, standings)
    schema, why = _schema(scene, plan, standings)
    if schema is None:
        return Drawn(replace(plan, warnings=(_NOT_KNOWN.format(why=why), *plan.warnings)), "")
    return Drawn(plan, "; ".join((*schema.grave, *(f"{name}: nobody has read it" for name in schema.unread))))


def _refuse_if_changed(plan: Plan, standings: Sequence[Standing]) -> None:
    by_service = {standing.service: standing for standing in standings}
    for target in plan.targets:
        place = place_of(target, by_service[target.service])
        if place.position is Position.CHANGED:
            raise CannotRollBack(f"{place.why}. Nothing was done")


def _schema(scene: Scene, plan: Plan, standings: Sequence[Standing]) -> tuple[Migrated | None, str]:
    """What was migrated since the bad deploys began; None where nobody can tell, and why."""
    by_service = {standing.service: standing for standing in standings}
    bad = [by_service[target.service].deploy(target.current) for target in plan.targets]
    since = min((deploy.created_at for deploy in bad if deploy), default=None)
    if since is None:
        return None, "the deploy is not known"
    until = time.monotonic() + _SCHEMA_S
    look = Look(scene.environment, scene.root, lambda: until - time.monotonic())
    try:
        found = look.migrated(since)
    except NoAnswer as problem:
        return None, str(problem)
    return found, f"{scene.environment.database.url.name} is not set"

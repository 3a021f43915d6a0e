"""From a verdict, or a person's word, and what stands on Render now to the plan of a rollback."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from plugins.judge.place_back import commit_of
from plugins.model.commits import same_commit
from plugins.model.rollback import CannotRollBack, Plan, Standing, Target
from plugins.model.runbook import Runbook
from plugins.model.verdict import RollbackStep, Verdict
from plugins.model.words import Action, Impact, WebService

_FRONTEND_FIRST = (
    "the frontend goes first: the old one has worked beside the new API before, while the new one may rely on"
    " what the old API does not have"
)
_API_FIRST = "the API goes first: what it does is doing harm, and each further minute adds to it"
_HARMFUL = {Impact.DATA, Impact.SECURITY}


def plan_of(
    verdict: Verdict, run: str, standings: Sequence[Standing], runbook: Runbook, only: Collection[str] = ()
) -> Plan:
    """What a verdict calls for, where it still agrees with what stands on Render.

    Args:
        verdict: of that environment.
        run: its id.
        standings: of both services, now.
        runbook: which item is served by what.
        only: the services to take back, by name or part ("kamiyo-api", "api"); all where none is named.

    Raises:
        CannotRollBack: it calls for something else, or cannot be carried out as things stand.
    """
    if verdict.recommendation is not Action.ROLL_BACK:
        raise CannotRollBack(
            f"the verdict says {verdict.recommendation.value.replace('_', ' ')}, not roll back:"
            f" {verdict.headline}. To go back all the same, name each deploy: --to api=dep-…"
        )
    named = {standing.name: standing for standing in standings}
    steps = _known(verdict.rollback.services, named)
    bad = [step.current_commit for step in steps if step.to]
    targets: list[Target] = []
    warnings = list(verdict.rollback.warnings)
    for step in steps:
        if step.to:
            targets.append(_target(step, named[step.service]))
        elif any(same_commit(step.current_commit, commit) for commit in bad):
            raise CannotRollBack(
                f"{step.service}: no deploy to go back to is known; choose one: --to {step.service}=dep-…"
            )
        else:
            warnings.append(f"{step.service} has nothing to take back")
    harmful = any(
        one.impact in _HARMFUL and _served_by(runbook, one.item) is WebService.API for one in verdict.reasons
    )
    chosen = _chosen(targets, standings, only)
    return _plan(verdict.environment, run, chosen, standings, warnings, api_first=harmful)


def plan_to(
    environment: str, standings: Sequence[Standing], wanted: Mapping[str, str], only: Collection[str] = ()
) -> Plan:
    """A rollback to the deploys that a person names.

    Args:
        environment: its name.
        standings: of both services, now.
        wanted: deploys by service, each by its name or its part.
        only: as of `plan_of`.

    Raises:
        CannotRollBack: there is no such service or deploy, or it cannot be gone back to.
    """
    targets = []
    for name, deploy_id in wanted.items():
        standing = _standing(standings, name)
        live, to = standing.live, standing.deploy(deploy_id)
        if live is None or to is None:
            missing = f"deploy {deploy_id} on Render" if to is None else "live deploy: nothing to take back"
            raise CannotRollBack(f"{standing.name} has no {missing}")
        if not commit_of(live) or not commit_of(to):
            raise CannotRollBack(
                f"{standing.name}: {live.id} or {to.id} is of no commit, so that nobody could see whether it"
                f" is back; do it by hand: {standing.dashboard} → Rollbacks"
            )
        if same_commit(commit_of(live), commit_of(to)):
            raise CannotRollBack(f"{standing.name} serves commit {commit_of(to)[:7]} already, by {live.id}")
        targets.append(
            Target(
                service=standing.service,
                id=standing.id,
                name=standing.name,
                dashboard=standing.dashboard,
                api=standing.api,
                current=live.id,
                current_commit=commit_of(live),
                to=to.id,
                to_commit=commit_of(to),
            )
        )
    return _plan(environment, "", _chosen(targets, standings, only), standings, ())


def _known(steps: Sequence[RollbackStep], named: Mapping[str, Standing]) -> Sequence[RollbackStep]:
    if not steps:
        raise CannotRollBack("the verdict names no service to take back")
    for step in steps:
        if not step.current or step.service not in named:
            raise CannotRollBack(
                f"the verdict does not know what {step.service} serves: Render did not tell it then. Verify"
                " again with [render] and its key, or name each deploy: --to api=dep-…"
            )
    return steps


def _target(step: RollbackStep, standing: Standing) -> Target:
    live = standing.live
    return Target(
        service=standing.service,
        id=standing.id,
        name=standing.name,
        dashboard=standing.dashboard,
        api=standing.api,
        current=step.current,
        current_commit=step.current_commit or (commit_of(live) if live else ""),
        to=step.to,
        to_commit=step.to_commit,
        live_until=step.live_until,
    )


def _plan(
    environment: str,
    run: str,
    targets: Sequence[Target],
    standings: Sequence[Standing],
    warnings: Sequence[str],
    *,
    api_first: bool = False,
) -> Plan:
    if not targets:
        raise CannotRollBack("no service is left to take back")
    if unnamed := [target.name for target in targets if not target.to_commit]:
        raise CannotRollBack(
            f"{', '.join(unnamed)}: the deploy to go back to is of no commit; do it by hand, on the dashboard"
        )
    ordered = sorted(targets, key=lambda target: (target.service is WebService.API) is not api_first)
    going = {target.service for target in targets}
    return Plan(
        environment=environment,
        run=run,
        targets=tuple(ordered),
        why_order="" if len(ordered) == 1 else _API_FIRST if api_first else _FRONTEND_FIRST,
        stays=tuple(standing for standing in standings if standing.service not in going),
        warnings=tuple(warnings),
    )


def _chosen(
    targets: Sequence[Target], standings: Sequence[Standing], only: Collection[str]
) -> Sequence[Target]:
    wanted = {_standing(standings, name).service for name in only}
    if strangers := wanted - {target.service for target in targets}:
        raise CannotRollBack(f"--service {', '.join(sorted(strangers))}: it is not to be taken back")
    return [target for target in targets if not wanted or target.service in wanted]


def _standing(standings: Sequence[Standing], name: str) -> Standing:
    found = next((one for one in standings if name in {one.name, one.service.value}), None)
    if found is None:
        names = " or ".join(f"{one.service} ({one.name})" for one in standings)
        raise CannotRollBack(f"there is no service {name}; name {names}")
    return found


def _served_by(runbook: Runbook, item_id: str) -> WebService | None:
    item = next((one for one in runbook.items if one.id == item_id), None)
    return item.services[0] if item and item.services else None

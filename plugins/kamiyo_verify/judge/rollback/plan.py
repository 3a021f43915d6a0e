"""The plan of a rollback: from a verdict, or from the deploys that a person names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from kamiyo_verify.judge.rollback.targets import deployed_anew
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.hosting.rollback import CannotRollBack, Plan, Target
from kamiyo_verify.model.hosting.services import ServiceState
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.services import in_order
from kamiyo_verify.model.verdict import RollbackStep, Verdict
from kamiyo_verify.model.words import Action

_DEPENDENT_FIRST = (
    "the {first} goes first: the old one has worked beside the new {second} before, while the new one may"
    " rely on what the old {second} does not have"
)
_HARMFUL_FIRST = "the {first} goes first: what it does is doing harm, and each further minute adds to it"


def plan_from_verdict(
    verdict: Verdict, run: str, states: Sequence[ServiceState], runbook: Runbook, only: Collection[str] = ()
) -> Plan:
    """What a verdict calls for, where it still agrees with how the services stand.

    Args:
        verdict: of that environment.
        run: its id.
        states: of every service, now.
        runbook: which item is served by what.
        only: the services to take back, by name or part ("kamiyo-api", "api"); all where none is named.

    Raises:
        CannotRollBack: it calls for something else, or cannot be carried out as things stand.
    """
    if verdict.recommendation is not Action.ROLL_BACK:
        raise CannotRollBack(
            f"the verdict says {verdict.recommendation.value.replace('_', ' ')}, not roll back:"
            f" {verdict.headline}. To go back all the same, name each deploy: --to api=DEPLOY"
        )
    named = {state.name: state for state in states}
    steps = _known(verdict.rollback.services, named)
    bad = [step.current_commit for step in steps if step.to]
    targets: list[Target] = []
    warnings = list(verdict.rollback.warnings)
    for step in steps:
        if step.to:
            targets.append(_target(step, named[step.service]))
        elif any(same_commit(step.current_commit, commit) for commit in bad):
            raise CannotRollBack(
                f"{step.service}: no deploy to go back to is known; choose one: --to {step.service}=DEPLOY"
            )
        else:
            warnings.append(f"{step.service} has nothing to take back")
    clauses = runbook.policy.roll_back
    harmful_impacts = {clause.impact for clause in clauses if clause.proof == "content" or clause.data_damage}
    harmful = {_served_by(runbook, one.item) for one in verdict.reasons if one.impact in harmful_impacts}
    chosen = _chosen(targets, states, only)
    return _plan(verdict.environment, run, chosen, states, runbook, warnings, harmful)


def plan_to_deploys(
    environment: str,
    states: Sequence[ServiceState],
    wanted: Mapping[str, str],
    runbook: Runbook,
    only: Collection[str] = (),
) -> Plan:
    """A rollback to the deploys that a person names.

    Args:
        environment: its name.
        states: of every service, now.
        wanted: deploys by service, each by its name or its part.
        runbook: which service relies on which.
        only: as of `plan_from_verdict`.

    Raises:
        CannotRollBack: there is no such service or deploy, or it cannot be gone back to.
    """
    targets = []
    for name, deploy_id in wanted.items():
        state = _standing(states, name)
        live, to = state.live, state.deploy(deploy_id)
        if live is None or to is None:
            missing = f"deploy {deploy_id} at the host" if to is None else "live deploy: nothing to take back"
            raise CannotRollBack(f"{state.name} has no {missing}")
        if not live.commit_id or not to.commit_id:
            raise CannotRollBack(
                f"{state.name}: {live.id} or {to.id} is of no commit, so that nobody could see whether it"
                f" is back; do it by hand: {state.dashboard} → Rollbacks"
            )
        if same_commit(live.commit_id, to.commit_id):
            raise CannotRollBack(f"{state.name} serves commit {to.commit_id[:7]} already, by {live.id}")
        targets.append(
            Target(
                service=state.service,
                id=state.id,
                name=state.name,
                dashboard=state.dashboard,
                api=state.api,
                current=live.id,
                current_commit=live.commit_id,
                to=to.id,
                to_commit=to.commit_id,
                calls=state.calls_to(to.id),
                host=state.host,
                auto_deploy=_auto_deploy(state),
                anew=deployed_anew(state, to),
            )
        )
    return _plan(environment, "", _chosen(targets, states, only), states, runbook)


def _known(steps: Sequence[RollbackStep], named: Mapping[str, ServiceState]) -> Sequence[RollbackStep]:
    if not steps:
        raise CannotRollBack("the verdict names no service to take back")
    for step in steps:
        if not step.current or step.service not in named:
            raise CannotRollBack(
                f"the verdict does not know what {step.service} serves: the host did not tell then. Verify"
                " again with the host and its credential, or name each deploy: --to api=DEPLOY"
            )
    return steps


def _target(step: RollbackStep, state: ServiceState) -> Target:
    live, to = state.live, state.deploy(step.to)
    return Target(
        service=state.service,
        id=state.id,
        name=state.name,
        dashboard=state.dashboard,
        api=state.api,
        current=step.current,
        current_commit=step.current_commit or (live.commit_id if live else ""),
        to=step.to,
        to_commit=step.to_commit,
        calls=state.calls_to(step.to),
        live_until=step.live_until,
        host=state.host,
        auto_deploy=_auto_deploy(state),
        anew=deployed_anew(state, to) if to else "",
    )


def _auto_deploy(state: ServiceState) -> str:
    return state.auto_deploy_trigger or ("on" if state.auto_deploy else "off")


def _plan(
    environment: str,
    run: str,
    targets: Sequence[Target],
    states: Sequence[ServiceState],
    runbook: Runbook,
    warnings: Sequence[str] = (),
    harmful: Collection[str] = (),
) -> Plan:
    if not targets:
        raise CannotRollBack("no service is left to take back")
    if unnamed := [target.name for target in targets if not target.to_commit]:
        raise CannotRollBack(
            f"{', '.join(unnamed)}: the deploy to go back to is of no commit; do it by hand, on the dashboard"
        )
    ordered = _ordered(targets, runbook, harmful)
    going = {target.service for target in targets}
    caveats = [caveat for state in states if state.service in going for caveat in state.caveats]
    return Plan(
        environment=environment,
        run=run,
        targets=tuple(ordered),
        why_order=_why_order(ordered, runbook, harmful),
        stays=tuple(state for state in states if state.service not in going),
        warnings=tuple(dict.fromkeys((*warnings, *caveats))),
    )


def _ordered(targets: Sequence[Target], runbook: Runbook, harmful: Collection[str]) -> list[Target]:
    """What does harm first; then each service before those that it relies on, as the items tell."""
    relies_on = _relies_on(runbook)
    order = in_order((target.service for target in targets), runbook.served_by)

    def place(target: Target) -> tuple[bool, int, int]:
        users = sum(target.service in relies_on.get(other, ()) for other in order)
        return target.service not in harmful, users, order.index(target.service)

    return sorted(targets, key=place)


def _relies_on(runbook: Runbook) -> dict[str, set[str]]:
    """What each service relies on: an item names what serves it, and behind that what it relies on."""
    found: dict[str, set[str]] = {}
    for item in runbook.items:
        if item.services:
            found.setdefault(item.services[0], set()).update(item.services[1:])
    return found


def _why_order(ordered: Sequence[Target], runbook: Runbook, harmful: Collection[str]) -> str:
    """Why the first goes first; "" where nothing speaks for one order."""
    if len(ordered) < 2:
        return ""
    first, second = ordered[0].service, ordered[1].service
    if first in harmful:
        return _HARMFUL_FIRST.format(first=first)
    relied_on = second in _relies_on(runbook).get(first, ())
    return _DEPENDENT_FIRST.format(first=first, second=second) if relied_on else ""


def _chosen(
    targets: Sequence[Target], states: Sequence[ServiceState], only: Collection[str]
) -> Sequence[Target]:
    wanted = {_standing(states, name).service for name in only}
    if strangers := wanted - {target.service for target in targets}:
        raise CannotRollBack(f"--service {', '.join(sorted(strangers))}: it is not to be taken back")
    return [target for target in targets if not wanted or target.service in wanted]


def _standing(states: Sequence[ServiceState], name: str) -> ServiceState:
    found = next((one for one in states if name in {one.name, one.service}), None)
    if found is None:
        names = " or ".join(f"{one.service} ({one.name})" for one in states)
        raise CannotRollBack(f"there is no service {name}; name {names}")
    return found


def _served_by(runbook: Runbook, item_id: str) -> str:
    item = next((one for one in runbook.items if one.id == item_id), None)
    return item.services[0] if item and item.services else ""

"""Rollback advice: the deploys to roll back from and to, the way to do it, and warnings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from kamiyo_verify.judge.attribution.services import behind, changed, known_services, to_take_back
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.migrated import IN_PART
from kamiyo_verify.judge.rollback.targets import TargetChoice, target_of
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.hosting.services import Deploy, ServiceState
from kamiyo_verify.model.reasons import Reason
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.services import Services
from kamiyo_verify.model.verdict import Rollback, RollbackStep
from kamiyo_verify.model.words import Action

_SCHEMA_STAYS = "a rollback changes code, never the schema: read the migrations of this deployment first"
_DATA_STAYS = "a rollback restores no data: stop all writes, then restore from a backup"
_RESTORE = (
    "to go back nevertheless, stop all writes, and restore the database to before {began} together with the"
    " code: everything written since is lost"
)
_NAMED = 3
SHORT = 7
"""Number of characters of a commit id in messages."""


def rollback_advice(evidence: Evidence, action: Action, reasons: Sequence[Reason]) -> Rollback:
    """Return the services to roll back, if that is the call, and the warnings to read before acting."""
    also = tuple(_failed_as_well(evidence, reasons))
    if action is not Action.ROLL_BACK:
        return Rollback(warnings=(*_restoring(evidence, reasons), *also))
    items = [evidence.item(reason.item) for reason in reasons]
    back = to_take_back(evidence, items)
    hosted = {one.service: one for one in evidence.hosted}
    names = evidence.runbook.services
    steps = tuple(_step(evidence, service, hosted.get(service)) for service in back)
    damage = {clause.text for clause in evidence.runbook.policy.roll_back if clause.data_damage}
    damaged = any(reason.clause in damage for reason in reasons)
    return Rollback(
        services=steps,
        warnings=(
            _schema(evidence),
            *((_DATA_STAYS,) if damaged else ()),
            *_together(evidence, items, back),
            *_under_way(evidence),
            *(
                f"not known whether {row.name} caused it: {report.unknown}"
                for report in evidence.suppliers
                if report.unknown and (row := evidence.runbook.supplier(report.supplier))
            ),
            *(
                f"{row.name} reports an open incident, by itself no excuse: {'; '.join(report.incidents)}"
                for report in evidence.suppliers
                if report.incidents and (row := evidence.runbook.supplier(report.supplier))
            ),
            *also,
        ),
        stays=tuple(
            _name(names, service, hosted.get(service))
            for service in known_services(evidence)
            if service not in back
        ),
    )


def _failed_as_well(evidence: Evidence, reasons: Sequence[Reason]) -> Iterator[str]:
    """Yield one warning about the failed items that are not reasons of the call."""
    named = {reason.item for reason in reasons}
    ids = [result.item for result in evidence.failed() if result.item not in named]
    if ids:
        more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
        yield f"{counted(len(ids), 'item')} failed as well: {', '.join(ids[:_NAMED])}{more}"


def _step(evidence: Evidence, service: str, state: ServiceState | None) -> RollbackStep:
    names = evidence.runbook.services
    name = _name(names, service, state)
    manual = names.manual.replace("{service}", name)
    live = state.live if state else None
    if state is None or live is None:
        return RollbackStep(service=name, current="", to="", how=manual)
    ours = {one.service for one in changed(evidence)}
    choice = target_of(state, evidence.bad_commits) if service in ours else TargetChoice(None)
    if choice.deploy is None:
        still = f"{name} still serves {_short(live)}: cancel what goes on, there is nothing to take back"
        return RollbackStep(
            service=name,
            current=live.id,
            to="",
            how=choice.instead or still,
            current_commit=live.commit_id,
            dashboard=state.dashboard,
        )
    return _step_to(choice.deploy, name, state, live)


def _step_to(target: Deploy, name: str, state: ServiceState, live: Deploy) -> RollbackStep:
    calls = state.calls_to(target.id)
    revert = f"git revert {live.commit_id}" if live.commit_id else ""
    on_dashboard = f"by dashboard: {state.dashboard} → Rollbacks → {target.id}; switch auto-deploy off first"
    ways = [on_dashboard] if state.dashboard else []
    if calls:
        ways.append(f"{_kind_of(calls[0])}: {', then '.join(calls)}")
    if revert:
        ways.append(f"by git: {revert}, with all else since {target.commit_id[:SHORT]}, and push")
    return RollbackStep(
        service=name,
        current=live.id,
        to=target.id,
        how="; ".join(ways),
        current_commit=live.commit_id,
        to_commit=target.commit_id,
        live_until=_text(live.finished_at) if live.finished_at else "",
        dashboard=state.dashboard,
        calls=calls,
        revert=revert,
    )


def _kind_of(call: str) -> str:
    return "by API" if call.startswith(("PATCH ", "POST ", "PUT ")) else "by command"


def _schema(evidence: Evidence) -> str:
    """Describe the schema that a rollback leaves. Another rule decides whether it forbids the rollback."""
    if evidence.migrated is None:
        return _SCHEMA_STAYS
    if evidence.migrated.safe:
        names = ", ".join(evidence.migrated.safe)
        if any(name.endswith(IN_PART) for name in evidence.migrated.safe):
            kept = f"the schema keeps what was applied of {names}"
            return f"{kept}: that only adds, so the earlier code works with it; finish it before a deploy"
        return f"the schema keeps {names}, which only adds: the earlier code works with it"
    return "the schema does not change: no migration was applied since the code that comes back"


def _restoring(evidence: Evidence, reasons: Sequence[Reason]) -> Iterator[str]:
    """Yield the alternative if the schema forbids a rollback."""
    if evidence.migrated and evidence.migrated.grave and any(not reason.item for reason in reasons):
        began = min((one.live.created_at for one in changed(evidence) if one.live), default=None)
        yield _RESTORE.format(began=_moment(began) if began else "this deployment")


def _together(evidence: Evidence, items: Sequence[Item], back: Sequence[str]) -> Iterator[str]:
    """Yield warnings about broken services that are not rolled back, and old ones that run with new ones."""
    hosted = {one.service: one for one in evidence.hosted}
    broken, names = behind(evidence, items), evidence.runbook.services

    def name(service: str) -> str:
        return _name(names, service, hosted.get(service))

    for service in broken:
        if service not in back:
            yield (
                f"{name(service)} fails, and this deployment did not change it: what it changed is"
                f" {' and '.join(map(name, back))}, so that goes back"
            )
    beside = [
        service
        for service in evidence.runbook.served_by
        if service not in back and not _ran_together(evidence, hosted.get(service), back)
    ]
    if not back or not beside or set(broken) - set(back):
        return
    stays = " and ".join(f"{name(one)} stays{_at(hosted.get(one))}" for one in beside)
    gone = " and ".join(f"an older {name(one)}{_to(evidence, hosted.get(one))}" for one in back)
    all_of_them = "both" if len(beside) + len(back) == 2 else "them all"
    yield (
        f"{stays}, beside {gone}: check with pytest -m rollback that they fit, and roll {all_of_them} back"
        " if one relies on what only the newer other has"
    )


def _ran_together(evidence: Evidence, stays: ServiceState | None, back: Sequence[str]) -> bool:
    """Return whether the service runs the same commit that all the others are rolled back to."""
    targets = [target_of(one, evidence.bad_commits).deploy for one in evidence.hosted if one.service in back]
    live = stays.live if stays else None
    return bool(live and targets) and all(
        target and live and same_commit(target.commit_id, live.commit_id) for target in targets
    )


def _under_way(evidence: Evidence) -> Iterator[str]:
    """Warn of deploys in progress: they go live even if other services are rolled back."""
    for state in evidence.hosted:
        pending = state.deploy_of(evidence.commit) if evidence.commit else None
        if pending is not None and pending.status.in_progress:
            yield (
                f"{state.name} has not switched to {_short(pending)} yet ({pending.id},"
                f" {pending.status.replace('_', ' ')}): cancel that deploy, or it goes live beside what was"
                f" rolled back, at {state.dashboard}"
            )


def _name(names: Services, service: str, state: ServiceState | None) -> str:
    return state.name if state else names.name(service)


def _at(state: ServiceState | None) -> str:
    return f" at {_short(state.live)}" if state and state.live else ""


def _to(evidence: Evidence, state: ServiceState | None) -> str:
    target = target_of(state, evidence.bad_commits).deploy if state else None
    return f" of {_short(target)}" if target else ""


def _short(deploy: Deploy) -> str:
    return deploy.commit_id[:SHORT] or deploy.id


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")

"""The way back: which service, from which deploy to which, and how; and what to mind before going it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime

from plugins.judge.evidence import Evidence
from plugins.judge.services import behind, changed, to_take_back
from plugins.model.circumstances import Hosted, Version
from plugins.model.commits import same_commit
from plugins.model.hosting import Deploy, DeployStatus
from plugins.model.runbook import Item, Services
from plugins.model.verdict import Reason, Rollback, RollbackStep
from plugins.model.words import Action, Impact, WebService

_SCHEMA_STAYS = "a rollback takes back code, never the schema: look at the migrations of this deploy first"
_DATA_STAYS = "a rollback restores no data: stop what writes, then restore from a backup"
_RESTORE = (
    "to go back all the same, stop what writes, and bring the database back to before {began} together with"
    " the code: everything written since is lost"
)
SHORT = 7
"""How much of a commit is told in prose."""


def way_back(evidence: Evidence, action: Action, reasons: Sequence[Reason]) -> Rollback:
    """The services to take back, where that is the call, and what to know before anyone acts."""
    also = tuple(_failed_as_well(evidence, reasons))
    if action is not Action.ROLL_BACK:
        return Rollback(warnings=(*_restoring(evidence, reasons), *also))
    items = [evidence.item(reason.item) for reason in reasons]
    back = to_take_back(evidence, items)
    hosted = {one.service: one for one in evidence.hosted}
    ours = {one.service for one in changed(evidence)}
    names = evidence.runbook.services
    steps = tuple(_step(names, service, hosted.get(service), ours) for service in back)
    damaged = any(reason.impact is Impact.DATA for reason in reasons)
    return Rollback(
        services=steps,
        warnings=(
            _schema(evidence),
            *((_DATA_STAYS,) if damaged else ()),
            *_together(evidence, items, back),
            *(
                f"not known whether it is {row.name}'s doing: {report.unknown}"
                for report in evidence.suppliers
                if report.unknown and (row := evidence.runbook.supplier(report.supplier))
            ),
            *also,
        ),
        stays=tuple(
            _name(names, service, hosted.get(service)) for service in WebService if service not in back
        ),
    )


def live_and_before(
    deploys: Sequence[Deploy], bad_commits: Iterable[str] = ()
) -> tuple[Deploy | None, Deploy | None]:
    """What is live, and what to go back to: what was live before it, of another commit.

    Args:
        deploys: all of a service, newest first.
        bad_commits: commits that are known to have failed; nobody goes back to them.
    """
    live = next((one for one in deploys if one.status is DeployStatus.LIVE), None)
    if live is None:
        return None, None
    bad = [_commit(live), *bad_commits]
    good = (
        one
        for one in deploys
        if one.status is DeployStatus.DEACTIVATED
        and one.created_at < live.created_at
        and not any(same_commit(_commit(one), commit) for commit in bad)
    )
    return live, next(good, None)


def _failed_as_well(evidence: Evidence, reasons: Sequence[Reason]) -> Iterator[str]:
    named = {reason.item for reason in reasons}
    for result in evidence.failed():
        if result.item not in named:
            yield f"{result.item} failed as well: {result.message}"


def _step(
    names: Services, service: WebService, hosted: Hosted | None, ours: Collection[WebService]
) -> RollbackStep:
    name = _name(names, service, hosted)
    by_hand = names.by_hand.replace("{service}", name)
    if hosted is None or hosted.current is None:
        return RollbackStep(service=name, current="", to="", how=by_hand)
    current, good = hosted.current, hosted.last_good
    if good is None or service not in ours:
        still = f"{name} still serves {_short(current)}: cancel what goes on, there is nothing to take back"
        return RollbackStep(
            service=name,
            current=current.deploy,
            to="",
            how=by_hand if service in ours else still,
            current_commit=current.commit,
            dashboard=hosted.dashboard,
        )
    calls = (
        f'PATCH {hosted.api} {{"autoDeploy": "no"}}',
        f'POST {hosted.api}/rollback {{"deployId": "{good.deploy}"}}',
    )
    revert = f"git revert {current.commit}" if current.commit else ""
    ways = [
        f"by dashboard: {hosted.dashboard} → Rollbacks → {good.deploy}; switch auto-deploy off first",
        f"by API: {calls[0]}, then {calls[1]}",
    ]
    if revert:
        ways.append(f"by git: {revert}, with all else since {good.commit[:SHORT]}, and push")
    return RollbackStep(
        service=name,
        current=current.deploy,
        to=good.deploy,
        how="; ".join(ways),
        current_commit=current.commit,
        to_commit=good.commit,
        live_until=current.live_at,
        dashboard=hosted.dashboard,
        calls=calls,
        revert=revert,
    )


def _schema(evidence: Evidence) -> str:
    """What a rollback meets in the database. What stands against one is a rule of its own."""
    if evidence.migrated is None:
        return _SCHEMA_STAYS
    if evidence.migrated.safe:
        names = ", ".join(evidence.migrated.safe)
        return f"the schema stays as {names} left it, which only adds: the code before works with that"
    return "the schema stays as it is: this deployment applied no migration"


def _restoring(evidence: Evidence, reasons: Sequence[Reason]) -> Iterator[str]:
    """The other way out, where the schema is what forbids a rollback."""
    if evidence.migrated and evidence.migrated.grave and any(not reason.item for reason in reasons):
        began = min((one.current.began_at for one in changed(evidence) if one.current), default="")
        yield _RESTORE.format(began=_moment(began) or "this deployment")


def _together(evidence: Evidence, items: Sequence[Item], back: Sequence[WebService]) -> Iterator[str]:
    """What comes of an old service beside a new one."""
    hosted = {one.service: one for one in evidence.hosted}
    broken, names = behind(items), evidence.runbook.services
    for service in broken:
        if service not in back:
            went = " and ".join(_name(names, one, hosted.get(one)) for one in back)
            yield (
                f"{_name(names, service, hosted.get(service))} fails, and this deployment did not change it:"
                f" what it changed is {went}, so that goes back"
            )
    if len(back) != 1 or set(broken) - set(back):
        return
    gone = back[0]
    stays = next(service for service in WebService if service is not gone)
    yield (
        f"{_name(names, stays, hosted.get(stays))} is not broken and stays{_at(hosted.get(stays))},"
        f" beside an older {_name(names, gone, hosted.get(gone))}{_to(hosted.get(gone))}:"
        " see with pytest -m rollback that they fit, and take both back where one relies on what only the"
        " new other has"
    )


def _name(names: Services, service: WebService, hosted: Hosted | None) -> str:
    return hosted.name if hosted else names.name(service)


def _at(hosted: Hosted | None) -> str:
    return f" at {_short(hosted.current)}" if hosted and hosted.current else ""


def _to(hosted: Hosted | None) -> str:
    return f" of {_short(hosted.last_good)}" if hosted and hosted.last_good else ""


def _short(version: Version) -> str:
    return version.commit[:SHORT] or version.deploy


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC" if text else ""


def _commit(deploy: Deploy) -> str:
    return deploy.commit.id if deploy.commit else ""

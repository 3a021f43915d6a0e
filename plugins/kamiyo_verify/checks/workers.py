"""Generic checks of a worker or a queue: it answers no request, so its host is asked about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from kamiyo_verify.checks.requirement import Measure, require
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.outcomes import Unverified, WrongAnswer

if TYPE_CHECKING:
    from kamiyo_verify.model.hosting.port import Hosting
    from kamiyo_verify.model.hosting.services import Deploy, Event, ServiceState

_CRASHED = "server_failed"
_IGNORED_WITHIN = timedelta(hours=24)
"""How far back the host is asked whether it ignored the commit."""


def worker_runs(hosting: Hosting, service: str, measure: Measure, *, commit: str = "") -> None:
    """A deploy of the worker is live.

    Args:
        hosting: the fixture.
        service: its NAME in [services.NAME]; it needs a hosting_id.
        measure: the fixture.
        commit: the commit of the live deploy; "" for any. A worker that the host keeps at its own commit,
            because this one does not change it, is right.

    Raises:
        Unverified: there is no host to ask about it.
    """
    state = _state(hosting, service, measure)
    if commit and state.live is None:
        _measure_missing(state, commit, measure)
    live = _live(state)
    measure("deploy", live.id)
    if commit:
        _runs_commit(hosting, state, live, commit, measure)


def worker_stays_up(hosting: Hosting, service: str, measure: Measure) -> None:
    """The worker has not crashed since its deploy went live.

    Restarts by hand and failures of the host's machines are no crashes. A crash from which the worker
    recovered is a defect, and alone no reason for a rollback.

    Raises:
        Unverified: there is no host to ask about it, or the host does not report crashes.
    """
    live = _live(_state(hosting, service, measure))
    crashes = hosting.events(service, _since(live), datetime.now(UTC), (_CRASHED,))
    measure("crashes", len(crashes), "count")
    shown = "; ".join(f"at {one.timestamp:%H:%M:%S} UTC, {_cause(one)}" for one in crashes[:3])
    times = "time" if len(crashes) == 1 else "times"
    require(not crashes, f"{service} has crashed {len(crashes)} {times} since its deploy: {shown}")


def worker_logs(hosting: Hosting, service: str, measure: Measure, *, within_s: float = 300) -> None:
    """The worker has written to its log in so many seconds, since its deploy went live.

    A log that is silent may be that of a worker with nothing to do: alone, it is no reason for a rollback.

    Raises:
        Unverified: there is no host to ask about it, or it has no logs; or the worker went live so recently
            that its log shows nothing yet.
    """
    live, now, within = (
        _live(_state(hosting, service, measure)),
        datetime.now(UTC),
        timedelta(seconds=within_s),
    )
    since = _since(live)
    start = max(since, now - within)
    lines = hosting.logs([service], start, now, types=("app",), at_most=1).lines
    if lines:
        measure("log_age", (now - lines[-1].timestamp).total_seconds(), "s")
    elif start == since:
        raise Unverified(
            f"{service} has been live for only {duration((now - since).total_seconds())} and has logged"
            f" nothing yet: run this again after {duration(within_s)}"
        )
    require(bool(lines), f"{service} has logged nothing for {duration(within_s)}: it may hang")


def _state(hosting: Hosting, service: str, measure: Measure) -> ServiceState:
    if service not in hosting.services:
        raise Unverified(
            f"[services.{service}] has no hosting_id, so no host knows whether the worker runs: set it in the"
            " environment file"
        )
    state = hosting.state(service)
    measure("host", state.host)
    return state


def _since(live: Deploy) -> datetime:
    return live.finished_at or live.started_at or live.created_at


def _live(state: ServiceState) -> Deploy:
    require(not state.suspended, f"{state.service} is suspended at {state.host}: it does not run")
    if state.live is None:
        newest = state.deploys[0].status.replace("_", " ") if state.deploys else ""
        detail = f"the newest is {newest}" if newest else "it has none"
        raise WrongAnswer(f"no deploy of {state.service} is live at {state.host}: {detail}")
    return state.live


def _measure_missing(state: ServiceState, commit: str, measure: Measure) -> None:
    """Measure why nothing is live, unless it is that the commit was deployed and did not start."""
    own = state.deploy_of(commit)
    if own is None:
        measure("unread", f"the host has no deploy of {commit[:12]}, and no other is live")
    elif own.status.in_progress:
        measure("switching", _progress(own))


def _runs_commit(hosting: Hosting, state: ServiceState, live: Deploy, commit: str, measure: Measure) -> None:
    since = datetime.now(UTC) - _IGNORED_WITHIN
    if live.is_of(commit) or hosting.stays_because(state.service, commit, since):
        return
    if not live.commit_id:
        raise Unverified(f"the host knows no commit of what is live on {state.service}")
    own = state.deploy_of(commit)
    if own is not None and own.status.in_progress:
        measure("expected", live.commit_id)
        measure("switching", _progress(own))
    else:
        measure("expected", commit)
    measure("deployed", live.commit_id)
    raise WrongAnswer(f"{state.service} runs commit {live.commit_id[:12]} where {commit[:12]} was expected")


def _progress(deploy: Deploy) -> str:
    return f"{deploy.id} is {deploy.status.replace('_', ' ')}"


def _cause(event: Event) -> str:
    return str(event.failure) if event.failure else "without a reason"

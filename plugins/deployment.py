"""Waiting for a deployment: it begins with the run, and its checks ask for the outcome last."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from plugins.background import background_fixture
from plugins.clients.http import Record
from plugins.clients.uptime import PACE_S, watch
from plugins.model.deployment import Deployment
from plugins.model.environment import Environment
from plugins.model.hosting import Deploy, DeployStatus
from plugins.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from plugins.model.outside import Render as Table
from plugins.model.uptime import Probe

if TYPE_CHECKING:
    from plugins.clients.render import Render

_AFTER_S = 3 * PACE_S
"""How long the public addresses are watched after the last deploy has ended."""

_RECOVERY_S = 60.0
"""How much longer, where one of them does not answer yet."""

_SILENCE_S = 60.0
"""How long Render may be silent before nobody waits for it any more."""

_RECENT = timedelta(hours=1)


def _seconds(environment: Environment) -> float:
    if environment.render is None:
        return 0.0
    return environment.render.deploy_timeout_s + _AFTER_S + _RECOVERY_S + environment.timeouts.answer


@background_fixture(_seconds)
def watched_deployment(
    environment: Environment, commit: str, record: Record, say: Callable[[str], None], stop: threading.Event
) -> Mapping[str, Any]:
    """Wait until every service's deploy of the commit has ended, and ask both addresses meanwhile."""
    # Few runs wait for a deployment.
    from plugins.clients.render import Render  # noqa: PLC0415

    table = environment.render
    if table is None:
        raise Unverified(f"{environment.name} has no [render]")
    if not commit:
        raise Unverified("--commit is not given: it names the deployment to wait for")
    addresses = {"api": environment.api.url + "/health", "frontend": environment.frontend.url + "/"}
    over = threading.Event()
    began = time.monotonic()
    until = began + _seconds(environment)
    render = Render(
        table,
        timeouts=environment.timeouts,
        record=record,
        remaining=lambda: until - time.monotonic(),
    )
    with ThreadPoolExecutor(1, thread_name_prefix="uptime") as pool:
        watching = pool.submit(watch, addresses, over)
        try:
            watched = _Deploys(render, table, commit)
            deploys = watched.wait(began + table.deploy_timeout_s, say, stop)
            waited_s = time.monotonic() - began
            stop.wait(_AFTER_S)
        finally:
            over.set()
            render.close()
        probes = _to_recovery(addresses, watching.result(), stop)
    return Deployment(commit, deploys, probes, waited_s, watched.built).as_json()


@pytest.fixture
def deployment(watched_deployment: Mapping[str, Any]) -> Deployment:
    """The deployment of --commit, once it is over or its time is."""
    return Deployment.of(watched_deployment)


class _Deploys:
    """Follows the deploys of one commit."""

    def __init__(self, render: Render, table: Table, commit: str) -> None:
        self._render = render
        self._services = table.services
        self._poll_s = table.poll_s
        self._commit = commit
        self._found: dict[str, Deploy | None] = dict.fromkeys(self._services)
        self._since: datetime | None = None
        self.built: dict[str, datetime] = {}

    def wait(
        self, until: float, say: Callable[[str], None], stop: threading.Event
    ) -> dict[str, Deploy | None]:
        """Until all of them have ended, or the time is over; the deploys as they are then.

        Raises:
            NoAnswer: Render does not tell, and has not for a minute.
        """
        heard = time.monotonic()
        while True:
            try:
                self._look()
                heard = time.monotonic()
            except NoAnswer as silence:
                if silence.kind is NoAnswerKind.CREDENTIAL or time.monotonic() - heard > _SILENCE_S:
                    raise
            say(", ".join(f"{service} {_state(deploy)}" for service, deploy in self._found.items()))
            over = all(deploy and not deploy.status.in_progress for deploy in self._found.values())
            if over or time.monotonic() > until or stop.wait(self._poll_s):
                return self._found

    def _look(self) -> None:
        for service, service_id in self._services.items():
            known = self._found[service]
            if known is None:
                listed = self._render.deploys(service_id, since=self._since)
                self._found[service] = next((one for one in listed if one.is_of(self._commit)), None)
            elif known.status.in_progress:
                found = self._found[service] = self._render.deploy(service_id, known.id)
                if known.status is DeployStatus.BUILD_IN_PROGRESS and found.status is not known.status:
                    self.built[service] = datetime.now(UTC)
        # What was not in the whole list can only be new.
        self._since = self._since or datetime.now(UTC) - _RECENT


def _to_recovery(
    addresses: Mapping[str, str], probes: Mapping[str, tuple[Probe, ...]], stop: threading.Event
) -> dict[str, tuple[Probe, ...]]:
    """Go on asking where an address did not answer last, for a minute at most."""
    found = dict(probes)
    until = time.monotonic() + _RECOVERY_S
    while any(_is_down(seen) for seen in found.values()) and time.monotonic() < until and not stop.is_set():
        enough = threading.Event()
        timer = threading.Timer(_AFTER_S, enough.set)
        timer.start()
        for service, more in watch(addresses, enough).items():
            found[service] += more
    return found


def _is_down(probes: tuple[Probe, ...]) -> bool:
    return bool(probes) and probes[-1].up is False


def _state(deploy: Deploy | None) -> str:
    return deploy.status.value.replace("_", " ") if deploy else "not deployed yet"

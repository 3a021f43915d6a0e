"""Commits that a host deploys to one service of several, as people report them.

Each case is named by the public report that it comes from. A service stays as it is where the host says that
it ignored this very commit. One that merely lacks its deploy is waited for: it is missing.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kamiyo_verify.fixtures.deployment import Deploys
from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.render.client import Render
from kamiyo_verify.integrations.render.hosting import RenderHosting
from kamiyo_verify.model.hosting.deployment import Deployment
from kamiyo_verify.model.outcomes import NotApplicable, Unverified
from tests.support.hostile_server import Peer, Server, answer
from tests.support.hosting import TIMEOUTS, table_of

Report = pytest.param
COMMIT, OLD = "2fbb17a5d" + "0" * 31, "f1a85003e" + "0" * 31
REPOSITORY = "https://github.com/example/monorepo"
AN_HOUR_AGO = (datetime.now(UTC) - timedelta(hours=1)).isoformat()


def deploy(service: str, commit: str, status: str = "live") -> dict[str, Any]:
    moments = dict.fromkeys(("createdAt", "startedAt", "finishedAt", "updatedAt"), AN_HOUR_AGO)
    return {"id": f"dep-{service}", "commit": {"id": commit}, "status": status, **moments}


def ignored(service: str, commit: str) -> dict[str, Any]:
    """Render's event of a commit whose files are all outside the root directory and the build filter."""
    return {
        "id": f"evt-{service}",
        "timestamp": AN_HOUR_AGO,
        "serviceId": f"srv-{service}",
        "type": "commit_ignored",
        "details": {"id": commit, "url": f"{REPOSITORY}/commit/{commit}"},
    }


class Platform:
    """The services of a monorepo, as Render shows them: the deploys and the ignored commits of each."""

    def __init__(self, deploys: Mapping[str, str], ignores: Mapping[str, str]) -> None:
        self._deploys, self._ignores = deploys, ignores

    def __call__(self, peer: Peer) -> None:
        path = peer.hear().split(b" ", 2)[1].decode().partition("?")[0].rpartition("/services/")[2]
        service, _, what = path.removeprefix("srv-").partition("/")
        found: object = {"id": f"srv-{service}", "name": service, "repo": REPOSITORY}
        if what == "deploys":
            found = [{"cursor": "", "deploy": deploy(service, self._deploys[service])}]
        elif what == "events":
            commit = self._ignores.get(service)
            found = [{"cursor": "", "event": ignored(service, commit)}] if commit else []
        peer.say(answer(json.dumps(found).encode()))


def watched(deploys: Mapping[str, str], ignores: Mapping[str, str]) -> Deployment:
    """The deployment, as it is when the wait is over; it takes at most half a second."""
    with Server(Platform(deploys, ignores)) as server:
        ids = {service: f"srv-{service}" for service in deploys}
        render = Render(
            table_of(server.origin, "rnd_key"),
            ClientContext.unrecorded(TIMEOUTS, lambda: 20.0),
            services=ids,
        )
        found = Deploys(RenderHosting(render, server.origin, ids), COMMIT, poll_s=0.05)
        state = found.wait(time.monotonic() + 0.5, lambda _: None, threading.Event())
        render.close()
    return Deployment(COMMIT, state, {}, 0.5, stays=found.stays)


@pytest.mark.parametrize(
    "stays",
    [
        Report(("frontend",), id="Bounceapp/render-action#213"),
        Report(("frontend", "worker"), id="KSF-Media/affresco#402"),
        Report(("backend",), id="stormkit-io/stormkit-io#521"),
    ],
)
def test_a_service_for_which_the_host_ignored_the_commit_is_not_waited_for(stays: tuple[str, ...]) -> None:
    found = watched({"api": COMMIT} | dict.fromkeys(stays, OLD), dict.fromkeys(stays, COMMIT))
    assert (found.over, found.missing, found.not_live) == (True, (), {})
    assert found.deploy("api").is_of(COMMIT)
    for service in stays:
        with pytest.raises(NotApplicable, match=f"{service} stays as it is: .* ignored this commit"):
            found.deploy(service)


@pytest.mark.parametrize(
    "ignores",
    [
        Report({}, id="koala73/worldmonitor#6381"),
        Report({}, id="TencentEdgeOne/edgeone-pages#2"),
        Report({"frontend": OLD}, id="WalshyDev/cf-pages-await#3, another commit was ignored"),
        Report({"api": COMMIT}, id="Bounceapp/render-action#213, ignored for the other service"),
    ],
)
def test_a_service_that_lacks_its_deploy_without_a_word_of_the_host_is_missing(
    ignores: dict[str, str],
) -> None:
    """A host that refuses a push, or has a wrong setting, looks like this: it is no reason to proceed."""
    found = watched({"api": COMMIT, "frontend": OLD}, ignores)
    assert (found.over, found.missing) == (False, ("frontend",))
    with pytest.raises(Unverified, match="frontend has no deploy"):
        found.deploy("frontend")

"""Compare the commit that each service runs with the commit that it should run.

Services of one platform are deployed separately: a commit may not change one service, which then correctly
keeps its own commit, while another is still being deployed. A service that runs the release, or correctly
keeps its commit, is judged; a service that runs anything else is no evidence about this deployment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.hosting.services import Deploy, DeployStatus, ServiceState
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.services import measurement_of, service_of

COMMIT_ITEM = "postdeploy.commit-answering"
RELEASE = "release"
"""The measurement that names the commit under verification, if none was given."""


class Serves(StrEnum):
    """What one service runs, compared with what it should run."""

    RELEASE = "release"
    """The commit under verification; or no answer at all, which is a failure of its own."""
    STAYS = "stays"
    """Its own earlier commit, correctly: the commit under verification is not deployed to it."""
    SWITCHING = "switching"
    """Still its earlier commit: its deploy of the commit under verification is not live yet."""
    ANOTHER = "another"
    """A commit that it should not run."""
    UNREAD = "unread"
    """An unknown commit: the service answers without reporting one."""


JUDGED = frozenset({Serves.RELEASE, Serves.STAYS})
"""The states in which a service's behaviour is evidence about this deployment."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The commit that a service should run.

    Attributes:
        commit: the commit; "" if unknown.
        stays: why the service correctly runs another commit than the release, or "".
        switching: why it does not run the release yet, or "".
    """

    commit: str
    stays: str = ""
    switching: str = ""


def expected_commit(release: str, state: ServiceState | None, stays_because: str = "") -> Expected:
    """Return the commit that a service should run now.

    Args:
        release: the commit under verification; with "", the commit that the host deployed is correct.
        state: state of the service at its host; None if unknown.
        stays_because: why the host does not deploy the release to it; "" if it does.
    """
    if state is None:
        return Expected(release)
    live, own = state.live, state.deploy_of(release) if release else None
    running = live.commit_id if live else ""
    if not release:
        return Expected(running)
    if own is None:
        return Expected(running, stays=stays_because) if stays_because and running else Expected(release)
    if own.status.in_progress and running and not same_commit(running, release):
        return Expected(running, switching=f"{own.id} is {_words(own)}")
    return Expected(release)


def serving(result: Result | None, release: str) -> dict[str, Serves]:
    """Return what each service runs, from the measurements of the item that compares commits.

    Args:
        result: the result of that item; None if it was not tried.
        release: the commit under verification, or "".
    """
    if result is None:
        return {}
    found = dict(_read(result, release))
    if not release and not any(measured(result, service, "expected") for service in found):
        # The correct commit is unknown: two services with two commits are not one release.
        commits = {measured(result, service, "commit").casefold() for service in found} - {""}
        if len(commits) > 1:
            return dict.fromkeys(found, Serves.ANOTHER)
    return found


def _read(result: Result, release: str) -> Iterator[tuple[str, Serves]]:
    for service in _services(result):
        answering = measured(result, service, "commit")
        expected = measured(result, service, "expected") or release
        if not answering and measured(result, service, "switching"):
            yield service, Serves.SWITCHING
        elif not answering:
            yield service, Serves.RELEASE if measured(result, service, "silent") else Serves.UNREAD
        elif release and same_commit(answering, release):
            yield service, Serves.RELEASE
        elif expected and not same_commit(answering, expected):
            yield service, Serves.ANOTHER
        elif measured(result, service, "switching"):
            yield service, Serves.SWITCHING
        elif measured(result, service, "stays"):
            yield service, Serves.STAYS
        else:
            yield service, Serves.RELEASE


def _services(result: Result) -> list[str]:
    found = (
        service_of(taken.name, name)
        for taken in result.measurements
        for name in ("commit", "unread", "silent", "switching")
    )
    return list(dict.fromkeys(service for service in found if service))


def measured(result: Result, service: str, name: str) -> str:
    """Return the measurement of a service with that name; "" if there is none."""
    taken = result.measurement(measurement_of(service, name))
    return taken.value if taken and isinstance(taken.value, str) else ""


def _words(deploy: Deploy) -> str:
    return deploy.status.replace("_", " ") if deploy.status is not DeployStatus.CREATED else "just created"

"""What the host of a simulated platform tells: the deploys of each service."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from kamiyo_verify.model.hosting.services import Deploy, DeployedCommit, DeployStatus, ServiceState

NEW, BAD, GOOD = "a" * 40, "b" * 40, "c" * 40
"""The commit that is verified, one that must not come back, and the one before that."""

_LIVE_SINCE = datetime(2026, 11, 23, 13, 55, tzinfo=UTC)


def states(services: Iterable[str]) -> tuple[ServiceState, ...]:
    """Return the state of each service: the new commit is live, a bad and a good one were before."""
    return tuple(
        ServiceState(
            service=service,
            id=f"srv-{service}",
            name=service,
            dashboard="",
            api="",
            auto_deploy=False,
            suspended=False,
            deploys=(
                _deploy(service, NEW, DeployStatus.LIVE, 0),
                _deploy(service, BAD, DeployStatus.DEACTIVATED, 1),
                _deploy(service, GOOD, DeployStatus.DEACTIVATED, 2),
            ),
        )
        for service in services
    )


def deploy_id(service: str, commit: str) -> str:
    """Return the id of a service's deploy of a commit."""
    return f"dep-{service}-{commit[:7]}"


def _deploy(service: str, commit: str, status: DeployStatus, days: int) -> Deploy:
    at = _LIVE_SINCE - timedelta(days=days)
    return Deploy(
        id=deploy_id(service, commit),
        commit=DeployedCommit(id=commit),
        status=status,
        created_at=at,
        finished_at=at,
    )

"""Which of the two services is behind a failure, and which of them a rollback has to take back.

The rule for two services that were deployed together, or not: what is broken goes back, alone. A service that
is not broken stays, even where that leaves a new frontend with an old API or the reverse. But a service that
this deployment did not change cannot be what it broke: then what it did change goes back instead.
"""

from __future__ import annotations

from collections.abc import Iterable

from plugins.judge.evidence import Evidence
from plugins.model.circumstances import Hosted
from plugins.model.commits import same_commit
from plugins.model.runbook import Item
from plugins.model.words import WebService


def behind(failed: Iterable[Item]) -> tuple[WebService, ...]:
    """The services behind these items, the API first; both where an item does not tell.

    An item that relies on a second service fails by that one, where that one is broken by itself.
    """
    told = [item.services for item in failed]
    alone = {services[0] for services in told if len(services) == 1}
    broken = set(alone)
    for services in told:
        if not services:
            broken |= set(WebService)
        elif not alone & set(services[1:]):
            broken.add(services[0])
    return tuple(service for service in WebService if service in broken)


def changed(evidence: Evidence) -> tuple[Hosted, ...]:
    """The services of which this deployment replaced what was live; empty where nobody knows."""
    live = [one for one in evidence.hosted if one.current is not None]
    newest = max((one.current.began_at for one in live if one.current), default="")
    commit = evidence.commit or next(
        (one.current.commit for one in live if one.current and one.current.began_at == newest), ""
    )
    return tuple(one for one in live if one.current and commit and same_commit(one.current.commit, commit))


def to_take_back(evidence: Evidence, failed: Iterable[Item]) -> tuple[WebService, ...]:
    """The services that a rollback for these items takes back, the API first."""
    broken, ours = behind(failed), {one.service for one in changed(evidence)}
    if not ours:
        return broken
    return tuple(service for service in WebService if service in (ours & set(broken) or ours))

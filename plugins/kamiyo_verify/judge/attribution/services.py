"""The services behind a failure, and those that a rollback must roll back.

Only broken services are rolled back, whether or not services were deployed together. A service that is not
broken stays, even if a new frontend then runs with an old API or the reverse. A service that this deployment
did not change cannot be its cause: then the services that it did change are rolled back instead.
"""

from __future__ import annotations

from collections.abc import Iterable

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.hosting.services import ServiceState
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.services import AT_FAULT, in_order, service_of


def behind(evidence: Evidence, failed: Iterable[Item]) -> tuple[str, ...]:
    """Return the services behind these items, in the runbook's order; every candidate if an item names none.

    An item that names none, and measured which services are at fault, is about these. If an item relies on a
    second service, and that one is broken by itself, the item fails because of it.
    """
    failed = [*failed]
    shown = {service for item in failed for service in at_fault(evidence, item)}
    named = [item.services for item in failed if not at_fault(evidence, item)]
    alone = shown | {services[0] for services in named if len(services) == 1}
    broken = set(alone)
    for services in named:
        if not services:
            broken |= set(_serving(evidence))
        elif not alone & set(services[1:]):
            broken.add(services[0])
    return in_order(broken, known_services(evidence))


def at_fault(evidence: Evidence, item: Item) -> tuple[str, ...]:
    """Return the services that an item which names none has measured to be at fault."""
    result = None if item.services else evidence.result(item.id)
    taken = result.measurements if result else ()
    found = (service_of(one.name, AT_FAULT) for one in taken if one.value)
    return in_order((service for service in found if service), known_services(evidence))


def about_another_version(evidence: Evidence, item: Item) -> bool:
    """Return whether a failure is not about this deployment: its services all run another version.

    The others run the release meanwhile. A deploy that failed leaves the version before it in service.
    """
    concerned = at_fault(evidence, item) or item.services[:1]
    others = {*evidence.elsewhere, *_deploy_failed(evidence)}
    return bool(concerned) and set(concerned) <= others


def _deploy_failed(evidence: Evidence) -> tuple[str, ...]:
    """Return the services whose deploy of the release failed while another service runs it."""
    ours = changed(evidence)
    commit = next((one.live.commit_id for one in ours if one.live), "")
    deploys = {one.service: one.deploy_of(commit) for one in evidence.hosted if commit and one not in ours}
    return tuple(service for service, deploy in deploys.items() if deploy and deploy.status.failed)


def _serving(evidence: Evidence) -> tuple[str, ...]:
    """Return the services that serve items; every known service if the runbook names none."""
    return evidence.runbook.served_by or known_services(evidence)


def changed(evidence: Evidence) -> tuple[ServiceState, ...]:
    """Return the services whose live deploy this deployment replaced; empty if unknown."""
    live = [(one, deploy) for one in evidence.hosted if (deploy := one.live) is not None]
    newest = max((deploy for _, deploy in live), key=lambda deploy: deploy.created_at, default=None)
    commit = evidence.commit or (newest.commit_id if newest else "")
    return tuple(one for one, deploy in live if commit and same_commit(deploy.commit_id, commit))


def to_take_back(evidence: Evidence, failed: Iterable[Item]) -> tuple[str, ...]:
    """Return the services to roll back because of these items, in the runbook's order.

    A service that serves no item, such as a worker, is rolled back only if it is the only one that changed.
    A worker that this deployment did not change takes back no other service.
    """
    broken, ours = behind(evidence, failed), {one.service for one in changed(evidence)}
    if not ours:
        return broken
    # A service that the host did not report may have changed.
    possible = ours | (set(broken) - {one.service for one in evidence.hosted})
    served = ours & set(_serving(evidence)) or ours
    if broken and evidence.workers.issuperset(broken):
        served = set()
    return in_order(possible & set(broken) or served, known_services(evidence))


def known_services(evidence: Evidence) -> tuple[str, ...]:
    """Return every service that the runbook or the host names, in the runbook's order."""
    order = (*evidence.runbook.services.names, *evidence.runbook.served_by)
    return in_order((*order, *(one.service for one in evidence.hosted)), order)

"""Convert the requests of a run into one timeline per service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import accumulate
from urllib.parse import urlsplit

from kamiyo_verify.judge.attribution.failures import GATEWAY, not_of_the_service
from kamiyo_verify.model.downtime.outages import ServiceTimeline
from kamiyo_verify.model.outcomes import GIVEN_ONLY
from kamiyo_verify.model.result import Exchange

NO_ANSWER = "no answer"


def timelines(services: Mapping[str, str], exchanges: Iterable[Exchange]) -> tuple[ServiceTimeline, ...]:
    """Return a timeline for each service that received requests, in the order of `services`.

    An endpoint that never answered properly, while its service answered others in between, is broken by
    itself: its requests are left out, so that many in a row do not look like an outage of the service. So
    are those of a path that alone was asked then, and gave errors of its own, if the service answered others.

    Args:
        services: the public URL of each service, by its name.
        exchanges: in any order, duplicates allowed; those without a time are ignored.
    """
    by_host = {urlsplit(url).netloc.lower(): name for name, url in reversed(list(services.items()))}
    of: dict[str, dict[Exchange, None]] = {name: {} for name in services}
    for sent in exchanges:
        service = by_host.get(urlsplit(sent.url).netloc.rpartition("@")[2].lower())
        ours = sent.status == 429 or not_of_the_service(sent) or GIVEN_ONLY in sent.problem
        if service is not None and sent.at and not ours:
            of[service].setdefault(sent)
    served = {name: _without_broken_endpoints(sorted(found, key=_began)) for name, found in of.items()}
    return tuple(_timeline(name, sent) for name, sent in served.items() if sent)


def _without_broken_endpoints(sent: list[Exchange]) -> list[Exchange]:
    endpoints: dict[tuple[str, str], list[int]] = {}
    paths: dict[str, list[int]] = {}
    for place, one in enumerate(sent):
        path = urlsplit(one.url).path
        endpoints.setdefault((one.method, path), []).append(place)
        paths.setdefault(path, []).append(place)
    answers = [0, *accumulate(not _failure(one) for one in sent)]
    broken = {
        place
        for found in endpoints.values()
        if all(_failure(sent[place]) for place in found) and answers[found[-1]] > answers[found[0]]
        for place in found
    }
    broken |= {
        place
        for found in paths.values()
        if all(_own_error(sent[place]) for place in found)
        if found[-1] - found[0] + 1 == len(found) and answers[-1] > 0
        for place in found
    }
    return [one for place, one in enumerate(sent) if place not in broken]


def _timeline(service: str, sent: list[Exchange]) -> ServiceTimeline:
    first = _began(sent[0])
    return ServiceTimeline(
        service=service,
        began_at=sent[0].at,
        offsets_s=tuple(round(_began(one) - first, 3) for one in sent),
        durations_s=tuple(round(one.duration_ms / 1000, 3) for one in sent),
        failures=tuple(_failure(one) for one in sent),
    )


def _failure(sent: Exchange) -> str:
    if sent.status is None:
        return NO_ANSWER
    return str(sent.status) if sent.status >= 500 else ""


def _own_error(sent: Exchange) -> bool:
    """Return whether the service answered with an error, and not a proxy for a silent service."""
    return sent.status is not None and sent.status >= 500 and sent.status not in GATEWAY


def _began(sent: Exchange) -> float:
    return datetime.fromisoformat(sent.at).timestamp()

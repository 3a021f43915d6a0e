"""Find the items that compare the commit of a service with the commit under verification.

They are found by what they measured, whatever their id: one item for all services, or one for each. A failed
comparison says which version was looked at, and nothing about whether that version works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from kamiyo_verify.judge.rollback.serving import COMMIT_ITEM, JUDGED, Serves, serving
from kamiyo_verify.model.result import Measurement, Result
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.services import measurement_of
from kamiyo_verify.model.words import Phase, Status

HOST = "host"
"""The measurement of a check that reads a worker from its host; the worker answers no request."""

_NAMES = {
    "commit": "commit",
    "deployed": "commit",
    "unread": "unread",
    "silent": "silent",
    "expected": "expected",
    "stays": "stays",
    "switching": "switching",
}
"""Measurements of an item about one service, and their names in an item about several."""

MEASUREMENTS = tuple(_NAMES)
"""What an item that compares the commit of one service may have measured."""

_OTHER_PHASES = frozenset({Phase.PREFLIGHT, Phase.ROLLBACK})


@dataclass(frozen=True, slots=True)
class Comparison:
    """The commits that one item compared.

    Attributes:
        result: of the item, with each measurement named after its service.
        serves: what each service runs.
        alone: whether the item says itself which commit it expects, and so does nothing but compare.
        of_worker: whether the host was read instead of the service.
    """

    result: Result
    serves: Mapping[str, Serves]
    alone: bool
    of_worker: bool

    @property
    def differs(self) -> bool:
        """Whether a service runs another version than it should, or an unknown one."""
        return any(serves not in JUDGED for serves in self.serves.values())


def comparisons(outcomes: Iterable[tuple[Item, Result]], release: str) -> Iterator[Comparison]:
    """Yield what each item compared, in the runbook's order.

    Args:
        outcomes: the items with their results.
        release: the commit under verification; with "", only the item about all services can compare.
    """
    for item, result in outcomes:
        if item.id == COMMIT_ITEM:
            yield Comparison(result, serving(result, release), alone=False, of_worker=False)
        elif release and item.phase not in _OTHER_PHASES:
            yield from _about_one_service(item, result, release)


def served(found: Iterable[Comparison]) -> dict[str, Serves]:
    """Return what each service runs; of two items, the one that says more than "as it should" decides."""
    serves: dict[str, Serves] = {}
    for one in found:
        serves |= {
            service: runs
            for service, runs in one.serves.items()
            if service not in serves or runs not in JUDGED
        }
    return serves


def workers(outcomes: Iterable[tuple[Item, Result]]) -> frozenset[str]:
    """Return the services that were read from their host, as they answer no request."""
    return frozenset(item.services[0] for item, result in outcomes if item.services and _text(result, HOST))


def _about_one_service(item: Item, result: Result, release: str) -> Iterator[Comparison]:
    service = item.services[0] if item.services else item.id
    found = {
        measurement_of(service, name): text for own, name in _NAMES.items() if (text := _text(result, own))
    }
    named = replace(result, measurements=tuple(Measurement(name, text) for name, text in found.items()))
    serves = serving(named, release)
    compared = Comparison(
        named, serves, alone=bool(_text(result, "expected")), of_worker=bool(_text(result, HOST))
    )
    if serves and not (result.status is Status.PASSED and compared.differs):
        yield compared


def _text(result: Result, name: str) -> str:
    taken = result.measurement(name)
    return taken.value if taken and isinstance(taken.value, str) else ""

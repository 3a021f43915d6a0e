"""The client of our own status page and the sandbox's keep to Statuspage's own description."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kamiyo_verify.model.outcomes import NoAnswer
from kamiyo_verify.model.outside.status import ComponentStatus
from sandbox.outside.scenes import Scene
from sandbox.platform import Secrets
from tests.contract.conftest import Register
from tests.contract.validator import Contract, Leniency, described
from tests.support.outside import Clients, Outside, outside

UNTOLD = frozenset({"group_id", "description", "monitoring_at", "resolved_at", "reminder_intervals"})
"""Real answers hold null here, which the description forgets."""


def corrected(description: Any) -> Any:
    """The description with its type "Object", which no JSON Schema knows, put right."""
    return json.loads(json.dumps(description).replace('"type": "Object"', '"type": "object"'))


@pytest.fixture(scope="session")
def contract(register: Register) -> Contract:
    description = corrected(described("statuspage-swagger.json"))
    return register("statuspage", Contract(description, Leniency(nullable=UNTOLD)))


def check_all(contract: Contract, living: Outside) -> int:
    for seen in living.wire.seen:
        contract.check(replace(seen, target=seen.target.removeprefix("/statuspage/v1")))
    return len(living.wire.seen)


@pytest.mark.parametrize("scene", Scene)
@pytest.mark.parametrize("faults", [(), ("status-page-not-operational",)], ids=["healthy", "faulty"])
def test_every_call_of_the_client_is_described_and_answered_as_described(
    contract: Contract, scene: Scene, faults: tuple[str, ...]
) -> None:
    with outside(*faults, scene=scene) as living:
        living.clients.status_pages.own_page()
        assert check_all(contract, living) == 3


def test_a_refusal_is_as_described(contract: Contract) -> None:
    with outside() as living:
        strangers = Clients(living.clients.origin, Secrets())
        with pytest.raises(NoAnswer, match="401: STATUSPAGE_API_KEY is not accepted"):
            strangers.status_pages.own_page()
        assert check_all(contract, living) == 1


def test_every_status_can_be_set_as_described(contract: Contract) -> None:
    with outside() as living:
        pages = living.clients.status_pages
        for part in pages.own_components():
            for status in ComponentStatus:
                pages.set_status(part, status)
        assert check_all(contract, living) == 1 + 2 * len(ComponentStatus)


def test_a_component_that_is_not_there_is_refused_as_described(contract: Contract) -> None:
    with outside() as living:
        pages = living.clients.status_pages
        gone = pages.own_components()[0].model_copy(update={"id": "gone"})
        with pytest.raises(NoAnswer, match="the page takes no status for API: it may have been removed"):
            pages.set_status(gone, ComponentStatus.OPERATIONAL)
        assert check_all(contract, living) == 2

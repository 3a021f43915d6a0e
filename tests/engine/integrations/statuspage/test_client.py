"""The client of status pages tells what is not operational, of others and of ourselves."""

from __future__ import annotations

import json

import pytest
from pydantic import SecretStr

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.statuspage.client import StatusPages
from kamiyo_verify.integrations.statuspage.settings import StatusPages as StatusPagesSettings
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified
from kamiyo_verify.model.outside.status import ComponentStatus, Indicator
from kamiyo_verify.model.tables import Credential
from sandbox.outside.scenes import Scene
from sandbox.outside.status_pages import PAGES
from tests.support.hostile_server import Script, Server, answer, saying
from tests.support.outside import TIMEOUTS, outside


def test_all_is_well_with_the_others() -> None:
    with outside() as living:
        for name in PAGES:
            summary = living.clients.status_pages.summary(f"{living.clients.origin}/status/{name}")
            assert summary.indicator is Indicator.NONE
            assert not summary.not_operational
        assert not summary.incidents


def test_an_outage_of_stripes_is_seen() -> None:
    with outside("stripe-status-outage") as living:
        summary = living.clients.status_pages.summary(f"{living.clients.origin}/status/stripe")
        others = living.clients.status_pages.summary(f"{living.clients.origin}/status/render")
    assert summary.indicator is Indicator.MAJOR
    assert [part.name for part in summary.not_operational] == ["API"]
    assert summary.incidents[0].name == "Elevated API error rates"
    part = summary.component(" api")
    assert part is not None
    assert part.status is ComponentStatus.MAJOR_OUTAGE
    assert others.indicator is Indicator.NONE


@pytest.mark.parametrize(
    ("scene", "fault", "maintenance"),
    [
        (Scene.PREFLIGHT, None, False),
        (Scene.DEPLOY, None, True),
        (Scene.DEPLOY, "status-page-silent", False),
        (Scene.POSTDEPLOY, None, False),
        (Scene.POSTDEPLOY, "status-page-not-operational", True),
        (Scene.ROLLBACK, None, False),
        (Scene.FOLLOWUP, None, False),
    ],
)
def test_our_own_page_tells_of_the_deploy(scene: Scene, fault: str | None, maintenance: bool) -> None:  # noqa: FBT001
    with outside(*([fault] if fault else []), scene=scene) as living:
        page = living.clients.status_pages.own_page()
    assert page.in_maintenance is maintenance
    assert bool(page.not_operational) is maintenance
    assert bool(page.maintenances) is maintenance
    assert page.component("WEBSITE") is not None
    assert page.component("Nothing") is None


def test_without_a_page_of_ours_nothing_is_asked() -> None:
    pages = StatusPages(StatusPagesSettings(), ClientContext.unrecorded(TIMEOUTS, lambda: 5.0))
    with pytest.raises(Unverified, match="own_page_id is not set"):
        pages.own_page()


def row(nth: int) -> dict[str, object]:
    return {"id": str(nth), "name": f"part {nth}", "status": "operational"}


def own(origin: str, clock: list[float], remaining_s: float = 5.0) -> StatusPages:
    return StatusPages(
        StatusPagesSettings(
            own_address=origin,
            own_page_id="p",
            own_key=Credential(name="STATUSPAGE_API_KEY", value=SecretStr("canary")),
        ),
        ClientContext.unrecorded(TIMEOUTS, lambda: remaining_s),
        clock=lambda: clock[0],
        sleep=lambda seconds: clock.__setitem__(0, clock[0] + seconds),
    )


def test_full_pages_are_followed_to_a_short_one() -> None:
    first, second = ([row(nth) for nth in range(start, end)] for start, end in ((0, 100), (100, 130)))
    pages = [saying(answer(json.dumps(part).encode())) for part in (first, second, [])]
    with Server(Script(pages)) as server:
        page = own(server.origin, [0.0]).own_page()
    assert len(page.components) == 130


def test_full_pages_for_ever_are_a_circle() -> None:
    full = json.dumps([row(nth) for nth in range(100)]).encode()
    with Server(saying(answer(full))) as server, pytest.raises(NoAnswer, match="pages in a circle"):
        own(server.origin, [0.0]).own_page()


def test_no_more_than_sixty_requests_a_minute_are_made() -> None:
    clock = [0.0]
    with Server(saying(answer(b"[]"))) as server:
        patient = own(server.origin, clock, remaining_s=120)
        for _ in range(20):
            patient.own_page()
        assert clock[0] == 0
        patient.own_page()
        assert clock[0] == 60
        hasty = own(server.origin, clock)
        for _ in range(20):
            hasty.own_page()
        with pytest.raises(NoAnswer, match="60 requests a minute: the next one may go in 60 s") as problem:
            hasty.own_page()
    assert problem.value.kind is NoAnswerKind.RATE_LIMITED


def test_statuspages_420_is_a_rate_limit() -> None:
    with (
        Server(saying(answer(b"{}", "420 Enhance Your Calm"))) as server,
        pytest.raises(NoAnswer, match="rate limit is used up") as problem,
    ):
        own(server.origin, [0.0]).own_page()
    assert problem.value.kind is NoAnswerKind.RATE_LIMITED

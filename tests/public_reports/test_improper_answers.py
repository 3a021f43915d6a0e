"""Answers that are taken for an open door or for lost data, as people report them of other checkers.

Each case is named by the public report that it comes from. Silence, a proxy's page, a redirect without end
and an error of the server show that a service does not answer properly, and nothing else.
"""

from __future__ import annotations

import pytest

from kamiyo_platform.access import admin_access, delivery_let_in
from kamiyo_platform.api import ApiClient
from kamiyo_verify.config.environment import Api
from kamiyo_verify.http.answer import Answer
from kamiyo_verify.judge.decide import decide
from kamiyo_verify.model.outcomes import ImproperAnswer, NoAnswer, ServerBroke, Unverified
from kamiyo_verify.model.words import Action, FailureKind
from tests.engine.judge.test_stories import K, failed, sent
from tests.platform.test_access import PAGE, came
from tests.platform.test_clients import http
from tests.support.evidence_for import DATA, LEAK, evidence
from tests.support.hostile_server import Behaviour, Peer, Server, answer, saying

Report = pytest.param
BAD_REQUEST = b"<!DOCTYPE HTML><html><head><title>400 Bad Request</title></head></html>"


@pytest.mark.parametrize(
    "delivery",
    [
        Report(came(500, b"oops", "text/plain"), id="sullo/nikto#135"),
        Report(came(200, PAGE, "text/html"), id="zaproxy/zaproxy#3048"),
        Report(came(302), id="liferay/clay#528"),
        Report(came(502, b"<html>Bad Gateway", "text/html"), id="zane-ops/zane-ops#398"),
    ],
)
def test_a_webhook_that_answers_improperly_has_accepted_nothing(delivery: Answer) -> None:
    with pytest.raises(ImproperAnswer):
        delivery_let_in(delivery)


@pytest.mark.parametrize(
    "refusal",
    [
        Report(came(400, BAD_REQUEST, "text/html"), id="nmap/nmap#1942"),
        Report(came(403, PAGE, "text/html"), id="projectdiscovery/nuclei-templates#16588"),
        Report(came(401), id="irsdl/IIS-ShortName-Scanner#14"),
    ],
)
def test_a_page_that_refuses_is_no_open_door(refusal: Answer) -> None:
    assert delivery_let_in(refusal) is False
    assert admin_access({"/admin": refusal}, came(404), {}).open == ()


def test_a_site_that_shows_its_home_page_for_every_address_has_no_open_admin_page() -> None:
    """zaproxy/zaproxy#3048: every address that does not exist answers 200 with the home page."""
    page = came(200, PAGE, "text/html")
    with pytest.raises(Unverified, match="not there: /admin"):
        admin_access({"/admin": page}, page, {}).proven()


def to_itself(peer: Peer) -> None:
    """Redirect each address to itself, as a proxy that forces HTTPS behind one that ends it."""
    path = peer.hear().split(b" ", 2)[1].decode()
    peer.say(answer(b"", "301 Moved Permanently", f"Location: {path}"))


def breaking_off(peer: Peer) -> None:
    peer.hear()
    peer.end()


@pytest.mark.parametrize(
    ("behaviour", "problem"),
    [
        Report(to_itself, ImproperAnswer, id="rustfs/rustfs#4136"),
        Report(to_itself, ImproperAnswer, id="mastodon/mastodon#7880"),
        Report(to_itself, ImproperAnswer, id="cloudflare/cfssl#559"),
        Report(breaking_off, NoAnswer, id="projectdiscovery/nuclei-templates#14988"),
        Report(saying(answer(b"x", "500 Oops")), ServerBroke, id="sullo/nikto#135"),
    ],
)
def test_a_redirect_loop_and_a_dropped_connection_are_read_as_what_they_are(
    behaviour: Behaviour, problem: type[Exception]
) -> None:
    with Server(behaviour) as server, pytest.raises(problem):
        ApiClient(Api(), http(server)).get("/chains").wanted()


@pytest.mark.parametrize("item", [DATA, LEAK])
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        Report(K.WRONG_STATUS, 301, id="rustfs/rustfs#4136"),
        Report(K.NO_ANSWER, None, id="projectdiscovery/nuclei-templates#14988"),
        Report(K.SERVER_ERROR, 500, id="sullo/nikto#135"),
        Report(K.WRONG_FORMAT, 200, id="zaproxy/zaproxy#3048"),
    ],
)
def test_what_is_no_proper_answer_is_told_as_core_and_no_backup_is_restored(
    item: str, kind: FailureKind, status: int | None
) -> None:
    verdict = decide(evidence(failed(item, kind, sent(status))))
    assert verdict.recommendation is Action.ROLL_BACK
    assert verdict.headline.startswith("core functionality is broken")
    assert {reason.clause for reason in verdict.reasons} == {"core is broken"}
    assert not any("restore" in warning for warning in verdict.rollback.warnings)

"""Failures of a part as people report them: one stray answer, one instance of several, one dead endpoint.

Each case is named by the public report that it comes from. The judge is given what the report's author met.
"""

from __future__ import annotations

import pytest

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Phase
from tests.engine.judge.rules import test_endpoints as endpoints
from tests.engine.judge.test_stories import (
    K,
    away,
    failed,
    flaky,
    looks,
    sent,
    share,
    spread,
    well_again,
)
from tests.support.evidence_for import DATA, HEALTH, PASSED, SIGN_IN, evidence
from tests.support.kamiyo_evidence import kamiyo_evidence

Report = pytest.param
WELL = "." * 70


def cut_over(seconds: int, status: int | None) -> Evidence:
    """Two items that fail while the load balancer switches instances, and pass when looked at again."""
    kind = K.SERVER_ERROR if status else K.NO_ANSWER
    again = looks(PASSED, PASSED, silent=True)
    items = (failed(item, kind, sent(status), confirmation=again) for item in (HEALTH, DATA))
    return evidence(*items, timelines=(away("api", seconds),))


@pytest.mark.parametrize(
    "seen",
    [
        Report(evidence(flaky(HEALTH, share(WELL))), id="aprin-labs/archimedes#1791"),
        Report(evidence(flaky(DATA, share(WELL)), flaky(HEALTH, share(WELL))), id="cortexlabs/cortex#1571"),
        Report(cut_over(15, 503), id="stampchain-io/stampchain.io#1143"),
        Report(cut_over(20, 500), id="AI-Shipping-Labs/website#928"),
        Report(cut_over(8, None), id="cortexlabs/cortex#814"),
        Report(
            evidence(failed(HEALTH, K.SERVER_ERROR, sent(502), confirmation=well_again())),
            id="semaphoreci/docs#623",
        ),
    ],
)
def test_a_stray_failure_during_a_deployment_is_no_ground_for_a_rollback(seen: Evidence) -> None:
    assert decide(seen).recommendation is Action.PROCEED


@pytest.mark.parametrize(
    ("item", "pattern"),
    [
        Report(DATA, "x." * 20, id="Systemorph/MeshWeaver#2938"),
        Report(HEALTH, "x." * 20, id="d2iq-archive/marathon-lb#164, half of the requests"),
        Report(HEALTH, "xx." * 14, id="d2iq-archive/marathon-lb#164, two of three"),
        Report(HEALTH, "x.." * 14, id="kontena/kontena#2399"),
        Report(SIGN_IN, "x." * 20, id="greenpau/caddy-security#342"),
        Report(SIGN_IN, "x." * 20, id="strongloop/loopback-component-oauth2#62"),
    ],
)
def test_one_broken_instance_of_several_is_rolled_back_though_a_try_passed(item: str, pattern: str) -> None:
    assert decide(evidence(flaky(item, share(pattern)))).recommendation is Action.ROLL_BACK


@pytest.mark.parametrize(
    ("pattern", "call"),
    [
        Report(spread(10, 300), Action.FIX_FORWARD, id="vfarcic/docker-flow-proxy#437"),
        Report(spread(1, 30), Action.INCONCLUSIVE, id="vfarcic/docker-flow-proxy#437, one page of requests"),
    ],
)
def test_a_small_share_of_failures_is_measured_and_never_proceeds(pattern: str, call: Action) -> None:
    assert decide(evidence(flaky(HEALTH, share(pattern)))).recommendation is call


CORE = "a critical bug in core functionality"


def call_where(dead: str, owner: str, healthy: str) -> Verdict:
    """Every item passed; its few requests to one endpoint were all answered 500, and all samples 200."""
    samples = endpoints.sampled(*endpoints.sent(healthy, [200] * 200))
    asks = Result(owner, Phase.POSTDEPLOY, PASSED, exchanges=endpoints.sent(dead, [500] * 4))
    return decide(kamiyo_evidence(asks, samples))


@pytest.mark.parametrize(
    ("owner", "dead", "healthy", "clause"),
    [
        Report("postdeploy.data-present", "/api/post", "/api/events", CORE, id="1f916-ai/1f916#167"),
        Report("postdeploy.exploits-served", "/api/v1/whatsnew", "/status", CORE, id="bcgov/entity#34366"),
        Report("postdeploy.frontend-loads", "/", "/p/profile", CORE, id="singi-labs/sifa-workspace#380"),
        Report(
            "postdeploy.auth-csrf",
            "/api/auth/session",
            "/",
            "authentication broken completely",
            id="desainkode/desa-mandalasari#23",
        ),
    ],
)
def test_an_endpoint_that_answers_500_for_everybody_fails_as_what_it_serves(
    owner: str, dead: str, healthy: str, clause: str
) -> None:
    """The answers of other endpoints do not dilute it, and a status code is no damaged data."""
    verdict = call_where(dead, owner, healthy)
    assert verdict.recommendation is Action.ROLL_BACK
    assert verdict.headline.startswith(f"GET {dead} fails for everybody: 4 of 4 requests (500)")
    assert {reason.clause for reason in verdict.reasons} == {clause}
    assert not any("restore" in warning for warning in verdict.rollback.warnings)


@pytest.mark.parametrize(
    ("owner", "dead"),
    [
        Report("postdeploy.filter-by-chain", "/api/v4/reports/users", id="mattermost/mattermost#28666"),
        Report("postdeploy.filter-by-chain", "/api/v1/pages", id="appsmithorg/appsmith#836"),
    ],
)
def test_a_dead_endpoint_of_a_lesser_feature_is_fixed_forward(owner: str, dead: str) -> None:
    verdict = call_where(dead, owner, "/health")
    assert verdict.recommendation is Action.FIX_FORWARD
    assert verdict.headline.startswith(f"GET {dead} fails for everybody")

"""Step 4: the release gives no access to outsiders, and blocks none of our own origins."""

import pytest

from kamiyo_verify.checks import library

OUTSIDER = "https://attacker.example"

pytestmark = pytest.mark.asks


@pytest.mark.item("postdeploy.cors-own-origins")
def test_our_own_origins_may_call_the_api(api, own_origins, measure):
    """Access-Control-Allow-Origin echoes each of our origins on a working path."""
    allowed = {origin: api.cors(origin).proven().echoed for origin in own_origins}

    measure("origins", len(allowed), "count")
    refused = [origin for origin, echoed in allowed.items() if echoed != origin]
    assert not refused, f"refused: {', '.join(refused)}: no browser there reaches the API"


@pytest.mark.item("postdeploy.cors-foreign-origin")
def test_a_foreign_origin_may_not_call_the_api(api):
    """Whatever the status, a foreign origin is neither echoed nor covered by a wildcard."""
    seen = api.cors(OUTSIDER)

    assert seen.allowed.isdisjoint({OUTSIDER, "*"}), (
        f"{OUTSIDER} may read our answers: {sorted(seen.allowed)}"
    )
    assert seen.proven()


@pytest.mark.item("postdeploy.api-key-honoured")
@pytest.mark.needs("api.key")
def test_the_api_key_is_honoured(api, measure):
    """`X-RateLimit-Tier` is the tier that the environment expects for the key."""
    tier = api.tier()

    measure("tier", tier)
    api.require_tier(tier)


@pytest.mark.item("postdeploy.security-headers")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_security_headers_are_sent(service, working_answer, security_headers, measure):
    """Every hardening header is present, framing is denied, and in production HSTS is sent."""
    library.has_headers(working_answer(service), measure, headers=security_headers)


@pytest.mark.item("postdeploy.errors-leak-nothing")
@pytest.mark.parametrize("path", ["/exploits/no-such-exploit", "/exploits?page=0", "/no-such-path"])
def test_errors_tell_nothing_of_the_inside(provoked_error, path):
    """Error bodies contain no traceback, file name or SQL; nor does any server error seen during the run."""
    status, leak = provoked_error(path)

    assert not leak, f"GET {path} answers {status} and shows its inside: {leak}"


@pytest.mark.item("postdeploy.admin-closed")
def test_admin_paths_are_closed_to_strangers(admin_access, measure):
    """At least one admin path exists, and each refuses requests without an admin key."""
    measure("closed", len(admin_access.closed), "count")
    measure("missing", len(admin_access.missing), "count")

    assert not admin_access.open, f"answered without a key: {', '.join(admin_access.open)}"
    assert admin_access.proven()

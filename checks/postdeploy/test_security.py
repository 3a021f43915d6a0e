"""Step 4: the release opened no door, and shut none that browsers need."""

import pytest

OUTSIDER = "https://attacker.example"
HARDENING = ("x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy")
INTERNALS = (
    r"(?i)traceback \(most recent|\bat .+\.(py|js|ts):\d+|psycopg|sqlalchemy|\bselect\b.+\bfrom\b|File \"/"
)


@pytest.mark.item("postdeploy.cors-own-origins")
def test_our_own_origins_may_call_the_api(api, environment, measure):
    """Each of our origins is echoed in Access-Control-Allow-Origin, with credentials."""
    allowed = {
        origin: api.get("/chains", origin=origin).usable().allowed_origin
        for origin in environment.api.origins
    }

    measure("origins", len(allowed), "count")
    refused = [origin for origin, echoed in allowed.items() if echoed != origin]
    assert not refused, f"refused: {', '.join(refused)}: no browser there reaches the API"


@pytest.mark.item("postdeploy.cors-foreign-origin")
def test_a_foreign_origin_may_not_call_the_api(api):
    """A foreign origin is neither echoed nor covered by a wildcard, asked plainly or by a preflight."""
    echoed = {
        api.get("/chains", origin=OUTSIDER).usable().allowed_origin,
        api.preflight("/chains", origin=OUTSIDER).usable().allowed_origin,
    }

    assert echoed.isdisjoint({OUTSIDER, "*"}), (
        f"{OUTSIDER} may read our answers: {sorted(filter(None, echoed))}"
    )


@pytest.mark.item("postdeploy.api-key-honoured")
@pytest.mark.needs("api.key")
def test_the_api_key_is_honoured(api, environment, measure):
    """`X-RateLimit-Tier` names the tier that the environment expects of the key."""
    tier = api.tier()

    measure("tier", tier)
    assert tier.casefold() == environment.api.tier, (
        f'the key is served as tier "{tier}" where "{environment.api.tier}" was expected'
    )


@pytest.mark.item("postdeploy.security-headers")
@pytest.mark.parametrize("service", ["api", "frontend"])
def test_security_headers_are_sent(service, ask, environment, measure):
    """Every hardening header is there, framing is denied, and in production HSTS besides."""
    answer = ask(service, {"api": "/health", "frontend": "/"}[service]).usable()
    wanted = {*HARDENING, "permissions-policy"} | (
        {"strict-transport-security"} if environment.production else set()
    )
    missing = sorted(wanted - {name.lower() for name in answer.headers})

    measure("missing", len(missing), "count")
    assert not missing, f"{service} sends no {', '.join(missing)}"
    assert answer.headers["x-content-type-options"].lower() == "nosniff", (
        "X-Content-Type-Options is not nosniff"
    )


@pytest.mark.item("postdeploy.errors-leak-nothing")
@pytest.mark.parametrize("path", ["/exploits/no-such-exploit", "/exploits?page=0", "/no-such-path"])
def test_errors_tell_nothing_of_the_inside(api, path):
    """The bodies of 404 and 422 carry no traceback, file name, or SQL."""
    answer = api.get(path)

    leak = answer.search(INTERNALS)
    assert not leak, f"GET {path} answers {answer.status} and shows its inside: {leak}"


@pytest.mark.item("postdeploy.admin-closed")
def test_admin_paths_are_closed_to_strangers(api, environment):
    """Without the admin key each admin path is refused, or is not there at all."""
    answers = [api.get_anonymously(path).usable() for path in environment.api.admin_paths]
    open_paths = [answer.path for answer in answers if answer.ok]

    assert answers, "the environment names no admin path"
    assert not open_paths, f"answered without a key: {', '.join(open_paths)}"

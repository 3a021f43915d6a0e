"""NextAuth's addresses: providers, csrf, redirects, errors."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from urllib.parse import unquote, urlsplit

import httpx2
import pytest

from kamiyo_verify.integrations.nextauth.shapes import Provider
from sandbox.platform import Platform
from tests.sandbox.website.driving import ORIGIN, csrf, location, serve, store_session

pytestmark = pytest.mark.anyio


async def test_the_providers_are_google_and_credentials(website: httpx2.AsyncClient) -> None:
    answer = await website.get("/api/auth/providers")

    providers = {name: Provider.model_validate(way) for name, way in answer.json().items()}
    assert {name: way.type for name, way in providers.items()} == {
        "google": "oauth",
        "credentials": "credentials",
    }
    assert providers["google"].signinUrl == f"{ORIGIN}/api/auth/signin/google"
    assert providers["google"].callbackUrl == f"{ORIGIN}/api/auth/callback/google"
    assert "set-cookie" not in answer.headers


async def test_the_csrf_cookie_proves_the_secret(website: httpx2.AsyncClient, platform: Platform) -> None:
    token, proof = await csrf(website)

    assert re.fullmatch("[0-9a-f]{64}", token)
    assert proof == sha256((token + platform.secrets.nextauth_secret).encode()).hexdigest()


async def test_a_good_csrf_cookie_keeps_its_token_and_a_forged_one_is_replaced(
    website: httpx2.AsyncClient,
) -> None:
    token, _ = await csrf(website)
    again = await website.get("/api/auth/csrf")
    assert again.json() == {"csrfToken": token}
    assert "next-auth.csrf-token" not in again.cookies

    website.cookies.clear()
    forged = await website.get(
        "/api/auth/csrf", headers={"Cookie": f"next-auth.csrf-token={'0' * 64}%7C{'0' * 64}"}
    )
    assert forged.json()["csrfToken"] != "0" * 64
    assert "next-auth.csrf-token" in forged.cookies


async def test_cookies_on_https_are_prefixed_and_secure(platform: Platform) -> None:
    platform.frontend_url = "https://website.test"
    await store_session(platform, "over-tls", lasts=timedelta(days=30))
    async with serve(platform) as website:
        await csrf(website, "__Host-next-auth.csrf-token")
        named = await website.get(
            "/api/auth/session", headers={"Cookie": "__Secure-next-auth.session-token=over-tls"}
        )
        plain = await website.get("/api/auth/session", headers={"Cookie": "next-auth.session-token=over-tls"})

    assert named.json()["user"]["email"] == platform.secrets.email
    assert plain.json() == {}
    assert all("; Secure" in cookie for cookie in named.headers.get_list("set-cookie"))


async def test_auth_wrong_secret(website: httpx2.AsyncClient, platform: Platform) -> None:
    platform.faults.switch_on("auth-wrong-secret")

    token, proof = await csrf(website)
    assert proof != sha256((token + platform.secrets.nextauth_secret).encode()).hexdigest()


async def test_auth_wrong_url(website: httpx2.AsyncClient, platform: Platform) -> None:
    platform.faults.switch_on("auth-wrong-url")

    providers = (await website.get("/api/auth/providers")).json()
    assert {
        urlsplit(way[key]).netloc for way in providers.values() for key in ("signinUrl", "callbackUrl")
    } == {"localhost:3000"}
    _, query = location(await website.get("/api/auth/signin"))
    assert query == {"callbackUrl": "http://localhost:3000"}
    target, _ = location(await website.post("/api/auth/signin/google"))
    assert target == "http://localhost:3000/api/auth/signin"


async def test_auth_provider_missing(website: httpx2.AsyncClient, platform: Platform) -> None:
    platform.faults.switch_on("auth-provider-missing")

    assert (await website.get("/api/auth/providers")).json() == {}
    assert "There is no way to sign in" in (await website.get("/auth/signin")).text


async def test_auth_misconfigured(website: httpx2.AsyncClient, platform: Platform) -> None:
    platform.faults.switch_on("auth-misconfigured")

    for action in ("session", "csrf", "providers"):
        answer = await website.get(f"/api/auth/{action}")
        assert answer.status_code == 500
        assert answer.json() == {
            "message": "There is a problem with the server configuration."
            " Check the server logs for more information."
        }
    assert (await website.post("/api/auth/callback/credentials")).status_code == 500
    assert location(await website.get("/api/auth/signin")) == ("/auth/error", {"error": "Configuration"})
    assert (await website.get("/auth/signin")).status_code == 200


async def test_the_sign_in_page_offers_the_providers(website: httpx2.AsyncClient) -> None:
    page = await website.get("/auth/signin?callbackUrl=/dashboard")

    token = re.search(r'name="csrfToken" value="([0-9a-f]{64})"', page.text)
    assert token
    assert unquote(website.cookies["next-auth.csrf-token"]).startswith(token[1])
    assert 'action="/api/auth/signin/google"' in page.text
    assert 'action="/api/auth/callback/credentials"' in page.text
    assert f'value="{ORIGIN}/dashboard"' in page.text


async def test_sign_in_page_missing(website: httpx2.AsyncClient, platform: Platform) -> None:
    platform.faults.switch_on("sign-in-page-missing")

    assert (await website.get("/auth/signin")).status_code == 404


@pytest.mark.parametrize(
    ("asked", "returned_to"),
    [
        ("/dashboard", f"{ORIGIN}/dashboard"),
        (f"{ORIGIN}/x", f"{ORIGIN}/x"),
        ("https://evil.test/", ORIGIN),
        (None, ORIGIN),
    ],
)
async def test_signin_leads_to_the_page_and_back_to_this_site_alone(
    website: httpx2.AsyncClient, asked: str | None, returned_to: str
) -> None:
    answer = await website.get("/api/auth/signin", params={"callbackUrl": asked} if asked else {})

    assert location(answer) == ("/auth/signin", {"callbackUrl": returned_to})


async def test_a_callback_url_that_is_no_address_is_a_configuration_error(
    website: httpx2.AsyncClient,
) -> None:
    assert (await website.get("/api/auth/csrf?callbackUrl=javascript:alert(1)")).status_code == 500


async def test_errors_lead_to_the_page_that_shows_them(website: httpx2.AsyncClient) -> None:
    assert location(await website.get("/api/auth/error?error=Configuration")) == (
        "/auth/error",
        {"error": "Configuration"},
    )
    assert location(await website.get("/api/auth/error?error=CredentialsSignin")) == (
        f"{ORIGIN}/api/auth/signin",
        {"error": "CredentialsSignin"},
    )
    shown = await website.get("/api/auth/error?error=CredentialsSignin", follow_redirects=True)
    assert "Sign in failed" in shown.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/auth/nonsense", 400),
        ("HEAD", "/api/auth/session", 400),
        ("PUT", "/api/auth/session", 400),
        ("POST", "/api/auth/session", 400),
        ("GET", "/api/auth/callback/nobody", 400),
        ("GET", "/api/auth/callback/credentials", 500),
        ("POST", "/api/auth/providers", 400),
        ("POST", "/api/auth/_log", 200),
        ("GET", "/api/auth/signout", 200),
    ],
)
async def test_what_nextauth_does_not_serve(
    website: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    assert (await website.request(method, path)).status_code == status


async def test_a_broken_json_body_is_a_bad_request(website: httpx2.AsyncClient) -> None:
    answer = await website.post(
        "/api/auth/signout", content=b"{", headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400


async def test_google_is_asked_with_our_callback(website: httpx2.AsyncClient) -> None:
    token, _ = await csrf(website)
    target, query = location(await website.post("/api/auth/signin/google", data={"csrfToken": token}))

    assert target == "https://accounts.google.com/o/oauth2/v2/auth"
    assert query["redirect_uri"] == f"{ORIGIN}/api/auth/callback/google"
    assert query["state"] == website.cookies["next-auth.state"]
    assert location(await website.get("/api/auth/callback/google?code=x")) == (
        f"{ORIGIN}/api/auth/error",
        {"error": "OAuthCallback"},
    )

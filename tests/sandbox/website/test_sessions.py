"""Who a browser is: stored sessions, and signing in and out with a password."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx2
import pytest
from psycopg_pool import AsyncConnectionPool

from kamiyo_verify.integrations.nextauth.shapes import Session
from sandbox.platform import Platform
from sandbox.seed import fill, make_tables
from tests.sandbox.website.driving import ORIGIN, csrf, location, serve, store_session, stored_sessions

pytestmark = pytest.mark.anyio


async def test_a_stranger_has_an_empty_session(website: httpx2.AsyncClient) -> None:
    answer = await website.get("/api/auth/session")

    assert (answer.status_code, answer.json()) == (200, {})
    assert "no-store" in answer.headers["cache-control"]


async def test_a_stored_session_names_its_user(website: httpx2.AsyncClient, platform: Platform) -> None:
    await store_session(platform, "living", lasts=timedelta(days=30))
    before = await stored_sessions(platform)
    website.cookies.set("next-auth.session-token", "living")

    answer = await website.get("/api/auth/session")
    session = Session.model_validate_json(answer.content)
    assert session.user == {"name": "Release Test", "email": platform.secrets.email, "image": None}
    assert session.expires == before["living"]
    assert answer.json()["expires"].endswith("Z")
    assert answer.cookies["next-auth.session-token"] == "living"
    assert await stored_sessions(platform) == before


async def test_the_seeded_session_is_the_test_accounts(
    website: httpx2.AsyncClient, platform: Platform
) -> None:
    sessions = make_tables(platform.secrets, datetime.now(UTC))['"Session"']
    async with platform.pool.connection() as connection:
        await fill(connection, {'"Session"': sessions})
    website.cookies.set("next-auth.session-token", platform.secrets.session_token)

    answer = await website.get("/api/auth/session")
    assert answer.json()["user"]["email"] == platform.secrets.email


async def test_a_session_in_use_is_prolonged(website: httpx2.AsyncClient, platform: Platform) -> None:
    await store_session(platform, "ageing", lasts=timedelta(hours=1))
    website.cookies.set("next-auth.session-token", "ageing")
    await website.get("/api/auth/session")

    assert (await stored_sessions(platform))["ageing"] > datetime.now(UTC) + timedelta(days=29)


async def test_an_expired_session_is_refused_and_forgotten(
    website: httpx2.AsyncClient, platform: Platform
) -> None:
    await store_session(platform, "expired", lasts=timedelta(seconds=-1))
    answer = await website.get("/api/auth/session", headers={"Cookie": "next-auth.session-token=expired"})

    assert (answer.status_code, answer.json()) == (200, {})
    assert any(
        cookie.startswith("next-auth.session-token=; ") and "Max-Age=0" in cookie
        for cookie in answer.headers.get_list("set-cookie")
    )
    assert await stored_sessions(platform) == {}


async def test_an_unknown_token_is_nobodys(website: httpx2.AsyncClient) -> None:
    answer = await website.get("/api/auth/session", headers={"Cookie": "next-auth.session-token=unknown"})

    assert (answer.status_code, answer.json()) == (200, {})


async def test_sessions_lost(website: httpx2.AsyncClient, platform: Platform) -> None:
    await store_session(platform, "lost", lasts=timedelta(days=30))
    cookie = {"Cookie": "next-auth.session-token=lost"}
    platform.faults.switch_on("sessions-lost")
    assert (await website.get("/api/auth/session", headers=cookie)).json() == {}

    platform.faults.switch_off("sessions-lost")
    assert (await website.get("/api/auth/session", headers=cookie)).json() != {}


SignIn = Callable[..., Awaitable[httpx2.Response]]


@pytest.fixture
def sign_in(website: httpx2.AsyncClient, platform: Platform) -> SignIn:
    """As a browser's script does: csrf, then the form with json=true."""

    async def post(**changes: str) -> httpx2.Response:
        token, _ = await csrf(website)
        form = {
            "csrfToken": token,
            "callbackUrl": "/dashboard",
            "json": "true",
            "email": platform.secrets.email,
            "password": platform.secrets.password,
        }
        return await website.post("/api/auth/callback/credentials", data=form | changes)

    return post


async def test_good_credentials_begin_a_stored_session(
    website: httpx2.AsyncClient, platform: Platform, sign_in: SignIn
) -> None:
    answer = await sign_in()

    assert (answer.status_code, answer.json()) == (200, {"url": f"{ORIGIN}/dashboard"})
    assert answer.cookies["next-auth.session-token"] in await stored_sessions(platform)
    session = (await website.get("/api/auth/session")).json()
    assert session["user"]["email"] == platform.secrets.email


async def test_a_form_without_json_is_redirected(website: httpx2.AsyncClient, sign_in: SignIn) -> None:
    assert location(await sign_in(json="")) == (f"{ORIGIN}/dashboard", {})
    refused = await sign_in(json="", password="wrong")
    assert location(refused)[0] == f"{ORIGIN}/api/auth/error"


@pytest.mark.parametrize("changes", [{"password": "wrong"}, {"password": ""}, {"email": "someone@else.test"}])
async def test_bad_credentials_are_refused(
    website: httpx2.AsyncClient, platform: Platform, sign_in: SignIn, changes: dict[str, str]
) -> None:
    answer = await sign_in(**changes)

    assert answer.status_code == 401
    assert answer.json() == {"url": f"{ORIGIN}/api/auth/error?error=CredentialsSignin&provider=credentials"}
    assert "next-auth.session-token" not in website.cookies
    assert await stored_sessions(platform) == {}


async def test_a_bad_csrf_token_is_answered_200_and_sent_back(
    website: httpx2.AsyncClient, platform: Platform, sign_in: SignIn
) -> None:
    answer = await sign_in(csrfToken="0" * 64)

    assert (answer.status_code, answer.json()) == (200, {"url": f"{ORIGIN}/api/auth/signin?csrf=true"})
    assert await stored_sessions(platform) == {}


async def test_sign_in_broken(platform: Platform, sign_in: SignIn) -> None:
    platform.faults.switch_on("sign-in-broken")
    assert (await sign_in()).status_code == 401

    platform.faults.switch_off("sign-in-broken")
    assert (await sign_in()).status_code == 200


async def test_wrong_password_accepted(platform: Platform, sign_in: SignIn) -> None:
    platform.faults.switch_on("wrong-password-accepted")

    assert (await sign_in(password="wrong")).status_code == 200
    assert (await sign_in()).status_code == 200
    assert (await sign_in(email="someone@else.test")).status_code == 401


async def test_signing_out_ends_the_session(
    website: httpx2.AsyncClient, platform: Platform, sign_in: SignIn
) -> None:
    await sign_in()
    refused = await website.post("/api/auth/signout", data={"json": "true"})
    assert refused.json() == {"url": f"{ORIGIN}/api/auth/signout?csrf=true"}
    assert await stored_sessions(platform) != {}

    token, _ = await csrf(website)
    answer = await website.post("/api/auth/signout", data={"csrfToken": token, "json": "true"})
    assert (answer.status_code, answer.json()) == (200, {"url": f"{ORIGIN}/dashboard"})
    assert await stored_sessions(platform) == {}
    assert (await website.get("/api/auth/session")).json() == {}


async def test_without_a_database_nobody_is_signed_in(platform: Platform, refused_url: str) -> None:
    await store_session(platform, "unreachable", lasts=timedelta(days=30))
    port = urlsplit(refused_url).port
    pool = AsyncConnectionPool(f"postgresql://nobody@127.0.0.1:{port}/x", min_size=0, max_size=1, open=False)
    await pool.open()
    try:
        platform.pool = pool
        platform.faults.switch_on("database-down")
        async with serve(platform) as website:
            website.cookies.set("next-auth.session-token", "unreachable")
            session = await website.get("/api/auth/session")
            assert (session.status_code, session.json()) == (200, {})
            assert "next-auth.session-token" not in session.cookies

            token, _ = await csrf(website)
            credentials = {"email": platform.secrets.email, "password": platform.secrets.password}
            answer = await website.post(
                "/api/auth/callback/credentials",
                data={"csrfToken": token, "json": "true"} | credentials,
            )
            assert answer.status_code == 401
            assert "error=Can%27t%20reach%20database%20server" in answer.json()["url"]
    finally:
        await pool.close()

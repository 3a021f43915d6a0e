"""How the tests drive the website and look behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2

from sandbox.frontend import create_app
from sandbox.platform import Platform

ORIGIN = "http://website.test:3001"
COMMIT = "9c41d07" + "0" * 33
PAGES = ("/", "/dashboard", "/exploits/0xabc", "/auth/signin", "/auth/error?error=Configuration")


@asynccontextmanager
async def serve(platform: Platform) -> AsyncIterator[httpx2.AsyncClient]:
    """The website over a platform, as a client with a cookie jar."""
    app = create_app(platform)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=platform.frontend_url) as client,
    ):
        yield client


def location(answer: httpx2.Response) -> tuple[str, dict[str, str]]:
    """Where a redirect leads: the address without its query, and the query."""
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["location"])
    origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return origin + parts.path, {name: found[0] for name, found in parse_qs(parts.query).items()}


async def csrf(website: httpx2.AsyncClient, name: str = "next-auth.csrf-token") -> tuple[str, str]:
    """The token of the body, and the hash of the cookie, whose token must be the same."""
    answer = await website.get("/api/auth/csrf")
    assert answer.status_code == 200
    raw = answer.cookies.get(name) or website.cookies[name]
    assert "%7C" in raw
    token, _, found_hash = unquote(raw).partition("|")
    assert answer.json() == {"csrfToken": token}
    return token, found_hash


async def store_session(platform: Platform, token: str, *, lasts: timedelta) -> None:
    async with platform.pool.connection() as connection:
        await connection.execute(
            'INSERT INTO "Session" (id, "sessionToken", "userId", expires) SELECT %s, %s, id, %s FROM "User"',
            ("c" + token, token, (datetime.now(UTC) + lasts).replace(tzinfo=None)),
        )


async def stored_sessions(platform: Platform) -> dict[str, datetime]:
    async with platform.pool.connection() as connection:
        rows = await (await connection.execute('SELECT "sessionToken", expires FROM "Session"')).fetchall()
        return {token: expires.replace(tzinfo=UTC) for token, expires in rows}

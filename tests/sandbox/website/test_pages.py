"""The pages, what stands around them, and the faults that spoil them."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx2
import pytest

from sandbox.platform import Platform
from tests.sandbox.website.driving import COMMIT, PAGES, serve, store_session

pytestmark = pytest.mark.anyio

SECURITY_HEADERS = (
    "content-security-policy",
    "permissions-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
)


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_html_with_the_title_and_something_to_read(
    website: httpx2.AsyncClient, path: str
) -> None:
    answer = await website.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert re.search(r"<title>KAMIYO – .+</title>", answer.text)
    assert re.search(r"<h1>.+</h1>", answer.text)


@pytest.mark.parametrize("path", PAGES)
async def test_head_is_answered_as_get_without_the_body(website: httpx2.AsyncClient, path: str) -> None:
    head = await website.head(path)
    website.cookies.clear()
    get = await website.get(path)

    assert (head.status_code, head.content) == (200, b"")
    assert set(head.headers) == set(get.headers)
    assert head.headers["content-length"] == get.headers["content-length"]


async def test_what_is_no_page_is_a_404_page(website: httpx2.AsyncClient) -> None:
    for path in ("/nowhere", "/api/nowhere", "/api/auth"):
        answer = await website.get(path)
        assert answer.status_code == 404
        assert "This page could not be found" in answer.text


async def test_a_page_takes_no_post(website: httpx2.AsyncClient) -> None:
    assert (await website.post("/dashboard")).status_code == 405


async def test_the_content_security_policy_admits_the_style_the_script_and_the_api(
    website: httpx2.AsyncClient, platform: Platform
) -> None:
    page = await website.get("/dashboard")
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert f"connect-src 'self' {platform.api_url} ws://127.0.0.1:9" in policy
    assert "unsafe" not in policy

    assert "<style" not in page.text
    [style] = re.findall(r'<link rel="stylesheet" href="(.*?)">', page.text)
    assert (await website.get(style)).headers["content-type"].startswith("text/css")
    [(script, inline)] = re.findall(r'<script src="(.*?)" defer>(.*?)</script>', page.text)
    assert inline == ""
    assert (await website.get(script)).headers["content-type"].startswith("application/javascript")


SCRIPT = "/_next/static/chunks/kamiyo.js"


@pytest.mark.parametrize("fault", ["frontend-script-error", "dashboard-empty", "filter-broken-in-page"])
async def test_a_defect_of_the_script_comes_and_goes(
    website: httpx2.AsyncClient, platform: Platform, fault: str
) -> None:
    well = (await website.get(SCRIPT)).text
    platform.faults.switch_on(fault)
    assert (await website.get(SCRIPT)).text != well

    platform.faults.switch_off(fault)
    assert (await website.get(SCRIPT)).text == well


async def test_asset_missing(website: httpx2.AsyncClient, platform: Platform) -> None:
    platform.faults.switch_on("asset-missing")

    assert (await website.get("/_next/static/css/kamiyo.css")).status_code == 404
    assert (await website.get(SCRIPT)).status_code == 200


async def test_the_pages_of_a_signed_in_person_get_their_key_and_a_stranger_gets_none(
    website: httpx2.AsyncClient, platform: Platform
) -> None:
    assert (await website.get("/api/account/key")).status_code == 401

    await store_session(platform, "living", lasts=timedelta(days=30))
    website.cookies.set("next-auth.session-token", "living")
    answer = await website.get("/api/account/key")
    assert answer.json() == {"key": platform.secrets.api_key}
    assert "no-store" in answer.headers["cache-control"]


async def test_the_favicon_is_an_icon(website: httpx2.AsyncClient) -> None:
    answer = await website.get("/favicon.ico")

    assert answer.status_code == 200
    assert answer.content.startswith(b"\0\0\1\0")


async def test_what_a_visitor_sends_is_escaped(website: httpx2.AsyncClient) -> None:
    for path in ("/exploits/<script>alert(1)</script>", "/auth/signin?error=<script>alert(1)</script>"):
        assert "<script>alert" not in (await website.get(path)).text


async def test_every_answer_has_the_commit_and_an_id_of_its_own(website: httpx2.AsyncClient) -> None:
    answers = [await website.get(path) for path in (*PAGES, "/nowhere", "/api/auth/csrf", "/api/health")]

    assert {answer.headers["x-commit"] for answer in answers} == {COMMIT}
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(answers)
    assert not any("x-powered-by" in answer.headers for answer in answers)


async def test_every_answer_has_the_security_headers(website: httpx2.AsyncClient, platform: Platform) -> None:
    for path in (*PAGES, "/nowhere", "/api/auth/csrf"):
        answer = await website.get(path)
        assert not [name for name in SECURITY_HEADERS if name not in answer.headers]
        assert answer.headers["x-frame-options"] == "DENY"

    platform.faults.switch_on("security-headers-missing")
    assert not [name for name in SECURITY_HEADERS if name in (await website.get("/")).headers]


async def test_strict_transport_security_is_for_https_alone(platform: Platform) -> None:
    async with serve(platform) as website:
        assert "strict-transport-security" not in (await website.get("/")).headers
    platform.frontend_url = "https://website.test"
    async with serve(platform) as website:
        assert "strict-transport-security" in (await website.get("/")).headers


async def test_frontend_blank(website: httpx2.AsyncClient, platform: Platform) -> None:
    platform.faults.switch_on("frontend-blank")
    for path in PAGES:
        answer = await website.get(path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"].startswith("text/html")

    platform.faults.switch_off("frontend-blank")
    assert "KAMIYO" in (await website.get("/")).text


async def test_dashboard_broken(website: httpx2.AsyncClient, platform: Platform) -> None:
    platform.faults.switch_on("dashboard-broken")

    assert (await website.get("/dashboard")).status_code == 500
    assert (await website.get("/")).status_code == 200


async def test_wrong_commit(website: httpx2.AsyncClient, platform: Platform) -> None:
    platform.faults.switch_on("wrong-commit")

    said = (await website.get("/")).headers["x-commit"]
    assert re.fullmatch("[0-9a-f]{40}", said)
    assert said != COMMIT


@pytest.mark.parametrize(
    "path", [*PAGES, "/api/health", "/api/auth/csrf", "/api/payment/webhook", "/nowhere"]
)
async def test_rate_limited(website: httpx2.AsyncClient, platform: Platform, path: str) -> None:
    platform.faults.switch_on("rate-limited")

    answer = await website.get(path)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    assert answer.headers["x-commit"] == COMMIT


async def test_frontend_slow_delays_pages_alone(
    website: httpx2.AsyncClient, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("sandbox.frontend.sleep", wait)
    await website.get("/")
    assert waits == []

    platform.faults.switch_on("frontend-slow")
    for path in ("/api/auth/csrf", "/api/auth/session", "/api/health", "/favicon.ico"):
        await website.get(path)
    assert waits == []
    for path in PAGES:
        await website.get(path)
    assert waits == [1.3] * len(PAGES)

"""`/api/health` of the website is the API's own, or 503 over numbers that look alive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2
import pytest

from kamiyo_platform.shapes import Health
from sandbox.platform import Platform
from tests.sandbox.website.driving import serve

pytestmark = pytest.mark.anyio


@contextmanager
def an_api(status: int, body: bytes) -> Iterator[str]:
    """An API on a real port that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Not on the terminal."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


HEALTH = (
    b'{"status": "healthy", "database_exploits": 3, "tracked_chains": 2, "active_sources": 1,'
    b' "total_sources": 1, "sources": [], "timestamp": "2026-11-23T14:00:00Z"}'
)


async def test_health_is_the_apis_own(platform: Platform) -> None:
    with an_api(200, HEALTH) as platform.api_url:
        async with serve(platform) as website:
            answer = await website.get("/api/health")
            assert answer.status_code == 200
            assert Health.model_validate_json(answer.content).database_exploits == 3

            platform.faults.switch_on("frontend-proxy-broken")
            assert_hollow(await website.get("/api/health"))


@pytest.mark.parametrize(("status", "body"), [(500, HEALTH), (429, b"{}"), (200, b"<html>")])
async def test_an_api_that_answers_badly_is_down_to_the_proxy(
    platform: Platform, status: int, body: bytes
) -> None:
    with an_api(status, body) as platform.api_url:
        async with serve(platform) as website:
            assert_hollow(await website.get("/api/health"))


async def test_an_api_that_refuses_connections_is_down_to_the_proxy(
    platform: Platform, refused_url: str
) -> None:
    platform.api_url = refused_url
    async with serve(platform) as website:
        assert_hollow(await website.get("/api/health"))


def assert_hollow(answer: httpx2.Response) -> None:
    """503 over a body that a check which read it first would believe."""
    assert answer.status_code == 503
    believed = Health.model_validate_json(answer.content)
    assert believed.status == "healthy"
    assert believed.database_exploits > 0

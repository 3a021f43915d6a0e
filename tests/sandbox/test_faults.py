"""Each fault of the API and its data does what its sentence says, and is over when it is switched off."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median

import httpx2
import pytest

from tests.support.sandbox_process import Sandbox, request, started

Holds = Callable[[Sandbox], bool]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with started() as running:
        yield running


def status(path: str) -> Callable[[Sandbox], int]:
    return lambda sandbox: sandbox.get(path).status_code


def is_dropped(url: str) -> bool:
    try:
        request("GET", url)
    except (httpx2.RemoteProtocolError, httpx2.ReadError):
        return True
    return False


def first_hash(sandbox: Sandbox) -> str:
    return str(sandbox.get("/exploits?page_size=1").json()["data"][0]["tx_hash"])


def admin_status(sandbox: Sandbox) -> int:
    return sandbox.get_anonymously("/admin/db/slow-queries").status_code


def echoed(sandbox: Sandbox, origin: str) -> str | None:
    headers = dict(sandbox.get("/health", Origin=origin).headers)
    return headers.get("access-control-allow-origin")


def chains_of(sandbox: Sandbox, query: str) -> set[str]:
    return {row["chain"] for row in sandbox.get(f"/exploits?{query}").json()["data"]}


SHOWS: dict[str, Holds] = {
    "api-down": lambda s: is_dropped(f"{s.api}/health"),
    "frontend-down": lambda s: is_dropped(f"{s.frontend}/"),
    "api-errors": lambda s: all(status(path)(s) == 500 for path in ("/health", "/exploits", "/nothing")),
    "api-not-ready": lambda s: (
        (answer := s.get("/ready")).status_code == 503 and answer.json()["database"] == "unhealthy"
    ),
    "health-degraded": lambda s: (
        (answer := s.get("/health")).status_code == 200
        and answer.json()["status"] == "degraded"
        and answer.json()["active_sources"] == 0
    ),
    "errors-two-percent": lambda s: [status("/chains")(s) for _ in range(100)].count(500) == 2,
    "errors-twenty-percent": lambda s: [status("/chains")(s) for _ in range(50)].count(500) == 10,
    "one-bad-gateway": lambda s: [status("/ready")(s) for _ in range(3)] == [502, 200, 200],
    "wrong-commit": lambda s: s.get("/ready").headers["X-Commit"].startswith("0ddc0de"),
    "exploits-malformed": lambda s: (
        (answer := s.get("/exploits?page_size=5")).status_code == 200
        and all("chain" not in row for row in answer.json()["data"])
    ),
    "exploits-vanished": lambda s: (
        s.get("/exploits").json()["total"] == 0
        and s.get("/health").json()["database_exploits"] == 0
        and s.get("/health").json()["sources"] == []
    ),
    "details-broken": lambda s: status(f"/exploits/{first_hash(s)}")(s) == 500,
    "filter-broken": lambda s: (
        len(chains_of(s, "chain=Ethereum")) > 1 and len(chains_of(s, "protocol=Aster%20Swap")) > 1
    ),
    "cors-any-origin": lambda s: echoed(s, "https://evil.example") == "https://evil.example",
    "cors-own-origin-refused": lambda s: echoed(s, s.frontend) is None,
    "errors-leak-internals": lambda s: all(
        "Traceback" in (detail := s.get(path).json()["detail"]) and "SELECT" in detail
        for path in ("/nothing", "/exploits?page=0", "/exploits/0x0")
    ),
    "admin-open": lambda s: admin_status(s) == 200,
    "security-headers-missing": lambda s: "X-Frame-Options" not in s.get("/health").headers,
    "api-key-ignored": lambda s: (
        (answer := s.get("/exploits?page_size=10")).headers["X-RateLimit-Tier"] == "anonymous"
        and answer.json()["data"] == []
    ),
    "slow-queries": lambda s: any(
        query["max_exec_time"] > 500 and "pg_sleep" in query["query"]
        for query in s.get("/admin/db/slow-queries", key=s.secret("ADMIN_KEY")).json()["slow_queries"]
    ),
}


@pytest.mark.parametrize("name", SHOWS)
def test_a_fault_comes_and_goes(sandbox: Sandbox, name: str) -> None:
    shows = SHOWS[name]
    assert not shows(sandbox)
    with sandbox.fault(name):
        assert shows(sandbox)
    assert not shows(sandbox)


def test_rate_limited_turns_everyone_away(sandbox: Sandbox) -> None:
    urls = (f"{sandbox.api}/health", f"{sandbox.api}/exploits", f"{sandbox.frontend}/")
    with sandbox.fault("rate-limited"):
        answers = [request("GET", url) for url in urls]
    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in answers} == {(429, "60")}
    assert {request("GET", url).status_code for url in urls} == {200}


def milliseconds(sandbox: Sandbox, first_page: int) -> float:
    """The median over pages that the cache has not seen."""
    pages = range(first_page, first_page + 5)
    times = [sandbox.get(f"/exploits?page_size=3&page={page}").elapsed.total_seconds() for page in pages]
    return 1000 * median(times)


def test_slow_takes_700_ms_longer(sandbox: Sandbox) -> None:
    usual = milliseconds(sandbox, 1)
    with sandbox.fault("slow"):
        assert milliseconds(sandbox, 11) >= 700
    assert usual < 700


def test_some_faults_make_the_api_slower_by_a_share() -> None:
    with started("--latency", "200") as sandbox:
        assert milliseconds(sandbox, 1) >= 200
        with sandbox.fault("slow-a-little"):
            assert milliseconds(sandbox, 11) >= 260
        with sandbox.fault("slow-by-sixty-percent"):
            assert milliseconds(sandbox, 21) >= 320
        with sandbox.fault("five-times-as-slow"):
            assert milliseconds(sandbox, 31) >= 1000


def test_open_streams_are_cut_when_the_api_goes_down(sandbox: Sandbox) -> None:
    with httpx2.Client(trust_env=False) as kept_alive:
        assert kept_alive.get(f"{sandbox.api}/health").status_code == 200
        with sandbox.fault("api-down"), pytest.raises((httpx2.RemoteProtocolError, httpx2.ReadError)):
            kept_alive.get(f"{sandbox.api}/health")
        assert kept_alive.get(f"{sandbox.api}/health").status_code == 200

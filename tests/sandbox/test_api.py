"""The sandbox's API answers as the real platform's does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from kamiyo_platform.shapes import Chains, Exploit, ExploitPage, Health, Readiness
from tests.support.sandbox_process import Sandbox, started


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with started() as running:
        yield running


def page(sandbox: Sandbox, query: str = "") -> ExploitPage:
    answer = sandbox.get(f"/exploits?{query}")
    assert answer.status_code == 200, answer.text
    return ExploitPage.model_validate_json(answer.content)


def test_health_counts_what_there_is(sandbox: Sandbox) -> None:
    answer = sandbox.get("/health")
    health = Health.model_validate_json(answer.content)
    assert answer.status_code == 200
    assert health.status == "healthy"
    assert health.database_exploits > 300
    assert health.tracked_chains == 10
    assert 0 < health.active_sources < health.total_sources == len(answer.json()["sources"])
    assert {source["success_rate"] is None for source in answer.json()["sources"]} == {True, False}


def test_readiness_tolerates_a_missing_redis(sandbox: Sandbox) -> None:
    ready = Readiness.model_validate_json(sandbox.get("/ready").content)
    assert (ready.status, ready.database, ready.cache) == ("ready", "healthy", "degraded")


def test_pages_follow_one_another(sandbox: Sandbox) -> None:
    first, second = page(sandbox, "page=1&page_size=50"), page(sandbox, "page=2&page_size=50")
    assert len(first.data) == len(second.data) == 50
    assert not {row.tx_hash for row in first.data} & {row.tx_hash for row in second.data}
    assert all(one.timestamp >= other.timestamp for one, other in pairwise(first.data + second.data))


def test_the_last_page_says_that_it_is_the_last(sandbox: Sandbox) -> None:
    everything = page(sandbox, "page_size=500")
    assert len(everything.data) == everything.total
    assert not everything.has_more
    assert page(sandbox, "page_size=500&page=2").data == ()
    assert page(sandbox, "page_size=10").has_more


def test_the_rows_are_as_untidy_as_real_ones(sandbox: Sandbox) -> None:
    rows = sandbox.get("/exploits?page_size=500").json()["data"]
    assert {row["amount_usd"] is None for row in rows} == {True, False}
    assert {"source_url" in row for row in rows} == {True, False}
    assert {row["timestamp"].endswith("+00:00") for row in rows} == {True, False}
    assert len({row["protocol"] for row in rows}) > 50


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=10001", "page=x", "page_size=0", "page_size=501", "min_amount=-1", "min_amount=nan"],
)
def test_what_is_out_of_bounds_is_refused(sandbox: Sandbox, query: str) -> None:
    answer = sandbox.get(f"/exploits?{query}")
    assert answer.status_code == 422
    assert set(answer.json()) == {"error", "detail"}


@pytest.mark.parametrize(("days", "status"), [("1", 200), ("365", 200), ("0", 422), ("366", 422)])
def test_statistics_cover_a_day_to_a_year(sandbox: Sandbox, days: str, status: int) -> None:
    assert sandbox.get(f"/stats?days={days}").status_code == status


def test_statistics_sum_up_the_period(sandbox: Sandbox) -> None:
    stats = sandbox.get("/stats?days=365").json()
    assert stats["period_days"] == 365
    assert stats["total_exploits"] > 100
    assert stats["total_loss_usd"] > 0
    assert stats["chains_affected"] > 1
    assert stats["protocols_affected"] > 1


def test_filters_narrow_the_list(sandbox: Sandbox) -> None:
    protocol = page(sandbox, "page_size=1").data[0].protocol
    by_chain = page(sandbox, "chain=ethereum&page_size=500")
    by_protocol = page(sandbox, f"protocol={protocol}&page_size=500")
    by_amount = page(sandbox, "min_amount=1000000&page_size=500")
    assert {row.chain for row in by_chain.data} == {"Ethereum"}
    assert {row.protocol for row in by_protocol.data} == {protocol}
    assert min(row.amount_usd or 0 for row in by_amount.data) >= 1_000_000
    assert all(found.total == len(found.data) > 0 for found in (by_chain, by_protocol, by_amount))


def test_chains_add_up_to_all_exploits(sandbox: Sandbox) -> None:
    chains = Chains.model_validate_json(sandbox.get("/chains").content)
    assert chains.total_chains == len(chains.chains) == 10
    assert sum(one.exploit_count for one in chains.chains) == page(sandbox).total


def test_one_exploit_is_the_row_of_the_list(sandbox: Sandbox) -> None:
    row = page(sandbox, "page_size=1").data[0]
    assert Exploit.model_validate_json(sandbox.get(f"/exploits/{row.tx_hash}").content) == row


@pytest.mark.parametrize("path", ["/exploits/0x0", "/nothing", "/admin"])
def test_what_is_not_there_is_404(sandbox: Sandbox, path: str) -> None:
    answer = sandbox.get(path)
    assert answer.status_code == 404
    assert set(answer.json()) == {"error", "detail"}


@pytest.mark.parametrize("path", ["/health", "/ready", "/exploits", "/exploits/0x0", "/chains", "/stats"])
@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE"])
def test_only_get_is_allowed(sandbox: Sandbox, method: str, path: str) -> None:
    answer = sandbox.ask(method, path, X_API_Key=sandbox.secret("API_KEY"))
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET"


def test_strangers_see_what_is_a_day_old(sandbox: Sandbox) -> None:
    theirs = ExploitPage.model_validate_json(sandbox.get_anonymously("/exploits?page_size=500").content)
    ours = page(sandbox, "page_size=500")
    day_ago = datetime.now(UTC) - timedelta(hours=24)
    fresh = [row for row in ours.data if row.timestamp > day_ago]
    assert fresh
    assert [row.tx_hash for row in theirs.data] == [row.tx_hash for row in ours.data[len(fresh) :]]
    assert theirs.total == ours.total
    assert sandbox.get_anonymously(f"/exploits/{fresh[0].tx_hash}").status_code == 404


def test_a_page_of_strangers_can_be_empty_while_there_is_more(sandbox: Sandbox) -> None:
    theirs = sandbox.get_anonymously("/exploits?page=1&page_size=10").json()
    assert theirs["data"] == []
    assert theirs["has_more"]
    assert theirs["total"] > 300


def test_the_same_url_is_answered_from_the_cache(sandbox: Sandbox) -> None:
    url = "/exploits?page=3&page_size=7"
    first, again = sandbox.get(url), sandbox.get(url)
    assert (first.headers["X-Cache"], again.headers["X-Cache"]) == ("MISS", "HIT")
    assert first.headers["ETag"] == again.headers["ETag"]
    assert first.content == again.content
    assert "max-age=" in first.headers["Cache-Control"]
    assert first.elapsed >= timedelta(milliseconds=20)
    known = sandbox.get(url, If_None_Match=first.headers["ETag"])
    assert (known.status_code, known.content) == (304, b"")


def test_strangers_are_not_served_from_the_cache_of_others(sandbox: Sandbox) -> None:
    url = "/exploits?page_size=9"
    assert sandbox.get(url).json()["data"]
    assert sandbox.get_anonymously(url).json()["data"] == []


@pytest.mark.parametrize("path", ["/health", "/exploits", "/exploits/0x0", "/nothing", "/exploits?page=0"])
def test_every_answer_carries_the_security_headers(sandbox: Sandbox, path: str) -> None:
    headers = sandbox.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert {"Referrer-Policy", "Permissions-Policy", "Content-Security-Policy"} <= {
        name.title() for name in headers
    }
    assert "Strict-Transport-Security" not in headers, "only over https"


def test_every_answer_says_which_request_and_which_commit(sandbox: Sandbox) -> None:
    one, other = sandbox.get("/health"), sandbox.get("/nothing")
    assert one.headers["X-Request-Id"] != other.headers["X-Request-Id"]
    assert len(one.headers["X-Commit"]) == 40
    assert sandbox.get("/health", X_Request_Id="mine").headers["X-Request-Id"] == "mine"


def test_allowed_origins_are_echoed_with_credentials(sandbox: Sandbox) -> None:
    origins = sandbox.launched["settings"]["api.origins"]
    assert {sandbox.api, sandbox.frontend} < set(origins)
    for origin in origins:
        answer = sandbox.get("/exploits", Origin=origin)
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in answer.headers["Vary"]


def test_a_foreign_origin_is_not_echoed(sandbox: Sandbox) -> None:
    answer = sandbox.get("/exploits", Origin="https://evil.example")
    assert answer.status_code == 200
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(("foreign", "status"), [(False, 200), (True, 400)])
def test_preflights_are_answered(sandbox: Sandbox, *, foreign: bool, status: int) -> None:
    origin = "https://evil.example" if foreign else sandbox.frontend
    asked = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "x-api-key"}
    answer = sandbox.ask("OPTIONS", "/exploits", Origin=origin, **asked)
    assert answer.status_code == status
    assert answer.headers.get("Access-Control-Allow-Origin") == (None if foreign else origin)


def test_slow_queries_are_for_the_admin_alone(sandbox: Sandbox) -> None:
    path = "/admin/db/slow-queries"
    assert sandbox.get_anonymously(path).status_code == 401
    assert sandbox.get(path).status_code == 403
    answer = sandbox.get(path, key=sandbox.secret("ADMIN_KEY"))
    assert answer.status_code == 200
    assert answer.json() == {"slow_queries": [], "threshold_ms": 500}

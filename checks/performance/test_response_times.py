"""Step 5: the answers come in time, for varied requests and not for one cached one."""

import pytest


@pytest.mark.item("performance.api-response-time")
@pytest.mark.needs("api.key")
def test_the_api_answers_in_time(api_latency, measure, objective):
    """The 95th percentile over varied URLs is under the objective (500 ms)."""
    times = api_latency.timed
    measure("response_times", times.durations_ms, "ms")
    for path, durations in times.by_path(times.durations_ms).items():
        measure("response_times", durations, "ms", of=path)
    measure("stopping", times.stopping.value)
    measure("connection_set_ups", times.set_up_ms, "ms")
    measure("p95", times.p95_ms, "ms")

    assert times.p95_ms < objective("api-p95"), (
        f"p95 of {times.total} requests is {times.p95_ms:.0f} ms, not under {objective('api-p95'):.0f}"
    )


@pytest.mark.item("performance.error-rate")
@pytest.mark.needs("api.key")
def test_requests_do_not_fail(api_latency, measure, objective, fails_more_than):
    """No more are answered 5xx, or not at all, than the objective allows (0.1 %) and chance explains."""
    sent = api_latency.taken
    measure("requests", sent.total, "count")
    measure("errors", sent.bad, "count")
    measure("stopping", sent.stopping.value)

    assert not fails_more_than(sent, objective("error-rate")), (
        f"{sent.bad} of {sent.total} requests failed: {sent.message}"
    )


@pytest.mark.item("performance.frontend-first-byte")
def test_the_first_byte_of_the_site_comes_in_time(frontend_latency, measure):
    """The 95th percentile of the time to first byte is under 1 s."""
    times = frontend_latency.timed
    measure("first_bytes", times.first_byte_ms, "ms")
    for path, first_bytes in times.by_path(times.first_byte_ms).items():
        measure("first_bytes", first_bytes, "ms", of=path)
    measure("stopping", times.stopping.value)
    measure("p95", times.first_byte_p95_ms, "ms")

    assert times.first_byte_p95_ms < 1000, (
        f"p95 of the first byte is {times.first_byte_p95_ms:.0f} ms where under 1000 was agreed"
    )


@pytest.mark.item("performance.slow-queries")
def test_no_query_is_slow(slow_queries, environment, measure):
    """No statement takes longer on average than the environment's limit."""
    measure("slow", len(slow_queries), "count")
    told = "; ".join(f"{query.mean_ms:.0f} ms on average: {query.text}" for query in slow_queries[:3])

    assert not slow_queries, (
        f"{len(slow_queries)} statements take over {environment.database.slow_query_ms:.0f} ms: {told}"
    )

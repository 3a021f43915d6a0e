"""Step 5: responses are fast for varied requests, not only for one cached request."""

import pytest

from kamiyo_verify.checks import library


@pytest.mark.item("performance.api-response-time")
@pytest.mark.needs("api.key")
def test_the_api_answers_in_time(api_latency, measure, objective):
    """The 95th percentile over varied URLs does not reach the objective (500 ms), chance considered."""
    library.answers_in_time(api_latency, measure, p95_ms=objective("api-p95"))


@pytest.mark.item("performance.error-rate")
@pytest.mark.needs("api.key")
def test_requests_do_not_fail(api_latency, measure, objective):
    """No more requests fail than the objective allows (0.1 %) and chance explains."""
    library.rarely_fails(api_latency, measure, share=objective("error-rate"))


@pytest.mark.item("performance.frontend-error-rate")
def test_requests_to_the_website_do_not_fail(frontend_latency, measure, objective):
    """No more pages fail than the objective allows (0.1 %) and chance explains."""
    library.rarely_fails(frontend_latency, measure, share=objective("frontend-error-rate"))


@pytest.mark.item("performance.frontend-first-byte")
def test_the_first_byte_of_the_site_comes_in_time(frontend_latency, measure):
    """The 95th percentile of the time to first byte does not reach 1 s, chance considered."""
    library.sends_first_byte_in_time(frontend_latency, measure, p95_ms=1000)


@pytest.mark.item("performance.slow-queries")
def test_no_query_is_slow(slow_queries, environment, measure):
    """No statement takes longer on average than the environment's limit."""
    measure("slow", len(slow_queries), "count")
    description = "; ".join(f"{query.mean_ms:.0f} ms on average: {query.text}" for query in slow_queries[:3])

    assert not slow_queries, (
        f"{len(slow_queries)} statements take over {environment.database.slow_query_ms:.0f} ms: {description}"
    )

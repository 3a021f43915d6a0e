"""Step 5: the timing of one request from name lookup to the last byte, like curl's timing output."""

import pytest


@pytest.mark.item("performance.api-timing")
def test_the_api_answers_one_request_in_time(timing, api, environment, measure_each):
    """A fresh request gets its first byte within 500 ms after it is sent; every earlier step is recorded."""
    taken = timing.breakdown(environment.api_url + "/exploits?page=1&page_size=100", api.caller()).usable()

    measure_each(taken.as_ms(), "ms")
    assert taken.status == 200, f"/exploits answered {taken.status} where 200 was expected"
    assert taken.waited_ms < 500, (
        f"the first byte came {taken.waited_ms:.0f} ms after the request, not within 500"
    )


@pytest.mark.item("performance.frontend-timing")
def test_the_frontend_answers_one_request_in_time(timing, environment, measure_each):
    """A fresh request, including name lookup and TLS, gets its first byte within 1 s."""
    taken = timing.breakdown(environment.frontend_url + "/").usable()

    measure_each(taken.as_ms(), "ms")
    assert taken.status == 200, f"/ answered {taken.status} where 200 was expected"
    assert taken.first_byte_ms < 1000, (
        f"the first byte came after {taken.first_byte_ms:.0f} ms, not within 1000"
    )

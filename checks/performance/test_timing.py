"""Step 5: where the time of one request goes, from the name to the last byte, as curl would tell it."""

import pytest


@pytest.mark.item("performance.api-timing")
def test_the_api_answers_one_request_in_time(timing, api, environment, measure):
    """A fresh request waits under 500 ms for its first byte once it is sent; every step before is shown."""
    taken = timing.breakdown(environment.api.url + "/exploits?page=1&page_size=100", api.caller()).usable()

    for step, milliseconds in taken.as_ms().items():
        measure(step, milliseconds, "ms")
    assert taken.status == 200, f"/exploits answered {taken.status} where 200 was expected"
    assert taken.waited_ms < 500, (
        f"the first byte came {taken.waited_ms:.0f} ms after the request, not within 500"
    )


@pytest.mark.item("performance.frontend-timing")
def test_the_frontend_answers_one_request_in_time(timing, environment, measure):
    """A whole fresh request, name lookup and TLS included, takes under 1 s to its first byte."""
    taken = timing.breakdown(environment.frontend.url + "/").usable()

    for step, milliseconds in taken.as_ms().items():
        measure(step, milliseconds, "ms")
    assert taken.status == 200, f"/ answered {taken.status} where 200 was expected"
    assert taken.first_byte_ms < 1000, (
        f"the first byte came after {taken.first_byte_ms:.0f} ms, not within 1000"
    )

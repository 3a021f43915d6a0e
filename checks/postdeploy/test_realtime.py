"""Step 4: live updates reach clients after the release."""

import pytest

from kamiyo_verify.checks import library


@pytest.mark.item("postdeploy.websocket")
@pytest.mark.needs("api.key")
def test_a_client_is_welcomed(realtime, measure):
    """The first frame is a status frame, within 10 s."""
    library.greets(realtime, measure, type="status", within_s=10)


@pytest.mark.item("postdeploy.websocket-heartbeat")
@pytest.mark.needs("api.key")
def test_a_new_client_hears_a_heartbeat(heartbeat, measure):
    """The first heartbeat arrives within one interval of the server-wide clock."""
    measure("first_heartbeat", heartbeat.waited_seconds, "s")

    assert heartbeat.received, f"no heartbeat in {heartbeat.waited_seconds:.0f} s, {heartbeat.instead}"


@pytest.mark.item("postdeploy.subscribe-to-alerts")
@pytest.mark.needs("api.key")
def test_a_client_can_subscribe_to_alerts(realtime, measure):
    """A status frame answers `update_filters` within 10 s: the subscription is active."""
    with realtime.connect() as stream:
        stream.wait_for("status", within_seconds=10)
        stream.send({"type": "update_filters", "data": {"chains": ["Ethereum"], "min_amount": 1_000_000}})
        answer = stream.wait_for("status", within_seconds=10)

    measure("answer", answer.waited_seconds, "s")
    assert answer.received, (
        f"no status frame in {answer.waited_seconds:.0f} s: nobody can choose their alerts"
    )

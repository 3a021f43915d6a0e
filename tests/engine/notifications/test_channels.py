"""Messages reach real channels; and whatever a channel does, it says so in time and gives nothing away."""

from __future__ import annotations

import time
import warnings
from typing import Any

import pytest

from kamiyo_verify.masking.channel_addresses import secrets_of
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.notifications import Delivery, Message, Moment, Notifications
from kamiyo_verify.model.tables import Credential
from kamiyo_verify.notifications import channel_process
from kamiyo_verify.notifications.channels import Channels
from tests.support.channels import PATIENT_S, TOKEN, listening, received_messages, table, taking
from tests.support.hostile_server import (
    Behaviour,
    Server,
    answer,
    black_hole,
    closing,
    echoing,
    endless_body,
    endless_chunks,
    redirecting,
    resetting,
    saying,
    silent,
)
from tests.support.stopwatch import Stopwatch

LONG = Message(
    Moment.FAILURE,
    "[DEPLOYMENT] ✗ ROLL BACK: " + "it failed " * 40,
    ("- x" * 900,) * 3,
    "reports/prod/x/report.html",
)
SHORT = Message(Moment.SUCCESS, "[DEPLOYMENT] ✓ Kamiyo prod", ("- issues: none",), "https://ci.example/7")


def sent(message: Message, notifications: Notifications) -> tuple[Delivery, ...]:
    channels = Channels(notifications)
    channels.tell(message)
    return channels.deliveries()


def test_every_channel_is_told_once_and_in_order() -> None:
    with listening() as (server, address), listening() as (other, another):
        channels = Channels(table(ONE_URL=address, OTHER_URL=another))
        channels.tell(SHORT)
        channels.tell(LONG)
        deliveries = channels.deliveries()

    assert [(str(one), one.problem) for one in deliveries] == [
        ("ONE_URL (json)", ""),
        ("ONE_URL (json)", ""),
        ("OTHER_URL (json)", ""),
        ("OTHER_URL (json)", ""),
    ]
    first, second = received_messages(server)
    assert first["title"] == SHORT.title
    assert first["message"] == "- issues: none\nReport: https://ci.example/7"
    assert (first["type"], second["type"]) == ("success", "failure")
    assert len(second["message"]) <= channel_process.LONGEST
    assert second["message"].endswith("… see the report: reports/prod/x/report.html")
    assert len(received_messages(other)) == 2


REFUSING: dict[str, tuple[Behaviour, str]] = {
    "500": (saying(answer(b"{}", "500 Oops")), "answered 500"),
    "403": (echoing, "answered 500"),
    "429": (saying(answer(b"{}", "429 Too Many Requests", "Retry-After: 3600")), "answered 429"),
    "elsewhere": (redirecting("https://example.com/"), "answered 302"),
    "reset": (resetting, "could not be reached"),
    "closing": (closing, "could not be reached"),
}


@pytest.mark.parametrize(
    "name", ["429", *(pytest.param(name, marks=pytest.mark.exhaustive) for name in REFUSING if name != "429")]
)
def test_a_channel_that_refuses_is_told_by_name_and_kind(name: str) -> None:
    behave, problem = REFUSING[name]
    with listening(behave) as (_, address):
        [delivery] = sent(SHORT, table(TEAM_URL=address))

    assert (str(delivery), delivery.problem) == ("TEAM_URL (json)", problem)


@pytest.mark.parametrize(
    "behave",
    [silent, *(pytest.param(one, marks=pytest.mark.exhaustive) for one in (endless_body, endless_chunks))],
)
def test_a_channel_that_hangs_is_left_behind(behave: Behaviour) -> None:
    watch = Stopwatch()
    with listening(behave) as (_, address):
        [delivery] = sent(SHORT, table(patience_s=2, SLOW_URL=address))

    assert watch.seconds < 10
    assert (delivery.channel, delivery.kind, bool(delivery.problem)) == ("SLOW_URL", "json", True)


def test_a_channel_that_hangs_holds_up_no_other() -> None:
    with listening(silent) as (_, address), listening() as (server, good):
        channels = Channels(table(SLOW_URL=address, GOOD_URL=good))
        channels.tell(SHORT)
        until = time.monotonic() + PATIENT_S
        while not received_messages(server):
            assert time.monotonic() < until
            time.sleep(0.02)


def test_a_channel_whose_connection_nobody_takes_is_left_behind() -> None:
    with black_hole() as port:
        [delivery] = sent(SHORT, table(patience_s=2, TEAM_URL=f"json://127.0.0.1:{port}"))
    assert (delivery.kind, delivery.problem) == ("json", "took longer than 2 s")


@pytest.mark.parametrize(
    "address", ["nonsense", f"gopher://{TOKEN}", f"slack://{TOKEN}", "\n", "json://[::1"]
)
def test_what_is_no_address_says_so_and_is_not_repeated(address: str) -> None:
    [delivery] = sent(SHORT, table(TEAM_URL=f"x{address}"))
    assert delivery == Delivery("TEAM_URL", "", "holds no address that Apprise knows")


def test_a_channel_without_its_credential_says_so() -> None:
    [delivery] = sent(SHORT, Notifications(channels=(Credential(name="TEAM_URL"),)))
    assert delivery == Delivery("TEAM_URL", problem="is not set")


def test_a_sender_that_breaks_says_no_more_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kamiyo_verify.notifications.channels._COMMAND", ("/nowhere/python", TOKEN))
    [delivery] = sent(SHORT, table(TEAM_URL="json://localhost"))
    assert delivery == Delivery("TEAM_URL", problem="broke: FileNotFoundError")


def payload(monkeypatch: pytest.MonkeyPatch, name: str, attribute: str, address: str) -> tuple[str, Any]:
    """What one of the great services would be sent; only the address of its server is another one."""
    with warnings.catch_warnings(action="ignore"):  # of Apprise's own making
        from apprise.plugins import N_MGR  # noqa: PLC0415

        plugin = N_MGR[name]
    with Server(taking) as server:
        monkeypatch.setattr(plugin, attribute, server.origin)
        order = {
            "address": address,
            "moment": "failure",
            "title": LONG.title,
            "lines": LONG.lines,
            "more": LONG.more,
        }
        assert [*channel_process.send(order)] == [name, ""]
        [body] = received_messages(server)
    return server.asked[0].split(b" ")[1].decode(), body


def test_discord_is_sent_one_message_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    path, body = payload(monkeypatch, "discord", "notify_url", f"discord://123456789012345678/{TOKEN * 4}")
    content = str(body["content"])

    assert path == f"/123456789012345678/{TOKEN * 4}"
    assert len(content) <= 2000
    assert content.startswith("[DEPLOYMENT] ✗ ROLL BACK: it failed")
    assert content.endswith("… see the report: reports/prod/x/report.html")


def test_slack_is_sent_one_message_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"
    path, body = payload(monkeypatch, "slack", "webhook_url", address)
    [attachment] = body["attachments"]

    assert path == "/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    assert attachment["title"].startswith("[DEPLOYMENT] ✗ ROLL BACK: it failed")
    assert len(attachment["text"]) <= 3000


ADDRESSES = {
    "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general": [
        "T1JJ3T3L2",
        "A1BRTD4JD",
        "TIiajkdnlazkcOXrIdevi7FQ",
    ],
    "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ": [
        "TIiajkdnlazkcOXrIdevi7FQ"
    ],
    "discord://123456789012345678/abcdefghijklmnopqrstuvwxyz": [
        "123456789012345678",
        "abcdefghijklmnopqrstuvwxyz",
    ],
    "https://discord.com/api/webhooks/123456789012345678/aBcd-eF1?thread=42": ["aBcd-eF1"],
    "mailto://ada:p%40ss%2Fword9@example.com?to=bob@example.com": [
        "p@ss/word9",
        "p%40ss%2Fword9",
        "bob@example.com",
    ],
    "tgram://123456789:abcdefghijklmnopq/12315544": ["abcdefghijklmnopq", "12315544"],
    "json://u:pw1@localhost/path?+X-Token=s3cr3t-v4lue": ["pw1", "s3cr3t-v4lue"],
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_part_that_opens_a_door_is_masked(address: str) -> None:
    masker = Masker()
    masker.learn_values({"TEAM_URL": address})
    for part in secrets_of(address):
        masker.learn_values({"TEAM_URL": part})

    assert masker.text(f"sent to {address}!") == "sent to [TEAM_URL]!"
    for secret in ADDRESSES[address]:
        assert masker.text(f"log: /{secret}/ failed") == "log: /[TEAM_URL]/ failed"
    ordinary = "the general webhooks of services at hooks.slack.com and localhost, thread and api"
    assert masker.text(ordinary) == ordinary

"""The call of several places reaches a team's channels as that of one run does."""

from __future__ import annotations

import shutil

import pytest

from kamiyo_verify.cli.places.command import main
from tests.support.channels import PATIENT_S, TOKEN, listening, received_messages
from tests.support.evidence_for import FAILED, SIGN_IN, result
from tests.support.hostile_server import answer, saying
from tests.support.imitated_places import COMMIT, Places, places
from tests.support.toy_project import ROOT

__all__ = ["places"]

BROKEN = result(SIGN_IN, FAILED, "sign-in answers 500")


def prepared(places: Places, notifications: str = "") -> None:
    shutil.copy(ROOT / "runbook.toml", places.project)  # before the places, which have the same one
    for name in ("frankfurt", "tokyo"):
        places.add(name, BROKEN)
    file = places.project / "environments" / "test.toml"
    text = f'[notifications]\nchannels = ["TEAM_URL"]\npatience_s = {PATIENT_S}\n{notifications}\n'
    file.write_text(f"{file.read_text(encoding='utf-8')}\n{text}", encoding="utf-8")


def run(places: Places, *words: str) -> int:
    return main(["run", "--env=test", f"--commit={COMMIT}", f"--output={places.output}", *words])


def test_the_beginning_and_the_call_are_announced(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(places)
    with listening() as (server, address):
        monkeypatch.setenv("TEAM_URL", address)
        assert run(places) == 20
        begun, ended = received_messages(server)

    assert COMMIT in begun["title"]
    assert "sign-in answers 500" in ended["title"] + ended["message"]
    assert "the platform, not a region" in ended["title"] + ended["message"]
    assert "places.md" in ended["message"]


@pytest.mark.parametrize(
    ("words", "notifications"),
    [
        (["--no-notify"], ""),
        ([], 'phases = ["deploy"]'),
        (["--", "--fault=api-down"], ""),
        (["--", "--baseline"], ""),
        ([], "tell = []"),
    ],
)
def test_what_is_not_wanted_is_not_announced(
    words: list[str], notifications: str, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(places, notifications)
    with listening() as (server, address):
        monkeypatch.setenv("TEAM_URL", address)
        run(places, *words)
        assert received_messages(server) == []


@pytest.mark.parametrize(
    ("words", "notifications"),
    [(["--notify"], 'phases = ["deploy"]'), (["--", "--baseline"], "drills = true")],
)
def test_what_is_wanted_all_the_same_is(
    words: list[str], notifications: str, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(places, notifications)
    with listening() as (server, address):
        monkeypatch.setenv("TEAM_URL", address)
        run(places, *words)
        assert len(received_messages(server)) == 2


def test_a_channel_that_refuses_changes_no_call_and_is_named(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared(places)
    with listening(saying(answer(b"{}", "403 No"))) as (_, address):
        monkeypatch.setenv("TEAM_URL", address)
        assert run(places) == 20
    out = capsys.readouterr().out
    assert "Notify       not sent; the call does not change: TEAM_URL (json) answered 403" in out
    assert TOKEN not in out


def test_a_plan_announces_nothing(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared(places)
    with listening() as (server, address):
        monkeypatch.setenv("TEAM_URL", address)
        assert run(places, "--plan") == 0
        assert received_messages(server) == []

"""The [render] table by Render's own answers: it fits an environment file, or says what is in the way."""

from __future__ import annotations

import tomllib

import pytest

from kamiyo_verify.cli.render_ids import main
from kamiyo_verify.integrations.render.settings import Render as Table
from tests.support.hosting import IDS, PREFIX, Hosting, hosting


def run_command(found: Hosting, *more: str) -> int:
    return main([f"--address={found.origin}{PREFIX}", *more])


def test_what_is_printed_is_the_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosting() as found:
        monkeypatch.setenv("RENDER_API_KEY", found.secrets.render_api_key)
        code = run_command(found)
    told = capsys.readouterr().out
    tables = tomllib.loads(told)
    table = Table.model_validate(tables["render"] | {"key": {"name": "RENDER_API_KEY"}})

    assert code == 0
    assert {name: one["hosting_id"] for name, one in tables["services"].items()} == IDS
    assert table.postgres.startswith("dpg-")
    assert found.secrets.render_api_key not in told


def test_a_service_of_another_name_is_answered_with_those_that_there_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with hosting() as found:
        monkeypatch.setenv("RENDER_API_KEY", found.secrets.render_api_key)
        code = run_command(found, "--api", "shop-api")
    told = capsys.readouterr()

    assert (code, told.out) == (2, "")
    assert "no service 'shop-api'; it sees: kamiyo-aggregator, kamiyo-api, kamiyo-frontend" in told.err


def test_a_key_that_is_not_accepted_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RENDER_API_KEY", "rnd_wrong")
    with hosting() as found:
        code = run_command(found)
    told = capsys.readouterr()

    assert (code, told.out) == (2, "")
    assert "RENDER_API_KEY" in told.err
    assert "rnd_wrong" not in told.err


def test_without_a_key_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("RENDER_API_KEY", raising=False)
    with hosting() as found:
        code = run_command(found, "--key", "KAMIYO_NO_SUCH_KEY")
        assert not found.wire.seen

    assert code == 2
    assert "KAMIYO_NO_SUCH_KEY is not set" in capsys.readouterr().err

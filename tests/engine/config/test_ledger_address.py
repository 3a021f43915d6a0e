"""Where the ledger is, and that the password of production's never travels unencrypted."""

from __future__ import annotations

from pathlib import Path

import pytest

from kamiyo_verify.config.environments import load_environment
from kamiyo_verify.config.ledger_address import distinct, encrypted, ledger_of, ledger_url

BARE = "postgresql://ledger:pass@db.example.com:5432/ledger"
ENVIRONMENT = '[services.web]\nurl = "https://shop.example.com"\n'


@pytest.mark.parametrize(
    ("url", "required"),
    [
        (BARE, f"{BARE}?sslmode=require"),
        (f"{BARE}?sslmode=disable", f"{BARE}?sslmode=require"),
        (f"{BARE}?sslmode=prefer&connect_timeout=2", f"{BARE}?connect_timeout=2&sslmode=require"),
        (f"{BARE}?sslmode=verify-full&sslmode=disable", f"{BARE}?sslmode=require"),
        ("postgres://u:p@h/d", "postgres://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        ("postgresql://u:p?a/b@h/d", "postgresql://u:p?a/b@h/d?sslmode=require"),
        ("postgresql://h", "postgresql://h?sslmode=require"),
        ("postgresql:///d", "postgresql:///d?sslmode=require"),
        ("postgresql://u:p@127.0.0.1/d", "postgresql://u:p@127.0.0.1/d?sslmode=require"),
    ],
)
def test_tls_is_required_whatever_the_url_says(url: str, required: str) -> None:
    assert encrypted(url) == required
    assert encrypted(required) == required


@pytest.mark.parametrize(
    "url",
    [
        f"{BARE}?sslmode=require",
        f"{BARE}?sslmode=verify-full&sslrootcert=/etc/ca.pem",
        "postgresql:///d?host=/run/postgresql",
        "postgresql://u@%2Frun%2Fpostgresql/d",
        "sqlite:////var/lib/ledger.db",
        "nonsense",
    ],
)
def test_a_url_that_needs_no_more_stays_as_it_is(url: str) -> None:
    assert encrypted(url) == url


def test_one_ledger_is_read_once() -> None:
    assert distinct([BARE, f"{BARE}?sslmode=require", f"{BARE}?sslmode=disable"]) == (
        f"{BARE}?sslmode=require",
    )
    assert distinct([f"{BARE}?sslmode=disable", "sqlite:///a", "sqlite:///a"]) == (
        f"{BARE}?sslmode=disable",
        "sqlite:///a",
    )


@pytest.mark.parametrize("production", [False, True])
def test_production_requires_it_with_and_without_the_environments_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, production: bool
) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "shop.toml").write_text(f"production = {str(production).lower()}\n{ENVIRONMENT}")
    monkeypatch.setenv("KAMIYO_LEDGER_URL", BARE)
    wanted = f"{BARE}?sslmode=require" if production else BARE
    shop = load_environment("shop", folder, overrides={}, variables={"KAMIYO_LEDGER_URL": BARE}, dotenv=None)
    assert ledger_url(shop, tmp_path) == wanted
    assert ledger_of("shop", tmp_path) == wanted
    assert ledger_of("", tmp_path) == wanted


def test_an_environment_that_cannot_be_read_counts_as_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "shop.toml").write_text("production = maybe\n")
    monkeypatch.setenv("KAMIYO_LEDGER_URL", BARE)
    assert ledger_of("", tmp_path) == f"{BARE}?sslmode=require"

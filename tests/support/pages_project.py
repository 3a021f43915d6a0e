"""A project of its own, whose ledger is filled, or empty."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.seeded_ledger import fill

ROOT = Path(__file__).parents[2]


def empty_project(folder: Path) -> Path:
    """Environments and a runbook, and no run yet."""
    (folder / "reports").mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "environments", folder / "environments")
    shutil.copy(ROOT / "runbook.toml", folder)
    return folder


def filled_project(folder: Path) -> Path:
    """With two weeks of deployments to staging."""
    empty_project(folder)
    fill(f"sqlite:///{folder}/reports/ledger.db", folder / "reports" / "staging")
    for report in (folder / "reports" / "staging").iterdir():
        (report / "report.html").touch()
    return folder


def go_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the current folder, and its ledger is the one beside its reports."""
    monkeypatch.chdir(folder)
    without_addresses(monkeypatch)


def without_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has named a ledger."""
    for name in ("KAMIYO_LEDGER_URL", "STAGING_LEDGER_URL", "SANDBOX_LEDGER_URL"):
        monkeypatch.delenv(name, raising=False)

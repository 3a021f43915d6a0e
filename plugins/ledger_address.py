"""Where the ledger is: what an environment names, else a file beside the reports."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from plugins.configuration import load_environment
from plugins.model.environment import Environment, Ledger

FILE = "ledger.db"


def ledger_url(environment: Environment, reports: Path) -> str:
    """The URL of an environment's ledger.

    Args:
        environment: with its credentials.
        reports: the folder of all reports.
    """
    named = environment.ledger.url
    return named.reveal() if named.present else _beside(reports)


def ledger_of(name: str, root: Path) -> str:
    """The URL of the ledger of the environment of that name; "" means KAMIYO_LEDGER_URL or the file.

    Args:
        name: of an environment, or "".
        root: the project's folder.

    Raises:
        ConfigurationError: the environment is not right, or there is none of that name.
    """
    reports, dotenv = root / "reports", root / ".env"
    if name:
        environment = load_environment(
            name, root / "environments", overrides={}, variables=os.environ, dotenv=dotenv
        )
        return ledger_url(environment, reports)
    variable = Ledger().url.name
    found = os.environ.get(variable) or dotenv_values(dotenv, interpolate=False).get(variable)
    return found or _beside(reports)


def _beside(reports: Path) -> str:
    return f"sqlite:///{reports / FILE}"

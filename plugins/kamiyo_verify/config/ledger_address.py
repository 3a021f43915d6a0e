"""The URL of the ledger: from the environment, else a file in the folder of reports."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from kamiyo_verify.config.dotenv_file import read_dotenv
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.environments import available, load_environment
from kamiyo_verify.model.settings import Ledger

FILE = "ledger.db"

_ENCRYPTED = {"require", "verify-ca", "verify-full"}
"""libpq's values of sslmode that never send anything unencrypted."""

_URL = re.compile(
    r"(?P<address>postgres(?:ql)?(?:\+\w+)?://(?:[^:/]*(?::[^@]*)?@)?(?P<host>[^/?]*)[^?]*)(?:\?(?P<query>.*))?"
)
"""The parts of a PostgreSQL URL, divided as SQLAlchemy divides them."""


def ledger_url(environment: Environment, reports: Path) -> str:
    """Return the URL of an environment's ledger.

    Args:
        environment: the environment, with its credentials.
        reports: the folder of all reports.
    """
    named = environment.ledger.url
    if not named.present:
        return _beside(reports)
    return encrypted(named.reveal()) if environment.production else named.reveal()


def ledger_of(name: str, root: Path) -> str:
    """Return the URL of a named environment's ledger; without a name, KAMIYO_LEDGER_URL or the file.

    Args:
        name: the name of an environment, or "".
        root: the project's folder.

    Raises:
        ConfigurationError: the environment is not valid or does not exist.
    """
    reports, dotenv = root / "reports", root / ".env"
    if name:
        environment = load_environment(
            name, root / "environments", overrides={}, variables=os.environ, dotenv=dotenv
        )
        return ledger_url(environment, reports)
    variable = Ledger().url.name
    found = os.environ.get(variable) or read_dotenv(dotenv).get(variable)
    if not found:
        return _beside(reports)
    return encrypted(found) if _holds_production(root, variable) else found


def encrypted(url: str) -> str:
    """Return a ledger's URL that requires TLS, whatever it said before: the password is sent with it.

    Files and Unix sockets stay as they are. A stronger sslmode stays too.
    """
    found = _URL.fullmatch(url)
    if found is None:
        return url
    given = parse_qsl(found["query"] or "", keep_blank_values=True)
    last = dict(given)
    host = last.get("host") or found["host"]
    if last.get("sslmode") in _ENCRYPTED or host.startswith(("/", "@", "%2F", "%2f")):
        return url
    kept = [(name, value) for name, value in given if name != "sslmode"]
    return f"{found['address']}?{urlencode([*kept, ('sslmode', 'require')])}"


def distinct(urls: Iterable[str]) -> tuple[str, ...]:
    """Return each ledger once: of URLs that differ in nothing but their TLS, one that requires it."""
    found: dict[str, str] = {}
    for url in urls:
        same = encrypted(url)
        found[same] = url if same == url else found.get(same, url)
    return tuple(found.values())


def _holds_production(root: Path, variable: str) -> bool:
    """Return whether an environment of production, or one that cannot be read, uses this variable."""
    for name in available(root / "environments"):
        try:
            environment = load_environment(
                name, root / "environments", overrides={}, variables=os.environ, dotenv=root / ".env"
            )
        except ConfigurationError:
            return True
        if environment.production and environment.ledger.url.name == variable:
            return True
    return False


def _beside(reports: Path) -> str:
    return f"sqlite:///{reports / FILE}"


def ledger_folder(environment: Environment, reports: Path) -> Path:
    """Return the folder of a ledger file; the folder of reports if the ledger is not a file."""
    url = ledger_url(environment, reports)
    file = url.removeprefix("sqlite:///") if url.startswith("sqlite:///") else ""
    return Path(file).parent if file else reports

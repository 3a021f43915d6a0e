"""Validate one value as a secret, an address, a database URL …; no result quotes any of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

SHORTEST_SECRET = 32

# Words of examples. Each has a character or a length that no generated secret has by chance.
_PLACEHOLDER = re.compile(
    r"change[-_ ]?(?:me|this|in)|place[-_]?holder|your[-_]|replace[-_]?(?:me|this)|insert[-_]|"
    r"x{6}|example\.(?:com|org)|secret[-_]here|<[^>]*>|\$\{",
    re.IGNORECASE,
)
_FEWEST_CHARACTERS = 8
"""Fewest different characters in a secret of 32; random hex digits have fewer once in millions."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

Rule = Callable[[str], str]
"""Returns the problem of a value, or ""."""


def is_placeholder(text: str) -> bool:
    """The value is from an example, or a placeholder that was never replaced."""
    return bool(_PLACEHOLDER.search(text)) or len(set(text)) < 3


def secret_problem(text: str) -> str:
    """The problem of a signing secret, or ""."""
    if is_placeholder(text):
        return "is a placeholder"
    if len(text) < SHORTEST_SECRET:
        return f"has {len(text)} characters, fewer than {SHORTEST_SECRET}"
    return "is made of too few different characters" if len(set(text)) < _FEWEST_CHARACTERS else ""


def address_problem(text: str, *, production: bool) -> str:
    """The problem of an address that browsers use, or "".

    On 127.0.0.1 there is no https, and browsers treat it as secure; so it is accepted outside production.
    """
    if text != text.strip() or " " in text:
        return "has a space"
    if "*" in text:
        return "has a *"
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return "is no address"
    if parts.scheme not in {"http", "https"} or not host:
        return "is no address with https:// and a host"
    if parts.scheme == "http" and (production or host not in _LOOPBACK):
        return "is http, not https"
    return "ends in a slash" if text.endswith("/") else ""


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """The parts of a database URL; compared, and never shown."""

    user: str
    password: str
    host: str
    port: int
    name: str

    def __repr__(self) -> str:
        return "DatabaseAddress(…)"

    @property
    def server(self) -> str:
        """Render's own id of the server: the host without the suffix that only the external address has."""
        return self.host.partition(".")[0] if self.host.startswith("dpg-") else self.host


def database_address(text: str) -> DatabaseAddress:
    """Parse `postgresql://user:password@host:port/name`.

    Raises:
        ValueError: it is not such a URL; the message quotes nothing of it.
    """
    try:
        parts = urlsplit(text)
        port = parts.port or 5432
    except ValueError:
        raise ValueError("is no address") from None
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError("does not begin with postgresql://")
    named = {"user": parts.username, "password": parts.password, "host": parts.hostname}
    name = parts.path.removeprefix("/")
    lacking = [what for what, found in (named | {"database name": name}).items() if not found]
    if lacking or text != text.strip() or "/" in name:
        raise ValueError(f"has no {' and no '.join(lacking)}" if lacking else "is not of the agreed form")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return DatabaseAddress(user, password, (parts.hostname or "").lower(), port, name)


def _matches(pattern: str, form: str) -> Rule:
    return lambda text: "" if re.fullmatch(pattern, text) else f"is not {form}"


FORMS: dict[str, Rule] = {
    "ENVIRONMENT": _matches("production", '"production"'),
    "JWT_SECRET": secret_problem,
    "ADMIN_API_KEY": _matches(r".{16,}", "16 characters or longer"),
    "STRIPE_SECRET_KEY": _matches(r"(?:sk|rk)_(?:live|test)_\w{8,}", "of the form sk_live_… or sk_test_…"),
    "STRIPE_PUBLISHABLE_KEY": _matches(r"pk_(?:live|test)_\w{8,}", "of the form pk_live_… or pk_test_…"),
    "NEXT_PUBLIC_STRIPE_PUBLISHABLE_KEY": _matches(
        r"pk_(?:live|test)_\w{8,}", "of the form pk_live_… or pk_test_…"
    ),
    "GOOGLE_CLIENT_ID": _matches(r"[\w-]+\.apps\.googleusercontent\.com", "a Google client id"),
    "NODE_VERSION": _matches(r"[v^~>=<]*\d+(?:\.(?:\d+|x))*(?:\s.*)?", "a version"),
    "PORT": _matches(r"[1-9]\d{1,4}", "a port"),
}
"""The rule for a variable by its name, if there is one."""

WEBHOOK_SECRET = re.compile(r"whsec_[\w+/=-]{16,}")

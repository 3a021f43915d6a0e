"""A database URL, as the platform's own parts write it, turned into what libpq understands."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from plugins.clients.readable import readable
from plugins.model.outcomes import NoAnswer, NoAnswerKind

# https://www.prisma.io/docs/orm/overview/databases/postgresql#arguments; libpq refuses a URL that holds them.
_OF_PRISMA = frozenset(
    {
        "connection_limit",
        "pgbouncer",
        "pool_timeout",
        "schema",
        "socket_timeout",
        "sslaccept",
        "sslidentity",
        "sslpassword",
        "statement_cache_size",
    }
)


def parameters(url: str, name: str) -> dict[str, str]:
    """Connection parameters by libpq's names; Prisma's `schema` becomes the search path.

    Args:
        url: of the database, or "key=value …".
        name: of the credential, for the message.

    Raises:
        NoAnswer: CREDENTIAL, as it is no address of a PostgreSQL database.
    """
    try:
        plain, schema = _without_prisma(url.strip())
        found = {key: str(value) for key, value in conninfo_to_dict(plain).items() if value is not None}
    except (psycopg.Error, ValueError):
        found = {}
    if not _sound(url.strip(), found):
        message = f"{name} holds no sound address of a PostgreSQL database (is its password percent-encoded?)"
        # Without the cause: libpq quotes the part that it does not understand, which may be the password.
        raise NoAnswer(NoAnswerKind.CREDENTIAL, message) from None
    if schema:
        found["options"] = f"{found.get('options', '')} -c search_path={_quoted(schema)}".strip()
    return found


def _sound(url: str, found: dict[str, str]) -> bool:
    """Whether host and port are what they seem.

    In postgresql://user:pass/word@host/name libpq takes "user" for the host and "pass" for the port, and
    would have us show it.
    """
    ports = found.get("port", "5432").split(",")
    return (
        bool(found)
        and url.isprintable()
        and all(port.isascii() and port.isdecimal() for port in ports)
        and "@" not in found.get("dbname", "") + found.get("host", "").removeprefix("@")
    )


def shown(parameters: dict[str, str]) -> str:
    """Host and port alone."""
    host, port = parameters.get("host", "localhost"), parameters.get("port", "5432")
    return readable(f"postgresql://{host}:{port}", longest=200)


def _without_prisma(url: str) -> tuple[str, str]:
    if "://" not in url:
        return url, ""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(key, value) for key, value in pairs if key not in _OF_PRISMA]
    if len(kept) == len(pairs):
        return url, ""
    return urlunsplit(parts._replace(query=urlencode(kept))), dict(pairs).get("schema", "")


def _quoted(schema: str) -> str:
    """An identifier as the server reads it within `options`, where a backslash keeps a space together."""
    identifier = '"' + schema.replace('"', '""') + '"'
    return identifier.replace("\\", "\\\\").replace(" ", "\\ ")

"""Parse a database's connection string and convert it to libpq's parameters."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import unquote

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from kamiyo_verify.http.readable import readable
from kamiyo_verify.integrations.postgres.connection_strings import (
    ConnectionString,
    NoConnectionString,
    Pair,
    split,
)
from kamiyo_verify.integrations.postgres.foreign_parameters import (
    FOREIGN,
    SAME,
    SETTINGS,
    SSLMODES,
    TRUE,
    relevant,
    settings_in,
    sslmode_of,
)
from kamiyo_verify.model.outcomes import NoAnswerKind, OperatorPathFailed

PUBLIC = "public"
"""The schema that Prisma uses if the connection string names none."""

_UNVERIFIED = re.compile(r"rejectunauthorized\W+false", re.IGNORECASE)
_SHOWABLE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,40}")


@dataclass(frozen=True, slots=True, repr=False)
class DatabaseAddress:
    """Address and connection parameters.

    Attributes:
        parameters: by libpq's names, including the password; without start-up settings.
        schema: the schema of Prisma's tables.
        settings: settings of the session, to be set within each transaction.
        dropped: names of parameters of other drivers, which are not used.
        pooled: by the string, the address is a pooler in transaction mode.
        unverified: the string requests TLS without verifying the server's certificate.
    """

    parameters: dict[str, str]
    schema: str = PUBLIC
    settings: dict[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    pooled: bool = False
    unverified: bool = False

    @property
    def hosts(self) -> tuple[tuple[str, int], ...]:
        """Each host with its port; a host may be the folder of a Unix socket."""
        hosts = self.parameters.get("host", self.parameters.get("hostaddr", "localhost")).split(",")
        ports = self.parameters.get("port", "").split(",")
        ports = ports * len(hosts) if len(ports) == 1 else ports
        return tuple(
            (host or "localhost", int(port or "5432")) for host, port in zip(hosts, ports, strict=True)
        )

    @property
    def shown(self) -> str:
        """Host and port alone, safe to show."""
        places = ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts
        )
        return readable(f"postgresql://{places}", longest=200)


def read_address(text: str, name: str) -> DatabaseAddress:
    """Parse a connection string in any of the forms that hosting platforms use.

    Args:
        text: the string.
        name: of the credential, for the message.

    Raises:
        OperatorPathFailed: CREDENTIAL, as it is not an address of a PostgreSQL database, or has an unknown
            parameter.
    """
    try:
        written = split(text)
    except NoConnectionString as why:
        raise _refused(f"{name} {why}") from None
    kept, foreign, unknown = _sorted(written.pairs)
    # An unencoded password can extend into what looks like a query; its parts must not be shown.
    spilt = any("@" in pair.key + pair.value for pair in unknown) and written.is_uri
    if unknown and not spilt:
        raise _refused(f"{name} has {_unknown(unknown, written)}") from None
    decoded: Callable[[str], str] = unquote if written.is_uri else _unquoted
    values = {pair.key.lower(): decoded(pair.value) for pair in foreign}
    try:
        plain = _several_hosts(written, kept)
        found = {key: str(value) for key, value in conninfo_to_dict(plain).items() if value is not None}
    except (psycopg.Error, ValueError):
        found = {}
    if spilt or not _sound(found):
        # Without the cause: libpq quotes the part that it cannot parse, which may be the password.
        raise _refused(
            f"{name} is no valid address of a PostgreSQL database (is its password percent-encoded?)"
        ) from None
    _check_mode(found, name)
    if sslmode_of(values.get("ssl", "")) is None:
        raise _refused(f"{name} has a value of ssl that is neither true, false nor an sslmode")
    return _address(found, values)


def _check_mode(found: dict[str, str], name: str) -> None:
    """Take an sslmode in any case, and none that nobody knows: it would be read as the weakest."""
    mode = found.pop("sslmode", "").strip().lower()
    if mode and mode not in SSLMODES:
        raise _refused(f"{name} has an sslmode that is none of {', '.join(sorted(SSLMODES))}")
    if mode:
        found["sslmode"] = mode


def _address(found: dict[str, str], foreign: dict[str, str]) -> DatabaseAddress:
    settings, options = settings_in(found.pop("options", ""))
    settings |= relevant(foreign.items())
    if options:
        found["options"] = options
    found.pop("replication", None)
    if "user" not in found and "username" in foreign:
        found["user"] = foreign["username"]
    for key in ("sslmode", "ssl"):
        if key in foreign and (mode := sslmode_of(foreign[key])):
            found.setdefault("sslmode", mode)
    if foreign.get("sslaccept") == "strict" and found.get("sslmode") in {None, "prefer", "require"}:
        found["sslmode"] = "verify-full"
    if "sslcert" in found and "sslkey" not in found:
        # Prisma's `sslcert` is the certificate of the server's authority; libpq's is paired with a `sslkey`.
        authority = found.pop("sslcert")
        found.setdefault("sslrootcert", authority)
    schemas = foreign.get("schema") or foreign.get("currentschema") or PUBLIC
    return DatabaseAddress(
        found,
        schemas.split(",")[0].strip() or PUBLIC,
        settings,
        tuple(sorted({key for key in foreign if key not in {"schema", "currentschema"}})),
        foreign.get("pgbouncer", "").lower() in TRUE,
        "no-verify" in {foreign.get("sslmode"), foreign.get("ssl")}
        or bool(_UNVERIFIED.search(foreign.get("ssl", "")))
        or foreign.get("sslaccept") == "accept_invalid_certs",
    )


def _sorted(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair], list[Pair]]:
    """Split parameters into libpq's own, those known from other drivers, and unknown ones."""
    kept, foreign, unknown = [], [], []
    for written in pairs:
        pair = Pair(SAME.get(written.key, written.key), written.value)
        name = pair.key.lower()
        if pair.key == "sslmode" and pair.value.lower() == "no-verify":
            foreign.append(pair)
        elif pair.key in _of_libpq():
            kept.append(pair)
        elif name in {"database", "dbname"}:
            kept.append(Pair("dbname", pair.value))
        elif name in FOREIGN or name in SETTINGS or name == "username":
            foreign.append(pair)
        else:
            unknown.append(pair)
    return kept, foreign, unknown


@cache
def _of_libpq() -> frozenset[str]:
    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())


def _several_hosts(written: ConnectionString, kept: Sequence[Pair]) -> str:
    """Merge SQLAlchemy's several hosts, `?host=a:5432&host=b:5433`, of which libpq reads only the last."""
    hosts = [pair.value for pair in kept if pair.key == "host"]
    with_port = any(re.search(r"[^:/\]]:\d+$", host) for host in hosts)
    if not written.is_uri or (len(hosts) < 2 and not with_port):
        return written.with_pairs(kept)
    split_hosts = [re.fullmatch(r"(.*?)(?::(\d+))?", host) for host in hosts]
    names = ",".join(match[1] for match in split_hosts if match)
    ports = ",".join(match[2] or "5432" for match in split_hosts if match)
    others = [pair for pair in kept if pair.key not in {"host", "port"}]
    return written.with_pairs([*others, Pair("host", names), Pair("port", ports)])


def _unknown(pairs: Sequence[Pair], written: ConnectionString) -> str:
    """What is wrong with parameters that nobody knows, by their names where no name can be of a password."""
    if not all(_SHOWABLE.fullmatch(pair.key) for pair in pairs) or _may_hold_a_password(pairs[0], written):
        return (
            "a parameter that no known driver has, or a password that is not percent-encoded (in a URI) or"
            " quoted (in key=value form)"
        )
    unknown = []
    for pair in pairs:
        near = difflib.get_close_matches(pair.key.lower(), [*_of_libpq(), *FOREIGN], 1, 0.8)
        unknown.append(f'"{pair.key}"' + (f' (did you mean "{near[0]}"?)' if near else ""))
    many = len(unknown) > 1
    names = f"the parameter{'s' if many else ''} {', '.join(unknown)}"
    return f"{names}, which no known driver has: correct or remove it"


def _may_hold_a_password(pair: Pair, written: ConnectionString) -> bool:
    """Whether a part of a password may have spilled over into a parameter.

    A password before it may end too early, at a space or a "&". One before the "@" of a URI may hold a "?".
    """
    before = written.pairs[: written.pairs.index(pair)]
    return any("password" in one.key.lower() for one in before) or (
        written.is_uri and any("@" in one.key + one.value for one in written.pairs)
    )


def _unquoted(value: str) -> str:
    inner = value[1:-1] if value.startswith("'") else value
    return re.sub(r"\\(.)", r"\1", inner)


def _refused(message: str) -> OperatorPathFailed:
    return OperatorPathFailed(NoAnswerKind.CREDENTIAL, message)


def _sound(found: dict[str, str]) -> bool:
    """Whether host and port are plausible.

    In postgresql://user:pass/word@host/name libpq reads "user" as the host and "pass" as the port, and we
    would show them.
    """
    hosts, ports = found.get("host", "").split(","), found.get("port", "").split(",")
    return (
        bool(found)
        and all(
            not port or (port.isascii() and port.isdecimal() and 0 < int(port) < 65_536) for port in ports
        )
        and (len(ports) == 1 or len(ports) == len(hosts))
        and "@" not in found.get("dbname", "") + found.get("host", "").removeprefix("@")
        and all(value.isprintable() for value in found.values())
    )

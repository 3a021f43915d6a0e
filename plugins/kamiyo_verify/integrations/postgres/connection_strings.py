"""Split a PostgreSQL connection string of any form into its parameters.

Supported are libpq's URI and keyword forms, and the variants of SQLAlchemy, Django, JDBC and psql's command
line. Nothing is decoded or shown here: the caller decides what libpq may see.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAMES = r"(?:jdbc:)?(?:postgres(?:ql)?|pgsql|postgis|psql|ecto|timescale(?:gis)?|cockroach(?:db)?)"
_SCHEMES = re.compile(_NAMES + r"(?:\+\w+)?://", re.IGNORECASE)
_ACCELERATE = re.compile(r"prisma(?:\+postgres)?://", re.IGNORECASE)
_ASSIGNED = re.compile(rf"(?:export\s+)?[A-Z][A-Z0-9_]*=(?=[\"']?{_NAMES})")
_PAIR = re.compile(r"\s*(?P<key>[A-Za-z_]\w*)\s*=\s*(?P<value>'(?:[^'\\]|\\.)*'|(?:[^\s'\\]|\\.)*)(?=\s|$)")

_VARIABLE = re.compile(r"\$\{[A-Z][A-Z0-9_]*\}")
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"[^\"]*\"")
_SEPARATED = re.compile(r"=[^=]*[;,]\s*[A-Za-z]\w*\s*=")
_CONNECTORS = frozenset({"cloudsqlinstance", "alloydbinstancename"})


class NoConnectionString(ValueError):
    """The text is not a PostgreSQL connection string; the message quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One parameter as written: percent-encoded in a URI, quoted in a keyword string."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class ConnectionString:
    """A connection string without its query.

    Attributes:
        base: "postgresql://…" without a query; "" in keyword form.
        pairs: the query, or all keywords, in the order written.
    """

    base: str
    pairs: tuple[Pair, ...]

    @property
    def is_uri(self) -> bool:
        """It is a URI, not keywords."""
        return bool(self.base)

    def with_pairs(self, pairs: Iterable[Pair]) -> str:
        """The string for libpq, with these parameters instead."""
        written = [f"{pair.key}={pair.value}" for pair in pairs]
        if not self.is_uri:
            return " ".join(written)
        return self.base + ("?" + "&".join(written) if written else "")


def split(text: str) -> ConnectionString:
    """Split a connection string.

    Raises:
        NoConnectionString: its form is not supported.
    """
    text = _unwrapped(text)
    if not text.isprintable():
        raise NoConnectionString("holds characters that cannot be printed")
    if _ACCELERATE.match(text):
        raise NoConnectionString(
            "is an address of Prisma Accelerate, which only Prisma's own client can use:"
            " give the direct postgres:// address"
        )
    if _VARIABLE.search(text):
        # Its name is not shown: it might be a part of a password.
        raise NoConnectionString("holds a variable, as ${NAME}, that nothing here fills in: write its value")
    if "://" not in text:
        if _SEPARATED.search(_QUOTED.sub("", text)):
            raise NoConnectionString(
                "separates its parameters by semicolons or commas, as Npgsql and ADO.NET do:"
                " give it as postgresql://user:password@host:port/database"
            )
        return ConnectionString("", _keywords(text))
    scheme = _SCHEMES.match(text)
    if scheme is None:
        raise NoConnectionString("does not begin with postgresql://")
    rest = text[scheme.end() :]
    # libpq ends the user and password at the first "@" before a "/": a "?" or "#" before it belongs to them.
    user_ends = rest.find("@", 0, rest.find("/") if "/" in rest else len(rest)) + 1
    query_begins = rest.find("?", user_ends)
    if query_begins < 0:
        return ConnectionString("postgresql://" + rest, ())
    pairs = [one.partition("=") for one in rest[query_begins + 1 :].split("&") if one]
    if not _CONNECTORS.isdisjoint(key.lower() for key, _, _ in pairs):
        raise NoConnectionString(
            "is for Google's connector in Java: give the instance's address, or host=/cloudsql/… of its proxy"
        )
    # libpq alone takes a second "=" for a mistake: drivers read options=-c%20search_path=app and a password
    # that ends with one.
    return ConnectionString(
        "postgresql://" + rest[:query_begins],
        tuple(Pair(key, value.replace("=", "%3D")) for key, _, value in pairs),
    )


def _unwrapped(text: str) -> str:
    """The string itself, without text copied along with it: a variable's name, "psql", quotes."""
    text = text.strip()
    if text.startswith(("psql ", "psql\t")):
        text = text[4:].strip()
    text = _ASSIGNED.sub("", text, count=1) if _ASSIGNED.match(text) else text
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        text = text[1:-1].strip()
    return text


def _keywords(text: str) -> tuple[Pair, ...]:
    found: list[Pair] = []
    at = 0
    while at < len(text.rstrip()):
        match = _PAIR.match(text, at)
        if match is None:
            raise NoConnectionString("is neither postgresql://… nor key=value …")
        found.append(Pair(match["key"], match["value"]))
        at = match.end()
    if not found:
        raise NoConnectionString("is empty")
    return tuple(found)

"""The rows of a healthy platform: always the same, except for times and secrets."""

from __future__ import annotations

import hashlib
import random
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from psycopg import AsyncConnection, sql

from sandbox.callers import KEYED
from sandbox.migrations import MIGRATIONS, RELEASED, Migration
from sandbox.platform import Secrets
from sandbox.schema import SCHEMA

Rows = Sequence[tuple[object, ...]]
Tables = Mapping[str, Rows]

_EXPLOITS = 360
_FRESH = 12  # of them within the last day, hidden from anonymous callers

_CHAINS = {
    "Ethereum": 30,
    "BSC": 22,
    "Arbitrum": 10,
    "Polygon": 9,
    "Solana": 8,
    "Base": 7,
    "Optimism": 5,
    "Avalanche": 4,
    "Fantom": 3,
    "Gnosis": 2,
}
_MAKERS = (
    *("Aster", "Borealis", "Cobalt", "Driftwood", "Ember", "Fathom"),
    *("Glacier", "Halcyon", "Ironleaf", "Juniper", "Kestrel", "Lumen"),
)
_KINDS = ("Bridge", "Finance", "Lend", "Swap", "Vaults")
_CATEGORIES = {
    "Flash loan": "borrowed within one transaction and moved the price that {protocol} trusted",
    "Price oracle": "fed a stale price to {protocol} and withdrew the difference",
    "Reentrancy": "called back into {protocol} before its balance was written",
    "Access control": "called an administrative function of {protocol} that nobody guarded",
    "Private key": "signed withdrawals with a stolen key of {protocol}",
    "Rug pull": "withdrew the liquidity of {protocol} with the owner's own key",
}
_RECOVERY = (None, None, "none", "partial", "full", "negotiating")
_SOURCES = (
    *("blocksec", "certik-alerts", "chainalysis-blog", "cointelegraph", "defillama", "github-advisories"),
    *("immunefi", "onchain-monitor", "peckshield", "rekt-news", "slowmist", "twitter-watcher"),
)
_RETIRED_SOURCE = "reddit-defi"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def make_tables(secrets: Secrets, now: datetime) -> Tables:
    """Create all rows by table, in an order that satisfies the foreign keys."""
    chance = random.Random(20260101)  # noqa: S311 - no secret comes from it
    month_ago = now - timedelta(days=30)
    in_a_month = _without_zone(now + timedelta(days=30))
    account = "c" + hashlib.sha256(secrets.email.encode()).hexdigest()[:24]
    return {
        "exploits": _exploits(chance, now),
        "sources": _sources(chance, now),
        "users": [(n, f"{tier}@sandbox.invalid", tier.value, month_ago) for n, tier in enumerate(KEYED, 1)],
        "api_keys": [
            (n, n, hashlib.sha256(secrets.tier_key(tier).encode()).hexdigest(), tier.value, month_ago)
            for n, tier in enumerate(KEYED, 1)
        ],
        '"User"': [(account, "Release Test", secrets.email, _without_zone(month_ago), None)],
        '"Session"': [("c0000000000000000session0", secrets.session_token, account, in_a_month)],
        "_prisma_migrations": _migrations(now),
    }


def failed_migration(now: datetime) -> tuple[object, ...]:
    """Return the release's row as Prisma leaves it after an error: neither finished nor rolled back."""
    began = now - timedelta(hours=1)
    return (*_named(RELEASED), None, RELEASED.name, "ERROR: column already exists", None, began, 0)


def interrupted_migration(began: datetime) -> tuple[object, ...]:
    """Return the release's row as Prisma leaves it after a lost connection: only started."""
    return (*_named(RELEASED), None, RELEASED.name, None, None, began, 0)


def rolled_back_migration(began: datetime) -> tuple[object, ...]:
    """Return the release's row as `migrate resolve --rolled-back` leaves it: failed and rolled back."""
    given_up = began + timedelta(seconds=2)
    return (*_named(RELEASED), None, RELEASED.name, "ERROR: lock timeout", given_up, began, 0)


def applied_migration(migration: Migration, began: datetime) -> tuple[object, ...]:
    """Return a migration's row as Prisma records it on success."""
    return (*_named(migration), began + timedelta(seconds=1), migration.name, None, None, began, 1)


async def create_schema(connection: AsyncConnection) -> None:
    """Create all tables: those without a migration, and those of the migrations."""
    await connection.execute(SCHEMA)
    for migration in MIGRATIONS:
        await connection.execute(migration.sql.encode())


async def create_tables(connection: AsyncConnection, tables: Tables, reader_password: str) -> None:
    """Create the schema, its rows, and the read-only role `verifier`."""
    await create_schema(connection)
    await fill(connection, tables)
    await connection.execute(
        sql.SQL("CREATE ROLE verifier LOGIN PASSWORD {}").format(sql.Literal(reader_password))
    )
    await connection.execute("GRANT pg_monitor TO verifier")
    await connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO verifier")


async def fill(connection: AsyncConnection, tables: Tables) -> None:
    """Copy rows into tables."""
    async with connection.cursor() as cursor:
        for name, rows in tables.items():
            async with cursor.copy(f"COPY {name} FROM STDIN".encode()) as copy:
                for row in rows:
                    await copy.write_row(row)


def _exploits(chance: random.Random, now: datetime) -> Rows:
    protocols = [f"{maker} {kind}" for maker in _MAKERS for kind in _KINDS]
    hours = sorted(
        [chance.uniform(0.2, 23) for _ in range(_FRESH)]
        + [chance.uniform(25, 24 * 700) for _ in range(_EXPLOITS - _FRESH)],
        reverse=True,
    )
    rows: list[tuple[object, ...]] = []
    for number, age in enumerate(hours, 1):
        [chain] = chance.choices(list(_CHAINS), list(_CHAINS.values()))
        protocol, category, source = (chance.choice(of) for of in (protocols, list(_CATEGORIES), _SOURCES))
        amount = None if chance.random() < 0.08 else round(chance.lognormvariate(13.5, 1.8), 2)
        happened = (now - timedelta(hours=age)).replace(microsecond=0)
        rows.append(
            (
                number,
                _tx_hash(chance, chain),
                chain,
                protocol,
                amount,
                happened,
                source,
                f"https://{source}.sandbox.invalid/{number}" if chance.random() < 0.8 else None,
                category,
                f"An attacker {_CATEGORIES[category].format(protocol=protocol)}.",
                chance.choice(_RECOVERY),
                happened + timedelta(minutes=chance.uniform(2, 11)),
            )
        )
    return rows


def _tx_hash(chance: random.Random, chain: str) -> str:
    if chain == "Solana":
        return "".join(chance.choices(_BASE58, k=88))
    return f"0x{chance.getrandbits(256):064x}"


def _sources(chance: random.Random, now: datetime) -> Rows:
    rows: list[tuple[object, ...]] = []
    for name in _SOURCES:
        fetched, failed = chance.randint(2_000, 9_000), chance.randint(0, 60)
        last = now - timedelta(seconds=chance.uniform(20, 280))
        rows.append((name, last, fetched, failed, round(100 * (1 - failed / fetched), 2), True))
    return [*rows, (_RETIRED_SOURCE, now - timedelta(days=90), 0, 0, None, False)]


def _migrations(now: datetime) -> Rows:
    return [applied_migration(migration, now - timedelta(days=20)) for migration in MIGRATIONS]


def _named(migration: Migration) -> tuple[str, str]:
    """Return the migration's id and checksum."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, migration.name)), migration.checksum


def _without_zone(moment: datetime) -> datetime:
    """Convert to Prisma's DateTime, a timestamp without a zone, in UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None)

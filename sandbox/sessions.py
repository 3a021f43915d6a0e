"""Database sessions like NextAuth's with its Prisma adapter: one "Session" row for each signed-in browser.

Source: next-auth v4, core/routes/session.ts and the adapter's schema.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg import AsyncConnection

from sandbox.platform import Platform

MAX_AGE = timedelta(days=30)
UPDATE_AGE = timedelta(days=1)
"""A session in use is extended at most this often."""

_NO_PATIENCE_S = 0.05
"""Seconds to wait for a connection if the database is known to be down."""


@dataclass(frozen=True, slots=True)
class StoredSession:
    """A valid session and its user."""

    token: str
    expires: datetime
    name: str | None
    email: str | None
    image: str | None


class Sessions:
    """The adapter. Every method raises psycopg.Error if the database does not answer."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def find(self, token: str) -> StoredSession | None:
        """Return the session of a token; delete an expired one, and extend one in use."""
        if "sessions-lost" in self._platform.faults:
            return None
        async with self._connection() as connection:
            cursor = await connection.execute(
                'SELECT s.expires, u.name, u.email, u.image FROM "Session" s'
                ' JOIN "User" u ON u.id = s."userId" WHERE s."sessionToken" = %s',
                (token,),
            )
            row = await cursor.fetchone()
            if row is None:
                return None
            expires, name, email, image = row
            expires, now = expires.replace(tzinfo=UTC), datetime.now(UTC)
            if expires < now:
                await connection.execute('DELETE FROM "Session" WHERE "sessionToken" = %s', (token,))
                return None
            if expires - MAX_AGE + UPDATE_AGE <= now:
                await connection.execute(
                    'UPDATE "Session" SET expires = %s WHERE "sessionToken" = %s',
                    (_stored(now + MAX_AGE), token),
                )
            return StoredSession(token, expires, name, email, image)

    async def user_id(self, email: str) -> str | None:
        """Return the id of the user with this email address, or None."""
        async with self._connection() as connection:
            cursor = await connection.execute('SELECT id FROM "User" WHERE email = %s', (email,))
            row = await cursor.fetchone()
            return None if row is None else str(row[0])

    async def create(self, user_id: str) -> tuple[str, datetime]:
        """Create a session; return its token and its expiry."""
        token, expires = secrets.token_hex(32), datetime.now(UTC) + MAX_AGE
        async with self._connection() as connection:
            await connection.execute(
                'INSERT INTO "Session" (id, "sessionToken", "userId", expires) VALUES (%s, %s, %s, %s)',
                ("c" + secrets.token_hex(12), token, user_id, _stored(expires)),
            )
        return token, expires

    async def delete(self, token: str) -> None:
        """Delete a session; it need not exist."""
        async with self._connection() as connection:
            await connection.execute('DELETE FROM "Session" WHERE "sessionToken" = %s', (token,))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AsyncConnection]:
        patience = _NO_PATIENCE_S if "database-down" in self._platform.faults else None
        async with self._platform.pool.connection(patience) as connection:
            yield connection


def _stored(moment: datetime) -> datetime:
    """Convert to Prisma's DateTime, a timestamp without a zone, in UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None)

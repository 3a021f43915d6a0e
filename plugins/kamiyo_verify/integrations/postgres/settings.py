"""The table [database] of an environment file."""

from __future__ import annotations

from pydantic import Field

from kamiyo_verify.model.tables import Credential, Table
from kamiyo_verify.model.words import DatabaseTls


class Database(Table):
    """The PostgreSQL behind the API, for read-only queries.

    Attributes:
        tls: what a production environment requires of the connection.
    """

    url: Credential = Credential(name="DATABASE_URL")
    tls: DatabaseTls = DatabaseTls.REQUIRED
    statement_timeout_s: float = Field(default=5, gt=0, le=60)
    slow_query_ms: float = Field(default=500, gt=0)

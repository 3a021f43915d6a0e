"""In which schema a migration tool keeps its table, as people report it.

Each case is named by the public report that it comes from. The schema of the address counts, `public` by
default: a table of the same name in another schema is never read in its place.
tests/engine/integrations/postgres asks PostgreSQL itself.
"""

from __future__ import annotations

from typing import Any

import pytest
from psycopg import sql
from pydantic import SecretStr

from kamiyo_verify.http.context import ClientContext
from kamiyo_verify.integrations.postgres import statements
from kamiyo_verify.integrations.postgres.client import DatabaseClient
from kamiyo_verify.integrations.postgres.settings import Database
from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.settings import Timeouts
from kamiyo_verify.model.tables import Credential

Report = pytest.param


class Asked(DatabaseClient):
    """A database with Prisma's table in these schemas; it keeps the schema whose rows were read."""

    def __init__(self, url: str, *schemas: str) -> None:
        table = Database(url=Credential(name="DATABASE_URL", value=SecretStr(url)))
        context = ClientContext.unrecorded(Timeouts(connect=2, answer=5), lambda: 30.0)
        super().__init__(table, context, production=False)
        self._schemas = schemas
        self.read: list[str] = []

    def rows(self, question: Any, params: Any = ()) -> list[dict[str, Any]]:  # noqa: ARG002
        if question == statements.SCHEMAS_WITH_MIGRATIONS:
            return [{"schema": schema} for schema in self._schemas]
        self.read += [
            schema
            for schema in self._schemas
            if question == statements.MIGRATIONS.format(schema=sql.Identifier(schema))
        ]
        return []


@pytest.mark.parametrize(
    ("query", "schemas", "read"),
    [
        Report(
            "?schema=error-handling-prod",
            ("error-handling-prod", "public"),
            "error-handling-prod",
            id="prisma/orm#13269",
        ),
        Report("?schema=documenso", ("documenso", "public"), "documenso", id="documenso/documenso#1872"),
        Report("?schema=public", ("core", "public"), "public", id="mattes/migrate#288"),
        Report("", ("myapp", "public"), "public", id="golang-migrate/migrate#95"),
        Report("", ("drizzle", "public"), "public", id="drizzle-team/drizzle-orm#6024"),
        Report("", ("public",), "public", id="prisma/migrate#13"),
    ],
)
def test_the_migrations_are_those_of_the_schema_that_the_address_names(
    query: str, schemas: tuple[str, ...], read: str
) -> None:
    database = Asked(f"postgresql://u:p@db.example:5432/app{query}", *schemas)
    assert database.migrations() == ()
    assert database.read == [read]


@pytest.mark.parametrize(
    ("query", "elsewhere"),
    [
        Report("", "username", id="ThomWright/postgres-migrations#41"),
        Report("", "catalog", id="prisma/orm#18049"),
        Report("?schema=anotherName", "public", id="prisma/studio#871"),
    ],
)
def test_a_table_in_another_schema_is_named_and_not_read(query: str, elsewhere: str) -> None:
    database = Asked(f"postgresql://u:p@db.example:5432/app{query}", elsewhere)
    with pytest.raises(Unverified, match=rf'there is one in "{elsewhere}": add \?schema='):
        database.migrations()
    assert database.read == []

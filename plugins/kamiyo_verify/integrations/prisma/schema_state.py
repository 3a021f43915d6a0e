"""The state of a schema while migrations are read one after another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from postgast import pg_query_pb2 as pg

from kamiyo_verify.integrations.prisma.schema_values import Value

Name = str
"""Name of a table or another object; "app.name" if the schema is not `public`."""


@dataclass(slots=True)
class AddedColumn:
    """A new column that older code does not write.

    Attributes:
        value: that PostgreSQL writes in a row of older code.
        certain: it was not there before; `ADD COLUMN IF NOT EXISTS` leaves an older one as it is.
        judged: a key or check was judged by this value.
    """

    not_null: bool
    value: Value
    certain: bool = True
    judged: bool = False


class IndexKind(Enum):
    """What older code can do with an index, apart from reading faster."""

    PLAIN = "plain"
    UNIQUE = "unique"
    CONSTRAINT = "constraint"


@dataclass(slots=True)
class Catalogue:
    """Objects of the earlier migrations: the effect of a later `DROP INDEX` depends on them."""

    indexes: dict[Name, IndexKind] = field(default_factory=dict)
    strict_domains: set[Name] = field(default_factory=set)
    """Domains that a column without a value does not satisfy."""


@dataclass(slots=True)
class MigrationState:
    """The objects of this migration so far, which older code does not know.

    Attributes:
        created: (kind, name) of its own objects, such as ("table", "User").
        added: its new columns on older tables, by table and name.
        referenced: tables to which its foreign keys on older tables lead.
    """

    catalogue: Catalogue
    created: set[tuple[str, Name]] = field(default_factory=set)
    added: dict[tuple[Name, str], AddedColumn] = field(default_factory=dict)
    referenced: set[Name] = field(default_factory=set)

    def has_created(self, kind: str, name: Name) -> bool:
        """This migration created it, and has not dropped it since."""
        return (kind, name) in self.created

    def added_to(self, table: Name) -> dict[str, AddedColumn]:
        """The columns that this migration added to an older table."""
        return {column: added for (one, column), added in self.added.items() if one == table}


def table_name(relation: Any) -> Name:
    """The name of a RangeVar."""
    return _name(relation.schemaname, relation.relname)


def dotted(parts: Iterable[Any]) -> Name:
    """The name of a list of String nodes, schema first."""
    words = [part.string.sval for part in parts]
    return _name(words[-2] if len(words) > 1 else "", words[-1]) if words else ""


def beside(table: Name, name: str) -> Name:
    """The name of an object in the schema of a table."""
    return _name(table.rpartition(".")[0], name)


def _name(schema: str, name: str) -> Name:
    return name if schema in {"", "public"} else f"{schema}.{name}"


KINDS: dict[int, str] = {
    pg.OBJECT_TABLE: "table",
    pg.OBJECT_INDEX: "index",
    pg.OBJECT_VIEW: "view",
    pg.OBJECT_MATVIEW: "materialized view",
    pg.OBJECT_SEQUENCE: "sequence",
    pg.OBJECT_TYPE: "type",
    pg.OBJECT_DOMAIN: "domain",
    pg.OBJECT_FUNCTION: "function",
    pg.OBJECT_PROCEDURE: "procedure",
    pg.OBJECT_TRIGGER: "trigger",
    pg.OBJECT_POLICY: "policy",
    pg.OBJECT_SCHEMA: "schema",
    pg.OBJECT_EXTENSION: "extension",
    pg.OBJECT_FOREIGN_TABLE: "foreign table",
    pg.OBJECT_RULE: "rule",
}
"""PostgreSQL's words for the kinds of objects."""

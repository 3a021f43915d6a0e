"""The state of a schema while migrations are read one after another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from postgast import pg_query_pb2 as pg

Name = str
"""Name of a table or another object; "app.name" if the schema is not `public`."""


@dataclass(slots=True)
class AddedColumn:
    """A new column that older code does not write."""

    not_null: bool
    default: bool


@dataclass(slots=True)
class Catalogue:
    """Objects of the earlier migrations: the effect of a later `DROP INDEX` depends on them."""

    unique_indexes: dict[Name, bool] = field(default_factory=dict)


@dataclass(slots=True)
class MigrationState:
    """The objects of this migration so far, which older code does not know.

    Attributes:
        created: (kind, name) of its own objects, such as ("table", "User").
        added: its new columns on older tables, by table and name.
    """

    catalogue: Catalogue
    created: set[tuple[str, Name]] = field(default_factory=set)
    added: dict[tuple[Name, str], AddedColumn] = field(default_factory=dict)

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

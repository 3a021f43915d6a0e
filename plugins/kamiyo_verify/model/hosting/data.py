"""The environment variables of services on Render, and their database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, SecretStr
from pydantic.alias_generators import to_camel

from kamiyo_verify.model.outside.shapes import Moment


class Shape(BaseModel):
    """Base of all Render answers: camelCase in JSON, snake_case here; unknown fields are ignored."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True, defer_build=True
    )


class Postgres(Shape):
    """The database, as Render manages it."""

    id: str
    name: str
    status: str
    plan: str
    version: str
    suspended: str
    high_availability_enabled: bool = False
    database_name: str = ""
    region: str = ""

    @property
    def is_available(self) -> bool:
        """Whether it is available and not suspended."""
        return self.status == "available" and self.suspended == "not_suspended"


class RecoveryStatus(StrEnum):
    """Whether the database can be restored to an earlier time."""

    AVAILABLE = "AVAILABLE"
    NOT_READY = "BACKUP_NOT_READY"
    NOT_AVAILABLE = "NOT_AVAILABLE"


class Recovery(Shape):
    """Point-in-time recovery; `starts_at` is the earliest possible time."""

    recovery_status: RecoveryStatus
    starts_at: Moment | None = None


class Export(Shape):
    """One backup. Its address gives access to the whole database, so it is not read."""

    id: str
    created_at: Moment


class ConnectionInfo(Shape):
    """How Render itself connects to the database; only compared, never stored."""

    internal_connection_string: SecretStr
    external_connection_string: SecretStr


@dataclass(frozen=True, slots=True, repr=False)
class Variables(Mapping[str, SecretStr]):
    """The variables of a service: its own and those of its linked groups.

    Attributes:
        contested: names with different values in two linked groups, and no value of the service. Render uses
            the group created last, but does not guarantee this.
    """

    values_by_name: Mapping[str, SecretStr] = field(default_factory=dict)
    contested: frozenset[str] = frozenset()

    def __getitem__(self, name: str) -> SecretStr:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def __repr__(self) -> str:
        return f"Variables({', '.join(sorted(self))})"

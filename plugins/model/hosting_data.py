"""What services on Render run with: their variables, and the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import SecretStr

from plugins.model.hosting import Shape
from plugins.model.platform import Moment


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
        """It serves: available, and not suspended."""
        return self.status == "available" and self.suspended == "not_suspended"


class RecoveryStatus(StrEnum):
    """Whether the database can be brought back to an earlier moment."""

    AVAILABLE = "AVAILABLE"
    NOT_READY = "BACKUP_NOT_READY"
    NOT_AVAILABLE = "NOT_AVAILABLE"


class Recovery(Shape):
    """Point-in-time recovery; `starts_at` is the earliest moment."""

    recovery_status: RecoveryStatus
    starts_at: Moment | None = None


class Export(Shape):
    """One backup. Its address holds the whole database, so it is not read."""

    id: str
    created_at: Moment


class ConnectionInfo(Shape):
    """How Render itself connects to the database; compared and thrown away."""

    internal_connection_string: SecretStr
    external_connection_string: SecretStr


@dataclass(frozen=True, slots=True, repr=False)
class Variables(Mapping[str, SecretStr]):
    """The variables that a service runs with, its own and those of its linked groups.

    Attributes:
        contested: names that two linked groups give different values, and the service none. Render uses the
            group created last, and does not promise that it always will.
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

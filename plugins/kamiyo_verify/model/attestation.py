"""Attestations: a person confirms what no machine can check, with name, time, text and commit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

LASTS = timedelta(hours=72)
"""Validity of an attestation without an expiry: a long weekend, but shorter than a release cycle."""


def _moment(written: object) -> object:
    example = 'must be a time with its zone, such as "2026-11-23T14:00:00Z"'
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        raise ValueError(example) from None
    if moment.tzinfo is None:
        raise ValueError(example)
    return moment.astimezone(UTC)


def _one_line(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    if len(text) > 500 or not text.isprintable():
        raise ValueError("must be one line of at most 500 characters")
    return text.strip()


Said = Annotated[str, AfterValidator(_one_line)]
"""One line that a person wrote."""

Aware = Annotated[datetime, BeforeValidator(_moment)]
"""A time written with its time zone, converted to UTC."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Attestation(_Row):
    """A person's confirmation that an item is done.

    Attributes:
        item: id of the item.
        who: the person.
        what: what was done, or where it can be seen.
        when: when it was done.
        expires: when the attestation expires; by default 72 hours after `when`.
    """

    item: str
    who: Said
    what: Said
    when: Aware
    expires: Aware | None = None

    @property
    def until(self) -> datetime:
        """When the attestation expires."""
        return self.expires or self.when + LASTS

    @property
    def when_text(self) -> str:
        """When it was done, to the minute."""
        return f"{self.when:%Y-%m-%d %H:%M} UTC"

    def __str__(self) -> str:
        return f"{self.who}: {self.what} ({self.when_text})"


class AttestationFile(_Row):
    """The schema of attestations/<commit>.toml."""

    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$")]
    attestations: tuple[Attestation, ...]

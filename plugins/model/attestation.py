"""A person's word for what no machine can see: who says it, when, what, and about which commit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

LASTS = timedelta(hours=72)
"""How long a word holds that names no end of its own: a long weekend, and less than the next release."""


def _moment(written: object) -> object:
    example = 'must be a time with its zone, such as "2026-11-23T14:00:00Z"'
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        raise ValueError(example) from None
    if moment.tzinfo is None:
        raise ValueError(example)
    return moment.astimezone(UTC)


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    if len(text) > 500 or not text.isprintable():
        raise ValueError("must be one line of at most 500 characters")
    return text.strip()


Said = Annotated[str, AfterValidator(_said)]
"""One line that a person wrote."""

Aware = Annotated[datetime, BeforeValidator(_moment)]
"""A moment that was written with its zone; in UTC."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Attestation(_Row):
    """Someone's word that an item is done.

    Attributes:
        item: its id.
        who: the person.
        what: what was done, or where it can be seen.
        when: when it was done.
        expires: when the word is worth nothing any more; 72 hours after `when` where nobody says.
    """

    item: str
    who: Said
    what: Said
    when: Aware
    expires: Aware | None = None

    @property
    def until(self) -> datetime:
        """When it is worth nothing any more."""
        return self.expires or self.when + LASTS

    @property
    def told(self) -> dict[str, str]:
        """Who, when and what, for the evidence."""
        return {"who": self.who, "when": f"{self.when:%Y-%m-%d %H:%M} UTC", "what": self.what}

    def __str__(self) -> str:
        return f"{self.who}: {self.what} ({self.when:%Y-%m-%d %H:%M} UTC)"


class AttestationFile(_Row):
    """The shape of attestations/<commit>.toml."""

    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,40}$")]
    attestations: tuple[Attestation, ...]

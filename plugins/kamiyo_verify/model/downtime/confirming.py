"""The table [confirmation] of an environment file."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from kamiyo_verify.model.tables import Table


class Confirmation(Table):
    """The number of tries before a failure counts, and its confirmation before a rollback.

    Attributes:
        attempts: consecutive tries, `spacing_s` seconds apart.
        final_after_s: minimum seconds from the first failure to the last recheck before a rollback.
        per_minute: maximum follow-up requests per minute, for all items together.
        at_most_s: maximum duration of the whole confirmation, in seconds.
    """

    attempts: int = Field(default=3, ge=1, le=10)
    spacing_s: float = Field(default=1.0, ge=0, le=60)
    final_after_s: float = Field(default=60, ge=0, le=600)
    per_minute: float = Field(default=60, gt=0, le=60_000)
    at_most_s: float = Field(default=150, gt=0, le=1800)

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if self.at_most_s < self.final_after_s:
            raise ValueError(
                f"at_most_s ({self.at_most_s:g}) is less than final_after_s ({self.final_after_s:g}):"
                " nothing could be confirmed"
            )
        return self

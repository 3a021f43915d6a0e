"""Base types for external answers: unknown fields are ignored, missing or mistyped ones are rejected."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_utc)]
"""A time with or without a time zone in the platform's answer; without one it is UTC."""


def _no_truth_value(number: object) -> object:
    if isinstance(number, bool):
        raise ValueError("a truth value is no number")  # noqa: TRY004 - pydantic reports only ValueError
    return number


Whole = Annotated[int, BeforeValidator(_no_truth_value)]
"""A whole number, also as text, as some services write it; never `false` for 0."""

Number = Annotated[float, BeforeValidator(_no_truth_value)]
"""A number, also as text; never `true` for 1."""

Count = Annotated[StrictInt, Field(ge=0)]


Amount = Annotated[float, Field(strict=True, allow_inf_nan=False)]

"""The shapes that Stripe's library assumes, validated before it reads an answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class StripeRow(BaseModel):
    """A row of a list."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    id: str
    object: str


class StripeList(BaseModel):
    """The shape of every Stripe list; validated before the library reads it, which assumes it."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    object: Literal["list"]
    data: tuple[StripeRow, ...]
    has_more: bool


class StripeError(BaseModel):
    """The content of an error."""

    type: str | None = None
    code: str | None = None
    message: str | None = None
    param: str | None = None


class StripeRefusal(BaseModel):
    """The shape of every Stripe error, which the library assumes too."""

    error: StripeError

"""The shapes of NextAuth's answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import StrictStr

from kamiyo_verify.model.outside.shapes import Moment, _Shape


class Provider(_Shape):
    """One entry of `GET /api/auth/providers`."""

    id: StrictStr
    name: StrictStr
    type: StrictStr
    signinUrl: StrictStr
    callbackUrl: StrictStr

    @property
    def callback_origin(self) -> str:
        """Scheme, host and port to which the provider sends users back."""
        parts = urlsplit(self.callbackUrl)
        return f"{parts.scheme}://{parts.netloc}".lower()


class Session(_Shape):
    """`GET /api/auth/session`: `{}` without a session."""

    user: dict[str, Any] | None = None
    expires: Moment | None = None

"""The shapes in which the platform answers. Unknown fields are welcome; missing or mistyped ones are not."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, StrictStr

from plugins.model.outcomes import Unverified, WrongAnswer


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_utc)]
"""A time that the platform gives with or without a zone; without one it is UTC."""

Count = Annotated[StrictInt, Field(ge=0)]
Amount = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class Health(_Shape):
    """`GET /health`."""

    status: StrictStr
    database_exploits: Count
    tracked_chains: Count
    active_sources: Count
    total_sources: Count
    timestamp: Moment


class Readiness(_Shape):
    """`GET /ready`. A degraded cache is no failure: Redis is optional."""

    status: StrictStr
    database: StrictStr
    cache: StrictStr = ""
    exploits: Count | None = None


class Exploit(_Shape):
    """One exploit; the amount is null where nobody knows it."""

    id: StrictInt | StrictStr
    tx_hash: Annotated[StrictStr, Field(min_length=1)]
    chain: Annotated[StrictStr, Field(min_length=1)]
    protocol: Annotated[StrictStr, Field(min_length=1)]
    amount_usd: Amount | None
    timestamp: Moment
    source: StrictStr


class ExploitPage(_Shape):
    """`GET /exploits`. A page may hold fewer rows than asked for while the total is large (delayed data)."""

    data: tuple[Exploit, ...]
    total: Count
    page: StrictInt
    page_size: StrictInt
    has_more: bool

    @property
    def first(self) -> Exploit:
        """The first row.

        Raises:
            WrongAnswer: there is none.
        """
        if not self.data:
            raise WrongAnswer(f"of {self.total} exploits none is listed")
        return self.data[0]

    def rarest(self, field: Literal["chain", "protocol"]) -> str:
        """The value of that field that the fewest rows have, so that a filter by it must drop the others.

        Raises:
            WrongAnswer: there is no row.
            Unverified: all rows have the same value, so no filter can be seen to work.
        """
        counts: Counter[str] = Counter(getattr(row, field) for row in (self.first, *self.data[1:]))
        if len(counts) < 2:
            raise Unverified(f"every exploit listed has the same {field}: a filter has nothing to drop")
        return min(sorted(counts), key=counts.__getitem__)


class ChainCount(_Shape):
    """One row of `GET /chains`."""

    chain: StrictStr
    exploit_count: Count


class Chains(_Shape):
    """`GET /chains`."""

    total_chains: Count
    chains: tuple[ChainCount, ...]


class Provider(_Shape):
    """One entry of `GET /api/auth/providers`."""

    id: StrictStr
    name: StrictStr
    type: StrictStr
    signinUrl: StrictStr
    callbackUrl: StrictStr

    @property
    def callback_origin(self) -> str:
        """Scheme, host and port that the provider sends people back to."""
        parts = urlsplit(self.callbackUrl)
        return f"{parts.scheme}://{parts.netloc}".lower()


class Session(_Shape):
    """`GET /api/auth/session`: `{}` for a stranger."""

    user: dict[str, Any] | None = None
    expires: Moment | None = None

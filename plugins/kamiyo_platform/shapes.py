"""The shapes of the platform's answers. Unknown fields are allowed; missing or mistyped ones are not."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, StrictInt, StrictStr

from kamiyo_verify.model.outcomes import Unverified, WrongAnswer
from kamiyo_verify.model.outside.shapes import Amount, Count, Moment, _Shape


class Health(_Shape):
    """`GET /health`."""

    status: StrictStr
    database_exploits: Count
    tracked_chains: Count
    active_sources: Count
    total_sources: Count
    timestamp: Moment


class Readiness(_Shape):
    """`GET /ready`. A degraded cache is not a failure: Redis is optional."""

    status: StrictStr
    database: StrictStr
    cache: StrictStr = ""
    exploits: Count | None = None


class Exploit(_Shape):
    """One exploit; the amount is null if it is unknown."""

    id: StrictInt | StrictStr
    tx_hash: Annotated[StrictStr, Field(min_length=1)]
    chain: Annotated[StrictStr, Field(min_length=1)]
    protocol: Annotated[StrictStr, Field(min_length=1)]
    amount_usd: Amount | None
    timestamp: Moment
    source: StrictStr


class ExploitPage(_Shape):
    """`GET /exploits`. A page may hold fewer rows than requested while the total is large (delayed data)."""

    data: tuple[Exploit, ...]
    total: Count
    page: StrictInt
    page_size: StrictInt
    has_more: bool

    @property
    def first(self) -> Exploit:
        """The first row.

        Raises:
            WrongAnswer: there is no row.
        """
        if not self.data:
            raise WrongAnswer(f"of {self.total} exploits none is listed")
        return self.data[0]

    def rarest(self, field: Literal["chain", "protocol"]) -> str:
        """The value of that field with the fewest rows, so that a filter by it must remove the others.

        Raises:
            WrongAnswer: there is no row.
            Unverified: all rows have the same value, so a filter has no visible effect.
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

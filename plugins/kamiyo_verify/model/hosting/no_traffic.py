"""What a host answers that counts no requests of real users."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from kamiyo_verify.model.hosting.signals import Series
from kamiyo_verify.model.outcomes import Unverified


class NoTraffic:
    """Two methods of the port `Hosting`, for an adapter whose host has no metrics of requests.

    Attributes:
        source: the host, such as "a cluster".
    """

    source: ClassVar[str]

    def requests(self, service: str, start: datetime, end: datetime) -> tuple[Series, ...]:
        """Counts of real users' requests.

        Raises:
            Unverified: always.
        """
        raise Unverified(f"{self.source} has no counts of real users' requests")

    def latency(
        self,
        service: str,
        start: datetime,
        end: datetime,
        *,
        path: str | None = None,
    ) -> tuple[Series, ...]:
        """Response times of real users.

        Raises:
            Unverified: always.
        """
        raise Unverified(f"{self.source} has no response times of real users")

"""When each service answered in this run, and the time spans in which it did not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kamiyo_verify.model.figures import counted, duration


@dataclass(frozen=True, slots=True)
class ServiceTimeline:
    """Every request of a run to one service, in the order in which they began; 429 is left out.

    Attributes:
        service: its name in the environment file, such as "api".
        began_at: when the first request began, UTC, ISO 8601.
        offsets_s: seconds from `began_at` to the beginning of each request.
        durations_s: duration of each request, in seconds.
        failures: for each request, "" if its status was below 500, else the status, or "no answer".
    """

    service: str
    began_at: str
    offsets_s: tuple[float, ...]
    durations_s: tuple[float, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceOutage:
    """A time span in which every request to a service failed.

    Attributes:
        began_at: when the first failing request began, or a later one that was still answered; UTC, ISO 8601.
        ended_at: when the first request that was answered again began, or when the last failing request ended
            if that was later; "" if none was answered again.
        seconds: from the beginning to that end, or to the end of the last failing request.
        requests: number of failed requests.
        failures: the distinct failures: statuses and "no answer".
    """

    service: str
    began_at: str
    ended_at: str
    seconds: float
    requests: int
    failures: tuple[str, ...]

    @property
    def ended(self) -> bool:
        """Whether the service answered again in this run."""
        return bool(self.ended_at)

    def __str__(self) -> str:
        began = datetime.fromisoformat(self.began_at)
        lasted = f"for {duration(self.seconds)}" if self.ended else f"for at least {duration(self.seconds)}"
        end = "" if self.ended else " and was not seen to answer again"
        return (
            f"{self.service} did not answer properly {lasted} from {began:%H:%M:%S} UTC{end}"
            f" ({', '.join(self.failures)}; {counted(self.requests, 'request')} failed)"
        )

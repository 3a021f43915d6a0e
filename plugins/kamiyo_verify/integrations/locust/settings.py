"""The table [load] of an environment file: which requests, how many, and whether they may be sent at all."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from kamiyo_verify.model.services import ServiceName
from kamiyo_verify.model.tables import Path, Table

MOST_PER_SECOND = 500
MOST_SECONDS = 300
MOST_USERS = 1_000
MOST_WORKERS = 8
SHORTEST_STEP_S = 3
"""One second of a step is for its users to start; what is left is measured."""


class Permission(StrEnum):
    """Whether load may be put on the platform."""

    FORBIDDEN = "forbidden"
    ALLOWED = "allowed"


class Load(Table):
    """What --load sends; the upper limits hold whatever an environment file says.

    Attributes:
        permission: "forbidden": no load, and its items are unverified.
        service: the NAME of [services.NAME] that is asked.
        credential: the NAME of [credentials.NAME] that each request carries; "" sends none.
        paths: each user asks for them in this order, again and again; {number} is another number each time,
            from 1 to 1,000,000, so that no cache answers.
        requests_per_second: the load of the last step: what the platform has to serve.
        users: how many users send it; each waits for its answer before it asks again.
        steps: in how many steps the load grows, from one of them to all.
        seconds: how long all steps take together.
        workers: processes on this machine that send it.
        remote_workers: workers on other machines, which connect by Locust's own protocol; see docs/load.md.
        bind: the address of this machine that Locust's master listens on.
        port: its TCP port; 0 is a free one, for workers on this machine alone.
        executable: the program `locust`; "" looks for it beside this Python, then in PATH.
    """

    permission: Permission = Permission.FORBIDDEN
    service: ServiceName
    credential: str = ""
    paths: Annotated[tuple[Path, ...], Field(min_length=1)] = ("/",)
    requests_per_second: float = Field(default=20, gt=0, le=MOST_PER_SECOND)
    users: int = Field(default=20, ge=1, le=MOST_USERS)
    steps: int = Field(default=5, ge=2, le=20)
    seconds: int = Field(default=60, ge=2 * SHORTEST_STEP_S, le=MOST_SECONDS)
    workers: int = Field(default=1, ge=0, le=MOST_WORKERS)
    remote_workers: int = Field(default=0, ge=0, le=MOST_WORKERS)
    bind: Annotated[str, Field(pattern=r"^[\w.:-]+$")] = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65_535)
    executable: str = ""

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.seconds < SHORTEST_STEP_S * self.steps:
            raise ValueError(
                f"{self.steps} steps take at least {SHORTEST_STEP_S * self.steps} seconds: raise seconds,"
                " or take fewer steps"
            )
        if not self.workers + self.remote_workers:
            raise ValueError("workers and remote_workers are both 0: nobody would send the load")
        if self.users < max(self.steps, self.workers + self.remote_workers):
            raise ValueError("users must be at least as many as steps and as workers")
        if self.remote_workers and not self.port:
            raise ValueError("remote_workers connect to a port that they know: set port")
        return self

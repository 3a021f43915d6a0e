"""Tables of an environment file that every part of the engine reads: time-outs, sampling, confirmation."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from kamiyo_verify.model.tables import Address, Credential, Table
from kamiyo_verify.model.words import Phase


class Sampling(Table):
    """The number and rate of the performance items' requests.

    Attributes:
        requests: maximum number in each series; a series ends earlier once the objectives are decided.
        per_minute: the environment's rate limit; 0 spreads the requests over `seconds`, within the tier's own
            limit.
        seconds: duration of the sampling, in seconds.
    """

    requests: int = Field(default=120, ge=20, le=10_000)
    per_minute: int = Field(default=0, ge=0)
    seconds: float = Field(default=60, gt=0, le=600)


class Baseline(Table):
    """The choice of the earlier run that shows the state before a deployment.

    Attributes:
        max_age_h: maximum age in hours.
    """

    max_age_h: float = Field(default=24, gt=0, le=24 * 31)


class Control(Table):
    """Third-party addresses: if they answer and ours do not, the runner's network is not the cause."""

    urls: tuple[Address, ...] = ("https://status.render.com/api/v2/status.json",)


class Timeouts(Table):
    """Time-outs in seconds. `item` limits one complete try of one item."""

    connect: float = Field(default=5, gt=0, le=60)
    answer: float = Field(default=15, gt=0, le=120)
    item: float = Field(default=30, gt=0, le=600)


class Ledger(Table):
    """The database in which runs are recorded.

    Attributes:
        url: "postgresql://user:password@host:port/name", or "sqlite:////path/of/a/file"; the default is
            reports/ledger.db.
        keep_days: `kamiyo-verify ledger prune` keeps younger runs; 0 for no such limit.
        keep_runs: it keeps so many of the newest runs; 0 for no such limit. With both limits, a run stays
            that either keeps.
    """

    url: Credential = Credential(name="KAMIYO_LEDGER_URL")
    keep_days: int = Field(default=0, ge=0, le=36_500)
    keep_runs: int = Field(default=0, ge=0, le=1_000_000)


class Launch(Table):
    """How to start the platform itself, for an environment that is not already running.

    Attributes:
        command: command line; "{python}" is this interpreter. The process prints one line of JSON when it is
            ready (see docs/project-files.md), and exits when its standard input closes.
        drill: arguments that start it with a release to roll back, for `make rollback`.
    """

    command: Annotated[tuple[str, ...], Field(min_length=1)]
    drill: tuple[str, ...] = ()
    ready_within_s: float = Field(default=30, gt=0, le=600)


class ExportFile(StrEnum):
    """A file in the report folder that a run writes only if the environment asks for it."""

    CTRF = "ctrf"
    METRICS = "metrics"


class Exports(Table):
    """Settings of what other systems read; the table of each system says whether it is told.

    Attributes:
        files: the files to write, besides those that every report has.
        junit_properties: whether junit.xml has the verdict's data as properties.
        phases: the phases whose runs are sent to other systems.
        drills: whether runs with --fault and with --baseline are sent too.
        patience_s: maximum seconds for one system, and for which the end of a run waits.
    """

    files: tuple[ExportFile, ...] = ()
    junit_properties: bool = True
    phases: tuple[Phase, ...] = (Phase.DEPLOY, Phase.POSTDEPLOY)
    drills: bool = False
    patience_s: Annotated[float, Field(gt=0, le=15)] = 5

"""The pytest side of the ledger: opened in the background when a run begins, written when it has ended.

Nothing here can break a verdict. Where the ledger is away, the history is unknown, a line at the end says so,
and the next run that finds it brings what is missing from evidence.jsonl.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plugins.baselines import Known, known, newest_file
from plugins.judge.availability import MONTH_S
from plugins.judge.deployments import deployments
from plugins.judge.evidence import Evidence
from plugins.judge.history import history
from plugins.judge.seen import commit_answering, traffic
from plugins.later import Later
from plugins.ledger.whereabouts import Whereabouts
from plugins.ledger_address import ledger_url
from plugins.model.environment import Environment
from plugins.model.history import History, PastRun, TrafficSlice
from plugins.model.recorded import RecordedRun, Recording
from plugins.model.result import Measurement
from plugins.model.runbook import Runbook
from plugins.model.verdict import SCHEMA
from plugins.recording import NoRecording, read_recording, run_id
from plugins.run import Run

if TYPE_CHECKING:
    from plugins.ledger.store import Store

_WAIT_S = 20.0
"""How long the end of a run waits for the ledger: longer than one writer waits for another."""


@dataclass(frozen=True, slots=True)
class _Opened:
    store: Store
    runs: tuple[PastRun, ...]
    slices: tuple[TrafficSlice, ...]


def header(run: Run, runbook: Runbook) -> dict[str, Any]:
    """The first line of a run's evidence: what it is, and the runbook that it goes by."""
    environment, options = run.configured, run.options
    return {
        "schema": SCHEMA,
        "id": f"{datetime.fromisoformat(run.started_at):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        "environment": environment.name,
        "project": environment.title,
        "production": environment.production,
        "absent": sorted(environment.absent),
        "commit": options.commit,
        "baseline": options.baseline,
        "started_at": run.started_at,
        "overrides": options.overrides,
        "attested": [word.model_dump(mode="json") for word in run.attestations.values()],
        "faults": options.faults,
        "launched": options.launched is not None,
        "deadline_s": run.clock.deadline_s,
        "runbook": runbook.model_dump(mode="json"),
    }


class LedgerOfRun:
    """The ledger, as one run uses it.

    Args:
        environment: whose ledger it is.
        reports: the folder of all reports.
        folder: of this run's report.
        line: the first line of its evidence, which is not written yet.
    """

    def __init__(
        self, environment: Environment, reports: Path, folder: Path, line: Mapping[str, Any]
    ) -> None:
        self._environment = environment
        self._reports = reports
        self._run: str = line["id"]
        self._commit: str = line["commit"]
        self._began: str = line["started_at"]
        self._started = datetime.fromisoformat(self._began).timestamp()
        self._where = Whereabouts(reports, environment.name)
        self._where.note(self._run, folder)
        self._opening = Later(self._open, "ledger")

    def history(self, evidence: Evidence) -> History | None:
        """What the ledger and this run say together; None where the ledger is away."""
        try:
            opened = self._opening.outcome(_WAIT_S)
            return history(
                evidence.runbook,
                opened.runs,
                (*opened.slices, *traffic(evidence.runbook, evidence.results)),
                commit=evidence.commit or commit_answering(evidence.results),
                now=datetime.fromisoformat(evidence.finished_at).timestamp(),
            )
        except Exception:  # noqa: BLE001 - `keep` tells it
            return None

    def before(self, evidence: Evidence) -> Known | None:
        """How things were before, by the ledger or, where that is away, by the file of a baseline."""
        return self._known_before(evidence.commit or commit_answering(evidence.results))

    def measured_before(self) -> Mapping[str, tuple[Measurement, ...]]:
        """What items measured before the deployment, by id, as far as one can tell while the run begins."""
        found = self._known_before(self._commit)
        return found.measurements if found else {}

    def _known_before(self, commit: str) -> Known | None:
        try:
            found = Later(lambda: self._before(commit), "ledger").outcome(_WAIT_S)
        except Exception:  # noqa: BLE001 - `keep` tells it
            return newest_file(self._reports / self._environment.name)
        return known(found) if found else None

    def bad_commits(self) -> tuple[str, ...]:
        """The commits whose deployment is known to have failed; none where the ledger is away."""
        try:
            records = deployments(self._opening.outcome(_WAIT_S).runs)
        except Exception:  # noqa: BLE001 - `keep` tells it
            return ()
        return tuple(record.commit for record in records if record.succeeded is False)

    def keep(self, evidence: Path) -> str:
        """Record this run from its evidence; returns what went wrong, or ""."""
        try:
            Later(lambda: self._keep(evidence), "ledger").outcome(_WAIT_S)
        except Exception as error:  # noqa: BLE001 - a verdict does not depend on who remembers it
            return str(error) or type(error).__name__
        return ""

    def _open(self) -> _Opened:
        # Importing SQLAlchemy takes longer than all that it is asked for here.
        from plugins.ledger.leftovers import import_leftovers  # noqa: PLC0415
        from plugins.ledger.store import Store  # noqa: PLC0415

        store = Store(ledger_url(self._environment, self._reports))
        import_leftovers(store, self._where, identify=run_id, read=readable)
        name = self._environment.name
        return _Opened(store, store.past(name), store.traffic(name, since=self._started - 2 * MONTH_S))

    def _before(self, commit: str) -> RecordedRun | None:
        """The later one of the last baseline and the last good run of another commit."""
        store, name = self._opening.outcome(_WAIT_S).store, self._environment.name
        baseline = store.last_baseline(name, before=self._began)
        good = store.last_good(name, before=self._began, besides=commit)
        return max((run for run in (good, baseline) if run), key=lambda run: run.finished_at, default=None)

    def _keep(self, evidence: Path) -> None:
        store = self._opening.outcome(_WAIT_S).store
        store.add(read_recording(evidence))
        store.close()
        self._where.forget(self._run)


def readable(evidence: Path) -> Recording | None:
    """A recording, if the file holds one."""
    try:
        return read_recording(evidence)
    except NoRecording:
        return None

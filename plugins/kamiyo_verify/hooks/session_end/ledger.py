"""The ledger of a run: opened in the background when the run begins, written when it has ended.

A ledger failure never affects the verdict. If the ledger is unavailable, the history is unknown, the run
prints a line at its end, and the next run with access imports the missing runs from their evidence.jsonl.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.config.ledger_address import ledger_folder, ledger_url
from kamiyo_verify.evidence.baselines import Known, known, newest_file
from kamiyo_verify.evidence.recording import NoRecording, read_recording, run_id
from kamiyo_verify.hooks.session_end.earlier import read_earlier
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.history.availability import MONTH_S
from kamiyo_verify.judge.history.deployments import deployments, dora
from kamiyo_verify.judge.history.environment_history import DORA_DAYS
from kamiyo_verify.judge.history.history import history
from kamiyo_verify.judge.observations import commit_answering, traffic
from kamiyo_verify.judge.rollback.targets import bad_commits
from kamiyo_verify.judge.slo.earlier import may_pool
from kamiyo_verify.ledger.fingerprints import credential_uses, fingerprint_key
from kamiyo_verify.ledger.report_locations import ReportLocations
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.credentials import CredentialUse
from kamiyo_verify.model.history.earlier import EarlierRuns
from kamiyo_verify.model.history.history import Dora, History, PastRun, TrafficSlice
from kamiyo_verify.model.history.recorded_run import RecordedRun, Recording
from kamiyo_verify.model.result import Measurement
from kamiyo_verify.processes.background_job import BackgroundJob

if TYPE_CHECKING:
    from kamiyo_verify.ledger.store import Store

T = TypeVar("T")

_LEFTOVER_S = 10.0
"""Seconds for judging the evidence of an incomplete run."""

_NOT_READ = "the ledger could not be read"

_WAIT_S = 20.0
"""Seconds that the end of a run waits for the ledger; longer than one writer waits for another."""


class TooLong(Exception):
    """Judging the evidence takes too long."""


@dataclass(frozen=True, slots=True)
class _Opened:
    store: Store
    runs: tuple[PastRun, ...]
    slices: tuple[TrafficSlice, ...]


class RunLedger:
    """Access of one run to the ledger.

    Args:
        environment: the environment, which names the ledger.
        reports: the folder of all reports.
        folder: the report folder of this run.
        line: the first line of the run's evidence, not written yet.
    """

    def __init__(
        self, environment: Environment, reports: Path, folder: Path, line: Mapping[str, Any]
    ) -> None:
        self._environment = environment
        self._reports = reports
        self._run: str = line["id"]
        self._commit: str = line["commit"]
        self._place: str = line["place"]
        self._drill = bool(line["faults"] or line["launched"])
        self._began: str = line["started_at"]
        self._started = datetime.fromisoformat(self._began).timestamp()
        self._where = ReportLocations(reports, environment.name)
        self._where.note(self._run, folder)
        self._opening = BackgroundJob(self._open, "ledger")
        self._patience_s = _WAIT_S

    def hurry(self, seconds: float) -> None:
        """Limit all further waits for the ledger to this many seconds."""
        self._patience_s = min(self._patience_s, seconds)

    def _outcome(self, later: BackgroundJob[T]) -> T:
        """Return the result of a job; after one timeout, do not wait for the ledger again."""
        try:
            return later.outcome(self._patience_s)
        except TimeoutError:
            self._patience_s = 0.0
            raise

    def history(self, evidence: Evidence) -> History | None:
        """Return the history from the ledger and this run; None if the ledger is unavailable."""
        try:
            opened = self._outcome(self._opening)
            return history(
                evidence.runbook,
                opened.runs,
                (*opened.slices, *traffic(evidence.runbook, evidence.results)),
                commit=evidence.commit or commit_answering(evidence.results),
                now=datetime.fromisoformat(evidence.finished_at).timestamp(),
            )
        except Exception:  # noqa: BLE001 - `keep` reports it
            return None

    def before(self, evidence: Evidence) -> Known | None:
        """Return the earlier state, from the ledger or, if it is unavailable, from a baseline file."""
        return self._known_before(evidence.commit or commit_answering(evidence.results))

    def measured_before(self) -> Mapping[str, tuple[Measurement, ...]]:
        """Return the measurements from before the deployment, by item id, as known when the run begins."""
        found = self._known_before(self._commit)
        if found is None or (self._commit and same_commit(found.before.commit, self._commit)):
            return {}
        age_s = self._started - datetime.fromisoformat(found.before.finished_at).timestamp()
        return found.measurements if age_s <= self._environment.baseline.max_age_h * 3600 else {}

    def _known_before(self, commit: str) -> Known | None:
        try:
            found = self._outcome(BackgroundJob(lambda: self._before(commit), "ledger"))
        except Exception:  # noqa: BLE001 - `keep` reports it
            return newest_file(self._reports / self._environment.name, self._place)
        return known(found, moves=self._environment.launch is not None) if found else None

    def credentials(self, evidence: Evidence) -> tuple[CredentialUse, ...]:
        """Return the use of each of our credentials, with the last run that accepted the same value."""
        try:
            key = fingerprint_key(ledger_folder(self._environment, self._reports))
            uses = credential_uses(self._environment.secrets.values(), evidence.results, key)
        except (OSError, LookupError):
            return ()
        sought = {use.fingerprint for use in uses if use.refused}
        if not sought:
            return uses
        since = datetime.fromisoformat(self._began) - timedelta(hours=evidence.baseline_max_age_h)
        try:
            found = self._outcome(
                BackgroundJob(
                    lambda: self._outcome(self._opening).store.accepted(
                        self._environment.name,
                        sought,
                        before=self._began,
                        since=since.isoformat(timespec="milliseconds"),
                    ),
                    "ledger",
                )
            )
        except Exception:  # noqa: BLE001 - `keep` reports it
            return uses
        return tuple(replace(use, accepted_before=found.get(use.fingerprint)) for use in uses)

    def no_earlier(self, evidence: Evidence) -> EarlierRuns | None:
        """Return that earlier runs of this commit are not known; None if none could count."""
        return EarlierRuns(unknown=_NOT_READ) if may_pool(evidence) and not self._drill else None

    def earlier(self, evidence: Evidence) -> EarlierRuns | None:
        """Return the samples of earlier runs of this commit; None if none could count."""
        unknown = self.no_earlier(evidence)
        if unknown is None:
            return None
        try:
            opened = self._outcome(self._opening)
            names = {"environment": self._environment.name, "place": self._place}
            read = partial(read_earlier, opened.store, evidence, opened.runs, **names)
            return self._outcome(BackgroundJob(read, "ledger"))
        except Exception:  # noqa: BLE001 - `keep` reports it
            return unknown

    def now_known(self, environment: Environment) -> None:
        """Replace the environment with the complete one, after the launched platform is ready."""
        self._environment = environment

    def bad_commits(self) -> tuple[str, ...]:
        """Return the commits that a rollback must not restore; none if the ledger is unavailable."""
        try:
            runs = self._outcome(self._opening).runs
            return bad_commits(deployments(runs), runs)
        except Exception:  # noqa: BLE001 - `keep` reports it
            return ()

    def dora(self) -> Dora | None:
        """Return DORA's four key metrics when this run began; None if the ledger is unavailable."""
        try:
            records = deployments(self._outcome(self._opening).runs)
        except Exception:  # noqa: BLE001 - `keep` reports it
            return None
        return dora(records, window_s=DORA_DAYS * 86_400.0, now=self._started)

    def keep(self, evidence: Path) -> str:
        """Record this run in the ledger from its evidence; return the error, or ""."""
        try:
            self._outcome(BackgroundJob(lambda: self._keep(evidence), "ledger"))
        except Exception as error:  # noqa: BLE001 - a verdict does not depend on the ledger
            return str(error) or type(error).__name__
        return ""

    def _open(self) -> _Opened:
        # Importing SQLAlchemy takes longer than all queries here.
        from kamiyo_verify.ledger.leftovers import import_leftovers  # noqa: PLC0415
        from kamiyo_verify.ledger.store import Store  # noqa: PLC0415

        store = Store(ledger_url(self._environment, self._reports))
        import_leftovers(store, self._where, identify=run_id, read=readable)
        name = self._environment.name
        return _Opened(store, store.past(name), store.traffic(name, since=self._started - 2 * MONTH_S))

    def _before(self, commit: str) -> RecordedRun | None:
        """Return the later of this place's last baseline and its last good run of another commit."""
        store, name = self._opening.outcome(_WAIT_S).store, self._environment.name
        baseline = store.last_baseline(name, before=self._began, place=self._place)
        good = store.last_good(name, before=self._began, besides=commit, place=self._place)
        return max((run for run in (good, baseline) if run), key=lambda run: run.finished_at, default=None)

    def _keep(self, evidence: Path) -> None:
        store = self._opening.outcome(_WAIT_S).store
        store.add(read_recording(evidence))
        store.close()
        self._where.forget(self._run)


def readable(evidence: Path) -> Recording | None:
    """Return the recording in a file; None if it holds none.

    Raises:
        TooLong: judging it takes too long.
        Exception: any error of the judge.
    """
    try:
        return BackgroundJob(lambda: read_recording(evidence), "leftover").outcome(_LEFTOVER_S)
    except NoRecording:
        return None
    except TimeoutError as late:  # a subclass of OSError, which would mean an unreadable file
        raise TooLong(str(late)) from late

"""Find the deployment or run that a page is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kamiyo_verify.cli.remembered import matching
from kamiyo_verify.judge.history.deployment_record import deployment_file
from kamiyo_verify.judge.history.deployments import deployments
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.history.deployment_record import DeploymentFile
from kamiyo_verify.model.history.history import Deployed, DeploymentRecord, PastRun
from kamiyo_verify.model.history.recorded_run import Ending, Outline
from kamiyo_verify.model.words import Action

MOST_RUNS = 40
"""The most runs of one deployment that a page covers: a commit that stays for months has many."""

_SHORTEST = 4
_LISTED = 8
_TROUBLED = {Action.ROLL_BACK, Action.FIX_FORWARD}


@dataclass(frozen=True, slots=True)
class Subject:
    """The deployment and run that a page is about.

    Attributes:
        before: the deployments before it, oldest first.
        run: the id of the run.
    """

    record: DeploymentRecord
    before: tuple[DeploymentRecord, ...]
    run: str


class Subjects:
    """The deployments and runs of an environment in a ledger.

    Args:
        store: the ledger.
        environment: the name of the environment.

    Raises:
        LedgerUnavailable: here and in every method: the ledger cannot be read.
    """

    def __init__(self, store: Store, environment: str) -> None:
        self._store = store
        self._environment = environment
        self._records = deployments(store.past(environment))
        self._drills = {one.id: one for one in store.past(environment, drills=True)}
        # Read last, so that it includes runs that are recorded meanwhile.
        self._outlines = {one.id: one for one in store.outlines(environment)}

    def deployment(self, named: str) -> Subject:
        """Find a deployment by its commit or one of its runs; the newest if `named` is "".

        Raises:
            LookupError: none matches, or more than one; the message lists the choices.
        """
        if named:
            return self._named(named)
        if self._records:
            return self._of_record(self._records[-1])
        drills = [run for run in self._drills.values() if deployments([run])]
        if drills:
            return self._of_run(self._outlines[drills[-1].id])
        raise LookupError(self._none("deployment"))

    def trouble(self, named: str) -> Subject:
        """Find a run by name, or the newest that recommended a rollback or a fix, including drills.

        Raises:
            LookupError: none matches, or more than one; the message lists the choices.
        """
        if named:
            return self._named(named)
        found = [one for one in self._outlines.values() if _is_troubled(one)]
        if not found:
            raise LookupError(self._none("run that called for a rollback or a fix"))
        return self._of_run(found[-1])

    def deployment_file(self, subject: Subject) -> DeploymentFile:
        """Collect all data about a subject."""
        ids = self._runs_of(subject)
        kept = {*ids[-MOST_RUNS:], subject.run}
        runs = tuple(self._store.runs(kept))
        return deployment_file(
            self._environment, subject.record, runs, subject.before, earlier_runs=len(ids) - len(runs)
        )

    def _named(self, named: str) -> Subject:
        records = [one for one in self._records if len(named) >= _SHORTEST and _begins(one.commit, named)]
        if len(records) == 1:
            return self._of_record(records[0])
        runs = [run for run in matching(self._store, named) if run in self._outlines]
        if len(runs) == 1 and not records:
            return self._of_run(self._outlines[runs[0]])
        choices = [*(one.commit[:12] for one in records), *runs]
        if choices:
            raise LookupError(f"{named} can be any of {_listed(choices)}")
        raise LookupError(f"{self._environment} has no deployment and no run {named}; {self._choices()}")

    def _of_record(self, record: DeploymentRecord) -> Subject:
        troubled = [run for run in record.runs if _is_troubled(self._outlines[run])]
        before = tuple(one for one in self._records if one.seen_at < record.seen_at)
        return Subject(record, before, (troubled or record.runs)[-1])

    def _of_run(self, run: Outline) -> Subject:
        record = next((one for one in self._records if _is_of(run, one)), None)
        if record is not None:
            return Subject(record, self._of_record(record).before, run.id)
        drill = self._drills.get(run.id)
        alone = deployments([drill] if drill else [])
        return Subject(alone[0] if alone else _by_itself(run, drill), (), run.id)

    def _runs_of(self, subject: Subject) -> list[str]:
        """Return the ids of all runs of its commit, such as the preflight; for a drill only its own."""
        record = subject.record
        if self._outlines[subject.run].drill or not record.commit:
            return [subject.run]
        return [one.id for one in self._outlines.values() if _is_of(one, record)]

    def _none(self, what: str) -> str:
        return f"the ledger knows no {what} of {self._environment} yet; {self._choices()}"

    def _choices(self) -> str:
        """List the valid choices, newest first."""
        if self._records:
            return f"its deployments are {_listed([one.commit[:12] for one in reversed(self._records)])}"
        if self._outlines:
            return f"its runs are {_listed([*reversed(self._outlines)])}"
        return f"make postdeploy ENV={self._environment} records a run"


def _is_troubled(run: Outline) -> bool:
    return run.recommendation in _TROUBLED and run.ending is Ending.FINISHED and not run.baseline


def _is_of(run: Outline, record: DeploymentRecord) -> bool:
    """Whether the run belongs to the deployment, or is another run of its commit, such as the preflight."""
    aside = run.drill or run.baseline or not run.commit
    return run.id in record.runs or (not aside and same_commit(run.commit, record.commit))


def _begins(commit: str, named: str) -> bool:
    return commit.casefold().startswith(named.casefold()) or same_commit(commit, named)


def _by_itself(run: Outline, seen: PastRun | None) -> DeploymentRecord:
    """Build a record for a run that belongs to no deployment."""
    return DeploymentRecord(
        commit=run.commit,
        seen_at=run.started_at,
        runs=(run.id,),
        succeeded=None,
        rolled_back=False,
        seen=seen.deployed if seen else Deployed(commit=run.commit),
    )


def _listed(choices: Sequence[str]) -> str:
    more = len(choices) - _LISTED
    return ", ".join(choices[:_LISTED]) + (f" and {more} more" if more > 0 else "")

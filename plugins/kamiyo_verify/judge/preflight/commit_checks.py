"""The combined state of a commit's checks: check runs, commit statuses, and a branch's required checks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from kamiyo_verify.model.outcomes import Unverified
from kamiyo_verify.model.outside.own_job import OwnJob
from kamiyo_verify.model.outside.review import CheckOutcome, CheckRun, CommitState, CommitStatus
from kamiyo_verify.model.outside.workflow import WorkflowRun


@dataclass(frozen=True, slots=True)
class CommitChecks:
    """The checks of a commit, without the job that reads them.

    Attributes:
        total: number of checks.
        succeeded: number of checks that ran and succeeded; a skipped check does not count.
        red: failed checks and required checks that did not run, with the reason.
        open: checks that are not finished, or ended without a result, with their state.
        own: names of this run's own job, which does not count.
    """

    total: int
    succeeded: int
    red: tuple[str, ...]
    open: tuple[str, ...]
    own: tuple[str, ...] = ()

    def settled(self) -> CommitChecks:
        """Return itself if every check has a result.

        Raises:
            Unverified: some checks have no result.
        """
        if self.open:
            raise Unverified(f"not known yet: {', '.join(self.open)}; run it again when they have ended")
        return self


def commit_checks(
    runs: Sequence[CheckRun],
    statuses: Iterable[CommitStatus],
    *,
    required: Collection[str] = (),
    own: OwnJob | None = None,
    workflows: Iterable[WorkflowRun] = (),
) -> CommitChecks:
    """Combine the checks of a commit.

    Args:
        runs: check runs of the commit.
        statuses: commit statuses, the latest of each context.
        required: names of the checks that the branch requires.
        own: the CI job that this run is part of.
        workflows: the commit's workflow runs, where they are known: a failed check counts no more if a later
            run of the same workflow repeated it.
    """
    own = own or OwnJob()
    ours = _own_names(runs, own)
    runs = [run for run in runs if (run.app, run.name) not in ours]
    foreign = [status for status in statuses if not _is_own(status, own)]
    known = {str(one.id): one for one in workflows}
    counting = [run for run in runs if not _superseded(run, runs) and not _repeated(run, runs, known)]
    outcomes = [(run.name, run.outcome, run.conclusion or run.status) for run in counting]
    outcomes += [(one.context, _STATES[one.state], one.state.value) for one in foreign]
    names = {name for name, _, _ in outcomes} | {name for _, name in ours}
    missing = tuple(f"{name} (required, did not run)" for name in sorted(set(required) - names))
    marked = {True: ", required", False: ", optional" if required else ""}

    def those(wanted: CheckOutcome) -> tuple[str, ...]:
        return tuple(
            f"{name} ({state}{marked[name in required]})"
            for name, found, state in outcomes
            if found is wanted
        )

    return CommitChecks(
        total=len(outcomes),
        succeeded=sum(state == "success" for _, _, state in outcomes),
        red=those(CheckOutcome.RED) + missing,
        open=those(CheckOutcome.OPEN),
        own=tuple(sorted({name for _, name in ours})),
    )


_STATES = {
    CommitState.SUCCESS: CheckOutcome.GREEN,
    CommitState.PENDING: CheckOutcome.OPEN,
    CommitState.FAILURE: CheckOutcome.RED,
    CommitState.ERROR: CheckOutcome.RED,
}


def _own_names(runs: Sequence[CheckRun], own: OwnJob) -> frozenset[tuple[str, str]]:
    """Return app and name of our own job's check run; earlier runs of the same job are included.

    GitHub names a check run after the job's name, which can differ from its key. In that case our job is the
    only job of our workflow run that is in progress.
    """
    if not own.run_id:
        return frozenset()
    under_way = [run for run in runs if run.workflow_run == own.run_id and run.status != "completed"]
    named = [run for run in under_way if _is_named(run.name, own.job)]
    found = named or (under_way if len(under_way) == 1 else [])
    return frozenset((run.app, run.name) for run in found)


def _is_named(name: str, job: str) -> bool:
    """Return whether the name is the job's: itself, in a matrix ("job (3.12)"), or called ("call / job")."""
    plain = name.rpartition(" / ")[2].partition(" (")[0].strip().casefold()
    return bool(job) and job.casefold() in {plain, name.casefold(), name.partition(" / ")[0].casefold()}


def _is_own(status: CommitStatus, own: OwnJob) -> bool:
    url = (status.target_url or "").partition("?")[0].rstrip("/")
    return any(url == known or url.startswith(f"{known}/") for known in own.urls)


def _superseded(run: CheckRun, runs: Sequence[CheckRun]) -> bool:
    """Return whether a run is cancelled or stale (by concurrency) and another run has a result."""
    if run.outcome is not CheckOutcome.OPEN or run.status != "completed":
        return False
    same = [one for one in runs if (one.app, one.name) == (run.app, run.name)]
    return any(one.conclusion in {"success", "failure", "timed_out"} for one in same)


_RESULTS = frozenset({"success", "failure", "timed_out", "startup_failure"})


def contested(runs: Sequence[CheckRun]) -> bool:
    """Return whether a failed check succeeded in another workflow run, so that their order matters."""
    return any(
        run.outcome is CheckOutcome.RED
        and any(
            (one.app, one.name) == (run.app, run.name)
            and one.conclusion == "success"
            and one.workflow_run not in {"", run.workflow_run}
            for one in runs
        )
        for run in runs
    )


def _repeated(run: CheckRun, runs: Sequence[CheckRun], known: Mapping[str, WorkflowRun]) -> bool:
    """Return whether a later run of the same workflow gave the same check a result."""
    earlier = known.get(run.workflow_run)
    return (
        earlier is not None
        and run.status == "completed"
        and any(
            (one.app, one.name) == (run.app, run.name)
            and one.conclusion in _RESULTS
            and (later := known.get(one.workflow_run)) is not None
            and later.follows(earlier)
            for one in runs
        )
    )

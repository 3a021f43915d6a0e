"""The verdict of a run, including its process exit code. An internal error never leads to "proceed"."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kamiyo_verify.judge.decide import decide
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.verdict import Rollback, Verdict
from kamiyo_verify.model.words import Action, Status

CUT_SHORT = frozenset({int(ExitCode.INTERRUPTED), int(ExitCode.INTERNAL_ERROR)})
_KEPT = CUT_SHORT | {int(ExitCode.USAGE_ERROR)}
_NO_TESTS_COLLECTED = 5
"""pytest's exit code for an empty selection, which has its own call."""


def conclude(evidence: Evidence, exitstatus: int) -> Verdict:
    """Return the verdict of a run; its exit code is the call's, or pytest's own.

    A failed test that is not a check also prevents "proceed". An interrupted run that saw an item fail keeps
    the exit code of its call, which names the item.
    """
    verdict = decide(evidence)
    code = verdict.exit_code
    if exitstatus == int(ExitCode.INTERRUPTED) and _saw_a_failure(verdict):
        return verdict
    if exitstatus in _KEPT or (code == 0 and exitstatus not in {0, _NO_TESTS_COLLECTED}):
        code = exitstatus
    return replace(verdict, exit_code=code)


def _saw_a_failure(verdict: Verdict) -> bool:
    return any(report.status is Status.FAILED for report in verdict.items)


def broken(
    *,
    project: str,
    environment: str,
    phases: Iterable[str],
    commit: str,
    started_at: str,
    finished_at: str,
    problem: str,
    place: str = "",
) -> Verdict:
    """Return the verdict for a run whose judging or writing failed: nothing is known."""
    return Verdict(
        project=project,
        environment=environment,
        phase="+".join(phases),
        commit=commit,
        started_at=started_at,
        finished_at=finished_at,
        recommendation=Action.INCONCLUSIVE,
        exit_code=int(ExitCode.INTERNAL_ERROR),
        headline=f"no verdict: {problem}",
        flip="",
        next_step="run it again; if it breaks again, report it with evidence.jsonl",
        escalation="",
        reasons=(),
        slos=(),
        items=(),
        unverified=(),
        rollback=Rollback(),
        place=place,
    )


def undecided(
    *,
    project: str,
    environment: str,
    phase: str,
    commit: str,
    started_at: str,
    finished_at: str,
    headline: str,
    next_step: str,
) -> Verdict:
    """Return the verdict where no run left one: nothing is known, and a person decides."""
    nothing = broken(
        project=project,
        environment=environment,
        phases=(phase,),
        commit=commit,
        started_at=started_at,
        finished_at=finished_at,
        problem="",
    )
    code = Action.INCONCLUSIVE.exit_code
    return replace(nothing, headline=headline, next_step=next_step, exit_code=code)

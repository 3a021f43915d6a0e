"""Checks before a rollback follows a verdict: it is recent, about this deployment, and not from a drill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kamiyo_verify.evidence.baselines import BASELINE
from kamiyo_verify.evidence.recording import NoRecording, read_lines
from kamiyo_verify.model.commits import same_commit
from kamiyo_verify.model.exit_codes import ExitCode
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.hosting.rollback import CannotRollBack, Plan
from kamiyo_verify.model.hosting.services import ServiceState
from kamiyo_verify.model.words import Action
from kamiyo_verify.rollback.subject import FRESH_S, UNFINISHED_S, Subject

DEPLOYED_WITHIN_S = 86_400.0
"""A service that ran for a day without a rollback was not broken by its own deployment."""

_AHEAD_S = 120.0
"""How far another machine's clock may be ahead of this one's."""


def check_verdict(subject: Subject, *, practice: bool) -> None:
    """Refuse a verdict that must not lead to a rollback.

    Args:
        subject: the verdict.
        practice: the platform was launched for a drill, so a drill's verdict is accepted.

    Raises:
        CannotRollBack: the verdict is too old, from a baseline or a drill, or contradicts itself.
    """
    verdict = subject.verdict
    verify = f"verify again: pytest -m postdeploy --env {verdict.environment}"
    if subject.age_s < -_AHEAD_S:
        raise CannotRollBack(f"the verdict is of a moment that is still to come ({subject}): {verify}")
    half_way = subject.past.sent and not subject.past.finished
    if subject.age_s > (UNFINISHED_S if half_way else FRESH_S):
        raise CannotRollBack(f"the verdict is too old to act on ({subject}); {verify}")
    if verdict.recommendation is Action.ROLL_BACK and verdict.exit_code != ExitCode.ROLL_BACK:
        raise CannotRollBack(
            f"the verdict contradicts itself: it says roll back, with exit code {verdict.exit_code}"
            f" instead of {int(ExitCode.ROLL_BACK)}; {verify}"
        )
    header = _header(subject)
    if header.get("baseline") or (subject.folder / BASELINE).exists():
        raise CannotRollBack("a baseline tells how things were before a deployment, and takes none back")
    if header.get("overrides"):
        raise CannotRollBack(
            f"the run looked elsewhere ({', '.join(header['overrides'])}): what it saw may not be what the"
            " host serves"
        )
    if (header.get("faults") or header.get("launched")) and not practice:
        raise CannotRollBack("the verdict is of a drill, which says nothing about this platform")


def check_deployment(
    subject: Subject, plan: Plan, states: Sequence[ServiceState], *, unattended: bool
) -> None:
    """Refuse if the verdict is about another commit, or if the deployment is more than a day old.

    Args:
        subject: the verdict.
        plan: what would be done.
        states: the current states of the services.
        unattended: nobody confirms at a terminal; only then is the deployment's age checked.

    Raises:
        CannotRollBack: one of the two conditions is not met.
    """
    wanted = subject.verdict.commit
    if wanted and not any(same_commit(target.current_commit, wanted) for target in plan.targets):
        served = ", ".join(f"{target.name} serves {target.current_commit[:7]}" for target in plan.targets)
        raise CannotRollBack(f"the verdict is about commit {wanted[:7]}, and {served}. Nothing was done")
    if not unattended:
        return
    by_service = {state.service: state for state in states}
    judged = datetime.fromisoformat(subject.verdict.finished_at)
    for target in plan.targets:
        deploy = by_service[target.service].deploy(target.current)
        age_s = (judged - deploy.created_at).total_seconds() if deploy else 0.0
        if age_s > DEPLOYED_WITHIN_S:
            raise CannotRollBack(
                f"{target.name} has served {target.current} for {duration(age_s)}, so that deployment is"
                f" hardly what broke it. A person decides: without --yes, or --to {target.service}=DEPLOY"
            )


def _header(subject: Subject) -> Mapping[str, Any]:
    """Read the first line of the evidence beside the verdict.

    Raises:
        CannotRollBack: it is missing, so it is unknown whether the verdict is from a drill or a baseline.
    """
    path = subject.folder / "evidence.jsonl"
    try:
        return read_lines(path).run
    except (OSError, NoRecording):
        raise CannotRollBack(
            f"{path}: is missing or cannot be read, so it is not known whether the verdict is of a drill or a"
            " baseline; verify again"
        ) from None

"""The states that GitHub shows beside a commit and a deployment; only "proceed" is a success.

Source: https://docs.github.com/en/rest/deployments/statuses and …/commits/statuses.
"""

from __future__ import annotations

from typing import Any

from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.model.words import Action, Phase
from kamiyo_verify.reporting.inert import one_line

_LONGEST = 140
"""Characters that GitHub takes of a description."""

_CALLS = {
    Action.PROCEED: "success",
    Action.HOLD: "failure",
    Action.FIX_FORWARD: "failure",
    Action.ROLL_BACK: "failure",
    Action.INCONCLUSIVE: "error",
}


def state_of(verdict: Verdict) -> str:
    """Return "success", "failure", "error" or "pending"; a non-zero exit code is never a success.

    A deploy phase that went well says that the commit is live, and nothing yet of how it works.
    """
    state = _CALLS[verdict.recommendation]
    if state == "success" and verdict.exit_code:
        return "error"
    return "pending" if state == "success" and verdict.phase == Phase.DEPLOY else state


def commit_status(verdict: Verdict, context: str, report_url: str = "") -> dict[str, Any]:
    """Return the body of a commit status.

    Args:
        verdict: the verdict of a run.
        context: the name of the status; statuses of one name replace each other.
        report_url: where the report is, or "".
    """
    body = {"state": state_of(verdict), "context": context, "description": _described(verdict)}
    return body | ({"target_url": report_url} if report_url else {})


def deployment_status(verdict: Verdict, report_url: str = "") -> dict[str, Any]:
    """Return the body of a deployment status; other deployments keep theirs."""
    state = state_of(verdict)
    body = {
        "state": "in_progress" if state == "pending" else state,
        "description": _described(verdict),
        "auto_inactive": False,
    }
    return body | ({"log_url": report_url} if report_url else {})


def _described(verdict: Verdict) -> str:
    call = verdict.recommendation.value.replace("_", " ")
    text = one_line(f"{call}: {verdict.headline}", _LONGEST)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

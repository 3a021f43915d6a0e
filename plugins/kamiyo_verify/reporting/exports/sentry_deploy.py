"""The marker that Sentry shows where a release was deployed and verified."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kamiyo_verify.model.verdict import Verdict


def deploy_marker(
    verdict: Verdict, environment: str, projects: Sequence[str], report_url: str = ""
) -> dict[str, Any]:
    """Return the body of a deploy.

    Args:
        verdict: the verdict of a run after the deployment.
        environment: its name at Sentry.
        projects: the slugs of the projects that were deployed.
        report_url: where the report is, or "".
    """
    seen = verdict.deployment.seen
    marker = {
        "environment": environment,
        "name": f"kamiyo-verify: {verdict.recommendation.value.replace('_', ' ')}",
        "projects": [*projects],
        "dateFinished": verdict.finished_at,
    }
    if seen.began_at:
        marker["dateStarted"] = seen.began_at
    if report_url:
        marker["url"] = report_url
    return marker

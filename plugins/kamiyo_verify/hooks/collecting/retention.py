"""Warn before a deployment that the host will keep no earlier build to go back to."""

from __future__ import annotations

from collections.abc import Collection

from kamiyo_verify.config.environment import Environment
from kamiyo_verify.model.words import Phase


def describe_retention(environment: Environment, phases: Collection[Phase]) -> str:
    """Return the warning, as one line; "" after a deployment, or where an earlier build is kept."""
    table = environment.render
    if table is None or table.builds_kept != 1 or Phase.PREFLIGHT not in phases:
        return ""
    return (
        "warning: [render] builds_kept = 1: after this deployment there is no earlier build to roll back to;"
        " then the commit before it has to be deployed anew, which builds it"
    )

"""Replace a rollback that would help nobody, that the schema forbids, or that has no target."""

from __future__ import annotations

from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.judge.rollback.without_target import without_target
from kamiyo_verify.judge.rules.beyond_code import beyond_code
from kamiyo_verify.judge.rules.finding import Finding
from kamiyo_verify.judge.rules.held_back import held_back


def possible(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings, or another call in place of a rollback that is not possible."""
    return without_target(evidence, held_back(evidence, beyond_code(evidence, found)))

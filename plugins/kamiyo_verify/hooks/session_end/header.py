"""The first line of a run's evidence."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from kamiyo_verify.hooks.run import Run
from kamiyo_verify.model.runbook import Runbook
from kamiyo_verify.model.verdict import SCHEMA


def header(run: Run, runbook: Runbook) -> dict[str, Any]:
    """Return the first line of a run's evidence: its identity, options and runbook."""
    environment, options = run.configured, run.options
    return {
        "schema": SCHEMA,
        "id": f"{datetime.fromisoformat(run.started_at):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        "environment": environment.name,
        "project": environment.title,
        "production": environment.production,
        "absent": sorted(environment.absent),
        "commit": options.commit,
        "place": options.place,
        "baseline": options.baseline,
        "started_at": run.started_at,
        "overrides": options.overrides,
        "attested": [word.model_dump(mode="json") for word in run.attestations.values()],
        "faults": options.faults,
        "launched": options.launched is not None,
        "deadline_s": run.clock.deadline_s,
        "runbook": runbook.model_dump(mode="json"),
    }

"""Steps after a rollback: run the rollback phase in its own process, then record the decision."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kamiyo_verify.config.ledger_address import ledger_url
from kamiyo_verify.evidence.recording import run_id
from kamiyo_verify.hooks.report_dir import point_latest_at
from kamiyo_verify.model.figures import duration
from kamiyo_verify.model.history.recorded_run import Decision, DecisionKind
from kamiyo_verify.model.hosting.rollback import Record
from kamiyo_verify.model.words import Phase
from kamiyo_verify.processes.background_job import BackgroundJob
from kamiyo_verify.rollback.context import RollbackContext

_LEDGER_S = 30.0
_DECISION = "rollback.decision-recorded"
"""The rollback knows who decided, so it attests this item itself."""


def verify(context: RollbackContext, record: Record) -> Record:
    """Run the rollback phase; return the record with the phase's exit code and report.

    A runbook without that phase is verified by its postdeploy phase, whatever commit answers.
    """
    plan = record.plan
    folder = _fresh(context, plan.bad_commit)
    ours = any(item.phase is Phase.ROLLBACK for item in context.runbook.items)
    phase = Phase.ROLLBACK if ours else Phase.POSTDEPLOY
    say = context.console.say
    say()
    say(f"Verifying: pytest -m {phase}")
    words = [sys.executable, "-m", "pytest", "-m", phase, "--env", context.named, "-q", "--no-header"]
    words += [f"--report-dir={folder}"]
    if any(item.id == _DECISION for item in context.runbook.items):
        words += ["--attest", f"{_DECISION}={context.by.replace(':', ' ')}: {_note(record)}"]
    if phase is Phase.ROLLBACK:
        words += ["--commit", plan.bad_commit] if plan.bad_commit else []
        words += [word for one in plan.stays for word in ("--stays", one.service)]
    words += ["--launched", str(context.launched)] if context.launched else []
    code = context.run_child(words)
    if folder.is_dir():
        point_latest_at(folder)
    return replace(record, verified=code, report=_shown(folder, context.root))


def record_decision(context: RollbackContext, record: Record) -> Record:
    """Write into the ledger that the deployment was rolled back; return the record with the result."""
    try:
        BackgroundJob(lambda: _decide(context, record), "ledger").outcome(_LEDGER_S)
    except Exception as error:  # noqa: BLE001 - a ledger failure does not change what was done
        return replace(record, recorded=context.masker.text(str(error) or type(error).__name__))
    return replace(record, recorded="")


def _decide(context: RollbackContext, record: Record) -> None:
    # Importing SQLAlchemy takes longer than all the queries here, so it is imported late.
    from kamiyo_verify.ledger.store import Store  # noqa: PLC0415

    evidence = context.root / record.report / "evidence.jsonl"
    run = record.plan.run or (run_id(evidence) if evidence.is_file() else "")
    with Store.opened(ledger_url(context.environment, context.reports)) as store:
        if run not in store.find(run or "no run"):
            raise LookupError(f"the ledger has no run {run or 'of this rollback'}")
        state = [one for one in store.decisions(context.environment.name) if one.run == run]
        if state and state[-1].deed is DecisionKind.ROLLED_BACK:
            return  # the earlier execution that this one continues has recorded it
        store.decide(
            Decision(
                run=run,
                deed=DecisionKind.ROLLED_BACK,
                who=context.by,
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                note=context.masker.text(_note(record)),
            )
        )


def _note(record: Record) -> str:
    """Describe which service was rolled back to what, and how long it took."""
    took = []
    for one in record.outcome.services:
        time = f" in {duration(one.took_s)}" if one.took_s is not None else ""
        took.append(f"{one.target.name} to {one.target.to} (commit {one.target.to_commit[:7]}){time}")
    return f"{record.how}: {', '.join(took)}"


def _fresh(context: RollbackContext, commit: str) -> Path:
    """Return the report folder of the phase; the phase creates it."""
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-rollback" + (f"-{commit[:7]}" if commit else "")
    return context.reports / context.environment.name / stem


def _shown(folder: Path, root: Path) -> str:
    return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)

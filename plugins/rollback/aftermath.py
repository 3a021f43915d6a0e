"""What follows a rollback: the rollback phase in a process of its own, and the ledger."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from plugins.later import Later
from plugins.ledger_address import ledger_url
from plugins.model.figures import duration
from plugins.model.recorded import Decision, Deed
from plugins.model.rollback import Record
from plugins.recording import run_id
from plugins.report_dir import point_latest_at
from plugins.rollback.scene import Scene

_LEDGER_S = 30.0
_DECISION = "rollback.decision-recorded"
"""Who decided is known here, and goes into the ledger."""


def verify(scene: Scene, record: Record) -> Record:
    """Run the rollback phase about what was taken back; the record with its exit code and report."""
    plan = record.plan
    folder = _fresh(scene, plan.bad_commit)
    say = scene.narrator.say
    say()
    say("Verifying: pytest -m rollback")
    words = [sys.executable, "-m", "pytest", "-m", "rollback", "--env", scene.named, "-q", "--no-header"]
    words += [f"--report-dir={folder}"]
    if any(item.id == _DECISION for item in scene.runbook.items):
        words += ["--attest", f"{_DECISION}={scene.by.replace(':', ' ')}: {_note(record)}"]
    words += ["--commit", plan.bad_commit] if plan.bad_commit else []
    words += [word for one in plan.stays for word in ("--stays", one.service.value)]
    words += ["--launched", str(scene.launched)] if scene.launched else []
    code = scene.run_child(words)
    if folder.is_dir():
        point_latest_at(folder)
    return replace(record, verified=code, report=_shown(folder, scene.root))


def record_decision(scene: Scene, record: Record) -> Record:
    """Write into the ledger that people took the deployment back; the record with what came of it."""
    try:
        Later(lambda: _decide(scene, record), "ledger").outcome(_LEDGER_S)
    except Exception as error:  # noqa: BLE001 - what was done does not depend on who remembers it
        return replace(record, recorded=scene.masker.text(str(error) or type(error).__name__))
    return replace(record, recorded="")


def _decide(scene: Scene, record: Record) -> None:
    # Importing SQLAlchemy takes longer than all that it is asked for here.
    from plugins.ledger.store import Store  # noqa: PLC0415

    evidence = scene.root / record.report / "evidence.jsonl"
    run = record.plan.run or (run_id(evidence) if evidence.is_file() else "")
    with Store.opened(ledger_url(scene.environment, scene.reports)) as store:
        if run not in store.find(run or "no run"):
            raise LookupError(f"the ledger has no run {run or 'of this rollback'}")
        standing = [one for one in store.decisions(scene.environment.name) if one.run == run]
        if standing and standing[-1].deed is Deed.ROLLED_BACK:
            return  # by the execution that this one goes on from
        store.decide(
            Decision(
                run=run,
                deed=Deed.ROLLED_BACK,
                who=scene.by,
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                note=scene.masker.text(_note(record)),
            )
        )


def _note(record: Record) -> str:
    """Which service went where, and how long it took."""
    took = []
    for one in record.outcome.services:
        time = f" in {duration(one.took_s)}" if one.took_s is not None else ""
        took.append(f"{one.target.name} to {one.target.to} (commit {one.target.to_commit[:7]}){time}")
    return f"{record.how}: {', '.join(took)}"


def _fresh(scene: Scene, commit: str) -> Path:
    """Where the phase is to write; the folder is made by it."""
    stem = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-rollback" + (f"-{commit[:7]}" if commit else "")
    return scene.reports / scene.environment.name / stem


def _shown(folder: Path, root: Path) -> str:
    return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)

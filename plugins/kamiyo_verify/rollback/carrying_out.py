"""Carry out a confirmed plan: roll back, verify, record and report."""

from __future__ import annotations

from pathlib import Path

from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.model.hosting.rollback import End, Plan, Record
from kamiyo_verify.reporting import rollback as writer
from kamiyo_verify.rollback import journal as kinds
from kamiyo_verify.rollback.aftermath import record_decision, verify
from kamiyo_verify.rollback.context import RollbackContext
from kamiyo_verify.rollback.executor import Executor
from kamiyo_verify.rollback.gateway import HostingGateway
from kamiyo_verify.rollback.journal import Journal, Past

DONE, NOT_FINISHED, REFUSED, NOT_VERIFIED, INTERRUPTED = 0, 1, 2, 30, 130
"""Exit codes. In addition 10: everything is rolled back, and the rollback phase recommends a fix."""

_ENDS = {End.STOPPED: NOT_FINISHED, End.INTERRUPTED: INTERRUPTED}


def carry_out(context: RollbackContext, plan: Plan, folder: Path, gateway: HostingGateway) -> int:
    """Roll back, verify, record and report; return the exit code.

    Args:
        context: the environment and its settings.
        plan: the confirmed plan.
        folder: the report's folder; the journal and the final summary are written there.
        gateway: reads and changes the host.

    Raises:
        OSError: the journal cannot be created; nothing was done in that case.
    """
    past = Past.read(folder)
    journal = Journal(folder, context.masker)
    try:
        journal.write(
            kinds.BEGUN,
            by=context.by,
            how=context.how,
            run=plan.run,
            services={target.name: f"{target.current} to {target.to}" for target in plan.targets},
        )
        return _carry_out(context, plan, folder, gateway, journal, past)
    finally:
        journal.close()


def _carry_out(
    context: RollbackContext, plan: Plan, folder: Path, gateway: HostingGateway, journal: Journal, past: Past
) -> int:
    table, say = context.hosting, context.console.say
    outcome = Executor(
        plan,
        gateway,
        journal,
        past,
        context.console,
        wait_s=table.deploy_timeout_s,
        poll_s=table.poll_s,
        settle_s=context.environment.timeouts.answer,
    ).run()
    record = Record(plan=plan, outcome=outcome, by=context.by, how=context.how)
    say()
    for line in writer.outcome_lines(outcome, context.again):
        say(line)
    if outcome.end is not End.DONE:
        _keep(context, folder, record)
        return _ENDS[outcome.end]
    return _finish(context, folder, journal, record)


def _finish(context: RollbackContext, folder: Path, journal: Journal, record: Record) -> int:
    """Verify and record after the services are rolled back; a later error does not undo the rollback."""
    say = context.console.say
    _keep(context, folder, record)
    try:
        record = verify(context, record)
        journal.write(kinds.VERIFIED, exit_code=record.verified, report=record.report)
        record = record_decision(context, record)
        if not record.recorded:
            journal.write(kinds.RECORDED)
    except KeyboardInterrupt:
        say()
        say(f"INTERRUPTED  the services are back; what follows was cut short. Finish it: {context.again}")
        return INTERRUPTED
    except OSError as error:
        say(f"  warning    the journal cannot be written any more: {error.strerror or error}")
    _keep(context, folder, record)
    say()
    for line in writer.ending_lines(record, str(_short(journal.path, context.root))):
        say(line)
    return record.verified if record.verified in {0, 10} else NOT_VERIFIED


def _keep(context: RollbackContext, folder: Path, record: Record) -> None:
    """Write rollback.json and rollback.md; if that fails, print the reason and continue."""
    try:
        write_atomically(folder / "rollback.json", context.masker.text(writer.rollback_json(record)))
        write_atomically(folder / "rollback.md", context.masker.text(writer.rollback_md(record)))
    except OSError as error:
        context.console.say(f"  warning    {folder}: cannot be written to: {error.strerror or error}")


def _short(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path

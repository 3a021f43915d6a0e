"""From a plan that was agreed to, to the end: done, verified, recorded and told."""

from __future__ import annotations

from pathlib import Path

from plugins.model.rollback import End, Plan, Record
from plugins.report_dir import write_atomically
from plugins.rollback import journal as kinds
from plugins.rollback.aftermath import record_decision, verify
from plugins.rollback.executor import Executor
from plugins.rollback.hands import Hands
from plugins.rollback.journal import Journal, Past
from plugins.rollback.scene import Scene
from plugins.writers import rollback as writer

DONE, NOT_FINISHED, REFUSED, NOT_VERIFIED, INTERRUPTED = 0, 1, 2, 30, 130
"""Exit codes; 10 besides, where all is back and the rollback phase calls for a fix."""

_ENDS = {End.STOPPED: NOT_FINISHED, End.INTERRUPTED: INTERRUPTED}


def carry_out(scene: Scene, plan: Plan, folder: Path, hands: Hands) -> int:
    """Do it, and all that follows; returns the exit code.

    Args:
        scene: where.
        plan: agreed to.
        folder: of the report; the journal is kept there, and what is said at the end.
        hands: look and act.

    Raises:
        OSError: the journal cannot be begun; nothing was done then.
    """
    past = Past.read(folder)
    journal = Journal(folder, scene.masker)
    try:
        journal.write(
            kinds.BEGUN,
            by=scene.by,
            how=scene.how,
            run=plan.run,
            services={target.name: f"{target.current} to {target.to}" for target in plan.targets},
        )
        return _carry_out(scene, plan, folder, hands, journal, past)
    finally:
        journal.close()


def _carry_out(scene: Scene, plan: Plan, folder: Path, hands: Hands, journal: Journal, past: Past) -> int:
    table, say = scene.hosting, scene.narrator.say
    outcome = Executor(
        plan,
        hands,
        journal,
        past,
        scene.narrator,
        wait_s=table.deploy_timeout_s,
        poll_s=table.poll_s,
        settle_s=scene.environment.timeouts.answer,
    ).run()
    record = Record(plan=plan, outcome=outcome, by=scene.by, how=scene.how)
    say()
    for line in writer.outcome_lines(outcome, scene.again):
        say(line)
    if outcome.end is not End.DONE:
        _keep(scene, folder, record)
        return _ENDS[outcome.end]
    return _finish(scene, folder, journal, record)


def _finish(scene: Scene, folder: Path, journal: Journal, record: Record) -> int:
    """The services are back: whatever goes wrong from here on does not change that."""
    say = scene.narrator.say
    _keep(scene, folder, record)
    try:
        record = verify(scene, record)
        journal.write(kinds.VERIFIED, exit_code=record.verified, report=record.report)
        record = record_decision(scene, record)
        if not record.recorded:
            journal.write(kinds.RECORDED)
    except KeyboardInterrupt:
        say()
        say(f"INTERRUPTED  the services are back; what follows was cut short. Finish it: {scene.again}")
        return INTERRUPTED
    except OSError as error:
        say(f"  mind       the journal cannot be written any more: {error.strerror or error}")
    _keep(scene, folder, record)
    say()
    for line in writer.ending_lines(record, str(_short(journal.path, scene.root))):
        say(line)
    return record.verified if record.verified in {0, 10} else NOT_VERIFIED


def _keep(scene: Scene, folder: Path, record: Record) -> None:
    """The two files; that they cannot be written is told and changes nothing."""
    try:
        write_atomically(folder / "rollback.json", scene.masker.text(writer.rollback_json(record)))
        write_atomically(folder / "rollback.md", scene.masker.text(writer.rollback_md(record)))
    except OSError as error:
        scene.narrator.say(f"  mind       {folder}: cannot be written to: {error.strerror or error}")


def _short(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path

"""Export and announce the final call of a watch, once: its rounds are sent to nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from kamiyo_verify.cli.announcing import call_announcer
from kamiyo_verify.cli.combine import read_run
from kamiyo_verify.cli.exporting import export_call, phases_in
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.evidence.recording import NoRecording, masked
from kamiyo_verify.evidence.timestamps import now
from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.judge.whole import verdict_of_watch
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.history.watch import WatchPlan, WatchState
from kamiyo_verify.model.verdict import Verdict
from kamiyo_verify.reporting.json import verdict_json

VERDICT = "verdict.json"


def watch_exported(
    environment: Environment,
    folder: Path,
    plan: WatchPlan,
    state: WatchState,
    words: Sequence[str],
    masker: Masker,
    runbook: Path,
) -> Iterator[str]:
    """Export and announce the final call of a watch; yield a line for whatever was not written or sent.

    A watch whose call was exported when it ended is not exported again by the same command.

    Args:
        environment: names the files, the systems and the channels.
        folder: of the watch; receives verdict.json, and the files that the environment names.
        plan: of the watch.
        state: its final state.
        words: pytest's arguments of its rounds, and --notify or --no-notify.
        masker: knows the secrets of the environment.
        runbook: the path of runbook.toml, which has the texts for channels.
    """
    file = folder / VERDICT
    if file.exists():
        return
    rounds = [*_verdicts(folder, state.rounds)]
    found = verdict_of_watch(plan, state, rounds, project=environment.title, finished_at=now())
    verdict = masked(found, masker)
    phases = phases_in(plan.arguments)
    yield from export_call(environment, verdict, words, folder, phases)
    if problem := _announced(environment, verdict, words, masker, runbook, phases, folder):
        yield f"Notify       not sent; the call does not change: {problem}"
    try:
        write_atomically(file, verdict_json(verdict))
    except OSError as error:
        yield f"Export       not written; the call does not change: {file.name}: {error.strerror}"


def _announced(
    environment: Environment,
    verdict: Verdict,
    words: Sequence[str],
    masker: Masker,
    runbook: Path,
    phases: str,
    folder: Path,
) -> str:
    """Announce the call in the environment's channels; return what did not succeed, or ""."""
    reports = sorted(folder.glob("rounds/*/report.html"))
    page = reports[-1] if reports else folder
    try:
        announcer = call_announcer(
            environment, runbook, masker.text, words, phases=phases, commit=verdict.commit, page=page
        )
    except ConfigurationError as error:
        return str(error)
    return announcer.finish(verdict) if announcer is not None else ""


def _verdicts(folder: Path, rounds: int) -> Iterator[Verdict]:
    """Yield the verdicts of the rounds, in order; one that left none is passed over."""
    for number in range(1, rounds + 1):
        try:
            yield read_run(folder / "rounds" / f"{number:04}" / VERDICT)
        except (NoRecording, OSError):
            continue

"""Measure how often the judge is right: `kamiyo-verify calibrate` simulates deployments with known faults.

Exit code 1 means that the share of wrong rollbacks, or of missed ones, is over 1 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from kamiyo_verify.calibration.judges import BROKEN, SIMPLE, Judge, real
from kamiyo_verify.calibration.platform import Platform
from kamiyo_verify.calibration.simulation import Simulation
from kamiyo_verify.calibration.tally import Tally, heading
from kamiyo_verify.calibration.truth import LIVING, TRUTHS, Truth
from kamiyo_verify.config.environments import ConfigurationError
from kamiyo_verify.config.runbook import load_runbook
from kamiyo_verify.judge.evidence import Evidence
from kamiyo_verify.model.runbook import Runbook

_RUNBOOK = Path("runbook.toml")
_FEWER = 20


def calibrate(runbook: Runbook, runs: int, seed: int) -> Tally:
    """Judge `runs` deployments of each kind; the same seed always gives the same tally."""
    tally = Tally()
    for truth, evidence in drawn((*TRUTHS, *LIVING), runbook, runs, seed):
        call = real(evidence)
        tally.count(truth, call.action, call.back)
    return tally


def beside(judge: Judge, runbook: Runbook, runs: int, seed: int) -> Tally:
    """Let another judge call the deployments that are simulated in time."""
    tally = Tally()
    for truth, evidence in drawn(LIVING, runbook, runs, seed):
        call = judge(evidence)
        tally.count(truth, call.action, call.back)
    return tally


def drawn(
    truths: Sequence[Truth], runbook: Runbook, runs: int, seed: int
) -> Iterator[tuple[Truth, Evidence]]:
    """Yield `runs` simulated deployments of each kind; the same seed always gives the same ones."""
    for truth in truths:
        random = Random(f"{seed} {truth.name}")  # noqa: S311 - no secret is drawn
        source = Platform(runbook, random) if truth.lives else Simulation(runbook, random)
        for _ in range(runs):
            yield truth, source.evidence(truth)


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate and print the tally; return 0 if the goal is reached, else 1."""
    parser = argparse.ArgumentParser(prog="kamiyo-verify calibrate", description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=100, help="deployments of each kind (100)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is left to chance (1)")
    parser.add_argument("--runbook", type=Path, default=_RUNBOOK, help="whose policy to judge by")
    chosen = parser.parse_args(arguments)
    if chosen.runs < 1:
        parser.error("at least one deployment of each kind")
    try:
        runbook = load_runbook(chosen.runbook)
    except ConfigurationError as error:
        parser.error(str(error))
    tally = calibrate(runbook, chosen.runs, chosen.seed)
    count = chosen.runs * (len(TRUTHS) + len(LIVING))
    description = f"{count:,} simulated deployments, seed {chosen.seed}, {chosen.runbook.name}"
    sys.stdout.write(
        "\n".join([description, "", *tally.lines(), "", *_others(runbook, chosen.runs, chosen.seed), ""])
    )
    return 0 if tally.within_goal else 1


def _others(runbook: Runbook, runs: int, seed: int) -> Iterator[str]:
    """Yield a table of other judges; fewer runs are enough to see what a broken one does."""
    yield "Of those in time, beside other judges:"
    yield heading()
    yield beside(real, runbook, runs, seed).row("this judge")
    for name, judge in {**SIMPLE, **BROKEN}.items():
        yield beside(judge, runbook, runs if name in SIMPLE else min(runs, _FEWER), seed).row(name)

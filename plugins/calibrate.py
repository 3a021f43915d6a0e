"""How often the judge is right: `python -m plugins.calibrate` simulates deployments whose truth is known.

Exit code 1 says that wrong or missed rollbacks are more than one in a hundred.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from plugins.calibration.simulation import Simulation
from plugins.calibration.tally import Tally
from plugins.calibration.truth import TRUTHS
from plugins.configuration import ConfigurationError
from plugins.judge.decide import decide
from plugins.model.runbook import Runbook
from plugins.runbook import load_runbook

_RUNBOOK = Path(__file__).parents[1] / "runbook.toml"


def calibrate(runbook: Runbook, runs: int, seed: int) -> Tally:
    """Judge so many deployments of each kind; the same seed always gives the same tally."""
    tally = Tally()
    for truth in TRUTHS:
        simulation = Simulation(runbook, Random(f"{seed} {truth.name}"))  # noqa: S311 - no secret is drawn
        for _ in range(runs):
            tally.count(truth, decide(simulation.evidence(truth)).recommendation)
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Simulate, print, and say by the exit code whether the goal is reached."""
    parser = argparse.ArgumentParser(prog="python -m plugins.calibrate", description=__doc__)
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
    told = f"{chosen.runs * len(TRUTHS):,} simulated deployments, seed {chosen.seed}, {chosen.runbook.name}"
    sys.stdout.write("\n".join([told, "", *tally.lines(), ""]))
    return 0 if tally.within_goal else 1


if __name__ == "__main__":
    sys.exit(main())

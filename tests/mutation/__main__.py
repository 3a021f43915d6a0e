"""Change the judge in one place at a time, and see whether a test notices.

python -m tests.mutation [--seed N] [--sample N] [--only rules]

What was tried stays in build/mutation, by its seed: an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import difflib
import gc
import json
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest

from kamiyo_verify.judge.statistics.exact import EXACT
from tests.mutation import covering
from tests.mutation.mutants import Mutant, sampled
from tests.mutation.trial import OPTIONS, Outcome, Session

ROOT = Path(__file__).parents[2]
JUDGE = ROOT / "plugins" / "kamiyo_verify" / "judge"
RESULTS = ROOT / "build" / "mutation"
# The judge's own tests, and those of others that decide by it without starting a process or a server.
TESTS = [
    "tests/engine/judge",
    "tests/checks/test_deploy_checks.py",
    "tests/checks/test_preflight_judgements.py",
    "tests/engine/rollback/test_planning.py",
    "tests/engine/cli/test_combine.py",
    "tests/engine/cli/test_watch.py",
    "tests/engine/evidence/test_timelines.py",
    "tests/engine/hooks/test_drift.py",
    "tests/engine/integrations/stripe/test_wiring.py",
    "tests/engine/reporting/pages/test_about_one.py",
    "tests/engine/reporting/pages/test_history.py",
    "tests/platform/test_access.py",
]
START_S = 10


def main() -> None:
    """Draw, try and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="which sample is drawn")
    parser.add_argument("--sample", type=int, default=800, help="how many places it has")
    parser.add_argument("--only", default="", help="a part of the modules' paths, such as rules or slo/users")
    parser.add_argument("--again", action="store_true", help="record anew which tests run which line")
    asked = parser.parse_args()
    covered = RESULTS / "covering.json"
    if asked.again or not covered.exists():
        covering.record(TESTS, ROOT, covered)
        raise SystemExit(f"{covered.relative_to(ROOT)} is written; run this again to try mutants")
    modules = sorted(path for path in JUDGE.rglob("*.py") if asked.only in path.relative_to(ROOT).as_posix())
    mutants = sampled(modules, ROOT, asked.sample, asked.seed)
    outcomes = _outcomes(
        mutants,
        covering.read(covered),
        RESULTS / f"seed-{asked.seed}{asked.only and '-'}{asked.only.replace('/', '-')}-{asked.sample}.jsonl",
    )
    _report(outcomes)


def _outcomes(mutants: list[Mutant], covered: covering.Covering, results: Path) -> dict[Mutant, Outcome]:
    outcomes = {}
    if results.exists():
        for line in results.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            outcomes[Mutant(**row["mutant"])] = Outcome(row["killer"])
    left = [mutant for mutant in mutants if mutant not in outcomes]
    sources = {
        one.path: (ROOT / one.path).read_text(encoding="utf-8") for one in left
    }  # an edit comes too late
    killers: Counter[str] = Counter()

    def work(session: Session) -> None:
        gc.freeze()
        with results.open("a", encoding="utf-8") as stream:
            for number, mutant in enumerate(left, 1):
                began = time.perf_counter()
                original = sources[mutant.path]
                tests = covered.of(mutant, original)
                tests.sort(key=lambda test: -killers[test])
                limit_s = START_S + sum(covered.seconds.get(test, 0.0) for test in tests)
                outcome = session.tried(mutant, mutant.source(original), tests, limit_s, ROOT)
                outcomes[mutant] = outcome
                killers[outcome.killer or ""] += 1
                stream.write(json.dumps({"mutant": asdict(mutant), "killer": outcome.killer}) + "\n")
                stream.flush()
                took = time.perf_counter() - began
                said = "SURVIVED" if outcome.survived else outcome.killer
                place = f"{mutant.path}:{mutant.line} {mutant.operator}"
                print(f"{number}/{len(left)} {took:.1f} s {place}: {said}", flush=True)

    if left:
        pytest.main([*TESTS, *OPTIONS], plugins=[Session(work)])
    return {mutant: outcomes[mutant] for mutant in mutants}


def _report(outcomes: dict[Mutant, Outcome]) -> None:
    for mutant, outcome in outcomes.items():
        if outcome.survived:
            original = (ROOT / mutant.path).read_text(encoding="utf-8")
            changed = difflib.unified_diff(
                original.splitlines(), mutant.source(original).splitlines(), lineterm="", n=2
            )
            print(
                f"\n{mutant.path}:{mutant.line} {mutant.operator} {mutant.occurrence} {outcome.killer or ''}"
            )
            print("\n".join([*changed][2:]))
    total = len(outcomes)
    killed = sum(not outcome.survived for outcome in outcomes.values())
    between = [bound(killed, total, 0.975) for bound in (EXACT.lower_bound, EXACT.upper_bound)]
    told = f"{killed / total:.1%}, 95 % interval {between[0]:.1%} to {between[1]:.1%}"
    print(f"\n{killed} of {total} mutants killed: {told}")


if __name__ == "__main__":
    main()

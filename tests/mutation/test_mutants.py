"""The mutation run itself: what it draws, and that it sees a mutant die and another live.

Cosmic Ray is installed by `make mutation` only.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray")

from tests.mutation.mutants import Mutant, sampled, statement_lines

ROOT = Path(__file__).parents[2]
SOURCE = '''"""A module."""

LIMIT: float | None = 5


def over(count: int | None) -> bool:
    if count is None:
        return False
    return (
        count - 1
        > LIMIT
    )
'''


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "module.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_a_seed_draws_the_same_sample_every_time(module: Path) -> None:
    drawn = [sampled([module], module.parent, 3, seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert len(drawn[0]) == 3


def test_each_place_has_one_mutant_and_annotations_have_none(module: Path) -> None:
    every = sampled([module], module.parent, 1_000, 1)
    lines = Counter(mutant.line for mutant in every)
    # The table's number; `is` and the condition; False; the minus and its number; the comparison.
    assert lines == {3: 1, 7: 2, 8: 1, 10: 2, 11: 1}
    for mutant in every:
        assert mutant.source(SOURCE) != SOURCE


def test_a_star_among_parameters_is_no_operator(tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        "def one(first: int, *, second: int) -> int:\n    return first - second\n", encoding="utf-8"
    )
    assert [mutant.line for mutant in sampled([path], tmp_path, 1_000, 1)] == [2]


def test_a_mutant_of_another_version_of_the_module_is_refused() -> None:
    with pytest.raises(ValueError, match=r"module\.py has no such place any more"):
        Mutant("module.py", "core/NumberReplacer", 99, 3).source(SOURCE)


@pytest.mark.parametrize(("line", "lines"), [(3, [3]), (7, [7]), (11, [9, 10, 11, 12])])
def test_the_tests_of_a_place_are_those_of_its_statement(line: int, lines: list[int]) -> None:
    assert [*statement_lines(SOURCE, line)] == lines


TRIED = """
import json, sys
from pathlib import Path
import pytest
from tests.mutation.mutants import Mutant
from tests.mutation.trial import OPTIONS, Session

ROOT, PATH = Path.cwd(), "plugins/kamiyo_verify/judge/slo/lines.py"
ORIGINAL = (ROOT / PATH).read_text(encoding="utf-8")
LINE = next(n for n, text in enumerate(ORIGINAL.splitlines(), 1) if "lower >= line" in text)
CHANGES = {
    "dies": ORIGINAL.replace("lower >= line", "lower < line"),
    "loops": ORIGINAL.replace("    lower, upper = interval", "    while True: upper = lower = line"),
    "lives": ORIGINAL.replace("lower >= line", "line <= lower"),
}

def work(session):
    tests = [test for test in session.items if "test_measured" in test]
    for name, mutated in CHANGES.items():
        outcome = session.tried(Mutant(PATH, "", 0, LINE), mutated, tests, 2, ROOT)
        print("\\nOUTCOME", name, json.dumps(outcome.killer), flush=True)

pytest.main(["tests/engine/judge/rules/test_measured.py", *OPTIONS], plugins=[Session(work)])
"""


@pytest.mark.exhaustive
def test_a_mutant_dies_by_a_test_or_by_its_time() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRIED], cwd=ROOT, capture_output=True, text=True, check=False
    )
    told = dict(line.split(" ", 2)[1:] for line in done.stdout.splitlines() if line.startswith("OUTCOME"))
    assert told["lives"] == "null", done.stderr
    assert told["loops"] == '"timeout"'
    assert "test_measured.py::" in told["dies"]

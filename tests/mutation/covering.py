"""Which tests run which line of the judge, and how long each test takes."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest

from tests.mutation.mutants import Mutant, statement_lines

SLOW_S = 5.0


@dataclass(frozen=True, slots=True)
class Covering:
    """What a run of all tests with coverage.py has recorded.

    Attributes:
        seconds: how long each test took, by its node id.
        tests: by module and line, the tests that ran it; "" where it ran while the module was imported.
    """

    seconds: dict[str, float]
    tests: dict[str, dict[int, list[str]]]

    def of(self, mutant: Mutant, source: str) -> list[str]:
        """Return the tests that can notice the mutant, fast ones first.

        What runs at import, such as a table, is noticed by any test that runs a line of the module. Tests
        that take longer than `SLOW_S` are left out: they are simulations, and a mutant that survives would
        cost minutes. So the score is what the other tests notice.
        """
        lines = self.tests.get(mutant.path, {})
        found = {test for line in statement_lines(source, mutant.line) for test in lines.get(line, ())}
        if not found or "" in found:
            found = {test for tests in lines.values() for test in tests}
        fast = (test for test in found - {""} if self.seconds.get(test, 0.0) <= SLOW_S)
        return sorted(fast, key=lambda test: (self.seconds.get(test, 0.0), test))


class _Recorder:
    """Tells coverage.py which test runs."""

    def __init__(self, cov: coverage.Coverage) -> None:
        self._coverage = cov
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        _forget()
        self._coverage.switch_context(item.nodeid)
        began = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] = time.perf_counter() - began
        self._coverage.switch_context("")
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)


def _forget() -> None:
    """Clear the judge's caches: a remembered result would hide which lines a test needs."""
    for name, module in [*sys.modules.items()]:
        if name.startswith("kamiyo_verify.judge"):
            for value in vars(module).values():
                getattr(value, "cache_clear", lambda: None)()


def record(tests: list[str], root: Path, target: Path) -> None:
    """Run the tests once and write what they cover to `target`; a test that fails already is left out."""
    cov = coverage.Coverage(data_file=None, include=[f"{root}/plugins/kamiyo_verify/judge/*"])
    recorder = _Recorder(cov)
    cov.start()
    pytest.main([*tests, "-q", "-m", "not exhaustive", "-p", "no:cacheprovider"], plugins=[recorder])
    cov.stop()
    data = cov.get_data()
    covered = {
        Path(name).relative_to(root).as_posix(): {
            str(line): sorted({*contexts} - recorder.failed)
            for line, contexts in data.contexts_by_lineno(name).items()
        }
        for name in data.measured_files()
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps({"seconds": recorder.seconds, "tests": covered}), encoding="utf-8")


def read(source: Path) -> Covering:
    """Read what `record` wrote."""
    found = json.loads(source.read_text(encoding="utf-8"))
    tests = {
        path: {int(line): names for line, names in lines.items()} for path, lines in found["tests"].items()
    }
    return Covering(found["seconds"], tests)

"""Try one mutant: run its tests in a fork of a pytest session that has collected them all."""

from __future__ import annotations

import ast
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from hypothesis import Phase, settings

from tests.mutation.mutants import Mutant

NO_TEST = "no test runs it"
TIMEOUT = "timeout"
MEMORY_BYTES = 4 << 30
# Whoever looks for one example that fails need not look for the smallest.
settings.register_profile("mutation", phases=(Phase.explicit, Phase.generate), deadline=None, database=None)
OPTIONS = ["-q", "-s", "-m", "not exhaustive", "-p", "no:cacheprovider", "--hypothesis-profile", "mutation",
           "--hypothesis-seed", "0"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mutant: `killer` is the test that noticed it, or why else it counts as noticed."""

    killer: str | None

    @property
    def survived(self) -> bool:
        """Whether every test passed."""
        return self.killer in (None, NO_TEST)


class Session:
    """A pytest session that, in place of running its tests, hands them to `work`."""

    def __init__(self, work: Callable[[Session], None]) -> None:
        self._work = work
        self.items: dict[str, pytest.Item] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self._work(self)
        return True

    def tried(
        self, mutant: Mutant, mutated: str, tests: Sequence[str], limit_s: float, root: Path
    ) -> Outcome:
        """Return what became of the mutant.

        Args:
            mutant: the mutant.
            mutated: its source.
            tests: node ids, in the order of the trial; the first that fails ends it.
            limit_s: seconds of processor time; a mutant that takes longer loops.
            root: the project's root.
        """
        if not tests:
            return Outcome(NO_TEST)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                _silent(limit_s)
                if _swapped(mutant, mutated):
                    self._run(tests, writing)
                else:
                    _anew(mutant, mutated, tests, root, writing)
            except BaseException as error:  # noqa: BLE001 - the parent counts it
                os.write(writing, f"the trial itself: {error!r}"[:4000].encode())
            finally:
                os._exit(70)
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as stream:
            killer = stream.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code == 0:
            return Outcome(None)
        return Outcome(killer or (TIMEOUT if code < 0 else f"ended with {code}"))

    def _run(self, tests: Sequence[str], writing: int) -> None:
        items = [self.items[test] for test in tests if test in self.items]
        manager = items[0].config.pluginmanager
        manager.register(_FirstFailure(writing))
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        os._exit(0)


class _FirstFailure:
    """Names the first test that fails, and ends the process."""

    def __init__(self, writing: int) -> None:
        self._writing = writing

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os.write(self._writing, report.nodeid.encode()[:4000])
            os._exit(1)


def _silent(limit_s: float) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s) + 1, int(limit_s) + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    silence = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silence, stream)


def _swapped(mutant: Mutant, mutated: str) -> bool:
    """Give the module's functions their mutated code; False if the change is outside of a function's body."""
    if mutant.operator.endswith("RemoveDecorator") or not any(
        first <= mutant.line <= last for first, last in _bodies(mutated)
    ):
        return False
    codes = dict(_codes(compile(mutated, mutant.path, "exec", dont_inherit=True)))
    found = False
    for function in _functions(sys.modules[module_of(mutant)]):
        code = codes.get(function.__qualname__)
        if code is not None and function.__code__ != code:
            function.__code__ = code
            found = True
    return found


def module_of(mutant: Mutant) -> str:
    """Return the dotted name of the mutant's module."""
    return mutant.path.removeprefix("plugins/").removesuffix(".py").replace("/", ".")


def _bodies(source: str) -> Iterator[tuple[int, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            yield node.body[0].lineno, node.end_lineno or node.lineno


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant.co_qualname, constant
            yield from _codes(constant)


def _functions(module: ModuleType) -> Iterator[FunctionType]:
    """Yield the functions of a module and of its classes, below whatever wraps them."""
    for value in [*vars(module).values()]:
        if getattr(value, "__module__", None) == module.__name__:
            yield from _unwrapped(value)
            if isinstance(value, type):
                for member in vars(value).values():
                    yield from _unwrapped(member)


def _unwrapped(value: Any) -> Iterator[FunctionType]:
    for name in ("__wrapped__", "__func__", "fget", "func"):
        inner = getattr(value, name, None)
        if inner is not None and not isinstance(value, type):
            yield from _unwrapped(inner)
    if isinstance(value, FunctionType):
        yield value


def _anew(mutant: Mutant, mutated: str, tests: Sequence[str], root: Path, writing: int) -> None:
    """Run the tests in a new process that imports the mutated module before anything else."""
    asked = json.dumps({"module": module_of(mutant), "path": mutant.path, "source": mutated, "tests": tests})
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutation.anew"], input=asked.encode(), cwd=root, check=False
    )
    if done.returncode:
        os.write(writing, TIMEOUT.encode() if done.returncode < 0 else b"a new process")
    os._exit(1 if done.returncode else 0)

"""Run tests with one module imported from a mutated source; the standard input says which, as JSON."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import sys
from collections.abc import Sequence
from types import ModuleType

import pytest

from tests.mutation.trial import OPTIONS


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from its mutated source."""

    def __init__(self, name: str, path: str, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, self._path, "exec", dont_inherit=True), vars(module))  # noqa: S102


class Chosen:
    """Keeps the tests that were asked for, in their order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._order = {test: number for number, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._order]
        items[:] = sorted(chosen, key=lambda item: self._order[item.nodeid])


def main() -> None:
    """Import the mutant before pytest imports the true module, then run the tests; exit as pytest does."""
    asked = json.load(sys.stdin)
    sys.meta_path.insert(0, Mutated(asked["module"], asked["path"], asked["source"]))
    importlib.import_module(asked["module"])
    files = dict.fromkeys(test.partition("::")[0] for test in asked["tests"])
    sys.exit(pytest.main([*files, "-x", *OPTIONS], plugins=[Chosen(asked["tests"])]))


if __name__ == "__main__":
    main()

"""--runbook: does every checkbox of the written runbook have its check, and the other way round?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from plugins.checkboxes import boxes_in
from plugins.judge.drift import Box, Drift, compare
from plugins.options import argument_paths, verification_roots
from plugins.run import RUN, Run


def pytest_addoption(parser: pytest.Parser) -> None:
    """The one option."""
    parser.getgroup("kamiyo-verify").addoption(
        "--runbook",
        metavar="FILE.md",
        help="compare items and checks with the checkboxes of a written runbook; a gap ends the run (exit 4)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Compare where a run is told to; workers leave it to their controller.

    Raises:
        pytest.UsageError: there is no such runbook, or not all checks were asked for.
    """
    run = config.stash.get(RUN, None)
    if run is None or run.is_worker or not config.getoption("runbook"):
        return
    path = config.invocation_params.dir / config.getoption("runbook")
    boxes = _boxes(path)
    roots, asked = verification_roots(config), argument_paths(config)
    if not all(any(root.is_relative_to(path) for path in asked) for root in roots):
        raise pytest.UsageError("--runbook compares with every check: name no folder or file of them")
    config.pluginmanager.register(DriftPlugin(run, path.name, boxes), "kamiyo-verify-DriftPlugin")


class DriftPlugin:
    """Compares once all checks are collected, in the process that began the run.

    Args:
        run: with the items.
        name: of the written runbook's file.
        boxes: its checkboxes.
    """

    def __init__(self, run: Run, name: str, boxes: tuple[Box, ...]) -> None:
        self._run = run
        self._name = name
        self._boxes = boxes
        self._checked: set[str] = set()
        self._drift: Drift | None = None

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note what has a check, whether it will be chosen or not."""
        self._checked |= {mark.args[0] for mark in item.iter_markers("item") if mark.args}

    # First of all: nothing begins where there is a gap.
    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Compare.

        Raises:
            pytest.UsageError: the two have come apart.
        """
        if session.testsfailed:
            return
        drift = compare(self._boxes, self._run.runbook.items, self._checked)
        if drift.gap:
            raise pytest.UsageError("\n  ".join([f"{self._name}: {drift.told}", *drift.lines()]))
        self._drift = drift

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say that all is well."""
        if self._drift is not None:
            terminalreporter.write_line(f"{self._name}: {self._drift.told}")


def _boxes(path: Path) -> tuple[Box, ...]:
    try:
        return tuple(boxes_in(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise pytest.UsageError(f"--runbook {path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise pytest.UsageError(f"--runbook {path}: is not UTF-8 text") from None

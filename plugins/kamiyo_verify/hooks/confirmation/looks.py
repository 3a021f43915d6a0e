"""Rechecks: run checks again after the test loop, in the controller process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from kamiyo_verify.evidence.results import Results
from kamiyo_verify.hooks.background import runs_once
from kamiyo_verify.hooks.checklist import check_of
from kamiyo_verify.hooks.reruns import fixture_names
from kamiyo_verify.model.result import Result
from kamiyo_verify.model.runbook import Item


class Looks:
    """Runs single tests again, each with fresh fixtures; pytest's own reports do not include them.

    Args:
        nodes: every selected test; those of a background task that runs once are not run again.
    """

    def __init__(self, nodes: Iterable[pytest.Item]) -> None:
        self._nodes = {node.nodeid: node for node in nodes if check_of(node) and not runs_once(node)}

    def can(self, nodeid: str) -> bool:
        """Return whether the test can be run again; xdist may append a group name to its id."""
        return self._node(nodeid) is not None

    def fixtures(self, nodeid: str) -> tuple[str, ...]:
        """Return the names of the fixtures that a test uses."""
        node = self._node(nodeid)
        return fixture_names(node) if node else ()

    def look(self, nodeid: str, item: Item) -> Result:
        """Run one test: setup, call and teardown.

        Raises:
            LookupError: the test is unknown.
        """
        node = self._node(nodeid)
        if node is None:
            raise LookupError(nodeid)
        _renew(node)
        results = Results()
        result = None
        if self._phase(node, "setup", results, item):
            self._phase(node, "call", results, item)
        result = self._ended(node, results, item)
        for name, empty in (("_request", False), ("funcargs", None)):
            setattr(node, name, empty)
        return result

    def _phase(self, node: pytest.Item, when: Any, results: Results, item: Item) -> bool:
        hook = getattr(node.ihook, f"pytest_runtest_{when}")
        report = _report(node, lambda: hook(item=node), when)
        results.take(report, item)
        return bool(report.passed)

    def _ended(self, node: pytest.Item, results: Results, item: Item) -> Result:
        hook = node.ihook.pytest_runtest_teardown
        report = _report(node, lambda: hook(item=node, nextitem=None), "teardown")
        result = results.take(report, item)
        if result is None:
            raise RuntimeError("the clean-up ends a try")
        return result

    def _node(self, nodeid: str) -> pytest.Item | None:
        return self._nodes.get(nodeid) or self._nodes.get(nodeid.rpartition("@")[0])


def _renew(node: pytest.Item) -> None:
    """Reset a test's fixtures, and its execution count so that pytest-rerunfailures does not rerun it."""
    node.__dict__.pop("execution_count", None)
    renew: Callable[[], None] | None = getattr(node, "_initrequest", None)
    if renew is not None:
        renew()


def _report(node: pytest.Item, run: Callable[[], object], when: Any) -> pytest.TestReport:
    call = pytest.CallInfo.from_call(run, when=when, reraise=(pytest.exit.Exception, KeyboardInterrupt))
    report: pytest.TestReport = node.ihook.pytest_runtest_makereport(item=node, call=call)
    return report

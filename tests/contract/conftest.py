"""Counts what the contract tests validated, and says so at the end of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.validator import Contract

Register = Callable[[str, Contract], Contract]

_CONTRACTS = pytest.StashKey[dict[str, Contract]]()
_FROM_WORKERS = pytest.StashKey[dict[str, Counter[str]]]()
_KEY = "kamiyo_contracts"


@pytest.fixture(scope="session")
def register(request: pytest.FixtureRequest) -> Register:
    """Name a contract, so that its counts appear in the summary: `register("render", Contract(…))`."""
    contracts = request.config.stash.setdefault(_CONTRACTS, {})

    def name(system: str, contract: Contract) -> Contract:
        contracts[system] = contract
        return contract

    return name


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist hands its counts to the controller."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_KEY] = {
            system: dict(contract.operations)
            for system, contract in session.config.stash.get(_CONTRACTS, {}).items()
        }


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controller takes the counts of a worker that is done."""
    counts = node.config.stash.setdefault(_FROM_WORKERS, {})
    for system, operations in getattr(node, "workeroutput", {}).get(_KEY, {}).items():
        counts.setdefault(system, Counter()).update(operations)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line: "contract: render 20 operations, 62 answers · sentry …"."""
    counts = config.stash.setdefault(_FROM_WORKERS, {}).copy()
    counts |= {system: contract.operations for system, contract in config.stash.get(_CONTRACTS, {}).items()}
    if counts:
        told = (
            f"{system} {len(done)} operations, {done.total()} answers"
            for system, done in sorted(counts.items())
        )
        terminalreporter.write_line(f"contract: {' · '.join(told)}")

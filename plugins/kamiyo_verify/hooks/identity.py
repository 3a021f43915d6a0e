"""Identify pytest-xdist workers. A worker joins its controller's run and never starts one."""

from __future__ import annotations

import os
from typing import Any

import pytest

_WORKER: set[int] = set()
"""The id of this process, if pytest has run as a worker in it."""


def is_worker(config: pytest.Config) -> bool:
    """Return whether this process runs tests for a controller, now or in an earlier pytest session."""
    if hasattr(config, "workerinput"):
        _WORKER.add(os.getpid())
    return os.getpid() in _WORKER


def worker_input(config: pytest.Config) -> dict[str, Any]:
    """Return what the controller sent to this worker; empty if pytest was started again inside it."""
    return getattr(config, "workerinput", {})


def pass_configuration_on(config: pytest.Config) -> None:
    """Make workers use the controller's configuration file.

    pytest searches for it above every existing path on the command line, including the values of our options.
    The report folder, which the controller has just created, would lead workers to another file or to none.
    """
    if config.inipath is None:
        return
    params = config.invocation_params
    config.invocation_params = pytest.Config.InvocationParams(
        args=("-c", str(config.inipath), "--rootdir", str(config.rootpath), *params.args),
        plugins=params.plugins,
        dir=params.dir,
    )

"""A rollback drill: launch the environment's own platform with a bad release, and roll that back."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kamiyo_verify.hooks.launching import LaunchedPlatform
from kamiyo_verify.model.settings import Launch
from kamiyo_verify.rollback.console import ConsoleReporter
from kamiyo_verify.rollback.context import RollbackContext

_QUICKLY = ("-m", "postdeploy and not performance", "-k", "not browser", "-q", "--tb=no", "--no-header")


def drill(
    launch: Launch,
    root: Path,
    console: ConsoleReporter,
    context_of: Callable[[Path], RollbackContext],
    roll_back: Callable[[RollbackContext, Path], int],
) -> int:
    """Launch the platform, verify its release and roll it back; return the exit code.

    Args:
        launch: how to start the platform.
        root: the project's folder.
        console: prints progress.
        context_of: builds the rollback context from the file with the ready line.
        roll_back: rolls back on the report in a folder.

    Raises:
        LaunchError: the platform does not start.
        CannotRollBack: see `roll_back`.
    """
    console.say("A drill: starting a platform whose release is bad, and verifying it")
    platform = LaunchedPlatform(launch, launch.drill, root)
    try:
        with kept(platform.ready()) as file:
            context = context_of(file)
            folder = context.reports / context.environment.name / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-drill"
            words = [sys.executable, "-m", "pytest", *_QUICKLY, "--env", context.named]
            context.run_child([*words, f"--launched={file}", f"--report-dir={folder}"])
            console.say()
            return roll_back(context, folder)
    finally:
        platform.stop()


@contextmanager
def kept(ready: Mapping[str, Any]) -> Iterator[Path]:
    """Yield a file with the ready line; only this user can read it, and it is deleted after the block."""
    handle, name = tempfile.mkstemp(prefix="kamiyo-launched-", suffix=".json")
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(ready, file)
        yield path
    finally:
        path.unlink(missing_ok=True)

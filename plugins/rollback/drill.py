"""A rollback to practise on: the environment's own platform, started with a release that is bad."""

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

from plugins.launching import LaunchedPlatform
from plugins.model.environment import Launch
from plugins.rollback.narrator import Narrator
from plugins.rollback.scene import Scene

_QUICKLY = ("-m", "postdeploy and not performance", "-k", "not browser", "-q", "--tb=no", "--no-header")


def drill(
    launch: Launch,
    root: Path,
    narrator: Narrator,
    scene_of: Callable[[Path], Scene],
    roll_back: Callable[[Scene, Path], int],
) -> int:
    """Start the platform, let a run judge its release, and take that back; returns the exit code.

    Args:
        launch: how the platform is started.
        root: the project's folder.
        narrator: tells.
        scene_of: the platform, by the file of its ready line.
        roll_back: what is practised, about the report in a folder.

    Raises:
        LaunchError: the platform does not start.
        CannotRollBack: as of `roll_back`.
    """
    narrator.say("A drill: starting a platform whose release is bad, and verifying it")
    platform = LaunchedPlatform(launch, launch.drill, root)
    try:
        with kept(platform.ready()) as file:
            scene = scene_of(file)
            folder = scene.reports / scene.environment.name / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-drill"
            words = [sys.executable, "-m", "pytest", *_QUICKLY, "--env", scene.named]
            scene.run_child([*words, f"--launched={file}", f"--report-dir={folder}"])
            narrator.say()
            return roll_back(scene, folder)
    finally:
        platform.stop()


@contextmanager
def kept(ready: Mapping[str, Any]) -> Iterator[Path]:
    """A ready line in a file that only this user can read, for as long as the block lasts."""
    handle, name = tempfile.mkstemp(prefix="kamiyo-launched-", suffix=".json")
    path = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(ready, file)
        yield path
    finally:
        path.unlink(missing_ok=True)

"""Virtual environments of the tests' own, for software from the package index."""

from __future__ import annotations

import subprocess
import venv
from pathlib import Path


def environment_with(folder: Path, *packages: str) -> Path:
    """Create a virtual environment with these packages; return its Python."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    subprocess.run(install, check=True, capture_output=True)
    return python

"""The pictures of docs/screenshots: `python -m tests.screenshots`, or `make screenshots`.

The upper parts of the report of a good deployment and of a bad one, on a desk, on a telephone, in the dark.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

from plugins.judge.evidence import Evidence
from tests import example_reports
from tests.browsers import ARGUMENTS, NAMES

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
VIEWS: dict[str, tuple[int, int, Literal["light", "dark"]]] = {
    "desktop": (1280, 2_300, "light"),
    "phone": (390, 2_400, "light"),
    "dark": (1280, 1_500, "dark"),
}
"""Width and height in px, and the colours. Six pictures of the whole would weigh more than the project."""


def main() -> int:
    """Write all of them; returns the exit code."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of an extra

    chromium = next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        sys.stderr.write("there is no Chromium: apt-get install chromium\n")
        return 2
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=[*ARGUMENTS, "--disable-lcd-text"]
        )
        for name, evidence in (("good", example_reports.good()), ("bad", example_reports.bad())):
            report = _written(Path(folder) / name, evidence)
            for view, (width, height, scheme) in VIEWS.items():
                context = browser.new_context(
                    viewport={"width": width, "height": 900},
                    color_scheme=scheme,
                    device_scale_factor=1 if width < 600 else 0.8,  # half the bytes, and still to be read
                    offline=True,
                )
                page = context.new_page()
                page.goto(report.as_uri())
                path = FOLDER / f"report-{name}-{view}.png"
                page.screenshot(
                    path=path,
                    full_page=True,
                    clip={"x": 0, "y": 0, "width": width, "height": height},
                )
                context.close()
                sys.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} kB\n")
        browser.close()
    return 0


def _written(folder: Path, evidence: Evidence) -> Path:
    folder.mkdir()
    return example_reports.write(folder, evidence)


if __name__ == "__main__":
    sys.exit(main())

"""The pictures of docs/screenshots: `python -m tests.support.screenshots`, or `make screenshots`.

The first screen of the report of five verdicts, on a desktop, on a phone and in dark colours.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

from kamiyo_verify.judge.evidence import Evidence
from tests.support import example_reports
from tests.support.browsers import ARGUMENTS, NAMES

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
VIEWS: dict[str, tuple[int, int, Literal["light", "dark"]]] = {
    "desktop": (1280, 900, "light"),
    "phone": (390, 844, "light"),
    "dark": (1280, 900, "dark"),
}
"""Width and height in px, and the colours: the first screen, as people see it before they scroll."""


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
        for name, evidence in example_reports.EXAMPLES.items():
            report = _written(Path(folder) / name, evidence())
            for view, (width, height, scheme) in VIEWS.items():
                context = browser.new_context(
                    viewport={"width": width, "height": height},
                    color_scheme=scheme,
                    device_scale_factor=1 if width < 600 else 0.8,  # half the bytes, and still to be read
                    offline=True,
                )
                page = context.new_page()
                page.goto(report.as_uri())
                path = FOLDER / f"{name}-{view}.png"
                page.screenshot(path=path)
                context.close()
                sys.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} kB\n")
        browser.close()
    return 0


def _written(folder: Path, evidence: Evidence) -> Path:
    folder.mkdir()
    return example_reports.write(folder, evidence)


if __name__ == "__main__":
    sys.exit(main())

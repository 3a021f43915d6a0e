"""What thousands of items cost: our plugin beside plain pytest with pytest-html, by processor time."""

from __future__ import annotations

import os
import statistics
import tempfile
from pathlib import Path

from tests.support.many_items import ManyItems
from tests.support.sandbox_process import HOUSE

TIMES = 3
MOST = 1.20


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        project = ManyItems.written(Path(folder))
        pairs = [(project.verified(), project.plainly_tested()) for _ in range(1 + TIMES)][1:]
        ours = statistics.median(done.cpu_s for done, _ in pairs)
        theirs = statistics.median(done.cpu_s for _, done in pairs)
        print(
            f"{project.count:,} items against plain pytest with pytest-html: {ours / theirs:.2f}"
            f" (goal: at most {MOST:.2f})  [{ours:.1f} s of processor time against {theirs:.1f} s]"
        )
        writing = statistics.median(done.writing_s for done, _ in pairs)
        size = pairs[0][0].report.stat().st_size
        print(f"their report: written in {writing:.1f} s of it (goal: at most 5), {size / 1e6:.1f} MB")


if __name__ == "__main__":
    os.chdir(HOUSE)
    main()

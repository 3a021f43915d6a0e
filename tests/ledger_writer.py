"""One of several that write into one ledger: `python -m tests.ledger_writer URL NAME COUNT FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from plugins.ledger.store import Store
from tests.recorded_runs import recorded


def main(url: str, name: str, count: str, folder: str) -> None:
    """Open the ledger, which may be new, as soon as standard input ends; add runs, and read meanwhile."""
    runs = [recorded(Path(folder), run=f"{name}-{n}", minute=n) for n in range(int(count))]
    sys.stdin.read()
    with Store.opened(url) as store:
        for run in runs:
            assert store.add(run)
            assert run.run.id in store.ids()


if __name__ == "__main__":
    main(*sys.argv[1:])

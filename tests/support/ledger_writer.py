"""A writer of a ledger: `python -m tests.support.ledger_writer URL NAME COUNT FOLDER [ITEMS]`."""

from __future__ import annotations

import sys
from pathlib import Path

from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.history.recorded_run import Recording
from kamiyo_verify.model.runbook import Item
from kamiyo_verify.model.words import Impact, Phase
from tests.support.evidence_for import RUNBOOK, result
from tests.support.recorded_runs import recorded


def recorded_with(items: int, folder: Path, run: str, minute: float = 0) -> Recording:
    """A run of the small runbook, and of so many further items."""
    ids = [f"postdeploy.more-{n}" for n in range(items)]
    more = tuple(
        Item(id=one, title=one, section="More", phase=Phase.POSTDEPLOY, impact=Impact.PROCESS) for one in ids
    )
    runbook = RUNBOOK.model_copy(update={"items": (*RUNBOOK.items, *more)})
    return recorded(folder, *map(result, ids), run=run, minute=minute, runbook=runbook)


def main(url: str, name: str, count: str, folder: str, items: str = "0") -> None:
    """Open the ledger, which may be new, as soon as standard input ends; add runs, and read meanwhile."""
    runs = [recorded_with(int(items), Path(folder), f"{name}-{n}", n) for n in range(int(count))]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    with Store.opened(url) as store:
        for run in runs:
            assert store.add(run)
            assert run.run.id in store.ids()


if __name__ == "__main__":
    main(*sys.argv[1:])

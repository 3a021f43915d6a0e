"""A round in the deployment log: its table row, its page and its attached reports."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.model.history.round import Round
from kamiyo_verify.reporting import deployment_log as written

TABLE = "DEPLOYMENTS.md"

_KEPT = ("report.html", "verdict.json")
_LARGEST = 5_000_000
"""Bytes; a report is usually under one million, but screenshots can make it larger."""


def name_of(found: Round, folder: Path, *, run: str) -> str:
    """Return the round's folder in the log; one job run always gives the same name, so it is added once."""
    began = min((verdict.started_at for verdict in found.verdicts), default="")
    moment = re.sub(r"[^0-9]", "", began)[:14] or "unknown-time"
    last = re.sub(r"[^A-Za-z0-9-]", "", run or folder.resolve().name)
    return "/".join(
        (found.environment or "unknown", "-".join(filter(None, (moment, found.commit[:7], last))))
    )


def write(found: Round, folder: Path, work: Path, name: str, masked: Callable[[str], str]) -> str:
    """Write a round into a checkout of the log; return the commit message.

    Args:
        found: the round.
        folder: the folder of its reports.
        work: the checkout.
        name: the round's folder in the checkout.
        masked: masks secrets in a text.
    """
    target = work / name
    target.mkdir(parents=True, exist_ok=True)
    attached = []
    for turn in found.turns:
        source = folder / turn.folder if (folder / turn.folder).is_dir() else folder
        for file in _KEPT:
            if (source / file).is_file() and (source / file).stat().st_size <= _LARGEST:
                attached.append(f"{turn.folder}-{file}")
                shutil.copyfile(source / file, target / attached[-1])
    write_atomically(target / "README.md", masked(written.page(found, attached)))
    table = work / TABLE
    before = table.read_text(encoding="utf-8") if table.exists() else ""
    line = masked(written.row(found, f"{name}/README.md"))
    write_atomically(table, written.with_row(before, line))
    of = f" of {found.commit[:12]}" if found.commit else ""
    return f"{found.environment or 'unknown'}: {found.recommendation.value}{of}"

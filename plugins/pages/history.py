"""`make history`: reports/index.html, from every ledger that is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from plugins.draft import shown
from plugins.judge.chronicle import chronicle
from plugins.ledger.store import Store
from plugins.model.chronicle import Chronicle
from plugins.model.figures import counted
from plugins.pages.reports import links
from plugins.pages.sources import Sources
from plugins.remembered import remembered
from plugins.report_dir import write_atomically
from plugins.writers.pages.history import index_html

PAGE = "index.html"

_CHRONICLES: TypeAdapter[Sequence[Chronicle]] = TypeAdapter(Sequence[Chronicle])


def write_history(root: Path, environment: str, *, most: int) -> str:
    """Write the page; returns a line that tells where it is.

    Args:
        root: the project's folder.
        environment: its name; "" for all that the ledgers know.
        most: how many deployments of each to show.

    Raises:
        ConfigurationError: an environment or the runbook is not right.
        LedgerUnavailable: a ledger cannot be read; no page is written then.
        OSError: the page cannot be written.
    """
    now, reports = datetime.now(UTC), root / "reports"
    sources = Sources.of(root, environment)
    found = tuple(
        one for url in sources.urls for one in _chronicles(sources, url, environment, now.timestamp(), most)
    )
    listed = (
        run
        for one in found
        for run in (*(run for row in one.deployments for run in row.runs), *(row.run for row in one.asides))
    )
    hrefs = sources.masker.data(links(listed, reports, seen_from=reports))
    page = index_html(sources.masked(_CHRONICLES, found), hrefs, at=now.isoformat(timespec="seconds"))
    write_atomically(reports / PAGE, page)
    total = sum(len(one.deployments) + one.earlier for one in found)
    told = f"{counted(len(found), 'environment')}, {counted(total, 'deployment')}"
    return f"{shown(reports / PAGE)}: {told}"


def _chronicles(sources: Sources, url: str, environment: str, now: float, most: int) -> Iterator[Chronicle]:
    with Store.opened(url) as store:
        for name in (environment,) if environment else store.environments():
            yield chronicle(sources.runbook(name), remembered(store, name, now=now), now=now, most=most)

"""The history page, made from all configured ledgers: reports/index.html."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from pydantic import TypeAdapter

from kamiyo_verify.cli.documents.reports import links
from kamiyo_verify.cli.documents.sources import Sources
from kamiyo_verify.cli.remembered import remembered
from kamiyo_verify.config.draft import shown
from kamiyo_verify.hooks.report_dir import write_atomically
from kamiyo_verify.judge.history.environment_history import environment_history
from kamiyo_verify.ledger.store import Store
from kamiyo_verify.model.figures import counted
from kamiyo_verify.model.history.environment_history import EnvironmentHistory
from kamiyo_verify.reporting.pages.history import index_html

PAGE = "index.html"

_CHRONICLES: TypeAdapter[Sequence[EnvironmentHistory]] = TypeAdapter(Sequence[EnvironmentHistory])


@dataclass(frozen=True, slots=True)
class Page:
    """The page, not written yet.

    Attributes:
        html: the whole page.
        reports: the reports that it links to, by their relative URLs, which are quoted.
        told: what it shows, in a few words.
    """

    html: str
    reports: Mapping[str, Path]
    told: str


def write_history(root: Path, environment: str, *, most: int) -> str:
    """Write the page; return a line with its path.

    Raises:
        ConfigurationError, LedgerUnavailable: as for `history_page`; no page is written.
        OSError: the page cannot be written.
    """
    reports = root / "reports"
    page = history_page(root, environment, most=most)
    write_atomically(reports / PAGE, page.html)
    return f"{shown(reports / PAGE)}: {page.told}"


def history_page(root: Path, environment: str, *, most: int, within: Path | None = None) -> Page:
    """Make the page from the ledgers.

    Args:
        root: the project's folder.
        environment: the name of the environment; "" for all environments in the ledgers.
        most: the most deployments to show for each environment.
        within: link only to reports in this folder; None for all.

    Raises:
        ConfigurationError: an environment or the runbook is not valid.
        LedgerUnavailable: a ledger cannot be read.
    """
    now, reports = datetime.now(UTC), root / "reports"
    sources = Sources.of(root, environment)
    found = tuple(
        one for url in sources.urls for one in _histories(sources, url, environment, now.timestamp(), most)
    )
    listed = (
        run
        for one in found
        for run in (*(run for row in one.deployments for run in row.runs), *(row.run for row in one.asides))
    )
    hrefs: dict[str, str] = sources.masker.data(links(listed, reports, seen_from=reports))
    files = {href: reports / unquote(href) for href in hrefs.values()}
    if within is not None:
        inside = within.resolve()
        files = {href: file for href, file in files.items() if file.resolve().is_relative_to(inside)}
        hrefs = {run: href for run, href in hrefs.items() if href in files}
    html = index_html(sources.masked(_CHRONICLES, found), hrefs, at=now.isoformat(timespec="seconds"))
    total = sum(len(one.deployments) + one.earlier for one in found)
    return Page(html, files, f"{counted(len(found), 'environment')}, {counted(total, 'deployment')}")


def _histories(
    sources: Sources, url: str, environment: str, now: float, most: int
) -> Iterator[EnvironmentHistory]:
    with Store.opened(url) as store:
        for name in (environment,) if environment else store.environments():
            yield environment_history(
                sources.runbook(name), remembered(store, name, now=now), now=now, most=most
            )

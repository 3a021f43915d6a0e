"""`kamiyo-verify history --serve`: the history page and the reports that it links to, over HTTP, read-only.

A request names one of the page's own links or gets 404: no request becomes a path of the file system.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kamiyo_verify.cli.documents.history import Page, history_page
from kamiyo_verify.cli.read_only_server import PAGE_CSP, REPORT_CSP, ReadOnlyServer, guarded, text
from kamiyo_verify.cli.serve_options import OPEN_TO_ALL
from kamiyo_verify.config.draft import ConfigurationError
from kamiyo_verify.ledger.database import LedgerUnavailable
from kamiyo_verify.reporting.inert import one_line

FRESH_S = 10.0
"""Seconds for which a page is served before it is made anew."""


class FreshPage:
    """The page, made anew once it is older than `FRESH_S`, by one request at a time.

    Args:
        make: makes the page.
    """

    def __init__(self, make: Callable[[], Page]) -> None:
        self._make = make
        self._turn = threading.Lock()
        self._page: Page | None = None
        self._made_at = 0.0

    def get(self) -> Page:
        """Return the page; raise what making it raises."""
        with self._turn:
            if self._page is None or time.monotonic() - self._made_at > FRESH_S:
                self._page = self._make()
                self._made_at = time.monotonic()
            return self._page


def create_app(page: FreshPage, *, hosts: Collection[str] = (), say: Callable[[str], None]) -> ASGIApp:
    """Create the application.

    Args:
        page: the page.
        hosts: the names by which it may be requested; empty for any.
        say: receives a line when the page cannot be made.
    """

    async def made() -> Page | None:
        try:
            return await run_in_threadpool(page.get)
        except (ConfigurationError, LedgerUnavailable, LookupError, OSError, ValueError) as error:
            say(f"no page: {one_line(str(error), 600)}")
            return None

    async def show_page(_: Request) -> Response:
        found = await made()
        if found is None:
            return text(503, "the ledger cannot be read now")
        return HTMLResponse(found.html, headers={"Content-Security-Policy": PAGE_CSP})

    async def show_report(request: Request) -> Response:
        found = await made()
        if found is None:
            return text(503, "the ledger cannot be read now")
        file = found.reports.get(quote(request.path_params["path"]))
        if file is None or not file.is_file():
            return text(404, "there is no such page")
        return FileResponse(file, media_type="text/html", headers={"Content-Security-Policy": REPORT_CSP})

    return guarded(Starlette(routes=[Route("/", show_page), Route("/{path:path}", show_report)]), hosts)


def serve(root: Path, environment: str, *, most: int, bind: str, port: int) -> str:
    """Serve until stopped; return a last line.

    Raises:
        OSError: the address cannot be listened on.
        ConfigurationError, LedgerUnavailable: the first page cannot be made.
    """

    def say(line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    page = FreshPage(lambda: history_page(root, environment, most=most, within=root / "reports"))
    page.get()
    server = ReadOnlyServer(lambda hosts: create_app(page, hosts=hosts, say=say), bind, port)
    if not server.is_local:
        say(OPEN_TO_ALL)
    say(f"history at {server.url}, until Ctrl-C")
    server.run()
    return "stopped"

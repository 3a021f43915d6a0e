"""`kamiyo-verify watch --serve`: the live state of a watch as a page and as metrics, read-only.

/ is the page, /metrics is for Prometheus, /rounds/NUMBER is the report of a round. No request becomes a path
of the file system.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kamiyo_verify.cli.read_only_server import PAGE_CSP, REPORT_CSP, guarded, text
from kamiyo_verify.masking.masker import Masker
from kamiyo_verify.model.history.watch import WatchView
from kamiyo_verify.reporting.exports.prometheus import CONTENT_TYPE
from kamiyo_verify.reporting.exports.watch_metrics import watch_metrics
from kamiyo_verify.reporting.pages.watch import watch_html

_REPORT = "report.html"


class LiveWatch:
    """The latest view of a watch, shown by one thread and read by another.

    Args:
        folder: the folder of the watch.
        masker: masks the credentials in whatever is served but the reports, which are masked already.
    """

    def __init__(self, folder: Path, masker: Masker) -> None:
        self._folder = folder
        self._masker = masker
        self._view: WatchView | None = None

    def show(self, view: WatchView) -> None:
        """Replace the view."""
        self._view = view

    def page(self) -> str:
        """Return the page; "" if there is nothing to show yet."""
        view = self._view
        if view is None:
            return ""
        reports = frozenset(n for n in range(1, view.state.rounds + 1) if self.report(n))
        return self._masker.text(watch_html(view, reports=reports))

    def metrics(self) -> str:
        """Return the metrics; "" if there is nothing to show yet."""
        view = self._view
        return self._masker.text(watch_metrics(view)) if view else ""

    def report(self, number: int) -> Path | None:
        """Return the report of a round that has ended; None if there is none."""
        view = self._view
        if view is None or not 1 <= number <= view.state.rounds:
            return None
        path = self._folder / "rounds" / f"{number:04}" / _REPORT
        inside = path.resolve().is_relative_to(self._folder.resolve())
        return path if inside and path.is_file() else None


def create_app(live: LiveWatch, hosts: Collection[str] = ()) -> ASGIApp:
    """Create the application; `hosts` are the names by which it may be requested, empty for any."""

    def show_page(_: Request) -> Response:
        page = live.page()
        if not page:
            return text(503, "the watch begins")
        return HTMLResponse(page, headers={"Content-Security-Policy": PAGE_CSP})

    def show_metrics(_: Request) -> Response:
        found = live.metrics()
        return Response(found, media_type=CONTENT_TYPE) if found else text(503, "the watch begins")

    def show_report(request: Request) -> Response:
        file = live.report(request.path_params["number"])
        if file is None:
            return text(404, "there is no such page")
        return FileResponse(file, media_type="text/html", headers={"Content-Security-Policy": REPORT_CSP})

    routes = [
        Route("/", show_page),
        Route("/metrics", show_metrics),
        Route("/rounds/{number:int}", show_report),
    ]
    return guarded(Starlette(routes=routes), hosts)

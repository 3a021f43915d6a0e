"""A small platform of its own, and what may answer in its place: a cache, and a page of maintenance."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.support.serving import serving

Answer = Callable[[Request], Response]

RUNBOOK = """
title = "Shop"
policy.required_impacts = ["core", "data"]
[[sections]]
title = "After the deployment"
items = [
    { id = "postdeploy.healthy", title = "It is healthy", impact = "core", services = ["shop"] },
    { id = "postdeploy.items", title = "It lists items", impact = "data", services = ["shop"] },
    { id = "postdeploy.page", title = "Its page loads", impact = "ui", services = ["shop"] },
]
"""
ENVIRONMENT = """
title = "Shop"
production = false
[services.shop]
url = "{url}"
[control]
urls = ["{control}"]
[ledger]
url = "SHOP_LEDGER"
[confirmation]
spacing_s = 0.1
final_after_s = 0.5
per_minute = 6000
at_most_s = 10
"""
CHECKS = """
import pytest
from kamiyo_verify.checks import library

@pytest.mark.item("postdeploy.healthy")
def test_healthy(http, measure):
    library.answers(http("shop"), "/health", measure, no_page=True)

@pytest.mark.item("postdeploy.items")
def test_items(http, measure):
    library.has_rows(http("shop"), "/items", measure)

@pytest.mark.item("postdeploy.page")
def test_page(http, measure):
    library.shows_title(http("shop"), "/", "Shop", measure)
"""
PYPROJECT = """
[tool.pytest]
testpaths = ["checks"]
addopts = ["--import-mode=importlib", "--env=prod", "-p", "no:cacheprovider"]
"""
COPY = {"Age": "7200", "X-Cache": "HIT"}


def well(request: Request) -> Response:
    if request.url.path == "/":
        return HTMLResponse("<!doctype html><title>Shop</title><h1>Shop</h1>")
    return JSONResponse([{"id": 1}] if request.url.path == "/items" else {"status": "ok"})


def broken(_: Request) -> Response:
    return JSONResponse({"error": "no database"}, 500)


def stored(of: Answer) -> Answer:
    """What a cache stored two hours ago."""

    def answer(request: Request) -> Response:
        copy = of(request)
        copy.headers.update(COPY)
        return copy

    return answer


def behind_a_cache(service: Answer) -> Answer:
    """A cache that asks the service for each new query, and has healthy copies of the rest."""
    return lambda request: service(request) if request.url.query else stored(well)(request)


def page_of(title: str, status: int) -> Answer:
    """One page for every path, with the path in its text."""
    return lambda request: HTMLResponse(
        f"<!doctype html><title>{title}</title><p>{request.url.path}</p>", status
    )


def call_of(service: Answer, folder: Path) -> dict[str, Any]:
    """The verdict of one run of the project on a platform that answers so."""
    for name, text in {"runbook.toml": RUNBOOK, "pyproject.toml": PYPROJECT, "conftest.py": ""}.items():
        (folder / name).write_text(text)
    (folder / "checks" / "postdeploy").mkdir(parents=True)
    (folder / "checks" / "postdeploy" / "test_shop.py").write_text(CHECKS)
    (folder / "environments").mkdir()

    async def platform(request: Request) -> Response:
        return service(request)

    app = Starlette(routes=[Route("/{path:path}", platform)])
    with serving(app) as url, serving(app) as control:
        (folder / "environments" / "prod.toml").write_text(ENVIRONMENT.format(url=url, control=control))
        variables = {**os.environ, "SHOP_LEDGER": f"sqlite:///{folder}/ledger.sqlite"}
        command = [sys.executable, "-m", "pytest", "-q", "-m", "postdeploy"]
        ran = subprocess.run(
            command, cwd=folder, env=variables, capture_output=True, text=True, timeout=120, check=False
        )
    found = sorted((folder / "reports").glob("prod/*/verdict.json"))
    assert found, ran.stdout + ran.stderr
    verdict: dict[str, Any] = json.loads(found[-1].read_text())
    return verdict


@pytest.mark.parametrize(
    ("service", "call"),
    [
        (behind_a_cache(well), "proceed"),
        (behind_a_cache(broken), "roll_back"),
        (stored(well), "inconclusive"),
    ],
    ids=["well", "broken behind it", "copies alone"],
)
def test_a_cache_shows_nothing_of_the_release(service: Answer, call: str, tmp_path: Path) -> None:
    verdict = call_of(service, tmp_path)
    assert verdict["recommendation"] == call, verdict["headline"]


@pytest.mark.parametrize(
    ("service", "call"),
    [
        (page_of("Back soon", 200), "inconclusive"),
        (page_of("Service Unavailable", 503), "roll_back"),
    ],
    ids=["maintenance", "a service that is down"],
)
def test_one_page_for_every_path(service: Answer, call: str, tmp_path: Path) -> None:
    verdict = call_of(service, tmp_path)
    assert verdict["recommendation"] == call, verdict["headline"]

"""A list is read from replicas, of which one lags or lacks rows."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.e2e.test_in_place import CHECKS, ENVIRONMENT, PYPROJECT, RUNBOOK, well
from tests.support.serving import serving


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("counts", "code"),
    [([10, 40, 40, 40], 0), ([10, 40, 10, 40], 30), ([10, 10, 10, 10], 20)],
    ids=["lags", "by turns", "gone"],
)
def test_one_answer_with_few_rows_is_no_lost_data(counts: list[int], code: int, tmp_path: Path) -> None:
    for name, text in {"runbook.toml": RUNBOOK, "pyproject.toml": PYPROJECT, "conftest.py": ""}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "checks" / "postdeploy").mkdir(parents=True)
    (tmp_path / "checks" / "postdeploy" / "test_shop.py").write_text(CHECKS)
    (tmp_path / "environments").mkdir()
    rows = itertools.chain([40], itertools.cycle(counts))

    async def platform(request: Request) -> Response:
        if request.url.path == "/items":
            return JSONResponse([{"id": number} for number in range(next(rows))])
        return well(request)

    app = Starlette(routes=[Route("/{path:path}", platform)])
    variables = {**os.environ, "SHOP_LEDGER": f"sqlite:///{tmp_path}/ledger.sqlite"}
    command = [sys.executable, "-m", "pytest", "-q", "-m", "postdeploy"]
    with serving(app) as url, serving(app) as control:
        (tmp_path / "environments" / "prod.toml").write_text(ENVIRONMENT.format(url=url, control=control))
        for more, expected in ((["--baseline"], 0), ([], code)):
            ran = subprocess.run(
                [*command, *more],
                cwd=tmp_path,
                env=variables,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            assert ran.returncode == expected, ran.stdout + ran.stderr

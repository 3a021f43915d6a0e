"""`kamiyo-verify init` before a single-page application, which answers every path with its page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.cli.test_init_looks import COMMIT, Serve, environment, serve, written

__all__ = ["serve"]

PAGE = "<html><title>Shop</title><p>one page</p></html>"
HEALTHY = {"status": "ok", "commit": COMMIT}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    return tmp_path


@pytest.mark.parametrize("path", ["/health", "/healthz", "/api/health", "/up"])
def test_an_answer_that_is_no_page_is_one_of_its_own(path: str, serve: Serve, folder: Path) -> None:
    checks = written(folder, serve({"/": PAGE, path: HEALTHY}, otherwise=PAGE).origin)

    assert f'"{path}"' in checks
    assert environment(folder)["services"]["web"]["commit"] == {"path": path, "field": "commit"}


@pytest.mark.parametrize(
    ("answers", "otherwise"),
    [
        ({"/": PAGE}, PAGE),
        ({"/": PAGE, "/health": "<html><title>All is well</title>words</html>"}, PAGE),
        ({"/": PAGE, "/health": HEALTHY}, HEALTHY),
        ({"/": {"service": "notes"}}, {"service": "notes"}),
    ],
    ids=["one page", "a page for people", "the same for every path", "JSON for every path"],
)
def test_the_same_answer_for_every_path_shows_no_health(
    answers: dict[str, object], otherwise: object, serve: Serve, folder: Path
) -> None:
    checks = written(folder, serve(answers, otherwise=otherwise).origin)
    assert "/health" not in checks

"""Fixtures for Kamiyo's pages in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from kamiyo_verify.fixtures.browser import AttemptFiles, attempt_number
from kamiyo_verify.hooks.evidence import READING
from kamiyo_verify.hooks.reruns import OUTCOME
from kamiyo_verify.model.outcomes import Unrecognised, Unverified, WrongAnswer
from kamiyo_verify.model.words import Status

if TYPE_CHECKING:
    from kamiyo_platform.browser import BrowserClient
    from kamiyo_platform.page_scan import PageScan
    from kamiyo_verify.config.environment import Environment
    from kamiyo_verify.http.context import ClientContext
    from kamiyo_verify.integrations.browser.engine import Engine
    from kamiyo_verify.integrations.browser.page_loads import Loads


@pytest.fixture
def browser(
    request: pytest.FixtureRequest,
    environment: Environment,
    browser_engine: Engine,
    client_context: ClientContext,
) -> Iterator[BrowserClient]:
    """Client for the pages in a real browser."""
    # Asyncio and its own modules: only a run that opens a browser imports them.
    from kamiyo_platform.browser import BrowserClient  # noqa: PLC0415
    from kamiyo_verify.integrations.browser.traces import Trace  # noqa: PLC0415

    files = AttemptFiles(request)
    client = BrowserClient(
        environment,
        browser_engine,
        client_context,
        keep=files.keep_picture,
        mask=files.mask,
        trace=Trace(files.keep_trace, files.masker.data) if files.is_tried_again else None,
    )
    request.node.stash[READING] = partial(_read, environment, client)
    yield client
    outcome = request.node.stash.get(OUTCOME, None)
    client.leave(failed=outcome is not None and outcome.status in {Status.FAILED, Status.ERROR})


def _read(environment: Environment, client: BrowserClient, error: BaseException) -> BaseException:
    """Turn "element not found" into Unverified until [browser] is proven: our selectors may be wrong."""
    by_find = isinstance(error, Unrecognised) or (
        isinstance(error, AssertionError) and not isinstance(error, WrongAnswer)
    )
    if environment.browser.proven or not by_find or not client.only_lost:
        return error
    return Unverified(
        f"not counted until [browser] of environments/{environment.name}.toml says proven = true:"
        f" {str(error).partition(chr(10))[0]}"
    )


@pytest.fixture(scope="session")
def _page_scans() -> dict[str, PageScan]:
    return {}


@pytest.fixture
def page_scan(
    browser: BrowserClient, request: pytest.FixtureRequest, _page_scans: dict[str, PageScan]
) -> PageScan:
    """Errors in the background of the pages. Items share one scan; a retried item runs its own."""
    if attempt_number(request) > 1 or "last" not in _page_scans:
        _page_scans["last"] = browser.scan_pages()
    return _page_scans["last"]


@pytest.fixture
def page_loads(browser: BrowserClient) -> Loads:
    """Load times of the pages, over repeated loads."""
    return browser.loads()

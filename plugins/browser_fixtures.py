"""The browser as a fixture: one for a whole process, a fresh visit for each try, and what it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from plugins.clients.browser import BrowserClient
from plugins.clients.browser_engine import Engine
from plugins.clients.browser_loads import Loads
from plugins.clients.browser_tour import Tour
from plugins.clients.browser_traces import Trace
from plugins.clients.http import Record
from plugins.evidence import READING, RECORDER
from plugins.model.environment import Environment
from plugins.model.outcomes import Unrecognised, Unverified, WrongAnswer
from plugins.model.result import Screenshot
from plugins.model.words import Status
from plugins.report_dir import write_bytes_atomically
from plugins.retries import OUTCOME
from plugins.run import RUN, Run

SCREENSHOTS, TRACES = "screenshots", "traces"

_MOST_SCREENSHOTS = 12


@pytest.fixture(scope="session")
def browser_engine(environment: Environment) -> Iterator[Engine]:
    """The browser of this process; it starts when it is first asked for."""
    engine = Engine(environment.browser.executable)
    yield engine
    engine.close()


@pytest.fixture
def browser(
    request: pytest.FixtureRequest,
    environment: Environment,
    browser_engine: Engine,
    record: Record,
    remaining: Callable[[], float],
) -> Iterator[BrowserClient]:
    """Looks at the pages as people do."""
    files = _Files(request)
    client = BrowserClient(
        environment,
        browser_engine,
        record=record,
        remaining=remaining,
        keep=files.keep_picture,
        mask=files.mask,
        trace=Trace(files.keep_trace, files.masker.data) if files.is_tried_again else None,
    )
    request.node.stash[READING] = partial(_read, environment, client)
    yield client
    outcome = request.node.stash.get(OUTCOME, None)
    client.leave(failed=outcome is not None and outcome.status in {Status.FAILED, Status.ERROR})


def _read(environment: Environment, client: BrowserClient, error: BaseException) -> BaseException:
    """A page that nobody has shown our way about says nothing by looking otherwise than we expect."""
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
def _tours() -> dict[str, Tour]:
    return {}


@pytest.fixture
def tour(browser: BrowserClient, request: pytest.FixtureRequest, _tours: dict[str, Tour]) -> Tour:
    """What goes wrong on the pages unseen. Items share one tour; one that is tried again goes on its own."""
    if _try(request) > 1 or "last" not in _tours:
        _tours["last"] = browser.tour()
    return _tours["last"]


@pytest.fixture
def page_loads(browser: BrowserClient) -> Loads:
    """How long the pages take to load, time after time."""
    return browser.loads()


class _Files:
    """What a try leaves in the report's folder, in place of what the try before has left."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        run: Run = request.config.stash[RUN]
        if run.report_dir is None:
            raise RuntimeError("a browser belongs to a run with a report")
        self.masker = run.masker
        self._recorder = request.config.stash[RECORDER]
        self._folder = run.report_dir
        self._item = str(request.node.get_closest_marker("item").args[0])
        self._taken = 0
        self._last = b""
        # The first failure is looked at as it is; what is tried again is taken down as well.
        self.is_tried_again = _try(request) > 1 or run.environment.confirmation.attempts == 1
        for path in self._folder.glob(f"{SCREENSHOTS}/{self._item}-[0-9]*"):
            path.unlink(missing_ok=True)

    def mask(self, text: str) -> str:
        """The text without secrets."""
        return self.masker.text(text)

    def keep_picture(self, caption: str, picture: bytes, kind: str) -> None:
        """Write it and note it, unless there are enough of them."""
        if picture == self._last:  # nothing has changed since the step before
            return
        self._last = picture
        if sum(1 for _ in self._folder.glob(f"{SCREENSHOTS}/*")) >= _MOST_SCREENSHOTS:
            return
        self._taken += 1
        step = re.sub(r"[^a-z0-9]+", "-", caption.lower()).strip("-")[:40].strip("-")
        file = f"{SCREENSHOTS}/{self._item}-{self._taken}-{step}.{kind}"
        self._write(file, picture)
        self._recorder.tape.picture(Screenshot(file, caption))

    def keep_trace(self, trace: bytes) -> None:
        """Write it and note it."""
        file = f"{TRACES}/{self._item}.zip"
        self._write(file, trace)
        self._recorder.tape.measure("trace", file)

    def _write(self, file: str, content: bytes) -> None:
        path: Path = self._folder / file
        path.parent.mkdir(exist_ok=True)
        write_bytes_atomically(path, content)


def _try(request: pytest.FixtureRequest) -> int:
    """The number of the try, as pytest-rerunfailures counts them."""
    return int(getattr(request.node, "execution_count", 1))

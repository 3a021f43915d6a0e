"""The browser over pages made up for the purpose: late, covered, stuck, hostile, or somebody else's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from kamiyo_platform.browser import BrowserClient
from kamiyo_verify.config.environment import Environment
from kamiyo_verify.integrations.browser import chromium
from kamiyo_verify.integrations.browser.engine import Engine
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, Unverified, WrongAnswer
from kamiyo_verify.processes.loop_thread import LoopThread
from tests.support import browsers
from tests.support.browsing import Left, changed, client, over_pages
from tests.support.serving import serving
from tests.support.stopwatch import Stopwatch

ROWS = "".join(
    f"<tr><td>{n}</td><td>{'Base' if n % 3 else 'Solana'}</td><td>Protocol {n}</td>"
    f"<td><a href='/d{n}' onclick='show(); return false'>open</a></td></tr>"
    for n in range(6)
)
TABLE = f"<h1>List</h1><table><tbody>{ROWS}</tbody></table>"
LATE = f"""<title>late</title><main></main><script>
  setTimeout(() => document.querySelector('main').innerHTML = {TABLE!r}, 400);
</script>"""
COVERED = f"""<title>covered</title>{TABLE}
<div id="cookie-consent" style="position:fixed; inset:0; background:#fff8"><button>Accept all</button></div>
<dialog><dl><dt>protocol</dt><dd>Protocol 0</dd></dl></dialog>
<script>
  const banner = document.querySelector('#cookie-consent');
  banner.firstElementChild.onclick = () => banner.remove();
  function show() {{ document.querySelector('dialog').show(); }}
</script>"""
WINDOWS = f"""<title>windows</title>{TABLE}<script>function show() {{
  open('').document.write('<main><dl><dt>protocol</dt><dd>Protocol 0</dd></dl></main>');
}}</script>"""
NOISY = """<title>noisy</title><h1>Sign in</h1><button>Sign in</button><script>
  alert('first'); confirm('then'); setTimeout(() => prompt('last'), 50);
  onbeforeunload = () => 'stay'; window.open('/popup'); location.hash = '#x';
</script>"""
STUCK = "<title>stuck</title><h1>here</h1><script>setTimeout(() => { for (;;); }, 200)</script>"
HOSTILE = (
    """<title>\x1b[31mred\u202e</title><h1>&lt;script&gt;alert(1)&lt;/script&gt;\x1b[2J</h1>"""
    + "<h2>x</h2>" * 500
)
SHOWS_SECRETS = """<title>keys</title><h1>Sign in</h1><button>Sign in</button>
<p>Your key: TOP-SECRET-KEY-1</p><p>sk_live_abcdefgh12345678</p><input value="TOP-SECRET-KEY-1">"""


async def third_party(request: Request) -> Response:
    """A page whose stranger fails: a script that throws, and a request that nobody answers."""
    other = f"http://localhost:{request.url.port}"
    return HTMLResponse(f"""<title>mixed</title><h1>Sign in</h1><button>Sign in</button>
      <script src="{other}/throws.js"></script><script>fetch("{other}/gone").catch(() => 0)</script>""")


async def endless(_request: Request) -> Response:
    await asyncio.sleep(4)
    return PlainTextResponse("late")


def page(html: str) -> Route:
    async def answer(_request: Request) -> Response:
        return HTMLResponse(html)

    return Route("/" + html.partition("<title>")[2].partition("</title>")[0].strip("\x1b[31m\u202e"), answer)


async def fallback(request: Request) -> Response:
    match request.path_params["rest"]:
        case "throws.js":
            return PlainTextResponse("throw new Error('not ours')", media_type="text/javascript")
        case "loop":
            return RedirectResponse("/loop")
        case "download":
            return Response(b"x" * 10_000, headers={"Content-Disposition": "attachment; filename=x.bin"})
        case "limited-data":
            return HTMLResponse("<title>l</title><script>fetch('/busy')</script>")
        case "busy":
            return JSONResponse({}, 429, {"Retry-After": "60"})
        case "hostile":
            return HTMLResponse(HOSTILE)
        case _:
            return PlainTextResponse("nothing", 404)


PAGES = Starlette(
    routes=[
        *map(page, (LATE, COVERED, WINDOWS, NOISY, STUCK, SHOWS_SECRETS)),
        Route("/mixed", third_party),
        Route("/endless", endless),
        Route("/{rest:path}", fallback),
    ]
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    browsers.required()
    engine = Engine("")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def environment(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    with serving(PAGES) as origin:
        yield over_pages(origin, tmp_path_factory.mktemp("pages"), absent=["sign-in"])


@pytest.fixture
def left() -> Left:
    return Left()


def at(
    environment: Environment, engine: Engine, path: str, left: Left | None = None, has_s: float = 20
) -> BrowserClient:
    there = changed(environment, frontend={"dashboard_path": path}, sign_in={"page_path": path})
    return client(there, engine, left, has_s=has_s)


def test_a_list_that_comes_late_is_waited_for(environment: Environment, engine: Engine) -> None:
    assert {row.chain for row in at(environment, engine, "/late").dashboard()} == {"Base", "Solana"}


def test_a_banner_is_taken_away_first(environment: Environment, engine: Engine) -> None:
    browser = at(environment, engine, "/covered")
    browser.dashboard()
    assert "Protocol 0" in browser.open_first().text


def test_details_may_open_a_page_of_their_own(environment: Environment, engine: Engine) -> None:
    browser = at(environment, engine, "/windows")
    browser.dashboard()
    assert "Protocol 0" in browser.open_first().text


def test_dialogs_and_windows_hold_nobody_up(environment: Environment, engine: Engine) -> None:
    browser = at(environment, engine, "/noisy")
    watch = Stopwatch()
    browser.ways_in()
    browser.leave(failed=True)
    assert watch.seconds < 10


def test_what_is_not_ours_is_not_counted(environment: Environment, engine: Engine) -> None:
    scan = at(environment, engine, "/mixed").scan_pages()
    assert "/mixed" in scan.pages
    assert scan.script_errors == ()
    assert not [one for one in scan.failed if "localhost" in one]


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/loop", WrongAnswer, "redirects for ever"),
        ("/download", WrongAnswer, "is no page that a browser shows"),
        ("/endless", NoAnswer, "gave no whole page within 2 s"),
        ("/limited-data", NoAnswer, "/busy answered 429 to the page"),
        ("/nowhere", WrongAnswer, "/nowhere answered 404"),
        ("/hostile", WrongAnswer, r'the title "\S*red\S*"'),
    ],
)
def test_a_page_that_is_none_says_why(
    path: str, kind: type[Exception], words: str, environment: Environment, engine: Engine
) -> None:
    with pytest.raises(kind, match=words) as told:
        at(environment, engine, path).ways_in()
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 900


def test_a_stuck_page_ends_in_its_time_and_the_next_one_is_fine(
    environment: Environment, engine: Engine
) -> None:
    watch = Stopwatch()
    with pytest.raises(WrongAnswer, match="it is stuck"):
        at(environment, engine, "/stuck", has_s=6).ways_in()
    assert watch.seconds < 10
    assert at(environment, engine, "/late").dashboard()


def test_pictures_show_no_secret(
    environment: Environment, engine: Engine, left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {"name": "A_KEY", "value": "TOP-SECRET-KEY-1"}
    browser = at(changed(environment, api={"key": key}), engine, "/keys", left)
    hidden: list[int] = []
    original = browser._pictures._hidden

    async def counted(page: Any) -> Any:
        found = await original(page)
        hidden.append(sum([await one.count() for one in found or []]))
        return found

    monkeypatch.setattr(browser._pictures, "_hidden", counted)
    browser.ways_in()
    assert hidden == [3], "two lines and a field"
    assert len(left.pictures) == 1


def test_a_browser_that_is_killed_is_no_failure_of_the_platform_and_is_replaced(
    environment: Environment, engine: Engine
) -> None:
    browser = at(environment, engine, "/late")
    browser.dashboard()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # nor a zombie, which is one of them
            if "chrom" in process.name() and "--type=" not in " ".join(process.cmdline()):
                process.kill()
    with pytest.raises(NoAnswer, match="the browser ended in the middle") as told:
        browser.narrow("chain")
    assert told.value.kind is NoAnswerKind.BROWSER
    assert at(environment, engine, "/late").dashboard()


def test_it_works_beside_a_running_event_loop(environment: Environment, engine: Engine) -> None:
    async def within() -> int:
        return len(at(environment, engine, "/late").dashboard())

    assert asyncio.run(within()) == 6


def test_a_program_that_is_no_browser_is_an_error(environment: Environment) -> None:
    browsers.required()
    engine = Engine("/bin/false")
    with pytest.raises(NoAnswer, match="/bin/false does not start") as told:
        client(environment, engine).ways_in()
    assert told.value.kind is NoAnswerKind.BROWSER
    engine.close()


def test_without_a_browser_it_is_told_how_to_get_one(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(Unverified, match="executable: there is no program /nowhere/chromium"):
        client(environment, Engine("/nowhere/chromium")).ways_in()
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "_MAC", tmp_path / "none")
    with pytest.raises(
        Unverified, match=r"apt-get install chromium, or \.venv/bin/playwright install chromium"
    ):
        client(environment, Engine("")).ways_in()
    monkeypatch.setattr(chromium, "find_spec", lambda _: None)
    assert chromium.lacking("").endswith("Playwright is not installed; run: make browser")


def test_a_thread_gives_up_in_time() -> None:
    thread = LoopThread("tried")
    watch = Stopwatch()
    with pytest.raises(TimeoutError):
        thread.run(asyncio.sleep(30), 0.05)
    assert watch.seconds < 5
    assert thread.run(asyncio.sleep(0, "done"), 5) == "done"
    thread.close()

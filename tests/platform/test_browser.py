"""The browser over the sandbox: each flow works, and each fault is told for what it is."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator

import pytest

from kamiyo_platform.browser import BrowserClient
from kamiyo_verify.integrations.browser.engine import Engine
from kamiyo_verify.model.outcomes import NoAnswer, NoAnswerKind, ServerBroke, Unverified, WrongAnswer
from kamiyo_verify.model.words import Stopping
from tests.e2e.runs import CANARIES, CANARY
from tests.support import browsers
from tests.support.browsing import Left, changed, client, over
from tests.support.sandbox_process import Sandbox, request, started

DASHBOARD, SIGN_IN = "/dashboard", "/auth/signin"


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    browsers.required()
    engine = Engine("")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def running(engine: Engine) -> Iterator[Sandbox]:
    with started(environment=CANARIES) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    """Healthy, with full allowances."""
    request("DELETE", f"{running.control}/faults").raise_for_status()
    return running


@pytest.fixture
def left() -> Left:
    return Left()


@pytest.fixture
def visitor(sandbox: Sandbox, engine: Engine, left: Left) -> Iterator[BrowserClient]:
    browser = client(over(sandbox), engine, left)
    yield browser
    browser.leave(failed=False)


def test_people_come_in(visitor: BrowserClient, left: Left) -> None:
    assert visitor.follow(DASHBOARD, SIGN_IN) == SIGN_IN
    assert visitor.ways_in() == ("Sign in with Google", "Sign in with Credentials")
    arrival = visitor.sign_in()
    assert (arrival.by, arrival.at, arrival.recognised) == ("password", DASHBOARD, True)
    assert left.captions == [
        "/dashboard, signed out",
        "the sign-in page",
        "the sign-in form, filled in",
        "the dashboard, signed in",
    ]


def test_the_dashboard_does_what_people_come_for(visitor: BrowserClient, left: Left) -> None:
    rows = visitor.dashboard()
    assert len(rows) == 25
    assert all(row.chain and row.protocol for row in rows)

    by_chain = visitor.narrow("chain")
    assert (by_chain.before, by_chain.others) == (25, ())
    assert 0 < by_chain.after <= 25
    assert visitor.subscribe() == f"Subscribed to alerts for {by_chain.value}."

    opened = visitor.open_first()
    assert opened.row.chain == by_chain.value
    assert opened.row.protocol in opened.text

    visitor.dashboard()
    assert visitor.narrow("protocol").others == ()
    assert {sent.status for sent in left.exchanges} == {200}, left.exchanges
    assert all(kind in {"png", "jpg"} and len(picture) <= 80_000 for _, picture, kind in left.pictures)


def test_a_tour_finds_nothing_and_loads_are_timed(visitor: BrowserClient) -> None:
    scan = visitor.scan_pages()
    assert (scan.pages, scan.script_errors, scan.failed) == (("/", SIGN_IN, DASHBOARD), (), ())

    loads = visitor.loads()
    assert len(loads.load_ms) == 3
    assert 0 < min(loads.load_ms) <= loads.p95_ms == max(loads.load_ms)
    assert loads.stopping is Stopping.FIXED


def test_the_session_signs_in_where_there_is_no_password(
    sandbox: Sandbox, engine: Engine, left: Left
) -> None:
    nobody = {"name": "NOT_SET", "value": None}
    by_session = client(over(sandbox, sign_in={"email": nobody, "password": nobody}), engine, left)
    assert by_session.sign_in().by == "session"
    by_session.leave(failed=False)

    by_password = client(over(sandbox, sign_in={"session_token": nobody}), engine)
    assert len(by_password.dashboard()) == 25
    by_password.leave(failed=False)

    neither = {"session_token": nobody, "email": nobody, "password": nobody}
    with pytest.raises(Unverified, match=r"NOT_SET \(sign_in.session_token\), or .* are not set"):
        client(over(sandbox, sign_in=neither), engine).dashboard()


def flow(*steps: str) -> Callable[[BrowserClient], object]:
    def follow(browser: BrowserClient) -> object:
        found: object = None
        for step in steps:
            name, _, argument = step.partition(" ")
            found = getattr(browser, name)(*argument.split())
        return found

    return follow


FAULTS: dict[str, tuple[Callable[[BrowserClient], object], type[Exception], str]] = {
    "frontend-script-error": (
        flow("dashboard"),
        WrongAnswer,
        r"no exploit .*script failed: TypeError.*'props'",
    ),
    "dashboard-empty": (
        flow("dashboard"),
        WrongAnswer,
        r'no exploit within 1 s\. On the page: the title "KAMIYO – dashboard", "Latest.*set row in ',
    ),
    "cors-own-origin-refused": (flow("dashboard"), WrongAnswer, r"a request failed: .*CORS refuses it"),
    "dashboard-broken": (
        flow("dashboard"),
        ServerBroke,
        r"/dashboard answered 500 where a page was expected",
    ),
    "sign-in-page-missing": (flow("ways_in"), WrongAnswer, r"/auth/signin answered 404"),
    "auth-misconfigured": (flow("ways_in"), WrongAnswer, r"no way to sign in"),
    "sign-in-broken": (flow("sign_in"), WrongAnswer, r"does not let the test account in: .*Sign in failed"),
    "sessions-lost": (
        flow("dashboard"),
        NoAnswer,
        r"sends the test account to /auth/signin: it is not signed in",
    ),
    "details-broken": (flow("dashboard", "open_first"), WrongAnswer, r"no details .*answered 500"),
    "websocket-refused": (
        flow("dashboard", "subscribe"),
        WrongAnswer,
        r"shows no confirmation of a subscription",
    ),
    "subscribe-broken": (
        flow("dashboard", "subscribe"),
        WrongAnswer,
        r"shows no confirmation of a subscription",
    ),
    "frontend-down": (flow("ways_in"), NoAnswer, r"gave the browser no page: net::ERR_EMPTY_RESPONSE"),
    "rate-limited": (flow("ways_in"), NoAnswer, r"answered 429 to the page: we have asked for too much"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_for_what_it_is(fault: str, sandbox: Sandbox, visitor: BrowserClient) -> None:
    steps, kind, words = FAULTS[fault]
    with sandbox.fault(fault), pytest.raises(kind, match=words) as told:
        steps(visitor)
    assert CANARY not in str(told.value)


@pytest.mark.parametrize("field", ["chain", "protocol"])
@pytest.mark.parametrize("fault", ["filter-broken-in-page", "filter-broken"])
def test_a_filter_that_does_not_narrow_leaves_others(
    fault: str, field: str, sandbox: Sandbox, visitor: BrowserClient
) -> None:
    with sandbox.fault(fault):
        visitor.dashboard()
        assert flow(f"narrow {field}")(visitor).others  # type: ignore[attr-defined]


def test_a_session_that_is_lost_is_not_known(sandbox: Sandbox, visitor: BrowserClient) -> None:
    with sandbox.fault("sessions-lost"):
        arrival = visitor.sign_in()
    assert (arrival.at, arrival.recognised) == (SIGN_IN, False)


def test_a_stranger_stays_where_the_script_fails(sandbox: Sandbox, visitor: BrowserClient) -> None:
    with sandbox.fault("frontend-script-error"):
        assert visitor.follow(DASHBOARD, SIGN_IN) == DASHBOARD


@pytest.mark.parametrize(
    ("fault", "errors", "failed"),
    [
        ("frontend-script-error", "TypeError", ""),
        ("asset-missing", "", "/_next/static/css/kamiyo.css answered 404"),
    ],
)
def test_a_tour_sees_what_nobody_shows(
    fault: str, errors: str, failed: str, sandbox: Sandbox, visitor: BrowserClient
) -> None:
    with sandbox.fault(fault):
        scan = visitor.scan_pages()
    assert errors in " ".join(scan.script_errors)
    assert bool(scan.script_errors) == bool(errors)
    assert failed in " ".join(scan.failed)
    assert bool(scan.failed) == bool(failed)


def test_a_slow_frontend_shows_in_its_loads(sandbox: Sandbox, visitor: BrowserClient) -> None:
    with sandbox.fault("frontend-slow"):
        assert visitor.loads().p95_ms > 2000


def test_a_failure_leaves_a_picture_and_a_trace_without_secrets(
    sandbox: Sandbox, engine: Engine, left: Left
) -> None:
    browser = client(over(sandbox), engine, left, traced=True)
    with sandbox.fault("sessions-lost"):
        assert not browser.sign_in().recognised
        browser.leave(failed=True)

    assert left.captions[-1] == "as it was when it failed"
    [trace] = left.traces
    with zipfile.ZipFile(io.BytesIO(trace)) as archive:
        everything = b"\n".join(archive.read(name) for name in archive.namelist())
        names = archive.namelist()
    assert {"trace.trace", "trace.network"} <= set(names)
    assert b"Sign in with Credentials" in everything, "the page is in it"
    assert b"/api/auth/callback/credentials" in everything, "and what it asked for"
    for secret in (CANARY.encode(), b"next-auth.", b"csrfToken=", b"Set-Cookie", b"set-cookie", b"X-API-Key"):
        assert secret not in everything, secret


def test_another_address_of_things_is_told_by_the_environment(sandbox: Sandbox, engine: Engine) -> None:
    elsewhere = over(sandbox, browser={"find": {"row": ("#nowhere", "tbody > tr")}})
    browser = client(elsewhere, engine)
    assert len(browser.dashboard()) == 25
    browser.leave(failed=False)

    broken = changed(elsewhere, browser={"find": {"row": ("role=[[",)}})
    with pytest.raises(NoAnswer, match=r'\[browser\.find\] row: "role=\[\[" is no selector') as told:
        client(broken, engine).dashboard()
    assert told.value.kind is NoAnswerKind.UNUSABLE

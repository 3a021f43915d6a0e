"""What a cache serves shows neither that a release works nor that it is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

import pytest

from kamiyo_verify.checks import library
from kamiyo_verify.http.problems import cached_in
from kamiyo_verify.model.outcomes import ServerBroke, Unverified, WrongAnswer
from kamiyo_verify.model.services import CommitSource
from tests.engine.checks.test_library import Measured, opened

Said = tuple[int, dict[str, str], str]
PAGE = {"Content-Type": "text/html"}
STORED = {"Age": "7200", "X-Cache": "HIT"}
WELL: Said = (200, {}, '{"status": "ok"}')
BROKEN: Said = (502, PAGE, "<title>Bad gateway</title>")
TITLE: Said = (200, PAGE, "<title>Notes</title>")
NEW, OLD = "0123456789abcdef", "fedcba9876543210"


def by_query(asked: BaseHTTPRequestHandler) -> bool:
    """A cache whose key has the query: what it has not seen passes."""
    return "?" in asked.path


def by_header(asked: BaseHTTPRequestHandler) -> bool:
    """A cache that obeys the client."""
    return asked.headers.get("cache-control") == "no-cache"


def never(_: object) -> bool:
    """A cache whose key is the path alone."""
    return False


@contextmanager
def cache_before(
    service: Said, stored: dict[str, Said], passes: Callable[[BaseHTTPRequestHandler], bool]
) -> Iterator[str]:
    """A cache that has stored some paths, and hands every other request on to the service."""

    class Cache(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kept = None if passes(self) else stored.get(urlsplit(self.path).path)
            status, head, body = kept or service
            self.send_response(status)
            for name, value in {**head, **(STORED if kept else {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Cache) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("passes", [by_query, by_header])
def test_a_service_that_is_well_behind_its_cache_passes_by_its_own_answer(
    passes: Callable[[BaseHTTPRequestHandler], bool],
) -> None:
    measured = Measured()
    with cache_before(WELL, {"/up": (200, {}, "old")}, passes) as origin:
        answer = library.answers(opened(origin), "/up", measured)
    assert answer.body == WELL[2].encode()
    assert measured["cache"] == "age: 7200, x-cache: HIT"


@pytest.mark.parametrize("stored", [WELL, BROKEN])
def test_a_cache_hides_no_broken_service(stored: Said) -> None:
    with (
        cache_before(BROKEN, {"/up": stored}, by_query) as origin,
        pytest.raises(ServerBroke, match=rf"with the status {stored[0]}, and the service itself answers 502"),
    ):
        library.answers(opened(origin), "/up", Measured())


@pytest.mark.parametrize("status", [404, 500, 502])
@pytest.mark.parametrize("passes", [by_query, never])
def test_an_error_that_a_cache_repeats_is_not_the_release(
    status: int, passes: Callable[[BaseHTTPRequestHandler], bool]
) -> None:
    with (
        cache_before(WELL, {"/up": (status, {}, "old")}, passes) as origin,
        pytest.raises(Unverified, match="purge the cache"),
    ):
        library.answers(opened(origin), "/up", Measured())


def test_what_a_cache_alone_serves_does_not_show_that_the_release_works() -> None:
    with (
        cache_before(WELL, {"/up": WELL}, never) as origin,
        pytest.raises(Unverified, match="does not show that the release works"),
    ):
        library.answers(opened(origin), "/up", Measured())


def test_a_release_that_lost_a_path_is_not_known_to_serve_it() -> None:
    with (
        cache_before((404, {}, "{}"), {"/up": WELL}, by_query) as origin,
        pytest.raises(Unverified, match="the service itself answers 404 past it"),
    ):
        library.answers(opened(origin), "/up", Measured())


def test_a_static_site_that_is_always_cached_passes_while_its_host_answers_what_no_cache_knows() -> None:
    measured = Measured()
    with cache_before((404, PAGE, "<title>Not found</title>"), {"/": TITLE}, never) as origin:
        library.shows_title(opened(origin), "/", "Notes", measured)
    assert measured["cache"] == "age: 7200, x-cache: HIT"

    with cache_before(BROKEN, {"/": TITLE}, never) as origin, pytest.raises(Unverified):
        library.shows_title(opened(origin), "/", "Notes", Measured())


def commit(of: str) -> Said:
    return 200, {"X-Commit": of}, "{}"


def test_the_commit_is_that_of_the_service_and_not_of_its_cache() -> None:
    source = CommitSource(header="X-Commit")
    with cache_before(commit(NEW), {"/": commit(OLD)}, by_query) as origin:
        library.serves_commit(opened(origin), NEW, source, Measured())
    with cache_before(commit(OLD), {"/": commit(NEW)}, never) as origin:
        library.serves_commit(opened(origin), NEW, source, Measured())
    with cache_before(commit(OLD), {"/": commit(OLD)}, by_query) as origin, pytest.raises(WrongAnswer):
        library.serves_commit(opened(origin), NEW, source, Measured())
    with cache_before(commit(NEW), {"/": commit(OLD)}, never) as origin, pytest.raises(Unverified):
        library.serves_commit(opened(origin), NEW, source, Measured())


@pytest.mark.parametrize(
    "head",
    [
        {"age": "1"},
        {"cache-status": "Edge; fwd=uri-miss, Shield; hit; ttl=-412"},
        {"cache-status": '"Netlify Edge"; hit'},
        {"warning": '110 - "Response is stale"'},
        {"warning": '199 - "other", 111 - "Revalidation failed"'},
        {"x-cache": "Hit from cloudfront"},
        {"x-cache": "MISS, HIT"},
        {"x-cache": "TCP_MEM_HIT from a1.example (AkamaiGHost)"},
        {"x-cache-status": "STALE"},
        {"cf-cache-status": "UPDATING"},
        {"x-vercel-cache": "PRERENDER"},
    ],
)
def test_an_answer_of_a_cache_is_known_by_its_headers(head: dict[str, str]) -> None:
    [(name, value)] = head.items()
    assert cached_in(head) == f"{name}: {value}"


@pytest.mark.parametrize(
    "head",
    [
        {},
        {"age": "0", "x-cache": "MISS"},
        {"age": "soon"},
        {"cache-status": "hit; fwd=miss; stored"},
        {"warning": '214 - "Transformation applied"'},
        {"x-cache": "Error from cloudfront"},
        {"x-cache": "RefreshHit from cloudfront"},
        {"x-cache": "TCP_REFRESH_HIT from a1.example"},
        {"x-cache": "MISS from hit.example"},
        {"cf-cache-status": "REVALIDATED"},
        {"cf-cache-status": "DYNAMIC"},
        {"x-nextjs-cache": "HIT"},
    ],
)
def test_an_answer_that_the_service_gave_or_confirmed_is_its_own(head: dict[str, str]) -> None:
    assert cached_in(head) == ""
